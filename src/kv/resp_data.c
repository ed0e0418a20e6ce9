/* kv/resp_data.c - commands of Redis about keys and values. Each becomes requests of the
 * pool: one for each key, whose answers are said as one where the command has one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kv/resp_command.h"

#define TIME_MAX_MS (INT64_MAX / 2)

/* ---- answers ---- */

static void say_failure(struct kv_client *c, const struct kv_request *r,
			struct span answer)
{
	char text[192], out[sizeof text + RESP_LINE_EXTRA];
	const char *kind = r->result == KV_MEMORY_FULL ? "OOM" : "ERR";

	if (answer.len == 0)
		answer = span_of(kv_wire_result_text(r->result));
	snprintf(text, sizeof text, "%s %.*s", kind, (int)answer.len, answer.at);
	kv_client_say(c, out, resp_write_error(out, span_of(text)));
}

static void say_null(struct kv_client *c)
{
	char out[RESP_NULL_BYTES];

	kv_client_say(c, out, resp_write_null(out));
}

static void say_integer(struct kv_client *c, int64_t number)
{
	char out[RESP_NUMBER_BYTES];

	kv_client_say(c, out, resp_write_integer(out, number));
}

static void say_ok(struct kv_client *c, const struct kv_request *r, struct span answer)
{
	if (r->result == KV_FINE)
		kv_client_say(c, "+OK\r\n", 5);
	else if (r->result == KV_NOT_MET)
		say_null(c);
	else
		say_failure(c, r, answer);
}

static void say_bulk(struct kv_client *c, const struct kv_request *r, struct span answer)
{
	if (r->result == KV_NOT_FOUND) {
		say_null(c);
	} else if (r->result != KV_FINE) {
		say_failure(c, r, answer);
	} else {
		char *room = kv_client_room(c, answer.len + RESP_BULK_EXTRA);
		if (room != NULL)
			kv_client_said(c, resp_write_bulk(room, answer));
	}
}

/* 1 or 0: whether it was done. */
static void say_applied(struct kv_client *c, const struct kv_request *r,
			struct span answer)
{
	if (r->result == KV_FINE)
		say_integer(c, 1);
	else if (r->result == KV_NOT_FOUND || r->result == KV_NOT_MET)
		say_integer(c, 0);
	else
		say_failure(c, r, answer);
}

static void say_count(struct kv_client *c, const struct kv_request *r, struct span answer)
{
	uint64_t count;

	if (r->result != KV_FINE || !span_to_u64(answer, &count))
		say_failure(c, r, answer);
	else
		say_integer(c, (int64_t)count);
}

/* How long an entry has yet, in units of so many milliseconds, rounded; -1: for ever,
 * -2: there is none. */
static void say_time_left(struct kv_client *c, const struct kv_request *r,
			  struct span answer, int64_t unit_ms)
{
	int64_t now_ms = (int64_t)(loop_wall_us(c->hub->loop) / 1000);
	int64_t left_ms = (int64_t)r->answer_expires_ms - now_ms;

	if (r->result == KV_NOT_FOUND)
		say_integer(c, -2);
	else if (r->result != KV_FINE)
		say_failure(c, r, answer);
	else if (r->answer_expires_ms == 0)
		say_integer(c, -1);
	else
		say_integer(c, left_ms > 0 ? (left_ms + unit_ms / 2) / unit_ms : 0);
}

static void say_seconds(struct kv_client *c, const struct kv_request *r,
			struct span answer)
{
	say_time_left(c, r, answer, 1000);
}

static void say_milliseconds(struct kv_client *c, const struct kv_request *r,
			     struct span answer)
{
	say_time_left(c, r, answer, 1);
}

/* Of several requests with one answer, all but the last: counted, or else the first
 * failure is what is said. */
static void add_up(struct kv_client *c, const struct kv_request *r, struct span answer)
{
	bool failed = r->result != KV_FINE && r->result != KV_NOT_FOUND;

	c->sum.count += r->result == KV_FINE;
	if (failed && !c->sum.failed)
		say_failure(c, r, answer);
	c->sum.failed |= failed;
}

