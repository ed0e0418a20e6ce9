#include "store/uplink.h"

#include "base/log.h"
#include "base/must.h"
#include "base/text.h"
#include "store/member.h"
#include "store/pool.h"
#include "store/serve.h"

static void rest(struct uplink *u);

static struct uplink *of_channel(struct channel *c)
{
	return CONTAINER_OF(c, struct uplink, channel);
}

static const struct worker_options *options_of(const struct uplink *u)
{
	return u->lane->member->options;
}

static bool is_first(const struct uplink *u)
{
	return u->lane->number == 0;
}

/* ---- the other lanes go with lane 0 ---- */

static void on_start(struct lane *l, const struct lane_note *n)
{
	uplink_start(&l->uplink, &n->at);
}

static void on_stop(struct lane *l, const struct lane_note *n)
{
	(void)n;
	uplink_stop(&l->uplink);
}

static void take_along(struct uplink *u,
		       void (*run)(struct lane *, const struct lane_note *))
{
	struct member *m = u->lane->member;

	for (unsigned i = 1; is_first(u) && i < m->lane_count; i++)
		lane_tell(u->lane, m->lanes[i],
			  &(struct lane_note){.run = run, .at = u->to, .fd = -1});
}

/* ---- ending, and trying again ---- */

/* Closes what there is. What waits for answers to the old connection
 * has nobody to go to. */
static void cut(struct uplink *u)
{
	bool was_up = u->state == UPLINK_UP;

	if (u->state == UPLINK_DIALING)
		dial_cancel(&u->dial);
	resolver_cancel(u->question);
	u->question = NULL;
	channel_close(&u->channel);
	loop_timer_stop(u->lane->loop, &u->timer);
	u->state = UPLINK_RESTING;
	pending_clear(&u->lane->pending);
	bytes_fini(&u->lane->held);
	if (was_up && is_first(u)) {
		pool_left(u->lane->member);
		take_along(u, on_stop);
	}
}

static void failed(struct uplink *u, const char *why)
{
	uint64_t now_ms = loop_now_ms(u->lane->loop);

	cut(u);
	u->speaks = options_of(u)->speaks;
	u->failures++;
	if (u->said_ms == 0 || now_ms - u->said_ms >= UPLINK_SAY_MS) {
		log_warn("no connection to the balancer; trying on reason=\"%s\" at=%s "
			 "lane=%u", why, u->to.text, u->lane->number);
		u->said_ms = now_ms;
	}
	rest(u);
}

/* It was up. */
static void lost(struct uplink *u, const char *why)
{
	log_warn("the balancer is lost; connecting again reason=\"%s\" at=%s lane=%u",
		 why, u->to.text, u->lane->number);
	cut(u);
	u->speaks = options_of(u)->speaks;
	u->failures++;
	rest(u);
}

void uplink_rejoin(struct uplink *u, const char *why)
{
	if (u->state != UPLINK_UP)
		return;
	channel_part(&u->channel);
	lost(u, why);
}

/* Whoever answers HELLO so may speak version 1. */
static bool may_be_plain(const struct uplink *u)
{
	return u->state == UPLINK_GREETING && u->speaks >= 2 && !u->hello.heard &&
	       u->lane->member->secret_len == 0 && is_first(u);
}

static void try_plain(struct uplink *u)
{
	log_info("the balancer does not take HELLO; trying version 1 of the protocol "
		 "at=%s", u->to.text);
	cut(u);
	u->speaks = 1;
	/* Not from here: the old connection's bytes are still being looked at. */
	loop_timer_start(u->lane->loop, &u->timer, 0);
}

static void on_lost(struct channel *c, const char *why)
{
	struct uplink *u = of_channel(c);

	if (u->state == UPLINK_UP) {
		lost(u, why);
	} else if (may_be_plain(u)) {
		try_plain(u);
	} else {
		failed(u, why);
	}
}

static void refuse(struct uplink *u, enum kv_result code, const char *why)
{
	u->hello.heard = true;		/* it is no balancer of version 1:
					 * we are at odds */
	channel_refuse(&u->channel, code, why);
}

/* ---- what the balancer says ---- */

static void up(struct uplink *u)
{
	struct lane *l = u->lane;

	loop_timer_stop(l->loop, &u->timer);
	u->state = UPLINK_UP;
	u->said_ms = 0;
	log_info("connected to the balancer at=%s lane=%u version=%u", u->to.text,
		 l->number, u->speaks);
	if (!is_first(u))
		return;
	pool_greeted(l->member);
	if (u->speaks >= 2)
		take_along(u, on_start);
}

static void hear_error(struct uplink *u, const struct kv_message *m)
{
	char text[400];

	log_error("the balancer says an error error=%u text=\"%s\" lane=%u", m->result,
		  text_mark(text, sizeof text, m->value.at, m->value.len), u->lane->number);
	channel_close(&u->channel);
	if (u->state == UPLINK_UP)
		lost(u, "it said an error");
	else
		failed(u, "it refuses us");
}

static void hear_shutdown(struct uplink *u)
{
	channel_close(&u->channel);
	if (u->state == UPLINK_UP)
		lost(u, "it is being shut down");
	else
		failed(u, "it is being shut down");
}

