#include "client/talk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/hmac.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/value.h"
#include "client/words.h"
#include "parse/kv_hello.h"

enum { READS_PER_TURN = 8 };

static const char *const loss_names[TALK_LOSSES] = {
	[TALK_UNREACHED] = "unreachable", [TALK_REFUSED] = "refused",
	[TALK_ENDED] = "closed", [TALK_STOPPED] = "stopped",
	[TALK_SILENT] = "silent", [TALK_MALFORMED] = "malformed",
};

const char *talk_loss_name(enum talk_loss loss)
{
	return loss_names[loss];
}

void talk_close(struct talk *t)
{
	struct loop *loop = t->balancer->loop;

	t->state = TALK_CLOSED;
	dial_cancel(&t->dial);
	loop_watch_close(loop, &t->watch);
	loop_timer_stop(loop, &t->limit);
	loop_task_cancel(&t->flush);
	bytes_fini(&t->in);
	bytes_fini(&t->out);
	free(t->hello);
	t->hello = NULL;
	t->stopping = false;
	t->life++;
}

/* The reason has the balancer's address in front. */
__attribute__((format(printf, 3, 4)))
static void lose(struct talk *t, enum talk_loss loss, const char *format, ...)
{
	char why[sizeof t->why.text];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	const char *where = t->balancer->address.text;
	if (loss == TALK_UNREACHED)
		err_set(&t->why, "no balancer at %s: %s", where, why);
	else
		err_set(&t->why, "the balancer at %s %s", where, why);
	if (!t->balancer->certain)
		t->balancer->version = 0;
	talk_close(t);
	t->hooks->on_lost(t, loss);
}

/* As for memory.h: a client that has no memory left cannot do anything sensible. */
static void append(struct bytes *b, const void *from, size_t len)
{
	if (!bytes_append(b, from, len))
		memory_exhausted(len, 1);
}

/* ---- sending ---- */

static void send_waiting(struct talk *t)
{
	while (bytes_waiting(&t->out) > 0) {
		ssize_t sent = send(t->watch.fd, bytes_first(&t->out),
				    bytes_waiting(&t->out), MSG_NOSIGNAL);
		if (sent < 0)
			return;		/* no room, or broken, which reading finds out */
		bytes_consume(&t->out, (size_t)sent);
	}
}

static void on_flush(struct loop_task *task)
{
	struct talk *t = CONTAINER_OF(task, struct talk, flush);

	send_waiting(t);
}

uint32_t talk_ask(struct talk *t, const struct request *r)
{
	struct kv_message m;

	must(t->state == TALK_OPEN);
	if (t->asking.waiting == 0)
		loop_timer_start(t->balancer->loop, &t->limit, t->balancer->timeout_ms);
	uint32_t tag = asking_ask(&t->asking, t->version, r, &m);
	char *to = bytes_reserve(&t->out, kv_wire_size(&m));
	if (to == NULL)
		memory_exhausted(kv_wire_size(&m), 1);
	bytes_added(&t->out, kv_wire_write(&m, to));
	loop_at_end(t->balancer->loop, &t->flush);
	return tag;
}

/* ---- greeting ---- */

static void opened(struct talk *t)
{
	t->state = TALK_OPEN;
	free(t->hello);
	t->hello = NULL;
	loop_timer_stop(t->balancer->loop, &t->limit);
	t->hooks->on_open(t);
}

static void greet(struct talk *t)
{
	const struct kv_self self = {.role = KV_ROLE_CLIENT, .lanes = 1};
	uint8_t nonce[KV_NONCE_BYTES];

	t->state = TALK_GREETING;
	loop_timer_start(t->balancer->loop, &t->limit, t->balancer->timeout_ms);
	t->hello = memory_new(1, sizeof *t->hello);
	hmac_random(nonce, sizeof nonce);
	kv_hello_init(t->hello, &self, true, nonce);
	append(&t->out, t->hello->out, t->hello->out_len);
	send_waiting(t);
}