static void say_sum(struct kv_client *c, const struct kv_request *r, struct span answer)
{
	add_up(c, r, answer);
	if (!c->sum.failed)
		say_integer(c, (int64_t)c->sum.count);
	memset(&c->sum, 0, sizeof c->sum);
}

static void say_all_ok(struct kv_client *c, const struct kv_request *r,
		       struct span answer)
{
	add_up(c, r, answer);
	if (!c->sum.failed)
		kv_client_say(c, "+OK\r\n", 5);
	memset(&c->sum, 0, sizeof c->sum);
}

/* ---- requests ---- */

struct wish {
	uint8_t  verb, flags;
	struct span key, value;
	uint64_t expires_ms;
	kv_say  *say;
};

static void ask_for(struct kv_client *c, const struct wish *wish)
{
	struct kv_request *r = kv_request_create(&c->hub->requests, wish->key,
						 wish->value);

	if (r == NULL) {
		live_count(&c->hub->live->memory_refused);
		kv_client_end(c);
		return;
	}
	r->verb = wish->verb;
	r->flags = wish->flags;
	r->expires_ms = wish->expires_ms;
	r->say = wish->say;
	kv_client_ask(c, r);
}

/* Within the pool's limits; if not, that is the answer. */
static bool fits(const struct resp_ask *ask, struct span key, struct span value)
{
	const struct model_pool *p = ask->client->pool->lane->pool;

	if (key.len == 0)
		resp_answer_error(ask->client,
				  "ERR the key is empty; it has 1 to %u bytes",
				  p->key_max);
	else if (key.len > p->key_max)
		resp_answer_error(ask->client, "ERR the key has %zu bytes; %u are the "
				  "most (key-size)", key.len, p->key_max);
	else if (value.len > p->value_max)
		resp_answer_error(ask->client, "ERR the value has %zu bytes; %u are the "
				  "most (value-size)", value.len, p->value_max);
	else
		return true;
	return false;
}

/* A key or all keys from the second argument on. */
static bool keys_fit(const struct resp_ask *ask, uint32_t step)
{
	for (uint32_t i = 1; i < ask->count; i += step)
		if (!fits(ask, ask->arguments[i],
			  step > 1 ? ask->arguments[i + 1] : (struct span){0}))
			return false;
	return true;
}

static void ask_about_key(const struct resp_ask *ask, uint8_t verb, kv_say *say)
{
	if (fits(ask, ask->arguments[1], (struct span){0}))
		ask_for(ask->client, &(struct wish){
			.verb = verb, .key = ask->arguments[1], .say = say,
		});
}

/* One request for each key; the last one's answer is the command's. */
static void ask_about_each(const struct resp_ask *ask, uint8_t verb, kv_say *last)
{
	if (!keys_fit(ask, 1))
		return;
	for (uint32_t i = 1; i < ask->count && !ask->client->ended; i++)
		ask_for(ask->client, &(struct wish){
			.verb = verb, .key = ask->arguments[i],
			.say = i + 1 < ask->count ? add_up : last,
		});
}

static void run_get(const struct resp_ask *ask)
{
	ask_about_key(ask, KV_VERB_GET, say_bulk);
}

static void run_del(const struct resp_ask *ask)
{
	ask_about_each(ask, KV_VERB_DELETE, say_sum);
}

static void run_exists(const struct resp_ask *ask)
{
	ask_about_each(ask, KV_VERB_HEAD, say_sum);
}

static void run_ttl(const struct resp_ask *ask)
{
	ask_about_key(ask, KV_VERB_HEAD, say_seconds);
}

static void run_pttl(const struct resp_ask *ask)
{
	ask_about_key(ask, KV_VERB_HEAD, say_milliseconds);
}

static void run_dbsize(const struct resp_ask *ask)
{
	ask_for(ask->client, &(struct wish){.verb = KV_VERB_COUNT, .say = say_count});
}

