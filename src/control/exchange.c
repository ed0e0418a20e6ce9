#include "control/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "control/legacy.h"

static const struct h1_limits limits = {
	.head_max = CONTROL_HEAD_MAX,
	.target_max = EXCHANGE_TARGET_MAX,
	.fields_max = EXCHANGE_FIELDS_MAX,
};

static void enter(struct exchange *x, enum exchange_state state)
{
	x->state = state;
	x->phase++;
}

void exchange_init(struct exchange *x, const struct view *view,
		   const struct tokens *tokens, bool busy)
{
	/* Not all of it: the input is large, and what is there does not matter. */
	memset(x, 0, offsetof(struct exchange, input));
	x->view = view;
	x->tokens = tokens;
	x->busy = busy;
	enter(x, EXCHANGE_HEAD);
}

void exchange_only_legacy(struct exchange *x, const char *pool)
{
	must(strlen(pool) < sizeof x->legacy_pool);
	memcpy(x->legacy_pool, pool, strlen(pool) + 1);
	x->closes = true;
}

static bool is_legacy(const struct exchange *x)
{
	return *x->legacy_pool != '\0';
}

static void drop_later(struct exchange *x)
{
	struct later *l = x->later;

	x->later = NULL;
	if (l != NULL)
		l->end(l);
}

void exchange_fini(struct exchange *x)
{
	drop_later(x);
	stream_leave(&x->stream);
	gather_drop(&x->body);
	free(x->output_owned);
	x->output_owned = NULL;
	x->output = NULL;
	x->state = EXCHANGE_OVER;
}

/* ---- answering ---- */

static void wake(void *waiter)
{
	struct exchange *x = waiter;

	if (x->on_answered != NULL)
		x->on_answered(x);
}

/* There are as many as there may be: says that instead. */
static void refuse_stream(const struct exchange *x, struct reply *r)
{
	x->view->streams->refused++;
	reply_fini(r);
	reply_error(r, REPLY_BUSY, NULL, "there are %d answers that go on already, or %d of "
		    "them over TCP; end one of those", STREAMS_MAX, STREAMS_TCP_MAX);
}

/* The head is the output; what follows it comes of the stream, which is given. */
static void begin_stream(struct exchange *x, struct stream *s)
{
	s->wake = wake;
	s->waiter = x;
	x->stream = (struct stream_reader){
		.all = x->view->streams, .stream = s, .is_tcp = x->tokens != NULL,
		.chunked = x->head.minor > 0,
	};
	stream_begin(&x->stream);
	enter(x, EXCHANGE_STREAM);
}

void exchange_answered(const struct exchange *x, struct asked_answer *answer)
{
	size_t left = x->output != NULL ? x->output_left : 0, all = x->said.body_len;
	bool any = x->said.status != 0 && left < x->said.head_len + all;

	*answer = (struct asked_answer){
		.status = any ? x->said.status : 0, .bytes_in = x->said.bytes_in,
		.bytes_out = left < all ? all - left : 0,
	};
}

/* Gives out the reply, which it ends. */
static void answer(struct exchange *x, struct reply *r)
{
	const struct h1_head *h = &x->head;
	bool was_read = x->used > 0;	/* else there is a head that is none */
	struct reply_frame frame = {
		.version = view_version(x->view),
		.wall_s = x->view->wall_s,
		.closes = x->closes,
		.is_old = was_read && h->minor == 0,
		.head_only = was_read && h->method == H1_HEAD,
		.compact = is_legacy(x),
	};

	if (is_legacy(x))
		legacy_shape(r);
	if (r->stream != NULL && !stream_has_place(x->view->streams, x->tokens != NULL))
		refuse_stream(x, r);
	/* To HTTP/1.0 only the connection's end can say where a stream ends. */
	if (r->stream != NULL && frame.is_old)
		frame.closes = x->closes = true;
	x->output_owned = reply_print(r, &frame, &x->output_left, &x->said.body_len);
	x->output = x->output_owned;
	x->said.status = r->status;
	x->said.head_len = x->output_left - x->said.body_len;
	gather_drop(&x->body);
	x->answers++;
	if (r->stream != NULL && !frame.head_only) {
		begin_stream(x, r->stream);
		r->stream = NULL;
	} else {
		enter(x, EXCHANGE_ANSWER);
	}
	reply_fini(r);
}

/* Answers a request that is not read any further. */
static void refuse(struct exchange *x, struct reply *r)
{
	x->closes = true;
	answer(x, r);
}

static void refuse_fault(struct exchange *x, enum h1_fault fault)
{
	struct reply r;

	reply_init(&r);
	reply_fault(&r, fault);
	refuse(x, &r);
}

static void refuse_code(struct exchange *x, enum reply_code code, const char *message)
{
	struct reply r;

	reply_init(&r);
	reply_error(&r, code, NULL, "%s", message);
	refuse(x, &r);
}

