#include "parse/kv_wire.h"

#include <string.h>

#include "base/bigendian.h"
#include "base/must.h"

/* ---- the table ---- */

enum kind {
	END,
	U8, U16, U32, U64,
	BYTES,				/* a u16 and so many bytes */
	SIXTEEN, THIRTY_TWO,		/* so many bytes */
	ITEMS,				/* all that is left, in whole items */
	KINDS
};

/* What a field takes at least, which but for BYTES and ITEMS is what it takes. */
static const uint8_t kind_bytes[KINDS] = {
	[U8] = 1, [U16] = 2, [U32] = 4, [U64] = 8, [BYTES] = 2,
	[SIXTEEN] = 16, [THIRTY_TWO] = 32,
};

struct field {
	uint8_t kind;			/* enum kind */
	uint8_t at;			/* where in struct kv_message */
};

enum { FIELDS_MAX = 12, DIGESTS_BYTES = KV_BUCKETS * 8 };

_Static_assert(sizeof(struct kv_message) <= UINT8_MAX, "a place fits struct field");

struct row {
	const char  *name;		/* NULL: no such type */
	uint32_t     item_bytes;	/* of ITEMS */
	struct field fields[FIELDS_MAX];	/* up to END */
};

#define FIELD(kind, member) {kind, offsetof(struct kv_message, member)}
#define KEY       FIELD(BYTES, key)
#define VALUE     FIELD(BYTES, value)
#define RESULT    FIELD(U8, result)
#define ID        FIELD(U32, id)
#define PORT      FIELD(U16, port)
#define TOTAL     FIELD(U32, total)
#define VERSION   FIELD(U64, version)
#define EXPIRES   FIELD(U64, expires_ms)
#define NEWEST    FIELD(U64, newest)
#define ENTRIES   FIELD(U64, entries)
#define SEQ       FIELD(U64, seq)
#define FLAGS     FIELD(U8, flags)
#define SPEAKS    FIELD(U8, speaks)
#define FILLS     FIELD(U8, fills)
#define ALL_ITEMS FIELD(ITEMS, items)

