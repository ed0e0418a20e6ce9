/* Goal: HMAC-SHA256 as RFC 4231, section 4, has it, and random bytes that are some. */
#include "base/hmac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/must.h"

#define LONG_KEY_TEXT "This is a test using a larger than block-size key and a larger than " \
		      "block-size data. The key needs to be hashed before being used by the " \
		      "HMAC algorithm."

/* A text of NULL is `text_len` times one byte; so is a key. */
static const struct vector {
	const char *key;
	size_t key_len;
	char key_byte;
	const char *text;
	size_t text_len;
	char text_byte;
	const char *mac;	/* as hex digits; what is left out was left out there */
} vectors[] = {
	{NULL, 20, '\x0b', "Hi There", 0, 0,
	 "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
	{"Jefe", 0, 0, "what do ya want for nothing?", 0, 0,
	 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	{NULL, 20, '\xaa', NULL, 50, '\xdd',
	 "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
	{"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14"
	 "\x15\x16\x17\x18\x19", 0, 0, NULL, 50, '\xcd',
	 "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
	{NULL, 20, '\x0c', "Test With Truncation", 0, 0, "a3b6167473100ee06e0c796c2955552b"},
	{NULL, 131, '\xaa', "Test Using Larger Than Block-Size Key - Hash Key First", 0, 0,
	 "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	{NULL, 131, '\xaa', LONG_KEY_TEXT, 0, 0,
	 "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

static struct span repeated(char *room, const char *text, size_t len, char byte)
{
	if (text != NULL)
		return span_of(text);
	memset(room, byte, len);
	return (struct span){room, len};
}

static void published_values_come_out(void **unused)
{
	char key[131], text[50], hex[2 * HMAC_BYTES + 1];
	uint8_t mac[HMAC_BYTES];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		const struct vector *v = &vectors[i];
		hmac_sha256(repeated(key, v->key, v->key_len, v->key_byte),
			    repeated(text, v->text, v->text_len, v->text_byte), mac);
		for (size_t b = 0; b < HMAC_BYTES; b++)
			sprintf(hex + 2 * b, "%02x", mac[b]);
		hex[strlen(v->mac)] = '\0';
		assert_string_equal(hex, v->mac);
	}
}

static void one_bit_makes_two_different(void **unused)
{
	uint8_t a[HMAC_BYTES], b[HMAC_BYTES];

	(void)unused;
	hmac_sha256(SPAN("key"), SPAN("text"), a);
	memcpy(b, a, sizeof a);
	assert_true(hmac_equals(a, b));
	for (size_t bit = 0; bit < 8 * sizeof b; bit++) {
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(hmac_equals(a, b));
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* 300 bytes are more than the kernel gives at once without being asked twice. That some
 * 16 of them are those of another call happens once in 2^120. */
static void random_bytes_are_never_the_same(void **unused)
{
	static uint8_t first[300], second[300];

	(void)unused;
	hmac_random(first, sizeof first);
	hmac_random(second, sizeof second);
	for (size_t i = 0; i + 16 <= sizeof first; i += 16)
		assert_memory_not_equal(first + i, second + i, 16);
	assert_memory_not_equal(first + 284, second + 284, 16);
	hmac_random(first, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_values_come_out),
		cmocka_unit_test(one_bit_makes_two_different),
		cmocka_unit_test(random_bytes_are_never_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
