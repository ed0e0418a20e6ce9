/* base/crc32c.h - the checksum CRC32c: Castagnoli's polynomial (RFC 4960, appendix B).
 *
 * By a table of sixteen entries: for headers of some hundred bytes, once a connection,
 * not for bulk.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of these bytes behind those that `before` is the checksum of; 0: they are the first. */
uint32_t crc32c(uint32_t before, const void *at, size_t len);

#endif