static void run(struct exchange *x);

void exchange_resume(struct exchange *x)
{
	struct reply r;

	if (x->state == EXCHANGE_STREAM)
		run(x);
	if (x->state != EXCHANGE_WAITING || x->later->reply.status == 0)
		return;
	r = x->later->reply;
	reply_init(&x->later->reply);
	drop_later(x);
	answer(x, &r);
}

/* Waits for the answer, which may be there already. */
static void await(struct exchange *x, struct later *l)
{
	l->wake = wake;
	l->waiter = x;
	x->later = l;
	gather_drop(&x->body);
	enter(x, EXCHANGE_WAITING);
	exchange_resume(x);
}

static void answer_request(struct exchange *x)
{
	struct request request = {
		.head = &x->head, .bytes = x->input, .role = x->role,
		.body = {x->body.bytes, x->body.len},
		.local = x->tokens == NULL && !is_legacy(x),
		.legacy_pool = is_legacy(x) ? x->legacy_pool : NULL,
	};
	struct reply r;

	x->said.bytes_in = x->body.len;
	reply_init(&r);
	dispatch(x->view, &request, &r);
	if (r.later != NULL)
		await(x, r.later);
	else
		answer(x, &r);
}

/* ---- reading ---- */

/* What the head says of who asks. Two of these fields would be a guess which counts. */
static enum role role_of(const struct exchange *x)
{
	enum role role = ROLE_NONE;
	uint32_t count = 0;

	if (x->tokens == NULL)
		return ROLE_CHANGE;
	for (uint32_t i = 0; i < x->head.field_count; i++) {
		const struct h1_field *f = &x->head.fields[i];
		if (!span_equals_nocase(h1_name_span(x->input, f), SPAN("Authorization")))
			continue;
		role = tokens_role(x->tokens, h1_value_span(x->input, f));
		count++;
	}
	return count == 1 ? role : ROLE_NONE;
}

static const char too_long[] = "a body has at most 1 MiB";

/* The head is there: whether its body is to be read. */
static void begin_body(struct exchange *x)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const struct h1_head *h = &x->head;

	x->closes |= !h->keep_alive;
	x->used = h->length;
	x->role = role_of(x);
	if (x->busy) {
		refuse_code(x, REPLY_BUSY,
			    "too many connections to the control interface at once; "
			    "try again");
		return;
	}
	if (x->role == ROLE_NONE && (is_legacy(x) || !dispatch_is_open(h, x->input))) {
		refuse_code(x, REPLY_NO_TOKEN, "over TCP a request needs a token that is "
			    "right: Authorization: Bearer TOKEN");
		return;
	}
	if (gather_begin(&x->body, h) == GATHER_LONG) {
		refuse_code(x, REPLY_BODY_LONG, too_long);
		return;
	}
	if (h->expects_continue && h->minor > 0 && h->body != H1_BODY_NONE &&
	    x->input_len == x->used) {
		x->output = interim;
		x->output_left = sizeof interim - 1;
	}
	enter(x, EXCHANGE_BODY);
}

static void read_head(struct exchange *x)
{
	enum h1_result result = h1_parse_request(&x->head, x->input, x->input_len,
						 x->seen, &limits);

	switch (result) {
	case H1_DONE:
		begin_body(x);
		break;
	case H1_BAD:
		refuse_fault(x, x->head.fault);
		break;
	case H1_MORE:
		x->seen = x->input_len;
		if (x->input_len >= CONTROL_HEAD_MAX)
			refuse_fault(x, H1_FAULT_HEAD_LONG);
		break;
	}
}

static void read_body(struct exchange *x)
{
	struct span there = {x->input + x->used, x->input_len - x->used};
	uint32_t used;
	enum gather_result result = gather_take(&x->body, there, &used);

	x->used += used;
	switch (result) {
	case GATHER_MORE:
		break;
	case GATHER_DONE:
		answer_request(x);
		break;
	case GATHER_LONG:
		refuse_code(x, REPLY_BODY_LONG, too_long);
		break;
	case GATHER_BAD:
		refuse_fault(x, x->body.chunked.fault);
		break;
	}
}

/* The answer is out. */
static void finish_answer(struct exchange *x)
{
	free(x->output_owned);
	x->output_owned = NULL;
	if (x->closes) {
		enter(x, x->ended ? EXCHANGE_OVER : EXCHANGE_LINGER);
		return;
	}
	memmove(x->input, x->input + x->used, x->input_len - x->used);
	x->input_len -= x->used;
	x->used = x->seen = 0;
	enter(x, EXCHANGE_HEAD);
}

/* Each piece has a time limit of its own. */
static void put_out(struct exchange *x, struct span piece)
{
	x->output = piece.at;
	x->output_left = piece.len;
	x->phase++;
}

