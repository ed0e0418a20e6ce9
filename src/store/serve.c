#include "store/serve.h"

#include <stdio.h>

#include "store/member.h"
#include "store/peer_out.h"
#include "store/stats.h"

static void answer_now(struct lane *l, const struct kv_message *answer)
{
	channel_send(&l->uplink.channel, answer);
}

static void say(struct lane *l, const struct kv_message *m, enum kv_result result,
		const char *text)
{
	answer_now(l, &(struct kv_message){
		.type = KV_REPLY, .id = m->id, .result = (uint8_t)result,
		.value = span_of(text),
	});
}

/* ---- reading ---- */

struct reading {
	struct lane *lane;
	struct kv_message answer;
	bool with_value;
};

/* Under the shard's lock: the value goes from the store right into what is sent. */
static void on_found(void *arg, const struct store_item *item)
{
	struct reading *r = arg;

	r->answer.version = item->version;
	r->answer.expires_ms = item->expires_ms;
	if (r->with_value)
		r->answer.value = item->value;
	answer_now(r->lane, &r->answer);
}

static void read_entry(struct lane *l, struct reading *r, struct span key)
{
	count_up(&l->counts.gets);
	if (store_read(l->member->store, key, lane_wall_ms(l), on_found, r)) {
		count_up(&l->counts.hits);
		return;
	}
	r->answer.result = KV_NOT_FOUND;
	answer_now(l, &r->answer);
}

/* ---- writing ---- */

struct writing {
	struct lane *lane;
	struct span key;
	struct pending_mark mark;
};

/* The entry as it is now goes to the peers. */
static void on_present(void *arg, const struct store_item *item)
{
	struct writing *w = arg;

	w->mark = lane_record(w->lane, item);
}

static void on_same_hash(void *arg, uint64_t hash, const struct store_item *item)
{
	(void)hash;
	if (span_equals(item->key, ((struct writing *)arg)->key))
		on_present(arg, item);
}

/* A write comes again, from a balancer that does not know that it was done, or when a
 * later one has overtaken it. Its answer promises that no peer has an older one, so what
 * is there now is told to them (again): it may be on its way yet, or another worker's. */
static struct pending_mark record_present(struct lane *l, struct span key)
{
	struct writing w = {.lane = l, .key = key};
	struct store *s = l->member->store;

	store_visit_hash(s, store_hash(s, key), lane_wall_ms(l), on_same_hash, &w);
	return w.mark;
}

/* Writes, has it recorded where it counts, and says what came of it. *version is the one
 * that the key has then. */
static enum store_result write_item(struct lane *l, struct store_item *item,
				    unsigned flags, uint64_t *version,
				    struct pending_mark *mark)
{
	enum store_result result = store_write(l->member->store, item, flags,
					       lane_wall_ms(l), version);

	*mark = (struct pending_mark){0, 0};
	if (result == STORE_DONE || (result == STORE_MISSING && item->deleted)) {
		item->version = *version;
		*mark = lane_record(l, item);
	} else if (result == STORE_OLD) {
		*mark = record_present(l, item->key);
	}
	return result;
}

static const char *say_full(struct lane *l, char text[96])
{
	count_up(&l->counts.refused);
	snprintf(text, 96, "memory limit of %llu bytes reached; raise --memory-max",
		 (unsigned long long)l->member->options->memory_max);
	return text;
}

/* An answer to a write, when what its flags promise is true. */
static void confirm(struct lane *l, const struct kv_message *m,
		    const struct kv_message *about, struct pending_mark mark)
{
	struct kv_message answer = *about;

	answer.type = KV_REPLY;
	answer.id = m->id;
	answer.flags = 0;
	lane_answer(l, m->flags, mark, &answer);
}

static uint64_t expiry(struct lane *l, const struct kv_message *m)
{
	if ((m->flags & KV_RELATIVE_EXPIRY) && m->expires_ms != 0)
		return lane_wall_ms(l) + m->expires_ms;
	return m->expires_ms;
}

