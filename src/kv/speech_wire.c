/* kv/speech_wire.c - clients of the key-value protocol, versions 1 and 2.
 *
 * One that begins with HELLO speaks version 2; PUT and GET are understood all the
 * same. What is wrong with a request is answered in its turn and the connection goes
 * on; what is no message, or none that a client sends, ends it, after what was asked
 * before has been answered.
 */
#include <stdio.h>
#include <string.h>

#include "base/hmac.h"
#include "kv/client.h"

enum { WHY_MAX = 160, MESSAGE_ROOM = 64 };

/* ---- saying ---- */

static void say_message(struct kv_client *c, const struct kv_message *m)
{
	size_t size = kv_wire_size(m);
	char *room = kv_client_room(c, size);

	if (room == NULL)
		return;
	kv_wire_write(m, room);
	kv_client_said(c, size);
}

/* In its turn. */
static void ask_error(struct kv_client *c, enum kv_result code, const char *why)
{
	struct kv_message m = {
		.type = KV_ERROR, .result = (uint8_t)code, .value = span_of(why),
	};
	char out[WHY_MAX + MESSAGE_ROOM];

	live_count(&c->port->live->bad_requests);
	if (kv_wire_size(&m) <= sizeof out)
		kv_client_ask_literal(c, out, kv_wire_write(&m, out));
}

static void fail(struct kv_client *c, const char *why)
{
	ask_error(c, KV_PROTOCOL, why);
	kv_client_close(c);
}

static void say_reply(struct kv_client *c, const struct kv_request *r, struct span answer)
{
	say_message(c, &(struct kv_message){
		.type = KV_REPLY, .result = r->result, .id = r->tag,
		.version = r->answer_version, .expires_ms = r->answer_expires_ms,
		.value = answer,
	});
}

/* Version 1 has no word for a full memory, and tells the reason of other
 * failures by ERROR. */
static void say_version_1(struct kv_client *c, const struct kv_request *r,
			  struct kv_message *m, struct span answer)
{
	m->result = r->result == KV_MEMORY_FULL ? KV_BUSY : r->result;
	m->key = kv_request_key(r);
	if (m->result != KV_FINE && m->result != KV_NOT_FOUND && answer.len > 0)
		*m = (struct kv_message){.type = KV_ERROR, .result = m->result, .value = answer};
	say_message(c, m);
}

static void say_put(struct kv_client *c, const struct kv_request *r, struct span answer)
{
	say_version_1(c, r, &(struct kv_message){.type = KV_PUT_RESPONSE}, answer);
}

static void say_get(struct kv_client *c, const struct kv_request *r, struct span answer)
{
	struct kv_message m = {.type = KV_GET_RESPONSE};

	if (r->result == KV_FINE)
		m.value = answer;
	say_version_1(c, r, &m, answer);
}

static void say_goodbye(struct kv_client *c)
{
	say_message(c, &(struct kv_message){.type = KV_SHUTDOWN});
}

/* ---- what is within the limits ---- */

/* KV_FINE, or what is wrong and a text that says how it should be. */
static enum kv_result check(const struct kv_client *c, const struct kv_message *m,
			    char why[WHY_MAX])
{
	const struct model_pool *p = c->pool->lane->pool;

	if (m->key.len == 0) {
		snprintf(why, WHY_MAX, "the key is empty; it has 1 to %u bytes",
			 p->key_max);
		return KV_INVALID_KEY;
	}
	if (m->key.len > p->key_max) {
		snprintf(why, WHY_MAX,
			 "the key has %zu bytes; %u are the most (key-size)",
			 m->key.len, p->key_max);
		return KV_INVALID_KEY;
	}
	if (m->value.len > p->value_max) {
		snprintf(why, WHY_MAX,
			 "the value has %zu bytes; %u are the most (value-size)",
			 m->value.len, p->value_max);
		return KV_INVALID_VALUE;
	}
	return KV_FINE;
}

/* ---- asking ---- */

static void ask(struct kv_client *c, const struct kv_message *m, kv_say *say,
		uint8_t verb)
{
	struct kv_request *r = kv_request_create(&c->hub->requests, m->key, m->value);

	if (r == NULL) {
		live_count(&c->hub->live->memory_refused);
		kv_client_end(c);
		return;
	}
	r->say = say;
	r->verb = verb;
	if (say == say_reply) {
		r->tag = m->id;
		r->flags = m->flags & (KV_IF_ABSENT | KV_IF_PRESENT);
		r->expires_ms = m->expires_ms;
		if ((m->flags & KV_RELATIVE_EXPIRY) && m->expires_ms > 0)
			r->expires_ms += loop_wall_us(c->hub->loop) / 1000;
	}
	kv_client_ask(c, r);
}

static void take_put_or_get(struct kv_client *c, const struct kv_message *message)
{
	struct kv_message m = *message;
	char why[WHY_MAX];

	if (m.type == KV_GET)
		m.value = (struct span){0};
	enum kv_result result = check(c, &m, why);
	if (result != KV_FINE)
		ask_error(c, result, why);
	else if (m.type == KV_PUT)
		ask(c, &m, say_put, KV_VERB_SET);
	else
		ask(c, &m, say_get, KV_VERB_GET);
}