/* Which fields a type has, in their order; doc/kv-protocol.md says the same. */
static const struct row rows[] = {
	[KV_PUT]                 = {"PUT", 0, {KEY, VALUE}},
	[KV_PUT_RESPONSE]        = {"PUT_RESPONSE", 0, {RESULT, KEY}},
	[KV_GET]                 = {"GET", 0, {KEY}},
	[KV_GET_RESPONSE]        = {"GET_RESPONSE", 0, {RESULT, KEY, VALUE}},
	[KV_STORE_REQUEST]       = {"STORE_REQUEST", 0, {ID, KEY, VALUE}},
	[KV_STORE_RESPONSE]      = {"STORE_RESPONSE", 0, {RESULT, ID, KEY}},
	[KV_RETRIEVE_REQUEST]    = {"RETRIEVE_REQUEST", 0, {ID, KEY}},
	[KV_RETRIEVE_RESPONSE]   = {"RETRIEVE_RESPONSE", 0, {RESULT, ID, KEY, VALUE}},
	[KV_REGISTRY_START]      = {"WORKER_REGISTRY_START", 0, {TOTAL}},
	[KV_WORKER_ENTRY]        = {"WORKER_ENTRY", 0, {ID, VALUE, PORT, FILLS}},
	[KV_REGISTRY_END]        = {"WORKER_REGISTRY_END", 0, {{0}}},
	[KV_EXPORT_START]        = {"DATA_EXPORT_START", 0, {TOTAL}},
	[KV_DATA_ENTRY]          = {"DATA_ENTRY", 0, {KEY, VALUE}},
	[KV_EXPORT_END]          = {"DATA_EXPORT_END", 0, {{0}}},
	[KV_WORKER_READY]        = {"WORKER_READY", 0, {ID, PORT}},
	[KV_WORKER_NOT_READY]    = {"WORKER_NOT_READY", 0, {ID}},
	[KV_PEER_NOTIFY]         = {"PEER_NOTIFY", 0, {KEY, VALUE}},
	[KV_HELLO]               = {"HELLO", 0, {
		SPEAKS, FIELD(U8, role), FLAGS, FIELD(U8, lane), FIELD(U8, lanes), ID, PORT,
		NEWEST, ENTRIES, FIELD(SIXTEEN, pool_key), FIELD(SIXTEEN, nonce)}},
	[KV_PROOF]               = {"PROOF", 0, {FIELD(THIRTY_TWO, mac)}},
	[KV_OP]                  = {"OP", 0, {
		ID, FIELD(U8, verb), FLAGS, VERSION, EXPIRES, KEY, VALUE}},
	[KV_REPLY]               = {"REPLY", 0, {
		ID, RESULT, FLAGS, VERSION, EXPIRES, VALUE}},
	[KV_REPLICATE]           = {"REPLICATE", 0, {
		SEQ, FIELD(U8, kind), VERSION, EXPIRES, KEY, VALUE}},
	[KV_REPLICATED]          = {"REPLICATED", 0, {SEQ}},
	[KV_SYNC_OFFER]          = {"SYNC_OFFER", 0, {
		ENTRIES, NEWEST, FIELD(U64, purged)}},
	/* One item or none: two do not fit in a message. */
	[KV_SYNC_ASK]            = {"SYNC_ASK", DIGESTS_BYTES, {
		FIELD(U8, how), ALL_ITEMS}},
	[KV_SYNC_SUMMARY]        = {"SYNC_SUMMARY", KV_SUMMARY_ITEM_BYTES, {
		FIELD(U16, bucket), FIELD(U8, last), ALL_ITEMS}},
	[KV_SYNC_WANT]           = {"SYNC_WANT", KV_WANT_ITEM_BYTES, {
		FIELD(U16, bucket), ALL_ITEMS}},
	[KV_SYNC_SUMMARIES_END]  = {"SYNC_SUMMARIES_END", 0, {{0}}},
	[KV_SYNC_WANTS_END]      = {"SYNC_WANTS_END", 0, {{0}}},
	[KV_SYNC_END]            = {"SYNC_END", 0, {ENTRIES}},
	[KV_PEER]                = {"PEER", 0, {
		ID, SPEAKS, VALUE, PORT, FILLS}},
	[KV_PEER_GONE]           = {"PEER_GONE", 0, {ID}},
	[KV_PEER_LOST]           = {"PEER_LOST", 0, {ID}},
	[KV_SHUTDOWN]            = {"SHUTDOWN", 0, {{0}}},
	[KV_ERROR]               = {"ERROR", 0, {RESULT, VALUE}},
};

static const struct row *row_find(uint8_t type)
{
	return type < COUNT_OF(rows) && rows[type].name != NULL ? &rows[type] : NULL;
}

/* ---- reading ---- */

/* Reads the field at *at into its member, if it ends by `end`, and moves *at behind it.
 * The members are reached by memcpy because the table knows them as places in bytes. */
static inline bool read_field(const struct field *f, char *member, const char **at,
			      const char *end)
{
	const char *from = *at;
	size_t room = (size_t)(end - from), len = kind_bytes[f->kind];

	if (len > room)
		return false;
	switch ((enum kind)f->kind) {
	case U8:
		*member = *from;
		break;
	case U16:
		memcpy(member, &(uint16_t){bigendian_u16(from)}, 2);
		break;
	case U32:
		memcpy(member, &(uint32_t){bigendian_u32(from)}, 4);
		break;
	case U64:
		memcpy(member, &(uint64_t){bigendian_u64(from)}, 8);
		break;
	case BYTES:
		len = bigendian_u16(from);
		if (len > room - 2)
			return false;
		memcpy(member, &(struct span){from + 2, len}, sizeof(struct span));
		len += 2;
		break;
	case ITEMS:
		len = room;
		/* fall through */
	case SIXTEEN:
	case THIRTY_TWO:
		memcpy(member, &(struct span){from, len}, sizeof(struct span));
		break;
	case END:
	case KINDS:
		must(false);
	}
	*at = from + len;
	return true;
}

