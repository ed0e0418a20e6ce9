/* What the tests of the HTTP/1.x heads share: a head is read whole and in pieces of
 * every small size, each time from memory that ends with its last byte, and always
 * comes out the same. */
#ifndef UNIT_PARSE_H1_CASES_H
#define UNIT_PARSE_H1_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"
#include "parse/h1.h"

#define TEXT(literal) "" literal, sizeof(literal) - 1

/* What is wrong with a head; H1_FAULT_NONE: it is accepted. */
struct head_case {
	const char   *text;
	size_t        len;
	enum h1_fault fault;
};

static const struct h1_limits default_limits = {
	.head_max = 32768, .target_max = 8192, .fields_max = 128,
};

typedef enum h1_result parse_head(struct h1_head *head, const char *at, size_t len,
				  size_t before, const struct h1_limits *limits);

/* Hands over `piece` bytes more each time, until the parser has made up its mind. */
static inline enum h1_result read_in_pieces(parse_head *parse, struct h1_head *head,
					    const char *text, size_t len, size_t piece,
					    const struct h1_limits *limits)
{
	enum h1_result result = H1_MORE;
	size_t before = 0;

	while (result == H1_MORE && before < len) {
		size_t now = len - before < piece ? len : before + piece;
		char *copy = malloc(now);
		assert_non_null(copy);
		memcpy(copy, text, now);
		result = parse(head, copy, now, before, limits);
		free(copy);
		before = now;
	}
	return result;
}

static inline void check_case(parse_head *parse, const struct head_case *c,
			      const struct h1_limits *limits)
{
	static const size_t pieces[] = {1, 2, 3, 7, 16, 61, H1_HEAD_MAX * 2};
	struct h1_head head;

	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		enum h1_result result =
			read_in_pieces(parse, &head, c->text, c->len, pieces[i], limits);
		enum h1_result want = c->fault == H1_FAULT_NONE ? H1_DONE : H1_BAD;
		if (result != want || head.fault != c->fault)
			fail_msg("pieces of %zu: result %d, fault %d (%s), not %d: %.*s",
				 pieces[i], result, head.fault, h1_fault_text(head.fault),
				 c->fault, (int)c->len, c->text);
	}
}

static inline bool value_is(const char *text, uint16_t at, uint16_t len, const char *want)
{
	return span_equals((struct span){text + at, len}, span_of(want));
}

#endif