/* It does not know HELLO, so it gets no second one. */
static void fall_back(struct talk *t)
{
	talk_close(t);
	t->balancer->version = 1;
	talk_open(t);
}

static bool may_fall_back(const struct talk *t)
{
	return t->state == TALK_GREETING && !t->balancer->certain;
}

static void take_greeting(struct talk *t, const struct kv_message *m)
{
	enum kv_result code;
	const char *why;

	if (m->type == KV_ERROR) {
		if (m->result == KV_PROTOCOL && may_fall_back(t))
			fall_back(t);
		else
			lose(t, TALK_REFUSED, "refuses us: %s", m->value.len > 0 ?
			     words_text(m->value).text : kv_wire_result_text(m->result));
		return;
	}
	enum kv_hello_state state = kv_hello_take(t->hello, m, &code, &why);
	if (state == KV_HELLO_REFUSED) {
		lose(t, TALK_REFUSED, "does not greet as it should: %s", why);
		return;
	}
	t->version = t->balancer->version = 2;
	t->balancer->certain = true;
	append(&t->out, t->hello->out, t->hello->out_len);
	send_waiting(t);
	if (state == KV_HELLO_DONE)
		opened(t);
}

/* ---- receiving ---- */

/* A balancer that stops answers what waits; then there is no reason to stay. */
static void leave_if_done(struct talk *t)
{
	if (t->state == TALK_OPEN && t->stopping && t->asking.waiting == 0)
		lose(t, TALK_STOPPED, "stops");
}

static void take_answer(struct talk *t, const struct kv_message *m)
{
	struct answer answer;
	struct err why;
	uint32_t tag;

	switch (asking_take(&t->asking, m, &tag, &answer, &why)) {
	case ASKING_ANSWER:
		if (t->asking.waiting > 0)
			loop_timer_start(t->balancer->loop, &t->limit,
					 t->balancer->timeout_ms);
		else
			loop_timer_stop(t->balancer->loop, &t->limit);
		t->hooks->on_answer(t, tag, &answer);
		leave_if_done(t);
		break;
	case ASKING_STOPPING:
		t->stopping = true;
		leave_if_done(t);
		break;
	case ASKING_REFUSED:
		lose(t, TALK_REFUSED, "refuses us: %s", why.text);
		break;
	case ASKING_MALFORMED:
		lose(t, TALK_MALFORMED, "sent nonsense: %s", why.text);
		break;
	}
}

/* Takes all whole messages; returns how many bytes those were. The connection may be
 * another one afterwards, or none. */
static size_t take_messages(struct talk *t, const char *at, size_t len)
{
	uint32_t life = t->life;
	size_t done = 0, used;
	struct kv_message m;
	const char *why;

	while (done < len && t->life == life) {
		switch (kv_wire_parse(&m, at + done, len - done, &used, &why)) {
		case KV_PARSE_MORE:
			return done;
		case KV_PARSE_BAD:
			lose(t, TALK_MALFORMED, "sent nonsense: %s", why);
			return done;
		case KV_PARSE_DONE:
			done += used;
			if (t->state == TALK_GREETING)
				take_greeting(t, &m);
			else
				take_answer(t, &m);
		}
	}
	return done;
}

/* `len` bytes have come into the scratch. What is taken does not stand in t->in
 * meanwhile, since whoever is told of an answer may close. */
static void take_bytes(struct talk *t, size_t len)
{
	const char *scratch = t->balancer->scratch;
	struct bytes whole = t->in;
	uint32_t life = t->life;

	t->in = (struct bytes){0};
	if (bytes_waiting(&whole) == 0) {
		size_t done = take_messages(t, scratch, len);
		if (t->life == life)
			append(&whole, scratch + done, len - done);
	} else {
		append(&whole, scratch, len);
		bytes_consume(&whole, take_messages(t, bytes_first(&whole),
						    bytes_waiting(&whole)));
	}
	if (t->life == life)
		t->in = whole;
	else
		bytes_fini(&whole);
}