static bool items_suit(const struct row *r, size_t len)
{
	return r->item_bytes > 0 ? len % r->item_bytes == 0 : len == 0;
}

/* Digests come with one way of asking, and with that one only. */
static bool ask_suits(uint8_t how, size_t len)
{
	return (how == KV_SYNC_BY_DIGEST) == (len > 0);
}

static bool items_agree(const struct kv_message *m, const struct row *r)
{
	if (r->item_bytes == 0)
		return true;
	return items_suit(r, m->items.len) &&
	       (m->type != KV_SYNC_ASK || ask_suits(m->how, m->items.len));
}

/* All of it is there, the payload being [at, end). */
static bool read_whole(struct kv_message *m, const struct row *r, const char *at,
		       const char *end)
{
	for (const struct field *f = r->fields; f->kind != END; f++)
		if (!read_field(f, (char *)m + f->at, &at, end))
			return false;
	if (at != end)
		return false;
	m->type = (uint8_t)(r - rows);
	return items_agree(m, r);
}

/* Of a message that is not all there: whether a payload of `length` may become one of the
 * type, as far as the header and the `have` bytes behind it tell. `spare` is what is left
 * for the BYTES and ITEMS when every field has got the least that it takes. */
static bool may_become(const struct row *r, const char *at, size_t have, size_t length)
{
	size_t least = 0, lengths = 0, place = 0;

	for (const struct field *f = r->fields; f->kind != END; f++) {
		least += kind_bytes[f->kind];
		lengths += f->kind == BYTES;
	}
	if (length < least)
		return false;
	size_t spare = length - least;
	if (lengths == 0 && !items_suit(r, spare))
		return false;
	if (r == &rows[KV_SYNC_ASK] && have > 0)
		return ask_suits((uint8_t)at[0], spare);
	for (const struct field *f = r->fields; f->kind != END && lengths > 0; f++) {
		if (f->kind == BYTES) {
			if (have < place + 2)
				return true;
			size_t len = bigendian_u16(at + place);
			if (len > spare || (lengths == 1 && len < spare))
				return false;
			spare -= len;
			place += len;
			lengths--;
		}
		place += kind_bytes[f->kind];
	}
	return true;
}

enum kv_parse kv_wire_parse(struct kv_message *m, const void *at, size_t len,
			    size_t *used, const char **why)
{
	const char *from = at;

	if (len == 0)
		return KV_PARSE_MORE;

	const struct row *r = row_find((uint8_t)from[0]);
	if (r == NULL) {
		*why = "there is no message of that type";
		return KV_PARSE_BAD;
	}
	if (len < KV_HEADER_BYTES)
		return KV_PARSE_MORE;
	size_t length = bigendian_u16(from + 1), have = len - KV_HEADER_BYTES;
	const char *payload = from + KV_HEADER_BYTES;
	if (have < length && may_become(r, payload, have, length))
		return KV_PARSE_MORE;
	if (have < length || !read_whole(m, r, payload, payload + length)) {
		*why = "the length of the message does not agree with its fields";
		return KV_PARSE_BAD;
	}
	*used = KV_HEADER_BYTES + length;
	return KV_PARSE_DONE;
}

/* ---- writing ---- */

static struct span span_of_member(const char *member)
{
	struct span s;

	memcpy(&s, member, sizeof s);
	return s;
}

static const struct row *row_get(uint8_t type)
{
	const struct row *r = row_find(type);

	must(r != NULL);
	return r;
}

size_t kv_wire_size(const struct kv_message *m)
{
	size_t size = KV_HEADER_BYTES;

	for (const struct field *f = row_get(m->type)->fields; f->kind != END; f++) {
		size += kind_bytes[f->kind];
		if (f->kind == BYTES || f->kind == ITEMS)
			size += span_of_member((const char *)m + f->at).len;
	}
	return size;
}

