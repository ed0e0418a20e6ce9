/* base/bigendian.h - numbers in network order, the first byte the highest, wherever they
 * stand: no alignment is asked for.
 *
 * What our own files have in the other order is read and written where those are.
 */
#ifndef BASE_BIGENDIAN_H
#define BASE_BIGENDIAN_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t bigendian_u16(const void *at)
{
	uint16_t n;

	memcpy(&n, at, sizeof n);
	return be16toh(n);
}

static inline uint32_t bigendian_u32(const void *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof n);
	return be32toh(n);
}

static inline uint64_t bigendian_u64(const void *at)
{
	uint64_t n;

	memcpy(&n, at, sizeof n);
	return be64toh(n);
}

static inline void bigendian_put_u16(void *at, uint16_t n)
{
	n = htobe16(n);
	memcpy(at, &n, sizeof n);
}

static inline void bigendian_put_u32(void *at, uint32_t n)
{
	n = htobe32(n);
	memcpy(at, &n, sizeof n);
}

static inline void bigendian_put_u64(void *at, uint64_t n)
{
	n = htobe64(n);
	memcpy(at, &n, sizeof n);
}

#endif
