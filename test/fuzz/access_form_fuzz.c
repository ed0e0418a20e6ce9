/* A form of the access log, and what clients may send: a form is read or refused with a
 * reason; a line by it is one line, has the same spaces and quotes whatever the texts are, and
 * holds nothing that a terminal obeys. A line of JSON is an object with the same members.
 *
 * The input is the form, a NUL, and the bytes that the texts are made of. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "fuzz.h"
#include "observe/access_format.h"

static char line[ACCESS_LINE_MAX], plain[ACCESS_LINE_MAX];

/* How many fields a reader sees who goes by spaces and double quotes, from `at` on. */
static size_t fields_of(const char *at, size_t len)
{
	size_t fields = 1;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		quoted ^= at[i] == '"';
		fields += at[i] == ' ' && !quoted;
	}
	return fields;
}

static void is_one_plain_line(const struct access_form *form, const char *at, size_t len)
{
	bool ascii = true;

	for (const char *c = form->text; *c != '\0'; c++)
		ascii &= *c >= ' ' && *c < 0x7f;
	must(len > 0 && len <= ACCESS_LINE_MAX && at[len - 1] == '\n');
	for (size_t i = 0; i < len - 1; i++)
		must((unsigned char)at[i] >= ' ' && at[i] != 0x7f && (!ascii || at[i] > 0));
}

static size_t write_by(const struct access_way *way, char *out,
		       const struct span texts[RECORD_TEXTS])
{
	struct access_clock clock = {0};
	const struct record record = {
		.status = 200, .tries = 1, .wall_us = 1764400000000000, .total_us = 1234,
		.form_stamp = way->form != NULL ? way->form->stamp : 0,
	};

	return access_format_write(out, way, &record, texts, &clock);
}

static void is_an_object(const char *at, size_t len)
{
	json_t *o = json_loadb(at, len, JSON_ALLOW_NUL, NULL);

	must(json_is_object(o) && json_object_size(o) == 17);
	must(memchr(at, '\n', len) == at + len - 1);
	json_decref(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct access_form form, again;
	const uint8_t *end = memchr(data, '\0', size);
	struct span texts[RECORD_TEXTS], dashes[RECORD_TEXTS] = {{0}};
	const struct access_way own = {ACCESS_OWN, &form}, json = {ACCESS_JSON, NULL};
	struct err err;

	if (end == NULL)
		return 0;
	size_t left = size - (size_t)(end + 1 - data);
	for (int i = 0; i < RECORD_TEXTS; i++) {
		size_t len = left < RECORD_TEXT_MAX ? left : RECORD_TEXT_MAX;
		size_t from = (size_t)i < len ? (size_t)i : len;
		texts[i] = (struct span){(const char *)end + 1 + from, len - from};
	}
	is_an_object(line, write_by(&json, line, texts));
	if (access_form_read(&form, (const char *)data, &err) != 0) {
		must(err.text[0] != '\0');
		return 0;
	}
	must(access_form_read(&again, form.text, &err) == 0);
	must(memcmp(&form, &again, sizeof form) == 0);
	size_t len = write_by(&own, line, texts), want = write_by(&own, plain, dashes);
	is_one_plain_line(&form, line, len);
	must(fields_of(line, len) == fields_of(plain, want));
	return 0;
}
