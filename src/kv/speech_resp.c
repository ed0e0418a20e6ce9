/* kv/speech_resp.c - clients of Redis (RESP2): what they say becomes commands. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "kv/resp_command.h"

enum { ERROR_MAX = 256, NAME_MAX_SHOWN = 40 };

/* ---- answering ---- */

void resp_answer(struct kv_client *c, const void *at, size_t len)
{
	kv_client_ask_literal(c, at, len);
}

void resp_answer_simple(struct kv_client *c, struct span text)
{
	char out[ERROR_MAX + RESP_LINE_EXTRA];

	text.len = text.len < ERROR_MAX ? text.len : ERROR_MAX;
	resp_answer(c, out, resp_write_simple(out, text));
}

/* Of any length: three pieces, which stay together since they are said in one turn. */
void resp_answer_bulk(struct kv_client *c, struct span value)
{
	char head[RESP_NUMBER_BYTES + 1];
	int len = snprintf(head, sizeof head, "$%zu\r\n", value.len);

	resp_answer(c, head, (size_t)len);
	resp_answer(c, value.at, value.len);
	resp_answer(c, "\r\n", 2);
}

void resp_answer_integer(struct kv_client *c, int64_t number)
{
	char out[RESP_NUMBER_BYTES];

	resp_answer(c, out, resp_write_integer(out, number));
}

void resp_answer_error(struct kv_client *c, const char *format, ...)
{
	char text[ERROR_MAX], out[ERROR_MAX + RESP_LINE_EXTRA];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	live_count(&c->port->live->bad_requests);
	resp_answer(c, out, resp_write_error(out, span_of(text)));
}

/* ---- the command ---- */

const struct resp_entry *resp_entry_at(uint32_t i)
{
	if (i < resp_data.count)
		return &resp_data.entries[i];
	i -= resp_data.count;
	return i < resp_admin.count ? &resp_admin.entries[i] : NULL;
}

static const struct resp_entry *find(struct span name)
{
	const struct resp_entry *e;

	for (uint32_t i = 0; (e = resp_entry_at(i)) != NULL; i++)
		if (span_equals_nocase(span_of(e->name), name))
			return e;
	return NULL;
}

static void run(const struct resp_ask *ask)
{
	struct span name = ask->arguments[0];
	const struct resp_entry *e = find(name);

	if (e == NULL) {
		char shown[NAME_MAX_SHOWN + 1];
		size_t len = name.len < NAME_MAX_SHOWN ? name.len : NAME_MAX_SHOWN;
		memcpy(shown, name.at, len);
		shown[len] = '\0';
		resp_answer_error(ask->client, "ERR unknown command '%s'", shown);
		return;
	}
	if (ask->count < e->arguments_min ||
	    (e->arguments_max > 0 && ask->count > e->arguments_max)) {
		resp_answer_error(ask->client,
				  "ERR wrong number of arguments for '%s' command",
				  e->name);
		return;
	}
	e->run(ask);
}

static void on_bad(struct kv_client *c, const struct resp_command *command)
{
	resp_answer_error(c, "ERR %s", command->error);
	kv_client_close(c);
}

static size_t take(struct kv_client *c, char *at, size_t len)
{
	static _Thread_local struct span arguments[RESP_ARGUMENTS_MAX];
	size_t taken = 0;

	while (taken < len && kv_client_may_ask(c)) {
		struct resp_command command = {
			.arguments = arguments, .arguments_max = RESP_ARGUMENTS_MAX,
		};
		enum resp_result result = resp_parse(&c->progress, at + taken,
						     len - taken, &command);
		if (result == RESP_MORE)
			break;
		if (result == RESP_BAD) {
			on_bad(c, &command);
			break;
		}
		taken += command.length;
		if (command.count > 0)
			run(&(struct resp_ask){c, arguments, command.count});
	}
	return c->closing ? len : taken;
}

const struct kv_speech kv_speech_resp = {.take = take};
