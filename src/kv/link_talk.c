/* kv/link_talk.c - what a worker says on its connection, and what that leads to. */
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "kv/dispatch.h"
#include "kv/link.h"
#include "kv/registry.h"

static void tell(const struct kv_link *l, enum kv_notice_kind kind, uint32_t worker)
{
	kv_registry_tell(l->hub->registry, &(struct kv_notice){
		.kind = kind, .hub = (uint8_t)l->hub->number, .link = l->number,
		.worker = worker, .shared = l->pool->shared,
	});
}

/* ---- getting to know it ---- */

/* Where its peers reach it: the host that it comes from, and the port that it says. */
static bool peer_address(const struct kv_link *l, uint16_t port, struct address *at)
{
	*at = (struct address){.len = sizeof at->in6};
	if (getpeername(l->stream.watch.fd, &at->any, &at->len) != 0)
		return false;
	if (at->any.sa_family == AF_INET)
		at->in4.sin_port = htons(port);
	else
		at->in6.sin6_port = htons(port);
	address_format(at);
	return true;
}

static void ask_to_join(struct kv_link *l, uint16_t port, uint8_t lanes)
{
	struct kv_notice notice = {
		.kind = KV_NOTICE_JOINS, .hub = (uint8_t)l->hub->number, .link = l->number,
		.worker = l->worker, .shared = l->pool->shared, .speaks = l->speaks,
		.lane = l->lane, .lanes = lanes,
	};

	if (l->worker == 0)
		kv_link_refuse(l, KV_PROTOCOL, "a worker's id is not 0");
	else if (port == 0)
		kv_link_refuse(l, KV_PROTOCOL, "a worker's peer port is not 0");
	else if (lanes < 1 || lanes > KV_LANES_MAX || l->lane >= lanes)
		kv_link_refuse(l, KV_PROTOCOL, "a worker has 1 to 16 lanes, and this "
			       "one's number is below that");
	else if (!peer_address(l, port, &notice.peer))
		kv_link_end(l);
	if (l->ended || l->closing)
		return;
	loop_timer_start(l->hub->loop, &l->limit, KV_GREETING_MS);
	l->state = KV_LINK_JOINING;
	kv_registry_tell(l->hub->registry, &notice);
}

static void begin_hello(struct kv_link *l)
{
	l->secret = memory_new(1, KV_SECRET_MAX);
	l->hello = memory_new(1, sizeof *l->hello);
	uint8_t nonce[KV_NONCE_BYTES];
	size_t len = kv_shared_secret(l->pool->shared, l->secret);
	struct kv_self self = {
		.role = KV_ROLE_BALANCER, .lanes = 1, .secret = {l->secret, len},
	};
	hmac_random(nonce, sizeof nonce);
	kv_hello_init(l->hello, &self, false, nonce);
}

static void on_hello_done(struct kv_link *l)
{
	const struct kv_hello *h = l->hello;
	uint64_t latest = (loop_wall_us(l->hub->loop) + KV_AHEAD_US_MAX) * 256;

	if (h->newest > latest) {
		kv_link_refuse(l, KV_PROTOCOL, "it has writes of more than a day ahead; "
			       "see to the clocks of the balancer and of the worker");
		return;
	}
	l->speaks = 2;
	l->worker = h->id;
	l->lane = h->lane;
	kv_shared_saw_version(l->pool->shared, h->newest);
	ask_to_join(l, h->port, h->lanes);
}

/* HELLO, PROOF: version 2. */
static void take_hello(struct kv_link *l, const struct kv_message *m)
{
	enum kv_result code;
	const char *why;

	if (l->hello == NULL) {
		begin_hello(l);
		if (m->role != KV_ROLE_WORKER) {
			kv_link_refuse(l, KV_PROTOCOL, "this port is for workers; "
				       "clients have another one (listen kv "
				       "ADDRESS:PORT)");
			return;
		}
		kv_shared_pool_key(l->pool->shared, (const uint8_t *)m->pool_key.at,
				   l->hello->self.pool_key);
	}
	enum kv_hello_state state = kv_hello_take(l->hello, m, &code, &why);
	if (state != KV_HELLO_REFUSED && l->hello->out_len > 0)
		kv_link_say(l, l->hello->out, l->hello->out_len);
	if (state == KV_HELLO_REFUSED)
		kv_link_refuse(l, code, why);
	else if (state == KV_HELLO_DONE)
		on_hello_done(l);
}

static void greet(struct kv_link *l, const struct kv_message *m)
{
	char secret[KV_SECRET_MAX];

	if (m->type == KV_HELLO || l->hello != NULL) {
		take_hello(l, m);
		return;
	}
	if (m->type != KV_WORKER_READY) {
		kv_link_refuse(l, KV_PROTOCOL,
			       "a worker begins with WORKER_READY or HELLO");
		return;
	}
	if (kv_shared_secret(l->pool->shared, secret) > 0) {
		kv_link_refuse(l, KV_PROTOCOL, "workers of this pool prove a secret, "
			       "which version 1 cannot");
		return;
	}
	l->speaks = 1;
	l->worker = m->id;
	ask_to_join(l, m->port, 1);
}

