#include "forward/record_texts.h"

#include <string.h>

#include "base/must.h"
#include "model/access_form.h"
#include "parse/h1.h"
#include "parse/traceparent.h"

_Static_assert((int)RECORD_HEADERS == (int)ACCESS_HEADERS_MAX,
	       "each that a form names has its place");

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

/* Those that a form names; the first of several of a name. */
static void headers_of_line(const struct access_form *form, struct span line,
			    struct span texts[RECORD_TEXTS])
{
	for (uint32_t i = 0; i < form->header_count; i++)
		if (texts[RECORD_HEADER + i].len == 0)
			texts[RECORD_HEADER + i] = value_in(line, span_of(form->headers[i]));
}

static void text_of_line(struct span line, struct span texts[RECORD_TEXTS])
{
	static const struct span referer = {"Referer:", 8}, user_agent = {"User-Agent:", 11},
				 traceparent = {"traceparent:", 12};
	char first = line.len > 0 ? span_lower(line.at[0]) : '\0';

	if (first == 'r' && texts[RECORD_REFERER].len == 0)
		texts[RECORD_REFERER] = value_in(line, referer);
	else if (first == 'u' && texts[RECORD_USER_AGENT].len == 0)
		texts[RECORD_USER_AGENT] = value_in(line, user_agent);
	else if (first == 't' && texts[RECORD_TRACE].len == 0)
		texts[RECORD_TRACE] = traceparent_id(value_in(line, traceparent));
}

void record_texts_of_sent(const struct record_head *head, const struct access_form *form,
			  struct record *r, struct span texts[RECORD_TEXTS])
{
	const char *space = memchr(head->line.at, ' ', head->line.len);
	const size_t version = sizeof " HTTP/1.1\r\n" - 1;
	size_t method = (size_t)(space - head->line.at);
	struct span rest = head->rest, line;

	texts[RECORD_METHOD] = (struct span){head->line.at, method};
	texts[RECORD_TARGET] = (struct span){space + 1, head->line.len - version - method - 1};
	texts[RECORD_HOST] = value_in((struct span){head->host.at, head->host.len - 1},
				      SPAN("Host:"));
	while (span_cut(&rest, '\n', &line)) {
		text_of_line(line, texts);
		if (UNLIKELY(form != NULL))
			headers_of_line(form, line, texts);
	}
	r->form_stamp = form != NULL ? form->stamp : 0;
}

void record_texts_of_read(const struct h1_head *head, const char *at,
			  const struct access_form *form, struct record *r,
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
		headers_of_line(form, (struct span){at + f->line, (size_t)f->value +
						    f->value_len - f->line}, texts);
	}
	r->form_stamp = form != NULL ? form->stamp : 0;
}
