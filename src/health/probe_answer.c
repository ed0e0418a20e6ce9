#include "health/probe_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"

static const struct h1_limits limits = {
	.head_max = PROBE_HEAD_MAX, .target_max = 0, .fields_max = PROBE_FIELDS_MAX,
};

void probe_answer_init(struct probe_answer *a, const struct model_check *check)
{
	a->decision = PROBE_UNDECIDED;
	a->reason[0] = '\0';
	a->load_errors = a->load_total = 0;
	a->expect = check->expect;
	a->status_min = check->status_min;
	a->status_max = check->status_max;
	a->in_body = false;
	a->interim = 0;
	a->place = LOAD_BEFORE_ERRORS;
	a->body_bytes = 0;
	a->chunked = (struct h1_chunked){0};
	a->used = a->parsed = 0;
}

__attribute__((format(printf, 3, 4)))
static void decide(struct probe_answer *a, enum probe_decision decision,
		   const char *format, ...)
{
	va_list args;

	a->decision = decision;
	va_start(args, format);
	vsnprintf(a->reason, sizeof a->reason, format, args);
	va_end(args);
}

static bool add_digit(uint64_t *number, char digit)
{
	return !__builtin_mul_overflow(*number, (uint64_t)10, number) &&
	       !__builtin_add_overflow(*number, (uint64_t)(digit - '0'), number);
}

/* One byte of "errors newline total [newline]"; false when it does not belong. */
static bool load_next(struct probe_answer *a, char c)
{
	bool digit = c >= '0' && c <= '9';

	switch (a->place) {
	case LOAD_BEFORE_ERRORS:
	case LOAD_IN_ERRORS:
		if (c == '\n' && a->place == LOAD_IN_ERRORS) {
			a->place = LOAD_BEFORE_TOTAL;
			return true;
		}
		a->place = LOAD_IN_ERRORS;
		return digit && add_digit(&a->load_errors, c);
	case LOAD_BEFORE_TOTAL:
	case LOAD_IN_TOTAL:
		if (c == '\n' && a->place == LOAD_IN_TOTAL) {
			a->place = LOAD_ENDED;
			return true;
		}
		a->place = LOAD_IN_TOTAL;
		return digit && add_digit(&a->load_total, c);
	case LOAD_ENDED:
		break;
	}
	return false;
}

static void body_not_load(struct probe_answer *a)
{
	decide(a, PROBE_BAD, "the body is not two numbers");
}

static void body_feed(struct probe_answer *a, struct span body)
{
	for (size_t i = 0; i < body.len; i++) {
		if (++a->body_bytes > PROBE_BODY_MAX) {
			decide(a, PROBE_BAD, "the body is longer than %d bytes",
			       PROBE_BODY_MAX);
			return;
		}
		if (!load_next(a, body.at[i])) {
			body_not_load(a);
			return;
		}
	}
}

static void body_end(struct probe_answer *a)
{
	if (a->place == LOAD_IN_TOTAL || a->place == LOAD_ENDED)
		decide(a, PROBE_GOOD, "%u", (unsigned)a->head.status);
	else
		body_not_load(a);
}

static void read_chunks(struct probe_answer *a, struct span rest)
{
	enum h1_result result = H1_MORE;

	while (rest.len > 0 && result == H1_MORE && a->decision == PROBE_UNDECIDED) {
		struct span data;
		size_t taken = h1_chunked_next(&a->chunked, rest.at, rest.len, &data,
					       &result);
		body_feed(a, data);
		rest.at += taken;
		rest.len -= taken;
	}
	if (a->decision != PROBE_UNDECIDED)
		return;
	if (result == H1_BAD)
		decide(a, PROBE_BAD, "malformed answer: %s",
		       h1_fault_text(a->chunked.fault));
	else if (result == H1_DONE)
		body_end(a);
}

static void read_body(struct probe_answer *a, struct span rest)
{
	if (a->head.body == H1_BODY_CHUNKED) {
		read_chunks(a, rest);
		return;
	}
	bool has_length = a->head.body == H1_BODY_LENGTH;
	if (has_length && rest.len > a->head.content_length - a->body_bytes)
		rest.len = a->head.content_length - a->body_bytes;
	body_feed(a, rest);
	if (a->decision == PROBE_UNDECIDED && has_length &&
	    a->body_bytes == a->head.content_length)
		body_end(a);
}

/* The final head is complete and ends `length` bytes into a->bytes. */
static void on_head(struct probe_answer *a, uint32_t length)
{
	unsigned status = a->head.status;
	bool load = a->expect == EXPECT_LOAD;

	if (load ? status != 200 : status < a->status_min || status > a->status_max) {
		decide(a, PROBE_BAD, "status %u", status);
	} else if (!load) {
		decide(a, PROBE_GOOD, "%u", status);
	} else if (a->head.body == H1_BODY_LENGTH &&
		   a->head.content_length > PROBE_BODY_MAX) {
		decide(a, PROBE_BAD, "the body is longer than %d bytes", PROBE_BODY_MAX);
	} else if (a->head.body == H1_BODY_NONE) {
		body_not_load(a);
	} else {
		a->in_body = true;
		read_body(a, (struct span){a->bytes + length, a->used - length});
	}
}

/* A 1xx answer says nothing; 101 was not asked for. */
static void skip_interim(struct probe_answer *a, uint32_t length)
{
	if (a->head.status == 101 || ++a->interim > PROBE_INTERIM_MAX) {
		decide(a, PROBE_BAD, "status %u", (unsigned)a->head.status);
		return;
	}
	a->used -= length;
	a->parsed = 0;
	memmove(a->bytes, a->bytes + length, a->used);
}

/* Reads all heads that the bytes at hand complete. */
static void read_heads(struct probe_answer *a)
{
	while (a->used > a->parsed && !a->in_body && a->decision == PROBE_UNDECIDED) {
		enum h1_result result = h1_parse_response(&a->head, a->bytes, a->used,
							  a->parsed, H1_GET, &limits);
		a->parsed = a->used;
		if (result == H1_BAD)
			decide(a, PROBE_BAD, "malformed answer: %s",
			       h1_fault_text(a->head.fault));
		else if (result == H1_MORE && a->used == PROBE_HEAD_MAX)
			decide(a, PROBE_BAD, "the head is longer than %d bytes",
			       PROBE_HEAD_MAX);
		else if (result == H1_DONE && a->head.status < 200)
			skip_interim(a, a->head.length);
		else if (result == H1_DONE)
			on_head(a, a->head.length);
	}
}

enum probe_decision probe_answer_feed(struct probe_answer *a, const char *at, size_t len)
{
	while (len > 0 && !a->in_body && a->decision == PROBE_UNDECIDED) {
		size_t room = PROBE_HEAD_MAX - a->used;
		size_t take = len < room ? len : room;
		must(take > 0);
		memcpy(a->bytes + a->used, at, take);
		a->used += (uint32_t)take;
		at += take;
		len -= take;
		read_heads(a);
	}
	if (len > 0 && a->decision == PROBE_UNDECIDED)
		read_body(a, (struct span){at, len});
	return a->decision;
}

enum probe_decision probe_answer_end(struct probe_answer *a)
{
	if (a->decision != PROBE_UNDECIDED)
		return a->decision;
	if (a->in_body && a->head.body == H1_BODY_UNTIL_CLOSE)
		body_end(a);
	else if (a->used == 0 && a->interim == 0)
		decide(a, PROBE_BAD, "closed without an answer");
	else
		decide(a, PROBE_BAD, "closed in the middle of its answer");
	return a->decision;
}
