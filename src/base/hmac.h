/* base/hmac.h - HMAC-SHA256 (RFC 2104, FIPS 198-1), by OpenSSL's libcrypto, and random
 * bytes from the kernel.
 */
#ifndef BASE_HMAC_H
#define BASE_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum { HMAC_BYTES = 32 };

/* Of `text` under `key`. */
void hmac_sha256(struct span key, struct span text, uint8_t mac[HMAC_BYTES]);

/* Whether both are equal, in a time that does not tell where they differ. */
bool hmac_equals(const uint8_t a[HMAC_BYTES], const uint8_t b[HMAC_BYTES]);

/* Unpredictable bytes (getrandom(2)). */
void hmac_random(void *out, size_t len);

#endif
