/* parse/kv_wire.h - the messages of the key-value protocol, versions 1 and 2: bytes
 * become a message, a message becomes bytes. doc/kv-protocol.md is what they mean.
 *
 * Pure: no socket, no clock, no allocation. One table says which fields a type has, and
 * in which order; a message whose length does not agree with its fields is refused.
 *
 * What is read points into the bytes it was read from. What is written is what was read:
 * decoding and encoding give the same bytes.
 */
#ifndef PARSE_KV_WIRE_H
#define PARSE_KV_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum {
	KV_CLIENT_PORT = 5059, KV_WORKER_PORT = 5060,
	KV_HEADER_BYTES = 3,
	KV_PAYLOAD_MAX = 65535,
	KV_MESSAGE_MAX = KV_HEADER_BYTES + KV_PAYLOAD_MAX,
	KV_NONCE_BYTES = 16, KV_POOL_KEY_BYTES = 16, KV_MAC_BYTES = 32,
	KV_BUCKETS = 4096, KV_BUCKET_BITS = 12,
	/* Of a key, and of a key and its value together, in every message of version 2;
	 * what OP and REPLICATE have room for beside their fields. */
	KV_KEY_MAX = 32768, KV_ENTRY_MAX = KV_PAYLOAD_MAX - 32,
	KV_SUMMARY_ITEM_BYTES = 17, KV_WANT_ITEM_BYTES = 8,
	KV_SUMMARY_ITEMS_MAX = (KV_PAYLOAD_MAX - 3) / KV_SUMMARY_ITEM_BYTES,
	KV_WANT_ITEMS_MAX = (KV_PAYLOAD_MAX - 2) / KV_WANT_ITEM_BYTES,
};

enum kv_type {
	KV_PUT = 1, KV_PUT_RESPONSE, KV_GET, KV_GET_RESPONSE,
	KV_STORE_REQUEST = 10, KV_STORE_RESPONSE, KV_RETRIEVE_REQUEST, KV_RETRIEVE_RESPONSE,
	KV_REGISTRY_START, KV_WORKER_ENTRY, KV_REGISTRY_END,
	KV_EXPORT_START, KV_DATA_ENTRY, KV_EXPORT_END,
	KV_WORKER_READY, KV_WORKER_NOT_READY,
	KV_PEER_NOTIFY = 30,
	KV_HELLO = 40, KV_PROOF, KV_OP, KV_REPLY, KV_REPLICATE, KV_REPLICATED,
	KV_SYNC_OFFER, KV_SYNC_ASK, KV_SYNC_SUMMARY, KV_SYNC_WANT,
	KV_SYNC_SUMMARIES_END, KV_SYNC_WANTS_END, KV_SYNC_END,
	KV_PEER, KV_PEER_GONE, KV_PEER_LOST,
	KV_SHUTDOWN = 90, KV_ERROR,
};

enum kv_result {
	KV_FINE, KV_INVALID_KEY, KV_INVALID_VALUE, KV_NOT_FOUND, KV_BUSY, KV_NETWORK,
	KV_PROTOCOL,
	KV_UNAUTHORISED, KV_MEMORY_FULL, KV_NOT_MET,	/* version 2 */
	KV_RESULTS
};

enum kv_role { KV_ROLE_CLIENT = 1, KV_ROLE_WORKER, KV_ROLE_PEER, KV_ROLE_BALANCER };

enum kv_verb {
	KV_VERB_GET = 1, KV_VERB_SET, KV_VERB_DELETE, KV_VERB_EXPIRE, KV_VERB_HEAD,
	KV_VERB_COUNT, KV_VERB_STATS,
	KV_VERBS
};

enum kv_op_flags {
	KV_IF_ABSENT = 1, KV_IF_PRESENT = 2, KV_ACK_ONE = 4, KV_ACK_ALL = 8,
	KV_RELATIVE_EXPIRY = 16,
};

enum kv_kind { KV_KIND_SET = 1, KV_KIND_DELETED };

enum kv_sync { KV_SYNC_NOTHING, KV_SYNC_EVERYTHING, KV_SYNC_BY_DIGEST };

enum kv_hello_flags { KV_WANTS_PROOF = 1 };

/* All fields that messages have; each type uses those that its row of the table names,
 * and those of others are not looked at. */
struct kv_message {
	uint8_t  type;			/* enum kv_type */
	uint8_t  result;		/* enum kv_result; of ERROR, its code */
	uint8_t  speaks, role, flags, lane, lanes;
	uint8_t  verb, kind, how;
	uint8_t  fills;			/* PEER's, and WORKER_ENTRY's "exports" */
	uint8_t  last;
	uint16_t port, bucket;
	uint32_t id;			/* of a client, a tag, or a worker */
	uint32_t total;
	uint64_t version, expires_ms, seq, newest, entries, purged;
	struct span key, value;		/* value: also the text of ERROR,
					 * and an address */
	struct span pool_key, nonce, mac;	/* of fixed lengths */
	struct span items;		/* all that is left: digests, summary, hashes */
};

enum kv_parse {
	KV_PARSE_MORE,		/* not all of it is there */
	KV_PARSE_DONE,
	KV_PARSE_BAD,		/* an unknown type, or a length that does not
				 * fit its fields; known from the header on, as
				 * soon as it can be */
};

/* Reads the message at `at`. On KV_PARSE_DONE *m is set, as far as its type goes, and
 * *used is its length. On KV_PARSE_BAD *why is a text for people, constant. */
enum kv_parse kv_wire_parse(struct kv_message *m, const void *at, size_t len,
			    size_t *used, const char **why);

/* How long it will be, header included. */
size_t kv_wire_size(const struct kv_message *m);

/* Writes it, kv_wire_size bytes, and returns how many those were. Its spans must fit: the
 * payload in KV_PAYLOAD_MAX, those of fixed length exactly. */
size_t kv_wire_write(const struct kv_message *m, void *out);

/* "PUT", "STORE_REQUEST", ...; "unknown". And of results: "key not found". */
const char *kv_wire_type_name(uint8_t type);
const char *kv_wire_result_text(uint8_t result);

/* Items of SYNC_SUMMARY, SYNC_WANT and digests, in their places. */
struct kv_summary_item {
	uint64_t hash, version;
	uint8_t  kind;
};
struct kv_summary_item kv_summary_item_at(struct span items, size_t i);
void kv_summary_item_write(const struct kv_summary_item *item, void *out);
uint64_t kv_u64_at(struct span items, size_t i);
void kv_u64_write(uint64_t value, void *out);

#endif
