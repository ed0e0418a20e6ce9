/* base/crc32c.h - the checksum CRC32c: Castagnoli's polynomial (RFC 4960, appendix B).
 *
 * By the processor's own instruction where it has one (x86-64 with SSE4.2, arm64 when
 * built for it): some 4 bytes a nanosecond. Else by a table of sixteen entries, a tenth
 * of a byte: enough for a header once a connection, slow for bulk.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of these bytes behind those that `before` is the checksum of; 0: they are the first. */
uint32_t crc32c(uint32_t before, const void *at, size_t len);

/* The same, always by the table: what the instruction is held against. */
uint32_t crc32c_by_table(uint32_t before, const void *at, size_t len);

#endif
