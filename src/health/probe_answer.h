/* health/probe_answer.h - reads what a server answers to an HTTP probe, and says
 * whether that is good.
 *
 * Pure: bytes in, a decision out; no socket, no clock, no allocation. When only a
 * status is expected, the head decides and the rest is not needed. When a load is
 * expected (spec: two decimal numbers, errors then total, with a newline between
 * them and perhaps one after), the body is read to its end, by its length, in
 * chunks or until the server closes.
 *
 * Invariant: how the bytes were cut into reads never changes the decision, its
 * reason or the numbers. Once decided, it stays so.
 */
#ifndef HEALTH_PROBE_ANSWER_H
#define HEALTH_PROBE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "parse/h1.h"

enum {
	PROBE_HEAD_MAX    = 8192,	/* a longer head is a failure */
	PROBE_FIELDS_MAX  = 128,	/* so is one with more fields */
	PROBE_BODY_MAX    = 4096,	/* bytes of a load's body, chunks taken off */
	PROBE_INTERIM_MAX = 8,		/* 1xx answers before the final one */
	PROBE_REASON_MAX  = 96,
};

enum probe_decision { PROBE_UNDECIDED, PROBE_GOOD, PROBE_BAD };

/* How far a body that reports a load has come. */
enum load_place {
	LOAD_BEFORE_ERRORS, LOAD_IN_ERRORS, LOAD_BEFORE_TOTAL, LOAD_IN_TOTAL, LOAD_ENDED,
};

struct probe_answer {
	enum probe_decision decision;
	char     reason[PROBE_REASON_MAX];	/* once decided: "200", "status 503" */
	uint64_t load_errors, load_total;	/* PROBE_GOOD, and a load was expected */

	enum check_expect expect;
	uint16_t status_min, status_max;

	bool     in_body;
	uint16_t interim;		/* 1xx answers so far */
	enum load_place place;
	uint64_t body_bytes;		/* so far, chunks taken off */
	struct h1_chunked chunked;
	struct h1_head head;
	uint32_t used, parsed;		/* bytes of the head; of these, seen by h1 */
	char     bytes[PROBE_HEAD_MAX];
};

/* Nothing was read yet. What is needed of the check is copied. */
void probe_answer_init(struct probe_answer *a, const struct model_check *check);

/* The next bytes of the connection. */
enum probe_decision probe_answer_feed(struct probe_answer *a, const char *at, size_t len);

/* The server sends no more: never says PROBE_UNDECIDED. */
enum probe_decision probe_answer_end(struct probe_answer *a);

#endif