static void greet(struct uplink *u, const struct kv_message *m)
{
	struct kv_hello *h = &u->hello;
	enum kv_result code;
	const char *why;

	if (m->type == KV_ERROR) {
		if (m->result == KV_PROTOCOL && may_be_plain(u))
			try_plain(u);
		else
			hear_error(u, m);
		return;
	}
	enum kv_hello_state state = kv_hello_take(h, m, &code, &why);
	if (state == KV_HELLO_REFUSED) {
		refuse(u, code, why);
		return;
	}
	if (h->heard && h->role != KV_ROLE_BALANCER) {
		refuse(u, KV_PROTOCOL, "this is no balancer");
		return;
	}
	channel_send_bytes(&u->channel, (struct span){(const char *)h->out, h->out_len});
	if (state != KV_HELLO_DONE)
		return;
	if (is_first(u))
		member_use_key(u->lane->member, h->pool_key);
	if (channel_is_open(&u->channel))
		up(u);
}

static void on_message(struct channel *c, const struct kv_message *m)
{
	struct uplink *u = of_channel(c);
	const char *why = "only lane 0 is told of the pool";

	/* Being turned away is no success: it is tried again less and less often. */
	if (u->state == UPLINK_UP && m->type != KV_ERROR && m->type != KV_SHUTDOWN)
		u->failures = 0;
	if (m->type == KV_SHUTDOWN) {
		hear_shutdown(u);
	} else if (u->state == UPLINK_GREETING) {
		greet(u, m);
	} else if (m->type == KV_OP || m->type == KV_STORE_REQUEST ||
		   m->type == KV_RETRIEVE_REQUEST) {
		serve_request(u->lane, m);
	} else if (m->type == KV_ERROR) {
		hear_error(u, m);
	} else if (!is_first(u) || !pool_hear(u->lane->member, m, &why)) {
		refuse(u, KV_PROTOCOL, why);
	}
}

static const struct channel_calls calls = {on_message, on_lost, NULL};

/* ---- connecting ---- */

static void on_connected(struct uplink *u)
{
	struct lane *l = u->lane;

	channel_begin(&u->channel);
	if (u->speaks < 2) {
		up(u);
		return;
	}
	u->state = UPLINK_GREETING;
	loop_timer_start(l->loop, &u->timer, UPLINK_GREETING_MS);
	member_hello(l->member, &u->hello, KV_ROLE_WORKER, l->number, true);
	channel_send_bytes(&u->channel, (struct span){(const char *)u->hello.out,
						      u->hello.out_len});
}

static void dialed(struct uplink *u, enum dial_result result)
{
	if (result == DIAL_OPEN)
		on_connected(u);
	else
		failed(u, dial_result_text(result));
}

static void on_dialed(struct dial *d, enum dial_result result)
{
	dialed(CONTAINER_OF(d, struct uplink, dial), result);
}

static void on_dial_ready(struct loop_watch *w, unsigned events)
{
	struct stream *s = CONTAINER_OF(w, struct stream, watch);

	dial_on_ready(&of_channel(CONTAINER_OF(s, struct channel, stream))->dial, events);
}

static void dial(struct uplink *u)
{
	enum dial_result result;

	u->state = UPLINK_DIALING;
	if (dial_start(&u->dial, &u->channel.stream.watch, &u->to, UPLINK_DIAL_MS,
		       on_dial_ready, &result))
		dialed(u, result);
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
	struct uplink *u = arg;

	u->question = NULL;
	if (answer->count == 0) {
		failed(u, answer->err.text);
		return;
	}
	/* Another one at each try, so that one that is down does not keep us. */
	u->to = answer->addresses[u->failures % answer->count];
	dial(u);
}

static void try(struct uplink *u)
{
	struct member *m = u->lane->member;
	char host[ADDRESS_HOST_MAX + 1];
	uint16_t port;

	if (!is_first(u) || m->resolver == NULL) {
		dial(u);
		return;
	}
	address_split(&m->options->balancer, host, &port);
	u->state = UPLINK_RESOLVING;
	u->question = resolver_ask(m->resolver, host, port, on_answer, u);
	if (u->question == NULL)
		failed(u, "the balancer's name cannot be looked up");
}

static void rest(struct uplink *u)
{
	uint64_t ms = UPLINK_REST_MS_MIN;

	u->state = UPLINK_RESTING;
	for (unsigned i = 1; i < u->failures && ms < UPLINK_REST_MS_MAX; i++)
		ms *= 2;
	if (ms > UPLINK_REST_MS_MAX)
		ms = UPLINK_REST_MS_MAX;
	loop_timer_start(u->lane->loop, &u->timer, lane_jitter(u->lane, ms));
}

static void on_time(struct loop_timer *t)
{
	struct uplink *u = CONTAINER_OF(t, struct uplink, timer);

	if (u->state == UPLINK_RESTING) {
		try(u);
	} else if (u->state == UPLINK_GREETING) {
		channel_close(&u->channel);
		on_lost(&u->channel, "it does not greet");
	}
}

void uplink_init(struct uplink *u, struct lane *lane)
{
	*u = (struct uplink){.lane = lane, .state = UPLINK_OFF};
	channel_init(&u->channel, &lane->turn, &calls);
	dial_init(&u->dial, lane->loop, on_dialed);
	loop_timer_init(&u->timer, on_time);
}

void uplink_start(struct uplink *u, const struct address *to)
{
	if (u->state != UPLINK_OFF)
		return;
	u->to = to != NULL ? *to : options_of(u)->balancer;
	u->speaks = options_of(u)->speaks;
	u->failures = 0;
	u->said_ms = 0;
	try(u);
}

void uplink_stop(struct uplink *u)
{
	if (u->state == UPLINK_OFF)
		return;
	cut(u);
	u->state = UPLINK_OFF;
}
