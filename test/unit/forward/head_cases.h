/* What the tests of written heads share: a head is read, and written with a watch on
 * the room that it is given. */
#ifndef UNIT_FORWARD_HEAD_CASES_H
#define UNIT_FORWARD_HEAD_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"
#include "forward/head.h"
#include "model/model.h"

enum { CANARY_LEN = 16 };

static const struct h1_limits limits = {
	.head_max = 32768, .target_max = 8192, .fields_max = 200,
};

/* The head at hand. */
static struct h1_head head;

typedef size_t write_head(char *out, size_t room, const char *at, const void *how);

static inline size_t write_request(char *out, size_t room, const char *at,
				   const void *how)
{
	return head_write_request(out, room, &head, at, how);
}

static inline size_t write_response(char *out, size_t room, const char *at,
				    const void *how)
{
	return head_write_response(out, room, &head, at, how);
}

/* Writes with so much room, in memory that ends with it but for a canary. */
static inline void check_room(write_head *write, size_t room, const char *at,
			      const void *how, struct span want)
{
	char *out = malloc(room + CANARY_LEN);

	assert_non_null(out);
	memset(out, '#', room + CANARY_LEN);
	size_t len = write(out, room, at, how);
	assert_int_equal(len, room < want.len ? 0 : want.len);
	if (len > 0 && memcmp(out, want.at, len) != 0)
		fail_msg("written:\n%.*snot:\n%.*s", (int)len, out, (int)want.len,
			 want.at);
	for (size_t i = room < want.len ? room : want.len; i < room + CANARY_LEN; i++)
		assert_int_equal(out[i], '#');
	free(out);
}

static inline void read_request(const char *text)
{
	if (h1_parse_request(&head, text, strlen(text), 0, &limits) != H1_DONE)
		fail_msg("%s: %s", h1_fault_text(head.fault), text);
}

static inline void read_response(const char *text, enum h1_method method)
{
	if (h1_parse_response(&head, text, strlen(text), 0, method, &limits) != H1_DONE)
		fail_msg("%s: %s", h1_fault_text(head.fault), text);
}

static inline size_t request_room(const struct head_request *how)
{
	return head.length + how->host.len + 2 * how->host_asked.len + HEAD_GROWTH_MAX;
}

/* Plain is a head that comes out as it came in, its version apart. What is not plain
 * comes out changed, unless what was dropped is added again. */
static inline void check_plain(const char *text, const struct head_response *how,
			       struct span want)
{
	bool same = head.length == want.len && memcmp(text, want.at, 7) == 0 &&
		    memcmp(text + 8, want.at + 8, want.len - 8) == 0;
	bool added = how->close || how->keep_alive || how->chunked_added ||
		     how->upgrade || how->lines.len > 0;

	assert_int_equal(want.at[7], '1');
	if (!added || head_response_is_plain(&head, how))
		assert_int_equal(head_response_is_plain(&head, how), same);
}

#endif
