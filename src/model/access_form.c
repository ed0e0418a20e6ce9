#include "model/access_form.h"

#include <stddef.h>
#include <string.h>

#include "base/expected.h"
#include "base/hash.h"
#include "base/span.h"
#include "base/text.h"

static const char *const names[ACCESS_FIELDS] = {
	[ACCESS_TIME] = "time", [ACCESS_DATE] = "date", [ACCESS_PEER] = "peer",
	[ACCESS_METHOD] = "method", [ACCESS_TARGET] = "target", [ACCESS_HOST] = "host",
	[ACCESS_HTTP] = "http", [ACCESS_STATUS] = "status", [ACCESS_BYTES] = "bytes",
	[ACCESS_TIME_MS] = "time_ms", [ACCESS_SERVER_MS] = "server_ms",
	[ACCESS_POOL] = "pool", [ACCESS_SERVER] = "server", [ACCESS_TRIES] = "tries",
	[ACCESS_REQUEST_ID] = "request_id", [ACCESS_TRACE_ID] = "trace_id",
	[ACCESS_REFERER] = "referer", [ACCESS_USER_AGENT] = "user_agent",
	[ACCESS_HEADER] = "header",
};

/* A form while it is read. */
struct reading {
	struct access_form *form;
	uint32_t literal_len;
	bool     quoted;
	bool     seen[ACCESS_FIELDS];
};

const char *access_field_name(enum access_field field)
{
	return field < ACCESS_FIELDS ? names[field] : NULL;
}

static struct access_item *add_item(struct reading *r, enum access_field field)
{
	struct access_form *f = r->form;

	if (f->item_count == ACCESS_ITEMS_MAX)
		return NULL;
	struct access_item *item = &f->items[f->item_count++];
	*item = (struct access_item){.field = (uint8_t)field, .quoted = r->quoted,
				     .at = (uint16_t)r->literal_len};
	return item;
}

/* One byte that is written as it is. False: too many items. */
static bool add_literal(struct reading *r, char c)
{
	struct access_form *f = r->form;
	struct access_item *item =
		f->item_count > 0 ? &f->items[f->item_count - 1] : NULL;

	if (item == NULL || item->field != ACCESS_LITERAL)
		item = add_item(r, ACCESS_LITERAL);
	if (item == NULL)
		return false;
	f->literals[r->literal_len++] = c;
	item->len++;
	r->quoted ^= c == '"';
	return true;
}

static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];
		if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
			return false;
	}
	return s.len > 0;
}

static int add_header(struct reading *r, struct span name, struct access_item *item,
		      struct err *err)
{
	struct access_form *f = r->form;

	if (!is_token(name))
		return err_set(err, "\"%.*s\" is no name of a header field; write for "
			       "example {header X-Forwarded-For}", (int)name.len, name.at);
	if (name.len > ACCESS_HEADER_MAX)
		return err_set(err, "a header field's name has at most %d bytes here",
			       ACCESS_HEADER_MAX);
	for (uint32_t i = 0; i < f->header_count; i++) {
		struct span other = {f->headers[i], f->header_len[i] - 1u};
		if (span_equals_nocase(other, name))
			return err_set(err, "{header %.*s} is there twice", (int)name.len,
				       name.at);
	}
	if (f->header_count == ACCESS_HEADERS_MAX)
		return err_set(err, "more than %d header fields", ACCESS_HEADERS_MAX);
	item->header = (uint8_t)f->header_count;
	memcpy(f->headers[f->header_count], name.at, name.len);
	f->headers[f->header_count][name.len] = ':';
	f->header_len[f->header_count++] = (uint8_t)(name.len + 1);
	return 0;
}

static int refuse_name(struct span name, struct err *err)
{
	char word[ACCESS_FORM_MAX + 1];
	struct expected e;

	memcpy(word, name.at, name.len);
	word[name.len] = '\0';
	expected_init(&e, word);
	for (int i = ACCESS_LITERAL + 1; i < ACCESS_FIELDS; i++)
		expected_add(&e, names[i]);
	return err_set(err, "unknown field %s in braces, %s", quote(word).text,
		       expected_text(&e).text);
}

/* What stands between the braces. */
static int add_field(struct reading *r, struct span inside, struct err *err)
{
	struct span rest = inside, name = {NULL, 0};
	int field = ACCESS_FIELDS;

	if (span_cut(&rest, ' ', &name))
		for (field = ACCESS_LITERAL + 1; field < ACCESS_FIELDS; field++)
			if (span_equals(name, span_of(names[field])))
				break;
	if (field == ACCESS_FIELDS || (field != ACCESS_HEADER && name.len != inside.len))
		return refuse_name(inside, err);
	if (r->seen[field] && field != ACCESS_HEADER)
		return err_set(err, "{%s} is there twice", names[field]);
	r->seen[field] = true;
	struct access_item *item = add_item(r, (enum access_field)field);
	if (item == NULL)
		return err_set(err, "more than %d fields and texts between them",
			       ACCESS_ITEMS_MAX);
	return field == ACCESS_HEADER ? add_header(r, rest, item, err) : 0;
}

static int read_items(struct reading *r, const char *at, struct err *err)
{
	for (; *at != '\0'; at++) {
		bool doubled = at[0] == at[1];
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return err_set(err, "a form is one line, without control characters");
		if (*at == '}' && !doubled)
			return err_set(err, "a \"}\" without its \"{\"; the brace itself is "
				       "written }}");
		if (*at == '{' && !doubled) {
			const char *end = strchr(at, '}');
			if (end == NULL)
				return err_set(err, "a \"{\" without its \"}\"; the brace "
					       "itself is written {{");
			struct span inside = {at + 1, (size_t)(end - at - 1)};
			if (add_field(r, inside, err) != 0)
				return -1;
			at = end;
			continue;
		}
		at += *at == '{' || *at == '}';
		if (!add_literal(r, *at))
			return err_set(err, "more than %d fields and texts between them",
				       ACCESS_ITEMS_MAX);
	}
	return 0;
}

int access_form_read(struct access_form *form, const char *text, struct err *err)
{
	struct reading r = {.form = form};
	size_t len = strlen(text);

	memset(form, 0, sizeof *form);
	if (len == 0 || len > ACCESS_FORM_MAX)
		return err_set(err, "a form has 1 to %d bytes", ACCESS_FORM_MAX);
	memcpy(form->text, text, len);
	if (read_items(&r, text, err) != 0)
		return -1;
	if (form->header_count > 0)
		form->stamp = (uint32_t)hash_bytes(form->headers, sizeof form->headers) | 1;
	return 0;
}
