/* forward/http_answer.c - what the balancer answers by itself, and what is noted of
 * every answer.
 */
#include <stdio.h>

#include "base/must.h"
#include "forward/http.h"

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

bool answer_write(struct session *s, const struct model_listener *l, uint16_t status,
		  const char *why, bool close, bool head_only)
{
	char text[1024];
	const char *connection = close ? "Connection: close\r\n" : "";
	int len;

	if (l->plain_500 && status >= 502 && status <= 504) {
		len = snprintf(text, sizeof text, "HTTP/1.1 500 %s\r\n"
			       "Content-Length: 0\r\n%s\r\n", reason_of(500), connection);
	} else {
		char body[512];
		int body_len = snprintf(body, sizeof body, "%u %s: %s\n", status,
					reason_of(status), why);
		must(body_len > 0 && (size_t)body_len < sizeof body);
		len = snprintf(text, sizeof text, "HTTP/1.1 %u %s\r\n"
			       "Content-Type: text/plain\r\nContent-Length: %d\r\n%s\r\n%s",
			       status, reason_of(status), body_len, connection,
			       head_only ? "" : body);
	}
	must(len > 0 && (size_t)len < sizeof text);
	return session_write(s, text, (size_t)len);
}

static void count(struct live_listener *live, uint16_t status)
{
	unsigned class = status >= 100 && status <= 599 ? status / 100u : 0;

	atomic_fetch_add_explicit(&live->responses[class], 1, memory_order_relaxed);
}

/* Fills in the texts from the head as it was sent to the server: it has everything,
 * and is at hand until the exchange is over. */
static void texts_of(struct worker *w, const struct request *r,
		     struct span texts[RECORD_TEXTS])
{
	static const struct h1_limits any = {H1_HEAD_MAX, H1_HEAD_MAX, H1_FIELDS_MAX};
	static const struct {
		enum h1_name     name;
		enum record_text text;
	} wanted[] = {
		{H1_NAME_HOST, RECORD_HOST}, {H1_NAME_REFERER, RECORD_REFERER},
		{H1_NAME_USER_AGENT, RECORD_USER_AGENT},
	};
	const char *at = r->head->bytes;

	if (h1_parse_request(&w->head, at, r->head_len, 0, &any) != H1_DONE)
		return;
	texts[RECORD_METHOD] = (struct span){at + w->head.start, w->head.method_len};
	texts[RECORD_TARGET] = (struct span){at + w->head.target_at, w->head.target_len};
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		const struct h1_field *f = h1_field_find(&w->head, wanted[i].name);
		if (f != NULL)
			texts[wanted[i].text] = h1_value_span(at, f);
	}
}

void answer_record(struct session *s, const struct request *r, uint16_t status)
{
	struct worker *w = s->worker;

	count(s->port->live, status);
	if (w->records == NULL || (r != NULL && !r->door->listener->access_log))
		return;

	uint64_t now = loop_clock_us();
	uint64_t since = r != NULL ? r->since_us : s->head_since_us;
	struct span texts[RECORD_TEXTS] = {[RECORD_PEER] = {s->peer, s->peer_len}};
	struct record record = {
		.status = status, .wall_us = loop_wall_us(w->loop),
		.total_us = since == 0 ? 0 : (uint32_t)(now - since),
	};
	if (r != NULL) {
		record.minor = r->minor;
		record.tries = r->tries;
		record.bytes_out = r->bytes_out;
		record.server_us = r->server_us;
		if (r->head != NULL)
			texts_of(w, r, texts);
		if (r->lane != NULL)
			texts[RECORD_POOL] = span_of(r->lane->pool->name);
		if (r->tries > 0)
			texts[RECORD_SERVER] = span_of(r->lane->view.servers[r->server].live->text);
	}
	record_put(w->records, &record, texts);
}
