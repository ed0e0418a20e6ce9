/* forward/http_answer.c - what the balancer answers by itself, and what is noted of
 * every answer.
 */
#include <stdio.h>

#include "base/must.h"
#include "forward/http_request.h"
#include "forward/record.h"
#include "model/access_form.h"
#include "model/meter.h"
#include "parse/traceparent.h"

static const struct {
	uint16_t    status;
	const char *reason;
} reasons[] = {
	{400, "Bad Request"}, {404, "Not Found"}, {408, "Request Timeout"},
	{413, "Content Too Large"}, {414, "URI Too Long"}, {417, "Expectation Failed"},
	{431, "Request Header Fields Too Large"}, {500, "Internal Server Error"},
	{501, "Not Implemented"}, {502, "Bad Gateway"}, {503, "Service Unavailable"},
	{504, "Gateway Timeout"}, {505, "HTTP Version Not Supported"},
};

static const char *reason_of(uint16_t status)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

bool answer_write(struct session *s, uint16_t status, const char *why, bool close,
		  bool head_only)
{
	char text[1024];
	const char *connection = close ? "Connection: close\r\n" : "";
	int len, body_len = 0;

	if (session_listener(s)->plain_500 && status >= 502 && status <= 504) {
		len = snprintf(text, sizeof text, "HTTP/1.1 500 %s\r\n"
			       "Content-Length: 0\r\n%s\r\n", reason_of(500), connection);
	} else {
		char body[512];
		body_len = snprintf(body, sizeof body, "%u %s: %s\n", status,
				    reason_of(status), why);
		must(body_len > 0 && (size_t)body_len < sizeof body);
		len = snprintf(text, sizeof text, "HTTP/1.1 %u %s\r\n"
			       "Content-Type: text/plain\r\nContent-Length: %d\r\n%s\r\n%s",
			       status, reason_of(status), body_len, connection,
			       head_only ? "" : body);
	}
	must(len > 0 && (size_t)len < sizeof text);
	s->heads_out += (uint32_t)(head_only ? len : len - body_len);
	s->closing = close;
	return session_write(s, text, (size_t)len);
}

/* What it came to, for its listener, its pool and its server. Times are of the turn, as
 * everything else that is timed: no clock is read for it. */
