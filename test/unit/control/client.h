/* A client of an exchange with a fake balancer behind it, and no socket between them. */
#ifndef TEST_UNIT_CONTROL_CLIENT_H
#define TEST_UNIT_CONTROL_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "control/exchange.h"
#include "unit/control/fake.h"

static struct fake fake;
static struct exchange x;
static char output[1 << 17];	/* all that came out */
static size_t output_len;
static json_t *body;		/* of the last answer */

static int begin(void **unused)
{
	(void)unused;
	fake_init(&fake);
	exchange_init(&x, &fake.view, NULL, false);
	output_len = 0;
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	exchange_fini(&x);
	json_decref(body);
	body = NULL;
	fake_fini(&fake);
	return 0;
}

static void take_output(size_t step)
{
	struct span out;

	while ((out = exchange_output(&x)).len > 0) {
		size_t n = out.len < step ? out.len : step;
		assert_true(output_len + n < sizeof output);
		memcpy(output + output_len, out.at, n);
		output_len += n;
		exchange_sent(&x, n);
	}
	output[output_len] = '\0';
}

/* Puts bytes in, at most `step` at once, and takes what comes out. */
static void put_in(const char *bytes, size_t len, size_t step)
{
	while (len > 0) {
		size_t room;
		char *at = exchange_room(&x, &room);
		if (room == 0)
			return;		/* it is over */
		size_t n = room < step ? room : step;
		n = n < len ? n : len;
		memcpy(at, bytes, n);
		exchange_received(&x, n);
		take_output(SIZE_MAX);
		bytes += n;
		len -= n;
	}
}

static inline void put_text(const char *text)
{
	put_in(text, strlen(text), SIZE_MAX);
}

/* Of the first answer in the output, which is taken off it. Its body is kept. */
static int next_answer(void)
{
	char *empty = strstr(output, "\r\n\r\n");
	const char *length = strstr(output, "Content-Length: ");
	json_error_t error;
	int status = 0;

	assert_true(empty != NULL && length != NULL && length < empty);
	size_t body_len = strtoul(length + 16, NULL, 10), taken;
	assert_int_equal(sscanf(output, "HTTP/1.1 %3d ", &status), 1);
	json_decref(body);
	body = json_loadb(empty + 4, body_len, 0, &error);
	assert_non_null(body);
	taken = (size_t)(empty + 4 - output) + body_len;
	assert_true(taken <= output_len);
	memmove(output, output + taken, output_len - taken + 1);
	output_len -= taken;
	return status;
}

/* The status of the one answer to one request on a connection of its own. */
static inline int ask(const char *method_and_path, const char *content)
{
	char request[4096];
	int len = snprintf(request, sizeof request,
			   "%s HTTP/1.1\r\nHost: b\r\nContent-Length: %zu\r\n\r\n%s",
			   method_and_path, strlen(content), content);

	exchange_fini(&x);
	exchange_init(&x, &fake.view, NULL, false);
	output_len = 0;
	put_in(request, (size_t)len, SIZE_MAX);
	int status = next_answer();
	assert_int_equal(output_len, 0);
	assert_int_equal(x.state, EXCHANGE_HEAD);
	return status;
}

static inline const char *text_of(const char *name)
{
	return json_string_value(json_object_get(body, name));
}

static inline int number_of(const char *name)
{
	assert_true(json_is_integer(json_object_get(body, name)));
	return (int)json_integer_value(json_object_get(body, name));
}

static inline const char *code(void)
{
	return json_string_value(json_object_get(json_object_get(body, "error"), "code"));
}

static inline void refused(const char *method_and_path, const char *content,
			   int status, const char *wanted)
{
	uint64_t version = fake.version;

	assert_int_equal(ask(method_and_path, content), status);
	assert_string_equal(code(), wanted);
	assert_int_equal(fake.version, version);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
