/* Properties of the control interface, whatever the bytes a client sends:
 *
 * - how they were cut into reads changes no answer;
 * - each answer is whole HTTP, most with one JSON object, an error in its one shape;
 * - one that goes on is whole once the interface ends it;
 * - what is answered with an error has changed nothing;
 * - one that a listener has handed over gets at most one answer, in its shape. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/control/fake.h"
#include "control/exchange.h"
#include "fuzz.h"

enum { OUTPUT_MAX = 1 << 21 };

static struct fake fake;
static struct exchange x;
static uint64_t version;	/* before anything is asked */
static char first[OUTPUT_MAX], again[OUTPUT_MAX];

/* How much of the output, without what only tells to go on. */
static size_t take_output(char *output, size_t len)
{
	struct span out;

	while ((out = exchange_output(&x)).len > 0) {
		if (x.state == EXCHANGE_ANSWER || x.state == EXCHANGE_STREAM) {
			must(out.len <= OUTPUT_MAX - len);
			memcpy(output + len, out.at, out.len);
			len += out.len;
		}
		exchange_sent(&x, out.len);
	}
	return len;
}

static void begin(bool legacy)
{
	fake_init(&fake);
	fake_make(&fake);
	fake.owners.later = true;
	version = fake.version;
	exchange_init(&x, &fake.view, NULL, false);
	if (legacy)
		exchange_only_legacy(&x, "made");
}

/* The same, and what has to be waited for before. */
static size_t take_answers(char *output, size_t len)
{
	len = take_output(output, len);
	while (x.state == EXCHANGE_WAITING) {
		fake_order_done(&fake.owners);
		exchange_resume(&x);
		len = take_output(output, len);
	}
	/* What goes on would do so for good. */
	if (x.state == EXCHANGE_STREAM) {
		exchange_close(&x);
		len = take_output(output, len);
	}
	return len;
}

/* All that is answered, when the bytes come at most `step` at once. */
static size_t run(const uint8_t *data, size_t size, size_t step, char *output)
{
	size_t len = 0, room;

	while (size > 0) {
		char *at = exchange_room(&x, &room);
		must(room > 0);
		size_t n = room < step ? room : step;
		n = n < size ? n : size;
		memcpy(at, data, n);
		exchange_received(&x, n);
		len = take_answers(output, len);
		data += n;
		size -= n;
	}
	exchange_ended(&x);
	len = take_answers(output, len);
	must(x.state == EXCHANGE_OVER);
	exchange_fini(&x);
	return len;
}

/* One of /rep, /add and /rm. */
static void check_legacy(const json_t *body, int status)
{
	const json_t *message = json_object_get(body, "message");
	const char *how = json_string_value(json_object_get(body, "status"));

	must(json_object_size(body) == 2);
	must(strcmp(how, status == 200 ? "successful" : "failure") == 0);
	must(status == 200 || strncmp(json_string_value(message), "<Error> ", 8) == 0);
	must(status != 200 || json_is_array(json_object_get(message, "replicas")));
}

static void check_error(const json_t *body)
{
	const json_t *error = json_object_get(body, "error");

	must(json_is_string(json_object_get(error, "code")));
	must(json_string_length(json_object_get(error, "message")) > 0);
	must(json_object_size(body) == 1);
}

/* The page, figures for Prometheus and the log are text. */
static bool is_json(const char *at, const struct h1_head *head)
{
	for (uint32_t i = 0; i < head->field_count; i++)
		if (span_equals_nocase(h1_name_span(at, &head->fields[i]),
				       SPAN("Content-Type")))
			return span_equals(h1_value_span(at, &head->fields[i]),
					   SPAN("application/json"));
	return false;
}

/* All of them, to the last. */
static size_t check_chunks(const char *at, size_t left)
{
	struct h1_chunked chunks = {0};
	enum h1_result result = H1_MORE;
	struct span data;
	size_t used = 0;

	while (result == H1_MORE && used < left)
		used += h1_chunked_next(&chunks, at + used, left - used, &data, &result);
	must(result == H1_DONE);
	return used;
}

/* HEAD has no body; which of the requests had that method is not known here, but then
 * the next answer follows at once, or nothing. */
static size_t check_body(const char *head_at, size_t left, const struct h1_head *head)
{
	const char *at = head_at + head->length;

	json_error_t fault;

	if (left == 0 || *at == 'H')
		return 0;
	if (head->body == H1_BODY_CHUNKED)
		return check_chunks(at, left);
	must(head->content_length <= left);
	if (!is_json(head_at, head))
		return head->content_length;
	json_t *body = json_loadb(at, head->content_length, 0, &fault);
	must(json_is_object(body));
	if (*x.legacy_pool != '\0') {
		check_legacy(body, head->status);
	} else {
		must((head->status >= 400) == (json_object_get(body, "error") != NULL));
		if (head->status >= 400)
			check_error(body);
	}
	json_decref(body);
	return head->content_length;
}

/* How many say that something was done. */
static uint32_t check_answers(const char *at, size_t len)
{
	static const struct h1_limits limits = {4096, 4096, 64};
	static struct h1_head head;
	uint32_t changes = 0;

	while (len > 0) {
		must(h1_parse_response(&head, at, len, 0, H1_GET, &limits) == H1_DONE);
		changes += head.status < 400;
		if (head.body == H1_BODY_UNTIL_CLOSE)	/* a stream's, for HTTP/1.0 */
			break;
		size_t taken = head.length + check_body(at, len - head.length, &head);
		at += taken;
		len -= taken;
	}
	return changes;
}

static void check(const uint8_t *data, size_t size, bool legacy)
{
	static const size_t steps[] = {1, 7};

	begin(legacy);
	size_t len = run(data, size, SIZE_MAX, first);
	uint32_t done = check_answers(first, len);
	must(fake.version - version + fake.owners.asked <= done);
	must(!legacy || (done <= 1 && fake.version == version));
	fake_fini(&fake);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		begin(legacy);
		must(run(data, size, steps[i], again) == len);
		must(len == 0 || memcmp(first, again, len) == 0);
		fake_fini(&fake);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size, false);
	check(data, size, true);
	return 0;
}