/* The other end has closed, or the connection is broken. */
static void ended(struct talk *t, int reason)
{
	bool greeting = t->state == TALK_GREETING;

	if (t->stopping)
		lose(t, TALK_STOPPED, "stops");
	else if (may_fall_back(t))
		fall_back(t);
	else if (reason != 0)
		lose(t, TALK_ENDED, "%s", reason == ECONNRESET ? "reset the connection"
							       : strerror(reason));
	else if (greeting)
		lose(t, TALK_ENDED, "closed the connection instead of greeting; if it "
		     "speaks version 1 only, say --version 1");
	else
		lose(t, TALK_ENDED, "closed the connection%s",
		     t->asking.waiting > 0 ? " before it answered" : "");
}

static void receive(struct talk *t)
{
	uint32_t life = t->life;

	for (int i = 0; i < READS_PER_TURN; i++) {
		ssize_t got = recv(t->watch.fd, t->balancer->scratch,
				   sizeof t->balancer->scratch, 0);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			ended(t, got < 0 ? errno : 0);
			return;
		}
		take_bytes(t, (size_t)got);
		if (t->life != life)
			return;
	}
	loop_again(t->balancer->loop, &t->watch);
}

/* ---- the life of it ---- */

static void on_limit(struct loop_timer *timer)
{
	struct talk *t = CONTAINER_OF(timer, struct talk, limit);
	struct value_text limit = value_text(VALUE_TIME, t->balancer->timeout_ms);

	if (t->state == TALK_GREETING)
		lose(t, TALK_SILENT, "does not greet within %s; if it speaks version 1 "
		     "only, say --version 1", limit.text);
	else
		lose(t, TALK_SILENT, "does not answer within %s", limit.text);
}

static void on_ready(struct loop_watch *w, unsigned events)
{
	struct talk *t = CONTAINER_OF(w, struct talk, watch);

	if (t->dial.pending) {
		dial_on_ready(&t->dial, events);
		return;
	}
	if (events & LOOP_WRITABLE)
		send_waiting(t);
	receive(t);
}

static void on_dialed(struct dial *d, enum dial_result result)
{
	struct talk *t = CONTAINER_OF(d, struct talk, dial);
	uint32_t life = t->life;

	if (result == DIAL_REFUSED)
		lose(t, TALK_UNREACHED, "%s; start one with: balancerd kv",
		     dial_result_text(result));
	else if (result == DIAL_NO_DESCRIPTORS)
		lose(t, TALK_UNREACHED, "%s here; raise the limit with ulimit -n",
		     dial_result_text(result));
	else if (result != DIAL_OPEN)
		lose(t, TALK_UNREACHED, "%s", dial_result_text(result));
	else if (t->version == 1)
		opened(t);
	else
		greet(t);
	if (result == DIAL_OPEN && t->life == life)
		receive(t);	/* what has come by now was told already */
}

void talk_init(struct talk *t, struct talk_balancer *b, const struct talk_hooks *hooks,
	       uint32_t depth)
{
	*t = (struct talk){.balancer = b, .hooks = hooks};
	asking_init(&t->asking, depth);
	dial_init(&t->dial, b->loop, on_dialed);
	loop_watch_init(&t->watch, -1, on_ready);
	loop_timer_init(&t->limit, on_limit);
	loop_task_init(&t->flush, on_flush);
}

void talk_fini(struct talk *t)
{
	talk_close(t);
	asking_fini(&t->asking);
}

void talk_open(struct talk *t)
{
	const struct talk_balancer *b = t->balancer;
	enum dial_result result;

	must(t->state == TALK_CLOSED);
	asking_reset(&t->asking);
	t->life++;
	t->state = TALK_DIALING;
	t->version = b->version;
	if (dial_start(&t->dial, &t->watch, &b->address, b->timeout_ms, on_ready,
		       &result))
		on_dialed(&t->dial, result);
}