static void run_mget(const struct resp_ask *ask)
{
	char head[RESP_NUMBER_BYTES];

	if (!keys_fit(ask, 1))
		return;
	resp_answer(ask->client, head, resp_write_array(head, ask->count - 1));
	for (uint32_t i = 1; i < ask->count && !ask->client->ended; i++)
		ask_for(ask->client, &(struct wish){
			.verb = KV_VERB_GET, .key = ask->arguments[i], .say = say_bulk,
		});
}

static void run_mset(const struct resp_ask *ask)
{
	if (ask->count % 2 == 0) {
		resp_answer_error(ask->client,
				  "ERR wrong number of arguments for 'mset' command");
		return;
	}
	if (!keys_fit(ask, 2))
		return;
	for (uint32_t i = 1; i < ask->count && !ask->client->ended; i += 2)
		ask_for(ask->client, &(struct wish){
			.verb = KV_VERB_SET, .key = ask->arguments[i],
			.value = ask->arguments[i + 1],
			.say = i + 2 < ask->count ? add_up : say_all_ok,
		});
}

/* ---- times ---- */

static bool read_integer(struct span text, int64_t *value)
{
	bool negative = text.len > 0 && text.at[0] == '-';
	uint64_t size;

	if (negative)
		text = (struct span){text.at + 1, text.len - 1};
	if (!span_to_u64(text, &size) || size > INT64_MAX)
		return false;
	*value = negative ? -(int64_t)size : (int64_t)size;
	return true;
}

/* A time from now on, or (absolute) since 1970, in units of unit_ms, becomes
 * *expires_ms. False: it is none, which is the answer. `zero_is_past`: what is over
 * already is a time too. */
static bool read_expiry(const struct resp_ask *ask, struct span text, int64_t unit_ms,
			bool absolute, int64_t *expires_ms)
{
	int64_t value, now_ms = (int64_t)(loop_wall_us(ask->client->hub->loop) / 1000);

	if (!read_integer(text, &value)) {
		resp_answer_error(ask->client,
				  "ERR value is not an integer or out of range");
		return false;
	}
	if (value > TIME_MAX_MS / unit_ms || value < -TIME_MAX_MS / unit_ms) {
		resp_answer_error(ask->client,
				  "ERR invalid expire time in '%.*s' command",
				  (int)ask->arguments[0].len, ask->arguments[0].at);
		return false;
	}
	*expires_ms = value * unit_ms + (absolute ? 0 : now_ms);
	return true;
}

/* One that is over makes the entry end now, as a deletion does. */
static void expire(const struct resp_ask *ask, int64_t unit_ms)
{
	int64_t now_ms = (int64_t)(loop_wall_us(ask->client->hub->loop) / 1000);
	int64_t expires_ms;
	struct wish wish = {.key = ask->arguments[1], .say = say_applied};

	if (!fits(ask, wish.key, (struct span){0}) ||
	    !read_expiry(ask, ask->arguments[2], unit_ms, false, &expires_ms))
		return;
	if (expires_ms <= now_ms) {
		wish.verb = KV_VERB_DELETE;
	} else {
		wish.verb = KV_VERB_EXPIRE;
		wish.expires_ms = (uint64_t)expires_ms;
	}
	ask_for(ask->client, &wish);
}

static void run_expire(const struct resp_ask *ask)
{
	expire(ask, 1000);
}

static void run_pexpire(const struct resp_ask *ask)
{
	expire(ask, 1);
}

/* ---- SET ---- */

static const struct {
	const char *word;
	int64_t unit_ms;
	bool    absolute;
} set_times[] = {
	{"ex", 1000, false}, {"px", 1, false}, {"exat", 1000, true}, {"pxat", 1, true},
};

static bool is_word(struct span argument, const char *word)
{
	return span_equals_nocase(argument, span_of(word));
}

/* A time that a new entry gets has to lie ahead. */
static bool read_set_time(const struct resp_ask *ask, struct span text, size_t kind,
			  struct wish *wish)
{
	int64_t expires_ms, value;

