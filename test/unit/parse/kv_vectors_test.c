/* Goal: the test vectors that doc/kv-protocol.md gives to strangers are what the code writes
 * and reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/must.h"
#include "base/siphash.h"
#include "parse/kv_hello.h"

#define BYTES_OF(literal) {"" literal, sizeof(literal) - 1}
#define KEY   .key = BYTES_OF("k")
#define VALUE .value = BYTES_OF("v")

static char item[KV_SUMMARY_ITEM_BYTES];	/* what the summary has; its hash comes first */

static const struct vector {
	const char *name;	/* as in the document's table */
	struct kv_message m;
} vectors[] = {
	{"PUT", {.type = KV_PUT, KEY, VALUE}},
	{"PUT_RESPONSE, done", {.type = KV_PUT_RESPONSE, KEY}},
	{"GET", {.type = KV_GET, KEY}},
	{"GET_RESPONSE, key not found",
	 {.type = KV_GET_RESPONSE, .result = KV_NOT_FOUND, KEY}},
	{"STORE_REQUEST, tag 7", {.type = KV_STORE_REQUEST, .id = 7, KEY, VALUE}},
	{"STORE_RESPONSE, done, tag 7", {.type = KV_STORE_RESPONSE, .id = 7, KEY}},
	{"WORKER_ENTRY, id 4242, 10.0.0.1 port 6242, exports",
	 {.type = KV_WORKER_ENTRY, .id = 4242, .value = BYTES_OF("10.0.0.1"), .port = 6242,
	  .fills = 1}},
	{"WORKER_REGISTRY_END", {.type = KV_REGISTRY_END}},
	{"WORKER_READY, id 4242, port 6242",
	 {.type = KV_WORKER_READY, .id = 4242, .port = 6242}},
	{"ERROR, protocol, \"no\"",
	 {.type = KV_ERROR, .result = KV_PROTOCOL, .value = BYTES_OF("no")}},
	{"OP SET, tag 1, only if absent, expires in 60,000 ms",
	 {.type = KV_OP, .id = 1, .verb = KV_VERB_SET, KEY, VALUE,
	  .flags = KV_IF_ABSENT | KV_RELATIVE_EXPIRY, .expires_ms = 60000}},
	{"OP GET, tag 2", {.type = KV_OP, .id = 2, .verb = KV_VERB_GET, KEY}},
	{"REPLY, tag 2, version 5", {.type = KV_REPLY, .id = 2, .version = 5, VALUE}},
	{"REPLY, tag 1, condition not met, version 5",
	 {.type = KV_REPLY, .id = 1, .result = KV_NOT_MET, .version = 5}},
	{"REPLICATE, seq 3, set, version 5",
	 {.type = KV_REPLICATE, .seq = 3, .kind = KV_KIND_SET, .version = 5, KEY, VALUE}},
	{"REPLICATE, seq 4, deleted, version 6",
	 {.type = KV_REPLICATE, .seq = 4, .kind = KV_KIND_DELETED, .version = 6, KEY}},
	{"REPLICATED, seq 4", {.type = KV_REPLICATED, .seq = 4}},
	{"SYNC_OFFER, 1 entry, newest 6, purged 0",
	 {.type = KV_SYNC_OFFER, .entries = 1, .newest = 6}},
	{"SYNC_ASK, everything", {.type = KV_SYNC_ASK, .how = KV_SYNC_EVERYTHING}},
	{"SYNC_SUMMARY of bucket 3148, the last: version 5 of the key, pool key 00 to 0f",
	 {.type = KV_SYNC_SUMMARY, .bucket = 3148, .last = 1, .items = {item, sizeof item}}},
	{"SYNC_WANT of it", {.type = KV_SYNC_WANT, .bucket = 3148, .items = {item, 8}}},
	{"PEER, id 9, speaks 2, ::1 port 6001, fills",
	 {.type = KV_PEER, .id = 9, .speaks = 2, .value = BYTES_OF("::1"), .port = 6001,
	  .fills = 1}},
};

/* Of the exchange, which kv_hello makes. */
static const char *const hello_names[] = {
	("HELLO of a worker: id 4242, port 6242, lane 0 of 1, newest 99, 12 entries, pool key "
	 "and nonce 00 to 0f, a secret"),
	"HELLO of the balancer that answers it: the same pool key, nonce 10 to 1f",
	"PROOF of that worker, secret \"open sesame\"",
	"PROOF of that balancer",
};

static char document[65536];

static int read_document(void **unused)
{
	FILE *f = fopen("doc/kv-protocol.md", "r");

	(void)unused;
	if (f == NULL)
		return -1;
	size_t len = fread(document, 1, sizeof document - 1, f);
	document[len] = '\0';
	return fclose(f);
}

