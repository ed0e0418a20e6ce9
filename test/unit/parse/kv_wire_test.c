/* Goal: every type of message is what doc/kv-protocol.md says, is written as it was read,
 * is waited for while it may still come, and refused as soon as it cannot. */
#include "parse/kv_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

#define BYTES_OF(literal) {"" literal, sizeof(literal) - 1}

static char digests[KV_BUCKETS * 8];

/* One message of every type, and the payload that the document gives it. The lengths of
 * items are the only ones that a header may change without a field disagreeing. */
static const struct sample {
	struct kv_message m;
	struct span payload;
	size_t item_bytes;
} samples[] = {
	{{.type = KV_PUT, .key = BYTES_OF("k"), .value = BYTES_OF("v")},
	 BYTES_OF("\0\1k\0\1v"), 0},
	{{.type = KV_PUT_RESPONSE, .result = KV_INVALID_VALUE, .key = BYTES_OF("key")},
	 BYTES_OF("\2\0\3key"), 0},
	{{.type = KV_GET, .key = BYTES_OF("a\0b")}, BYTES_OF("\0\3a\0b"), 0},
	{{.type = KV_GET_RESPONSE, .result = KV_NOT_FOUND, .key = BYTES_OF("k")},
	 BYTES_OF("\3\0\1k\0\0"), 0},
	{{.type = KV_STORE_REQUEST, .id = 0x01020304, .key = BYTES_OF("k"),
	  .value = BYTES_OF("vw")},
	 BYTES_OF("\1\2\3\4\0\1k\0\2vw"), 0},
	{{.type = KV_STORE_RESPONSE, .result = 0, .id = 0xfffefdfc, .key = BYTES_OF("k")},
	 BYTES_OF("\0\xff\xfe\xfd\xfc\0\1k"), 0},
	{{.type = KV_RETRIEVE_REQUEST, .id = 5, .key = BYTES_OF("k")},
	 BYTES_OF("\0\0\0\5\0\1k"), 0},
	{{.type = KV_RETRIEVE_RESPONSE, .result = 0, .id = 5, .key = BYTES_OF("k"),
	  .value = BYTES_OF("v")},
	 BYTES_OF("\0\0\0\0\5\0\1k\0\1v"), 0},
	{{.type = KV_REGISTRY_START, .total = 64}, BYTES_OF("\0\0\0\x40"), 0},
	{{.type = KV_WORKER_ENTRY, .id = 4242, .value = BYTES_OF("10.0.0.1"), .port = 6242,
	  .fills = 1},
	 BYTES_OF("\0\0\x10\x92\0\10" "10.0.0.1" "\x18\x62\1"), 0},
	{{.type = KV_REGISTRY_END}, BYTES_OF(""), 0},
	{{.type = KV_EXPORT_START, .total = 1000000}, BYTES_OF("\0\x0f\x42\x40"), 0},
	{{.type = KV_DATA_ENTRY, .key = BYTES_OF("k"), .value = BYTES_OF("")},
	 BYTES_OF("\0\1k\0\0"), 0},
	{{.type = KV_EXPORT_END}, BYTES_OF(""), 0},
	{{.type = KV_WORKER_READY, .id = 4242, .port = 6242},
	 BYTES_OF("\0\0\x10\x92\x18\x62"), 0},
	{{.type = KV_WORKER_NOT_READY, .id = 4242}, BYTES_OF("\0\0\x10\x92"), 0},
	{{.type = KV_PEER_NOTIFY, .key = BYTES_OF("k"), .value = BYTES_OF("v")},
	 BYTES_OF("\0\1k\0\1v"), 0},
	{{.type = KV_HELLO, .speaks = 2, .role = KV_ROLE_WORKER, .flags = KV_WANTS_PROOF,
	  .lane = 1, .lanes = 4, .id = 7, .port = 6001, .newest = 0x0102030405060708,
	  .entries = 9, .pool_key = BYTES_OF("0123456789abcdef"),
	  .nonce = BYTES_OF("ABCDEFGHIJKLMNOP")},
	 BYTES_OF("\2\2\1\1\4\0\0\0\7\x17\x71\1\2\3\4\5\6\7\10\0\0\0\0\0\0\0\11"
		  "0123456789abcdefABCDEFGHIJKLMNOP"), 0},
	{{.type = KV_PROOF, .mac = BYTES_OF("0123456789abcdef0123456789ABCDEF")},
	 BYTES_OF("0123456789abcdef0123456789ABCDEF"), 0},
	{{.type = KV_OP, .id = 1, .verb = KV_VERB_SET, .flags = KV_IF_ABSENT | KV_ACK_ALL,
	  .version = 5, .expires_ms = 1700000000000, .key = BYTES_OF("k"),
	  .value = BYTES_OF("v")},
	 BYTES_OF("\0\0\0\1\2\11\0\0\0\0\0\0\0\5\0\0\x01\x8b\xcf\xe5\x68\0\0\1k\0\1v"), 0},
	{{.type = KV_REPLY, .id = 1, .result = 0, .flags = 0, .version = 5, .expires_ms = 0,
	  .value = BYTES_OF("v")},
	 BYTES_OF("\0\0\0\1\0\0\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\0\0\1v"), 0},
	{{.type = KV_REPLICATE, .seq = 3, .kind = KV_KIND_DELETED, .version = 6,
	  .expires_ms = 0, .key = BYTES_OF("k"), .value = BYTES_OF("")},
	 BYTES_OF("\0\0\0\0\0\0\0\3\2\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0\0\0\1k\0\0"), 0},
	{{.type = KV_REPLICATED, .seq = 3}, BYTES_OF("\0\0\0\0\0\0\0\3"), 0},
	{{.type = KV_SYNC_OFFER, .entries = 1, .newest = 2, .purged = 3},
	 BYTES_OF("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3"), 0},
	{{.type = KV_SYNC_ASK, .how = KV_SYNC_EVERYTHING}, BYTES_OF("\1"), KV_BUCKETS * 8},
	{{.type = KV_SYNC_SUMMARY, .bucket = 4095, .last = 1,
	  .items = BYTES_OF("hashhashversions\1HASHHASHVERSIONS\2")},
	 BYTES_OF("\x0f\xff\1hashhashversions\1HASHHASHVERSIONS\2"), KV_SUMMARY_ITEM_BYTES},
	{{.type = KV_SYNC_WANT, .bucket = 7, .items = BYTES_OF("hashhashHASHHASH")},
	 BYTES_OF("\0\7hashhashHASHHASH"), KV_WANT_ITEM_BYTES},
	{{.type = KV_SYNC_SUMMARIES_END}, BYTES_OF(""), 0},
	{{.type = KV_SYNC_WANTS_END}, BYTES_OF(""), 0},
	{{.type = KV_SYNC_END, .entries = 12}, BYTES_OF("\0\0\0\0\0\0\0\14"), 0},
	{{.type = KV_PEER, .id = 9, .speaks = 2, .value = BYTES_OF("::1"), .port = 6001,
	  .fills = 0},
	 BYTES_OF("\0\0\0\11\2\0\3::1\x17\x71\0"), 0},
	{{.type = KV_PEER_GONE, .id = 9}, BYTES_OF("\0\0\0\11"), 0},
	{{.type = KV_PEER_LOST, .id = 9}, BYTES_OF("\0\0\0\11"), 0},
	{{.type = KV_SHUTDOWN}, BYTES_OF(""), 0},
	{{.type = KV_ERROR, .result = KV_PROTOCOL, .value = BYTES_OF("no")},
	 BYTES_OF("\6\0\2no"), 0},
};