static void note(const struct session *s, const struct request *r, struct meter_note n)
{
	unsigned loop = s->worker->number;

	meters_note(s->port->live->meters, loop, &n);
	if (r == NULL || r->lane == NULL)
		return;
	meters_note(r->lane->pool->live->meters, loop, &n);
	if (r->server_us > 0) {		/* it has answered */
		n.took_us = r->server_us;
		meters_note(request_server(r)->meters, loop, &n);
	}
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The value of a field line that begins with `name` (colon included); empty: it is
 * another field's. */
static struct span value_in(struct span line, struct span name)
{
	struct span value = {line.at + name.len, line.len - name.len};

	if (line.len < name.len || strncasecmp(line.at, name.at, name.len) != 0)
		return (struct span){NULL, 0};
	while (value.len > 0 && is_space(value.at[value.len - 1]))
		value.len--;
	for (; value.len > 0 && is_space(value.at[0]); value.at++)
		value.len--;
	return value;
}

/* Those that a form of the access log names; the first of several of a name. */
static void headers_of_line(const struct access_form *form, struct span line,
			    struct span texts[RECORD_TEXTS])
{
	for (uint32_t i = 0; i < form->header_count; i++)
		if (texts[RECORD_HEADER + i].len == 0)
			texts[RECORD_HEADER + i] = value_in(line, span_of(form->headers[i]));
}

/* From the head as it goes to the server, which is at hand until the exchange is over.
 * It is our own writing: where its first two lines are is known, and the others need
 * no parser. */
static void texts_of_sent(const struct request *r, struct span texts[RECORD_TEXTS])
{
	static const struct span referer = {"Referer:", 8}, user_agent = {"User-Agent:", 11},
				 traceparent = {"traceparent:", 12};
	const struct access_form *form = r->edition->model->access_form;
	const char *line = buf_at(r->head), *end = line + r->head_len, *next;
	const char *space = memchr(line, ' ', r->line_len);
	const char *rest = r->head->bytes + r->rest_at;
	const size_t version = sizeof " HTTP/1.1\r\n" - 1;

	texts[RECORD_METHOD] = (struct span){line, (size_t)(space - line)};
	texts[RECORD_TARGET] = (struct span){space + 1,
		r->line_len - version - texts[RECORD_METHOD].len - 1};
	line += r->line_len;
	texts[RECORD_HOST] = value_in((struct span){line, (size_t)(rest - line) - 1},
				      SPAN("Host:"));
	for (line = rest; line < end; line = next) {
		next = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;
		struct span whole = {line, (size_t)(next - 1 - line)};
		char first = span_lower(line[0]);
		if (first == 'r' && texts[RECORD_REFERER].len == 0)
			texts[RECORD_REFERER] = value_in(whole, referer);
		else if (first == 'u' && texts[RECORD_USER_AGENT].len == 0)
			texts[RECORD_USER_AGENT] = value_in(whole, user_agent);
		else if (first == 't' && texts[RECORD_TRACE].len == 0)
			texts[RECORD_TRACE] = traceparent_id(value_in(whole, traceparent));
		if (UNLIKELY(form != NULL))
			headers_of_line(form, whole, texts);
	}
}

/* From the head just read, of a request that was refused before one was written. */
static void texts_of_read(const struct worker *w, const struct access_form *form,
			  struct span texts[RECORD_TEXTS])
{
	static const struct {
		enum h1_name     name;
		enum record_text text;
	} wanted[] = {
		{H1_NAME_HOST, RECORD_HOST}, {H1_NAME_REFERER, RECORD_REFERER},
		{H1_NAME_USER_AGENT, RECORD_USER_AGENT},
		{H1_NAME_TRACEPARENT, RECORD_TRACE},
	};
	const struct h1_head *head = w->head;
	const char *at = w->head_at;

	texts[RECORD_METHOD] = (struct span){at + head->start, head->method_len};
	texts[RECORD_TARGET] = (struct span){at + head->target_at, head->target_len};
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		const struct h1_field *f = h1_field_find(head, wanted[i].name);
		if (f != NULL)
			texts[wanted[i].text] = h1_value_span(at, f);
	}
	texts[RECORD_TRACE] = traceparent_id(texts[RECORD_TRACE]);
	for (uint16_t i = 0; form != NULL && i < head->field_count; i++) {
		const struct h1_field *f = &head->fields[i];
		struct span line = {at + f->line, f->value + f->value_len - f->line};
		headers_of_line(form, line, texts);
	}
}

/* Whether the access log is to have it: a share of all may be enough, but for errors. */
static bool is_recorded(struct worker *w, const struct request *r, uint16_t status)
{
	if (!record_is_wanted(w->records) ||
	    (r != NULL && !r->door->listener->access_log))
		return false;
	unsigned part = atomic_load_explicit(&w->records->part, memory_order_relaxed);
	return part <= 1 || status >= 500 || worker_random(w) % part == 0;
}

void answer_record(struct session *s, const struct request *r, uint16_t status)
{
	struct worker *w = s->worker;
	uint64_t bytes_out = s->bytes_out - s->heads_out;
	uint64_t since = r != NULL ? r->since_us : s->head_since_us;
	uint64_t took_us = since == 0 ? 0 : loop_now_us(w->loop) - since;

	note(s, r, (struct meter_note){
		.class = status >= 100 && status <= 599 ? status / 100u : 0,
		.bytes_in = r != NULL ? r->body_seen : 0,
		.bytes_out = bytes_out, .took_us = took_us,
	});
	s->bytes_out = s->heads_out = 0;
	if (!is_recorded(w, r, status))
		return;

	struct span texts[RECORD_TEXTS] = {[RECORD_PEER] = {s->peer, s->peer_len}};
	struct record record = {
		.status = status, .wall_us = loop_wall_us(w->loop), .bytes_out = bytes_out,
		.total_us = took_us,
	};
	if (r != NULL) {
		const struct access_form *form = r->edition->model->access_form;
		record.form_stamp = form != NULL ? form->stamp : 0;
		record.minor = r->minor;
		record.tries = r->tries;
		record.request_id = r->id;
		record.server_us = r->server_us;
		if (r->head != NULL)
			texts_of_sent(r, texts);
		else if (w->head_at != NULL)
			texts_of_read(w, form, texts);
		if (r->lane != NULL)
			texts[RECORD_POOL] = span_of(r->lane->pool->name);
		if (r->tries > 0 && r->server != PICK_NONE)
			texts[RECORD_SERVER] = span_of(r->lane->view.servers[r->server].live->text);
	}
	record_put(w->records, &record, texts);
}