/* What was put out is out: the next piece, or the end. */
static void go_on(struct exchange *x)
{
	free(x->output_owned);		/* the head */
	x->output_owned = NULL;
	struct span piece = stream_next(&x->stream);
	if (piece.len > 0) {
		put_out(x, piece);
	} else if (x->stream_ends) {
		bool chunked = x->stream.chunked;
		stream_leave(&x->stream);
		enter(x, EXCHANGE_ANSWER);
		if (chunked)
			put_out(x, SPAN("0\r\n\r\n"));
	}
}

/* Goes on as far as the bytes at hand go. While something is to be sent, nothing is
 * read: who does not take answers is not listened to. */
static void run(struct exchange *x)
{
	uint32_t phase;

	do {
		phase = x->phase;
		if (x->output != NULL)
			return;
		if (x->state == EXCHANGE_ANSWER)
			finish_answer(x);
		else if (x->state == EXCHANGE_STREAM)
			go_on(x);
		else if (x->state == EXCHANGE_HEAD && x->input_len > 0)
			read_head(x);
		else if (x->state == EXCHANGE_BODY)
			read_body(x);
	} while (x->phase != phase);
	if (x->ended && x->state != EXCHANGE_WAITING && x->state != EXCHANGE_STREAM &&
	    x->state != EXCHANGE_OVER)
		enter(x, EXCHANGE_OVER);
}

/* ---- bytes in and out ---- */

char *exchange_room(struct exchange *x, size_t *size)
{
	*size = 0;
	if (x->output != NULL || x->ended)
		return x->input;
	if (x->state == EXCHANGE_HEAD) {
		*size = CONTROL_HEAD_MAX - x->input_len;
	} else if (x->state == EXCHANGE_BODY) {
		/* What is used of it goes: room for the next bytes. */
		if (x->used == x->input_len)
			x->used = x->input_len = x->head.length;
		*size = EXCHANGE_INPUT - x->input_len;
	} else if (x->state == EXCHANGE_LINGER) {
		x->input_len = 0;
		*size = EXCHANGE_INPUT;
	}
	return x->input + x->input_len;
}

void exchange_received(struct exchange *x, size_t len)
{
	must(len > 0 && len <= EXCHANGE_INPUT - x->input_len);
	if (x->state == EXCHANGE_LINGER)
		return;
	/* An idle connection has a request now. */
	if (x->state == EXCHANGE_HEAD && x->input_len == 0 && x->answers > 0)
		x->phase++;
	x->input_len += (uint32_t)len;
	run(x);
}

void exchange_ended(struct exchange *x)
{
	x->ended = true;
	run(x);
}

struct span exchange_output(const struct exchange *x)
{
	return (struct span){x->output, x->output_left};
}

void exchange_sent(struct exchange *x, size_t len)
{
	must(len > 0 && len <= x->output_left);
	x->output += len;
	x->output_left -= len;
	x->phase++;
	if (x->output_left > 0)
		return;
	x->output = NULL;
	run(x);
}

static void give_up(struct exchange *x)
{
	struct reply r;

	drop_later(x);
	reply_init(&r);
	reply_error(&r, REPLY_LATE, NULL, "it takes longer than %d s, and goes on; look "
		    "what has become of it", CONTROL_WAITING_MS / 1000);
	answer(x, &r);
}

bool exchange_time_over(struct exchange *x)
{
	if (x->state == EXCHANGE_WAITING) {
		give_up(x);
		return true;
	}
	if (x->state != EXCHANGE_STREAM)
		return false;
	if (x->output != NULL) {
		x->view->streams->dropped++;
		return false;
	}
	struct span beat = stream_beat(&x->stream);
	if (beat.len > 0)
		put_out(x, beat);
	else
		x->phase++;		/* and wait on */
	return true;
}

void exchange_close(struct exchange *x)
{
	x->closes = true;
	if (x->state == EXCHANGE_STREAM) {
		x->stream_ends = true;
		run(x);
	}
	if (x->state == EXCHANGE_HEAD && x->input_len == 0)
		enter(x, EXCHANGE_OVER);
}

uint32_t exchange_limit_ms(const struct exchange *x)
{
	if (x->output != NULL)
		return CONTROL_WRITE_MS;
	switch (x->state) {
	case EXCHANGE_HEAD:
		return x->answers == 0 || x->input_len > 0 ? CONTROL_HEAD_MS
							    : CONTROL_IDLE_MS;
	case EXCHANGE_BODY:
		return CONTROL_BODY_MS;
	case EXCHANGE_WAITING:
		return CONTROL_WAITING_MS;
	case EXCHANGE_STREAM:
		return STREAM_BEAT_MS;
	case EXCHANGE_LINGER:
		return CONTROL_LINGER_MS;
	case EXCHANGE_ANSWER:
	case EXCHANGE_OVER:
	case EXCHANGE_BUG:
		break;
	}
	return 0;
}