static void set(struct lane *l, const struct kv_message *m)
{
	struct store_item item = {.key = m->key, .value = m->value, .version = m->version,
				  .expires_ms = expiry(l, m)};
	unsigned flags = (m->flags & KV_IF_ABSENT ? STORE_IF_ABSENT : 0) |
			 (m->flags & KV_IF_PRESENT ? STORE_IF_PRESENT : 0);
	struct kv_message about = {.expires_ms = item.expires_ms};
	struct pending_mark mark;
	char text[96];

	count_up(&l->counts.sets);
	switch (write_item(l, &item, flags, &about.version, &mark)) {
	case STORE_FULL:
		say(l, m, KV_MEMORY_FULL, say_full(l, text));
		return;
	case STORE_MISSING:
	case STORE_EXISTS:
		about.result = KV_NOT_MET;
		break;
	case STORE_DONE:
	case STORE_OLD:
		break;
	}
	confirm(l, m, &about, mark);
}

static void delete(struct lane *l, const struct kv_message *m)
{
	struct store_item item = {.key = m->key, .version = m->version, .deleted = true};
	struct kv_message about = {0};
	struct pending_mark mark;
	char text[96];

	count_up(&l->counts.deletes);
	switch (write_item(l, &item, 0, &about.version, &mark)) {
	case STORE_FULL:
		say(l, m, KV_MEMORY_FULL, say_full(l, text));
		return;
	case STORE_MISSING:
		about.result = KV_NOT_FOUND;
		break;
	case STORE_DONE:
	case STORE_OLD:
	case STORE_EXISTS:
		break;
	}
	confirm(l, m, &about, mark);
}

static void expire(struct lane *l, const struct kv_message *m)
{
	struct store_item item = {.key = m->key, .version = m->version,
				  .expires_ms = expiry(l, m)};
	struct writing w = {.lane = l};
	struct kv_message about = {.version = m->version, .expires_ms = item.expires_ms};
	uint64_t now_ms = lane_wall_ms(l);

	count_up(&l->counts.expires);
	switch (store_expire(l->member->store, &item, now_ms, on_present, &w)) {
	case STORE_FULL:
	case STORE_MISSING:
		about.result = KV_NOT_FOUND;
		break;
	case STORE_OLD:
		w.mark = record_present(l, m->key);
		break;
	case STORE_DONE:
	case STORE_EXISTS:
		break;
	}
	confirm(l, m, &about, w.mark);
}

/* ---- the rest ---- */

static void say_count(struct lane *l, const struct kv_message *m)
{
	struct store_figures figures;
	char text[24];

	store_figures(l->member->store, &figures);
	snprintf(text, sizeof text, "%llu", (unsigned long long)figures.entries);
	say(l, m, KV_FINE, text);
}

static void say_stats(struct lane *l, const struct kv_message *m)
{
	char text[STATS_TEXT_MAX];

	stats_write(l->member, l, text);
	say(l, m, KV_FINE, text);
}

static void serve_op(struct lane *l, const struct kv_message *m)
{
	struct reading reading = {.lane = l, .with_value = m->verb == KV_VERB_GET,
				  .answer = {.type = KV_REPLY, .id = m->id}};
	bool has_key = m->verb != KV_VERB_COUNT && m->verb != KV_VERB_STATS;

	if (has_key && (m->key.len == 0 || m->key.len > KV_KEY_MAX)) {
		say(l, m, KV_INVALID_KEY, "a key has 1 to 32768 bytes");
		return;
	}
	if (m->key.len + m->value.len > KV_ENTRY_MAX) {
		say(l, m, KV_INVALID_VALUE,
		    "a key and its value have 65503 bytes at most");
		return;
	}
	switch ((enum kv_verb)m->verb) {
	case KV_VERB_GET:
	case KV_VERB_HEAD:
		read_entry(l, &reading, m->key);
		return;
	case KV_VERB_SET:
		set(l, m);
		return;
	case KV_VERB_DELETE:
		delete(l, m);
		return;
	case KV_VERB_EXPIRE:
		expire(l, m);
		return;
	case KV_VERB_COUNT:
		say_count(l, m);
		return;
	case KV_VERB_STATS:
		say_stats(l, m);
		return;
	case KV_VERBS:
		break;
	}
	say(l, m, KV_PROTOCOL, "OP with an unknown verb");
}