/* The message of a header with this length, and `payload` behind it. */
static size_t frame(char *out, uint8_t type, size_t length, struct span payload)
{
	out[0] = (char)type;
	out[1] = (char)(length >> 8);
	out[2] = (char)length;
	memcpy(out + KV_HEADER_BYTES, payload.at, payload.len);
	return KV_HEADER_BYTES + payload.len;
}

/* Reads from memory that ends with the last byte. Spans of *m are good until the next. */
static enum kv_parse parse(struct kv_message *m, const char *at, size_t len, size_t *used)
{
	static char *copy;
	const char *why = NULL;

	free(copy);
	copy = malloc(len > 0 ? len : 1);
	assert_non_null(copy);
	memcpy(copy, at, len);
	enum kv_parse result = kv_wire_parse(m, copy, len, used, &why);
	assert_true((result == KV_PARSE_BAD) == (why != NULL));
	return result;
}

static void assert_written(const struct kv_message *m, const char *bytes, size_t len)
{
	static char out[KV_MESSAGE_MAX];

	assert_int_equal(kv_wire_size(m), len);
	assert_int_equal(kv_wire_write(m, out), len);
	assert_memory_equal(out, bytes, len);
}

static void every_type_is_written_as_documented(void **unused)
{
	char bytes[128];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		const struct sample *s = &samples[i];
		size_t len = frame(bytes, s->m.type, s->payload.len, s->payload);
		assert_written(&s->m, bytes, len);
	}
}

