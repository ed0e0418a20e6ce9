#include "forward/record_texts.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
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
			texts[RECORD_HEADER + i] = value_in(line, (struct span){
				form->headers[i], form->header_len[i]});
}

/* Its line is none of the rest. */
static void headers_of_host(const struct access_form *form, struct span host,
			    struct span texts[RECORD_TEXTS])
{
	static const struct span name = {"Host:", 5};

	for (uint32_t i = 0; i < form->header_count; i++)
		if (span_equals_nocase((struct span){form->headers[i], form->header_len[i]},
				       name))
			texts[RECORD_HEADER + i] = host;
}

static void text_of_line(struct span line, char first, struct span texts[RECORD_TEXTS])
{
	static const struct span referer = {"Referer:", 8}, user_agent = {"User-Agent:", 11},
				 traceparent = {"traceparent:", 12};

	if (first == 'r' && texts[RECORD_REFERER].len == 0)
		texts[RECORD_REFERER] = value_in(line, referer);
	else if (first == 'u' && texts[RECORD_USER_AGENT].len == 0)
		texts[RECORD_USER_AGENT] = value_in(line, user_agent);
	else if (first == 't' && texts[RECORD_TRACE].len == 0)
		texts[RECORD_TRACE] = traceparent_id(value_in(line, traceparent));
}

/* Takes the line that begins at `line` and ends with the LF at `stop`; returns where the
 * next one begins. Most are told by their first letter to be of no use. */
static inline const char *take_line(const char *line, const char *stop,
				    const struct access_form *form,
				    struct span texts[RECORD_TEXTS])
{
	struct span whole = {line, (size_t)(stop - line)};
	char first = line[0] | 0x20;

	if (first == 'r' || first == 't' || first == 'u')
		text_of_line(whole, first, texts);
	if (UNLIKELY(form != NULL))
		headers_of_line(form, whole, texts);
	return stop + 1;
}

/* With SSE2, which every x86-64 has, the ends of lines are found sixteen bytes at a time. */
static void texts_of_lines(struct span lines, const struct access_form *form,
			   struct span texts[RECORD_TEXTS])
{
	const char *line = lines.at, *at = lines.at, *end = lines.at + lines.len;

#ifdef __SSE2__
	for (; end - at >= 16; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		unsigned stops = (unsigned)_mm_movemask_epi8(
			_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')));
		for (; stops != 0; stops &= stops - 1)
			line = take_line(line, at + __builtin_ctz(stops), form, texts);
	}
#endif
	for (; at < end; at++)
		if (*at == '\n')
			line = take_line(line, at, form, texts);
}

void record_texts_of_sent(const struct record_head *head, const struct access_form *form,
			  struct record *r, struct span texts[RECORD_TEXTS])
{
	const char *space = memchr(head->line.at, ' ', head->line.len);
	const size_t version = sizeof " HTTP/1.1\r\n" - 1;
	size_t method = (size_t)(space - head->line.at);

	texts[RECORD_METHOD] = (struct span){head->line.at, method};
	texts[RECORD_TARGET] = (struct span){space + 1, head->line.len - version - method - 1};
	texts[RECORD_HOST] = head->host;
	if (form != NULL && form->header_count == 0)
		form = NULL;
	if (form != NULL)
		headers_of_host(form, head->host, texts);
	texts_of_lines(head->rest, form, texts);
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