/* ---- version 1 ---- */

static void serve_retrieve(struct lane *l, const struct kv_message *m)
{
	struct reading reading = {
		.lane = l, .with_value = true,
		.answer = {.type = KV_RETRIEVE_RESPONSE, .id = m->id, .key = m->key},
	};

	if (m->key.len == 0 || m->key.len > KV_KEY_MAX) {
		reading.answer.result = KV_INVALID_KEY;
		answer_now(l, &reading.answer);
		return;
	}
	read_entry(l, &reading, m->key);
}

static void serve_store(struct lane *l, const struct kv_message *m)
{
	struct store_item item = {.key = m->key, .value = m->value};
	struct kv_message answer = {
		.type = KV_STORE_RESPONSE, .id = m->id, .key = m->key,
	};
	struct pending_mark mark = {0, 0};
	uint64_t version;
	char text[96];

	if (m->key.len == 0 || m->key.len > KV_KEY_MAX) {
		answer.result = KV_INVALID_KEY;
	} else if (m->key.len + m->value.len > KV_ENTRY_MAX) {
		answer.result = KV_INVALID_VALUE;
	} else {
		count_up(&l->counts.sets);
		if (write_item(l, &item, 0, &version, &mark) == STORE_FULL) {
			say_full(l, text);
			answer.result = KV_BUSY;
		}
	}
	lane_answer(l, 0, mark, &answer);
}

/* ---- before it may serve ---- */

static void say_busy(struct lane *l, const struct kv_message *m)
{
	count_up(&l->counts.busy);
	if (m->type == KV_OP)
		say(l, m, KV_BUSY, "this worker is being filled");
	else if (m->type == KV_STORE_REQUEST)
		answer_now(l, &(struct kv_message){
			.type = KV_STORE_RESPONSE, .id = m->id, .key = m->key,
			.result = KV_BUSY,
		});
	else
		answer_now(l, &(struct kv_message){
			.type = KV_RETRIEVE_RESPONSE, .id = m->id, .key = m->key,
			.result = KV_BUSY,
		});
}

static void hold(struct lane *l, const struct kv_message *m)
{
	size_t size = kv_wire_size(m);
	char *to = NULL;

	if (bytes_waiting(&l->held) + size <= LANE_HELD_BYTES_MAX)
		to = bytes_reserve(&l->held, size);
	if (to == NULL) {
		say_busy(l, m);
		return;
	}
	bytes_added(&l->held, kv_wire_write(m, to));
	count_up(&l->counts.held);
}

static void serve(struct lane *l, const struct kv_message *m)
{
	if (m->type == KV_OP)
		serve_op(l, m);
	else if (m->type == KV_STORE_REQUEST)
		serve_store(l, m);
	else
		serve_retrieve(l, m);
}

void serve_request(struct lane *l, const struct kv_message *m)
{
	if (l->ready || (m->type == KV_OP && m->verb == KV_VERB_STATS))
		serve(l, m);
	else
		hold(l, m);
}

void serve_held(struct lane *l)
{
	struct bytes held = l->held;
	struct kv_message m;
	const char *why;
	size_t used;

	l->held = (struct bytes){0};
	while (kv_wire_parse(&m, bytes_first(&held), bytes_waiting(&held), &used, &why) ==
	       KV_PARSE_DONE) {
		serve(l, &m);
		bytes_consume(&held, used);
	}
	bytes_fini(&held);
}