/* So many bytes of the span, which has to have them, and room where they go. */
static char *write_span(char *to, struct span s, size_t room)
{
	must(s.len <= room);
	if (s.len > 0)
		memcpy(to, s.at, s.len);
	return to + s.len;
}

/* Writes the field at `to`, where there is room for `room` bytes; returns its end. */
static inline char *write_field(const struct field *f, const char *member, char *to,
				size_t room)
{
	size_t len = kind_bytes[f->kind];
	struct span s;
	uint16_t n16;
	uint32_t n32;
	uint64_t n64;

	must(len <= room);
	switch ((enum kind)f->kind) {
	case U8:
		*to = *member;
		break;
	case U16:
		memcpy(&n16, member, sizeof n16);
		bigendian_put_u16(to, n16);
		break;
	case U32:
		memcpy(&n32, member, sizeof n32);
		bigendian_put_u32(to, n32);
		break;
	case U64:
		memcpy(&n64, member, sizeof n64);
		bigendian_put_u64(to, n64);
		break;
	case BYTES:
		s = span_of_member(member);
		must(s.len <= room - 2);
		bigendian_put_u16(to, (uint16_t)s.len);
		return write_span(to + 2, s, room - 2);
	case SIXTEEN:
	case THIRTY_TWO:
		s = span_of_member(member);
		must(s.len == len);
		return write_span(to, s, room);
	case ITEMS:
		return write_span(to, span_of_member(member), room);
	case END:
	case KINDS:
		must(false);
	}
	return to + len;
}

size_t kv_wire_write(const struct kv_message *m, void *out)
{
	const struct row *r = row_get(m->type);
	char *start = out, *at = start + KV_HEADER_BYTES;

	must(items_agree(m, r));
	for (const struct field *f = r->fields; f->kind != END; f++)
		at = write_field(f, (const char *)m + f->at, at,
				 KV_MESSAGE_MAX - (size_t)(at - start));
	size_t size = (size_t)(at - start);
	start[0] = (char)m->type;
	bigendian_put_u16(start + 1, (uint16_t)(size - KV_HEADER_BYTES));
	return size;
}

/* ---- names ---- */

const char *kv_wire_type_name(uint8_t type)
{
	const struct row *r = row_find(type);

	return r != NULL ? r->name : "unknown";
}

static const char *const result_texts[KV_RESULTS] = {
	[KV_FINE]          = "no error",
	[KV_INVALID_KEY]   = "invalid key",
	[KV_INVALID_VALUE] = "invalid value",
	[KV_NOT_FOUND]     = "key not found",
	[KV_BUSY]          = "server busy",
	[KV_NETWORK]       = "network error",
	[KV_PROTOCOL]      = "protocol error",
	[KV_UNAUTHORISED]  = "not authorised",
	[KV_MEMORY_FULL]   = "memory full",
	[KV_NOT_MET]       = "condition not met",
};

const char *kv_wire_result_text(uint8_t result)
{
	return result < KV_RESULTS ? result_texts[result] : "unknown result";
}

/* ---- items ---- */

struct kv_summary_item kv_summary_item_at(struct span items, size_t i)
{
	must(i < items.len / KV_SUMMARY_ITEM_BYTES);
	const char *at = items.at + i * KV_SUMMARY_ITEM_BYTES;
	return (struct kv_summary_item){
		bigendian_u64(at), bigendian_u64(at + 8), (uint8_t)at[16],
	};
}

void kv_summary_item_write(const struct kv_summary_item *item, void *out)
{
	char *at = out;

	bigendian_put_u64(at, item->hash);
	bigendian_put_u64(at + 8, item->version);
	at[16] = (char)item->kind;
}

uint64_t kv_u64_at(struct span items, size_t i)
{
	must(i < items.len / 8);
	return bigendian_u64(items.at + i * 8);
}

void kv_u64_write(uint64_t value, void *out)
{
	bigendian_put_u64(out, value);
}