/* ---- answers ---- */

/* Whether that is an answer to this request. Version 1 repeats the key. */
static bool answers(const struct kv_link *l, const struct kv_message *m,
		    const struct kv_request *r)
{
	if (l->speaks >= 2)
		return m->type == KV_REPLY;
	uint8_t wanted = r->verb == KV_VERB_SET ? KV_STORE_RESPONSE :
						  KV_RETRIEVE_RESPONSE;
	return m->type == wanted && span_equals(m->key, kv_request_key(r));
}

static void take_answer(struct kv_link *l, const struct kv_message *m)
{
	struct kv_slot *slot = kv_link_slot(l, m->id);
	struct kv_request *r = slot != NULL ? slot->request : NULL;
	struct span value = m->type == KV_STORE_RESPONSE ? (struct span){0} : m->value;

	if (slot == NULL) {
		kv_link_refuse(l, KV_PROTOCOL, "it answers what it was not asked");
		return;
	}
	if (r != NULL && (!answers(l, m, r) || m->result >= KV_RESULTS)) {
		kv_link_refuse(l, KV_PROTOCOL,
			       "its answer does not fit what it was asked");
		return;
	}
	/* With the key it has to go into one message of the client's version. */
	if (r != NULL && r->key_len + value.len > MODEL_ENTRY_MAX) {
		kv_link_refuse(l, KV_PROTOCOL,
			       "its answer is longer than an entry can be");
		return;
	}
	kv_link_free_slot(l, slot);
	if (r == NULL)
		return;
	/* A write is told its own version, not that of one which has
	 * overtaken it meanwhile. */
	r->answer_version = l->speaks < 2 ? 0
			  : m->result == KV_FINE && kv_verb_writes(r->verb) ? r->version
									     : m->version;
	r->answer_expires_ms = l->speaks >= 2 ? m->expires_ms : 0;
	kv_dispatch_return(l->hub, r, KV_OUTCOME_ANSWER, m->result, value);
}

/* ---- what else it says ---- */

static void take_ready(struct kv_link *l, const struct kv_message *m)
{
	if (m->id != l->worker) {
		kv_link_refuse(l, KV_PROTOCOL, "it speaks for another worker's id");
		return;
	}
	l->withdrawn = false;
	tell(l, KV_NOTICE_READY, l->worker);
}

static void take_not_ready(struct kv_link *l, const struct kv_message *m)
{
	if (m->id != l->worker) {
		kv_link_refuse(l, KV_PROTOCOL, "it speaks for another worker's id");
		return;
	}
	kv_link_withdraw(l);
	tell(l, KV_NOTICE_NOT_READY, l->worker);
}

static void take_error(struct kv_link *l, const struct kv_message *m)
{
	char text[200];

	log_warn("worker says an error pool=%s worker=%u error=%u text=\"%s\"",
		 l->pool->shared->name, l->worker, m->result,
		 text_mark(text, sizeof text, m->value.at, m->value.len));
	kv_link_end(l);
}

static void take_one(struct kv_link *l, const struct kv_message *m)
{
	if (m->type == KV_ERROR) {
		take_error(l, m);
		return;
	}
	if (m->type == KV_SHUTDOWN) {
		kv_link_end(l);
		return;
	}
	if (l->state == KV_LINK_GREETING) {
		greet(l, m);
		return;
	}
	switch (m->type) {
	case KV_STORE_RESPONSE:
	case KV_RETRIEVE_RESPONSE:
	case KV_REPLY:
		take_answer(l, m);
		break;
	case KV_WORKER_READY:
		take_ready(l, m);
		break;
	case KV_WORKER_NOT_READY:
		take_not_ready(l, m);
		break;
	case KV_PEER_LOST:
		tell(l, KV_NOTICE_PEER_LOST, m->id);
		break;
	default:
		kv_link_refuse(l, KV_PROTOCOL,
			       "a worker does not say that to its balancer");
		break;
	}
}

size_t kv_link_take(struct kv_link *l, const char *at, size_t len)
{
	size_t taken = 0;

	while (!l->ended && !l->closing && l->state != KV_LINK_JOINING) {
		struct kv_message m;
		size_t used;
		const char *why;
		enum kv_parse result = kv_wire_parse(&m, at + taken, len - taken, &used,
						     &why);
		if (result == KV_PARSE_MORE)
			break;
		if (result == KV_PARSE_BAD) {
			kv_link_refuse(l, KV_PROTOCOL, why);
			break;
		}
		taken += used;
		take_one(l, &m);
	}
	return l->closing ? len : taken;
}