/* Answers an OP in its turn without asking anybody. */
static void reply(struct kv_client *c, const struct kv_message *m, enum kv_result result,
		  const char *text)
{
	struct kv_message answer = {
		.type = KV_REPLY, .id = m->id, .result = (uint8_t)result, .value = span_of(text),
	};
	char out[512];

	if (result != KV_FINE)
		live_count(&c->port->live->bad_requests);
	if (kv_wire_size(&answer) <= sizeof out)
		kv_client_ask_literal(c, out, kv_wire_write(&answer, out));
}

static void reply_stats(struct kv_client *c, const struct kv_message *m)
{
	const struct kv_shared *s = c->pool->shared;
	char text[320];

	snprintf(text, sizeof text,
		 "pool %s\nworkers %u\nready %u\nversion_1_workers %u\nwaiting "
		 "%u\nretries %llu\nqueue_timeouts %llu\n", s->name, atomic_load(&s->workers),
		 atomic_load(&s->ready), atomic_load(&s->old_workers),
		 atomic_load(&c->pool->live->waiting), atomic_load(&c->pool->live->retries),
		 atomic_load(&c->pool->live->queue_timeouts));
	reply(c, m, KV_FINE, text);
}

static void take_op(struct kv_client *c, const struct kv_message *m)
{
	char why[WHY_MAX];
	enum kv_result result;

	if (c->speaks < 2) {
		fail(c, "OP is of version 2, which begins with HELLO");
		return;
	}
	if (m->verb == 0 || m->verb >= KV_VERBS) {
		reply(c, m, KV_PROTOCOL, "there is no such verb");
	} else if (m->verb == KV_VERB_STATS && m->key.len == 0) {
		reply_stats(c, m);
	} else if (m->verb == KV_VERB_STATS || m->verb == KV_VERB_COUNT) {
		ask(c, m, say_reply, m->verb);
	} else if ((result = check(c, m, why)) != KV_FINE) {
		reply(c, m, result, why);
	} else {
		ask(c, m, say_reply, m->verb);
	}
}

static void take_hello(struct kv_client *c, const struct kv_message *m)
{
	struct kv_self self = {.role = KV_ROLE_BALANCER, .lanes = 1};
	struct kv_hello hello;
	uint8_t nonce[KV_NONCE_BYTES];
	enum kv_result code;
	const char *why;

	if (c->speaks != 0) {
		fail(c, "HELLO comes first, and once");
		return;
	}
	if (m->role != KV_ROLE_CLIENT) {
		fail(c, "this port is for clients; workers have another one (workers "
		     "ADDRESS:PORT)");
		return;
	}
	hmac_random(nonce, sizeof nonce);
	kv_hello_init(&hello, &self, false, nonce);
	if (kv_hello_take(&hello, m, &code, &why) == KV_HELLO_REFUSED) {
		fail(c, why);
		return;
	}
	c->speaks = 2;
	kv_client_say(c, hello.out, hello.out_len);
}

static void take_one(struct kv_client *c, const struct kv_message *m)
{
	if (m->type != KV_HELLO && c->speaks == 0)
		c->speaks = 1;
	switch (m->type) {
	case KV_PUT:
	case KV_GET:
		take_put_or_get(c, m);
		break;
	case KV_OP:
		take_op(c, m);
		break;
	case KV_HELLO:
		take_hello(c, m);
		break;
	case KV_SHUTDOWN:
	case KV_ERROR:		/* which is not answered, or it would go on for ever */
		kv_client_close(c);
		break;
	default:
		fail(c, "a client does not say that");
		break;
	}
}

/* Of a message whose end has not come: what no client says is refused at once, or the
 * rest of it would be waited for in vain. A client of Redis begins like an OP. */
static bool may_begin(const struct kv_client *c, uint8_t type)
{
	return type == KV_PUT || type == KV_GET || type == KV_HELLO ||
	       type == KV_SHUTDOWN || (type == KV_OP && c->speaks >= 2);
}

static size_t take(struct kv_client *c, char *at, size_t len)
{
	size_t taken = 0;

	while (taken < len && kv_client_may_ask(c)) {
		struct kv_message m;
		size_t used;
		const char *why;
		enum kv_parse result = kv_wire_parse(&m, at + taken, len - taken, &used,
						     &why);
		if (result == KV_PARSE_MORE && may_begin(c, (uint8_t)at[taken]))
			break;
		if (result == KV_PARSE_MORE) {
			fail(c, "a client does not begin with that; version 2 begins "
			     "with HELLO");
			break;
		}
		if (result == KV_PARSE_BAD) {
			fail(c, why);
			break;
		}
		taken += used;
		take_one(c, &m);
	}
	return c->closing ? len : taken;
}

const struct kv_speech kv_speech_wire = {
	.take = take, .say_goodbye = say_goodbye,
};