/* The bytes that the document gives to a message of this name. */
static size_t documented(const char *name, uint8_t bytes[256])
{
	char start[256];
	size_t len = 0;
	int used;

	snprintf(start, sizeof start, "\n| %s | `", name);
	const char *at = strstr(document, start);
	if (at == NULL)
		fail_msg("no vector \"%s\" in the document", name);
	at += strlen(start);
	for (unsigned byte; *at != '`'; at += used) {
		assert_true(len < 256);
		assert_int_equal(sscanf(at, " %2x%n", &byte, &used), 1);
		bytes[len++] = (uint8_t)byte;
	}
	return len;
}

static void assert_documented(const char *name, const void *written, size_t written_len)
{
	uint8_t bytes[256], again[256];
	struct kv_message m;
	const char *why;
	size_t len = documented(name, bytes), used;

	if (len != written_len)
		fail_msg("%s: %zu bytes, documented are %zu", name, written_len, len);
	assert_memory_equal(written, bytes, len);
	assert_int_equal(kv_wire_parse(&m, bytes, len, &used, &why), KV_PARSE_DONE);
	assert_int_equal(kv_wire_write(&m, again), len);
	assert_memory_equal(again, bytes, len);
}

static uint64_t hash_of_key(void)
{
	/* The halves of 00 to 0f, as little-endian numbers. */
	const struct siphash_key key = {UINT64_C(0x0706050403020100),
					UINT64_C(0x0f0e0d0c0b0a0908)};

	return siphash(&key, "k", 1);
}

static void messages_are_as_documented(void **unused)
{
	struct kv_summary_item summary = {hash_of_key(), 5, KV_KIND_SET};
	uint8_t out[256];

	(void)unused;
	assert_int_equal(summary.hash >> (64 - KV_BUCKET_BITS), 3148);
	kv_summary_item_write(&summary, item);
	for (size_t i = 0; i < COUNT_OF(vectors); i++)
		assert_documented(vectors[i].name, out, kv_wire_write(&vectors[i].m, out));
}

static void take(struct kv_hello *to, const struct kv_hello *from, enum kv_hello_state state)
{
	struct kv_message m;
	enum kv_result code;
	const char *why;
	size_t used;

	assert_int_equal(kv_wire_parse(&m, from->out, from->out_len, &used, &why),
			 KV_PARSE_DONE);
	assert_int_equal(kv_hello_take(to, &m, &code, &why), state);
}

static void the_exchange_is_as_documented(void **unused)
{
	struct kv_self worker = {.role = KV_ROLE_WORKER, .lanes = 1, .id = 4242, .port = 6242,
				 .newest = 99, .entries = 12, .secret = SPAN("open sesame")};
	struct kv_self balancer = {.role = KV_ROLE_BALANCER, .lanes = 1,
				   .secret = SPAN("open sesame")};
	uint8_t nonces[2][KV_NONCE_BYTES];
	struct kv_hello w, b;

	(void)unused;
	for (uint8_t i = 0; i < KV_NONCE_BYTES; i++) {
		worker.pool_key[i] = balancer.pool_key[i] = nonces[0][i] = i;
		nonces[1][i] = (uint8_t)(16 + i);
	}
	kv_hello_init(&w, &worker, true, nonces[0]);
	kv_hello_init(&b, &balancer, false, nonces[1]);
	assert_documented(hello_names[0], w.out, w.out_len);
	take(&b, &w, KV_HELLO_GOES_ON);
	assert_documented(hello_names[1], b.out, b.out_len);
	take(&w, &b, KV_HELLO_GOES_ON);
	assert_documented(hello_names[2], w.out, w.out_len);
	take(&b, &w, KV_HELLO_DONE);
	assert_documented(hello_names[3], b.out, b.out_len);
	take(&w, &b, KV_HELLO_DONE);
}

static void the_digest_is_as_documented(void **unused)
{
	static const char entry[] = "\0\0\0\0\0\0\0\5kv";
	char text[64];
	uint64_t digest = hash_bytes_seeded(entry, sizeof entry - 1, hash_of_key());

	(void)unused;
	snprintf(text, sizeof text, "`%016llx`.\n", (unsigned long long)digest);
	assert_non_null(strstr(document, text));
}

static void every_documented_vector_is_tried(void **unused)
{
	const char *at = strstr(document, "## Test vectors");
	size_t rows = 0;

	(void)unused;
	assert_non_null(at);
	while ((at = strstr(at, "` |\n")) != NULL) {
		at++;
		rows++;
	}
	assert_int_equal(rows, COUNT_OF(vectors) + COUNT_OF(hello_names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_as_documented),
		cmocka_unit_test(the_exchange_is_as_documented),
		cmocka_unit_test(the_digest_is_as_documented),
		cmocka_unit_test(every_documented_vector_is_tried),
	};
	return cmocka_run_group_tests(tests, read_document, NULL);
}