static void what_is_read_is_written_the_same(void **unused)
{
	char bytes[128];
	struct kv_message m;
	size_t used;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		const struct sample *s = &samples[i];
		size_t len = frame(bytes, s->m.type, s->payload.len, s->payload);
		memset(&m, 0xa5, sizeof m);
		/* What stands behind it is not touched. */
		memset(bytes + len, 0xff, 4);
		assert_int_equal(parse(&m, bytes, len + 4, &used), KV_PARSE_DONE);
		assert_int_equal(used, len);
		assert_int_equal(m.type, s->m.type);
		assert_written(&m, bytes, len);
	}
}

static void every_prefix_is_waited_for(void **unused)
{
	char bytes[128];
	struct kv_message m;
	size_t used;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		const struct sample *s = &samples[i];
		size_t len = frame(bytes, s->m.type, s->payload.len, s->payload);
		for (size_t have = 0; have < len; have++)
			assert_int_equal(parse(&m, bytes, have, &used), KV_PARSE_MORE);
	}
}

static bool is_other_number_of_items(const struct sample *s, size_t length)
{
	size_t off = length > s->payload.len ? length - s->payload.len
					     : s->payload.len - length;

	if (s->item_bytes == 0 || off % s->item_bytes != 0)
		return false;
	return s->m.type != KV_SYNC_ASK && length >= s->payload.len - s->m.items.len;
}

static void every_wrong_length_is_refused(void **unused)
{
	static char bytes[KV_MESSAGE_MAX];
	struct kv_message m;
	size_t used;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		const struct sample *s = &samples[i];
		for (size_t length = 0; length <= KV_PAYLOAD_MAX; length++) {
			if (length == s->payload.len || is_other_number_of_items(s, length))
				continue;
			memset(bytes, 0, 200);
			frame(bytes, s->m.type, length, s->payload);
			/* Known at the latest when all that was written is there. */
			size_t have = length < s->payload.len ? length : s->payload.len;
			if (parse(&m, bytes, KV_HEADER_BYTES + have, &used) != KV_PARSE_BAD)
				fail_msg("%s of %zu", kv_wire_type_name(s->m.type), length);
			/* And when all of it is. */
			if (length < 200 && parse(&m, bytes, KV_HEADER_BYTES + length, &used) !=
					    KV_PARSE_BAD)
				fail_msg("%s of %zu, whole", kv_wire_type_name(s->m.type), length);
		}
	}
}

static bool has_sample(unsigned type)
{
	for (size_t i = 0; i < COUNT_OF(samples); i++)
		if (samples[i].m.type == type)
			return true;
	return false;
}

static void unknown_types_are_refused_at_once(void **unused)
{
	struct kv_message m;
	size_t used;
	int known = 0;

	(void)unused;
	for (unsigned type = 0; type < 256; type++) {
		char first = (char)type;
		bool bad = parse(&m, &first, 1, &used) == KV_PARSE_BAD;
		bool named = strcmp(kv_wire_type_name((uint8_t)type), "unknown") != 0;
		assert_int_equal(bad, !has_sample(type));
		assert_int_equal(named, has_sample(type));
		known += !bad;
	}
	assert_int_equal(known, 35);
}

#define ASSERT_PARSE(literal, result) \
	assert_int_equal(parse(&m, "" literal, sizeof(literal) - 1, &used), result)

static void the_header_tells_what_cannot_be(void **unused)
{
	struct kv_message m;
	size_t used;

	(void)unused;
	ASSERT_PARSE("\x14\0\7", KV_PARSE_BAD);		/* WORKER_READY */
	ASSERT_PARSE("\x14\0\5", KV_PARSE_BAD);
	ASSERT_PARSE("\x14\0", KV_PARSE_MORE);
	ASSERT_PARSE("\x10\0\1", KV_PARSE_BAD);		/* WORKER_REGISTRY_END */
	ASSERT_PARSE("\1\0\3", KV_PARSE_BAD);		/* PUT, two lengths take four */
	ASSERT_PARSE("\1\0\4", KV_PARSE_MORE);
	ASSERT_PARSE("\x31\0\13", KV_PARSE_BAD);	/* SYNC_WANT, a hash and a byte */
	ASSERT_PARSE("\x2f\0\2", KV_PARSE_BAD);		/* SYNC_ASK, one digest byte */
	ASSERT_PARSE("\x2f\x80\1", KV_PARSE_MORE);
}

static void a_length_tells_what_cannot_be(void **unused)
{
	struct kv_message m;
	size_t used;

	(void)unused;
	ASSERT_PARSE("\1\0\6\0\2", KV_PARSE_MORE);
	ASSERT_PARSE("\1\0\6\0\3", KV_PARSE_BAD);	/* PUT: key and value share two */
	ASSERT_PARSE("\1\0\6\0\1k\0\2", KV_PARSE_BAD);
	ASSERT_PARSE("\1\0\6\0\1k\0\0", KV_PARSE_BAD);
	ASSERT_PARSE("\3\0\3\0\0", KV_PARSE_BAD);	/* GET: a byte behind the key */
	ASSERT_PARSE("\x2f\x80\1\1", KV_PARSE_BAD);	/* everything needs no digests */
	ASSERT_PARSE("\x2f\0\1\2", KV_PARSE_BAD);	/* what differs needs them */
}