	if (!read_expiry(ask, text, set_times[kind].unit_ms, set_times[kind].absolute,
			 &expires_ms))
		return false;
	if (!read_integer(text, &value) || value <= 0) {
		resp_answer_error(ask->client,
				  "ERR invalid expire time in 'set' command");
		return false;
	}
	wish->expires_ms = (uint64_t)expires_ms;
	return true;
}

/* One option at *i, which is moved to its last word. False: it is none,
 * which is answered. */
static bool read_set_option(const struct resp_ask *ask, uint32_t *i, struct wish *wish)
{
	struct span word = ask->arguments[*i];

	for (size_t k = 0; k < COUNT_OF(set_times); k++)
		if (is_word(word, set_times[k].word) && *i + 1 < ask->count &&
		    wish->expires_ms == 0)
			return read_set_time(ask, ask->arguments[++*i], k, wish);
	if (is_word(word, "nx") && wish->flags == 0) {
		wish->flags = KV_IF_ABSENT;
		return true;
	}
	if (is_word(word, "xx") && wish->flags == 0) {
		wish->flags = KV_IF_PRESENT;
		return true;
	}
	if (is_word(word, "keepttl") || is_word(word, "get"))
		resp_answer_error(ask->client, "ERR SET with %.*s is not supported",
				  (int)word.len, word.at);
	else
		resp_answer_error(ask->client, "ERR syntax error");
	return false;
}

static void run_set(const struct resp_ask *ask)
{
	struct wish wish = {
		.verb = KV_VERB_SET, .key = ask->arguments[1], .value = ask->arguments[2],
		.say = say_ok,
	};

	for (uint32_t i = 3; i < ask->count; i++)
		if (!read_set_option(ask, &i, &wish))
			return;
	if (fits(ask, wish.key, wish.value))
		ask_for(ask->client, &wish);
}

static void run_setnx(const struct resp_ask *ask)
{
	if (fits(ask, ask->arguments[1], ask->arguments[2]))
		ask_for(ask->client, &(struct wish){
			.verb = KV_VERB_SET, .flags = KV_IF_ABSENT, .key = ask->arguments[1],
			.value = ask->arguments[2], .say = say_applied,
		});
}

/* SETEX and PSETEX: key, time, value. */
static void set_for(const struct resp_ask *ask, size_t kind)
{
	struct wish wish = {
		.verb = KV_VERB_SET, .key = ask->arguments[1], .value = ask->arguments[3],
		.say = say_ok,
	};

	if (fits(ask, wish.key, wish.value) &&
	    read_set_time(ask, ask->arguments[2], kind, &wish))
		ask_for(ask->client, &wish);
}

static void run_setex(const struct resp_ask *ask)
{
	set_for(ask, 0);
}

static void run_psetex(const struct resp_ask *ask)
{
	set_for(ask, 1);
}

static const struct resp_entry entries[] = {
	{"get", 2, 2, run_get, 1, 1, false},
	{"set", 3, 0, run_set, 1, 1, false},
	{"del", 2, 0, run_del, 1, 1, true},
	{"exists", 2, 0, run_exists, 1, 1, true},
	{"mget", 2, 0, run_mget, 1, 1, true},
	{"mset", 3, 0, run_mset, 1, 2, true},
	{"expire", 3, 3, run_expire, 1, 1, false},
	{"pexpire", 3, 3, run_pexpire, 1, 1, false},
	{"ttl", 2, 2, run_ttl, 1, 1, false},
	{"pttl", 2, 2, run_pttl, 1, 1, false},
	{"setnx", 3, 3, run_setnx, 1, 1, false},
	{"setex", 4, 4, run_setex, 1, 1, false},
	{"psetex", 4, 4, run_psetex, 1, 1, false},
	{"unlink", 2, 0, run_del, 1, 1, true},
	{"dbsize", 1, 1, run_dbsize, 0, 0, false},
};

const struct resp_table resp_data = {entries, COUNT_OF(entries)};
