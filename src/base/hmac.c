#include "base/hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include "base/must.h"

void hmac_sha256(struct span key, struct span text, uint8_t mac[HMAC_BYTES])
{
	unsigned len = 0;

	must(HMAC(EVP_sha256(), key.at, (int)key.len, (const unsigned char *)text.at,
		  text.len, mac, &len) != NULL);
	must(len == HMAC_BYTES);
}

bool hmac_equals(const uint8_t a[HMAC_BYTES], const uint8_t b[HMAC_BYTES])
{
	return CRYPTO_memcmp(a, b, HMAC_BYTES) == 0;
}

void hmac_random(void *out, size_t len)
{
	char *at = out;

	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);
		must(got > 0);		/* up to 256 bytes it cannot fail
					 * (getrandom(2)) */
		at += got;
		len -= (size_t)got;
	}
}