static void digests_are_all_or_none(void **unused)
{
	static char bytes[KV_MESSAGE_MAX];
	struct kv_message ask = {.type = KV_SYNC_ASK, .how = KV_SYNC_BY_DIGEST,
				 .items = {digests, sizeof digests}}, m;
	size_t used;

	(void)unused;
	kv_u64_write(UINT64_C(0x1122334455667788), digests + sizeof digests - 8);
	size_t len = kv_wire_write(&ask, bytes);
	assert_int_equal(len, 3 + 1 + 32768);
	assert_int_equal(parse(&m, bytes, len - 1, &used), KV_PARSE_MORE);
	assert_int_equal(parse(&m, bytes, len, &used), KV_PARSE_DONE);
	assert_int_equal(m.items.len, sizeof digests);
	assert_int_equal(kv_u64_at(m.items, 4095), 0x1122334455667788);
	assert_int_equal(kv_u64_at(m.items, 4094), 0);
}

static void the_longest_messages_fit(void **unused)
{
	static char text[KV_PAYLOAD_MAX], bytes[KV_MESSAGE_MAX];
	struct span key = {text, KV_KEY_MAX}, value = {text, KV_ENTRY_MAX - KV_KEY_MAX};
	struct kv_message all[] = {
		{.type = KV_OP, .key = key, .value = value},
		{.type = KV_REPLICATE, .key = key, .value = value},
		{.type = KV_PUT, .key = key, .value = {text, KV_PAYLOAD_MAX - 4 - key.len}},
		{.type = KV_REPLY, .value = {text, KV_ENTRY_MAX}},
		{.type = KV_SYNC_SUMMARY,
		 .items = {text, (size_t)KV_SUMMARY_ITEMS_MAX * KV_SUMMARY_ITEM_BYTES}},
		{.type = KV_SYNC_WANT,
		 .items = {text, (size_t)KV_WANT_ITEMS_MAX * KV_WANT_ITEM_BYTES}},
	}, m;
	size_t used;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		size_t len = kv_wire_write(&all[i], bytes);
		assert_int_equal(len, kv_wire_size(&all[i]));
		assert_int_equal(parse(&m, bytes, len, &used), KV_PARSE_DONE);
		assert_int_equal(used, len);
	}
}

static void items_come_back_from_their_places(void **unused)
{
	char bytes[3 * KV_SUMMARY_ITEM_BYTES];
	struct span items = {bytes, sizeof bytes};

	(void)unused;
	for (unsigned i = 0; i < 3; i++)
		kv_summary_item_write(&(struct kv_summary_item){
			UINT64_C(0xfedcba9876543210) + i, i, (uint8_t)(i + 1)},
			bytes + i * KV_SUMMARY_ITEM_BYTES);
	for (unsigned i = 0; i < 3; i++) {
		struct kv_summary_item item = kv_summary_item_at(items, i);
		assert_int_equal(item.hash, UINT64_C(0xfedcba9876543210) + i);
		assert_int_equal(item.version, i);
		assert_int_equal(item.kind, i + 1);
	}
	assert_memory_equal(bytes, "\xfe\xdc\xba\x98\x76\x54\x32\x10\0\0\0\0\0\0\0\0\1", 17);
}

static void every_result_has_a_text(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < KV_RESULTS; i++)
		assert_non_null(kv_wire_result_text((uint8_t)i));
	assert_string_equal(kv_wire_result_text(KV_NOT_FOUND), "key not found");
	assert_string_equal(kv_wire_result_text(KV_RESULTS), "unknown result");
	assert_string_equal(kv_wire_result_text(255), "unknown result");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_written_as_documented),
		cmocka_unit_test(what_is_read_is_written_the_same),
		cmocka_unit_test(every_prefix_is_waited_for),
		cmocka_unit_test(every_wrong_length_is_refused),
		cmocka_unit_test(unknown_types_are_refused_at_once),
		cmocka_unit_test(the_header_tells_what_cannot_be),
		cmocka_unit_test(a_length_tells_what_cannot_be),
		cmocka_unit_test(digests_are_all_or_none),
		cmocka_unit_test(the_longest_messages_fit),
		cmocka_unit_test(items_come_back_from_their_places),
		cmocka_unit_test(every_result_has_a_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
