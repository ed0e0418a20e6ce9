#include "control/reply.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/must.h"
#include "control/stream.h"

static const struct {
	uint16_t    status;
	const char *code;
	const char *when;
} codes[REPLY_CODES] = {
	[REPLY_BAD_REQUEST] = {400, "bad-request",
		"no JSON, a member that is unknown, missing, of the wrong type or out of "
		"range; no HTTP as it should be (then also 417, 501 and 505)"},
	[REPLY_NO_TOKEN] = {401, "no-token",
		"over TCP, without a token or with a wrong one"},
	[REPLY_READ_ONLY] = {403, "read-only", "the token may only look"},
	[REPLY_FOREIGN_ORIGIN] = {403, "foreign-origin",
		"a page of another origin asks for a change"},
	[REPLY_POOL_UNKNOWN] = {404, "pool-unknown", "there is no such pool"},
	[REPLY_SERVER_UNKNOWN] = {404, "server-unknown", "the pool has no such server"},
	[REPLY_PATH_UNKNOWN] = {404, "path-unknown", "there is no such path"},
	[REPLY_METHOD_UNKNOWN] = {405, "method-unknown",
		"the path has other methods, which Allow names"},
	[REPLY_SERVER_EXISTS] = {409, "server-exists", "the pool has that server"},
	[REPLY_POOL_FULL] = {409, "pool-full",
		"the pool has as many servers as one can have"},
	[REPLY_CHANGES_FULL] = {409, "changes-full",
		"there are as many changes over the file as are kept"},
	[REPLY_COUNT_RANGE] = {400, "out-of-range",
		"the pool would have more servers than its max, or fewer than its min"},
	[REPLY_NOT_OWNED] = {409, "not-owned",
		"the balancer does not make the servers of this pool"},
	[REPLY_DRAINING] = {409, "draining",
		"the balancer is ending, or a new process is about to take its place"},
	[REPLY_CONFIG_ERRORS] = {409, "config-errors", "the file has errors"},
	[REPLY_NO_FILE] = {409, "no-file", "the balancer was started without a file"},
	[REPLY_REFUSED] = {409, "refused",
		"it cannot be done for another reason, which the message gives"},
	[REPLY_VERSION_CHANGED] = {412, "version-changed",
		"If-Match names another version"},
	[REPLY_BODY_LONG] = {413, "too-long", "the body is too long"},
	[REPLY_HEAD_LONG] = {431, "too-long", "the head is too long (414: its path)"},
	[REPLY_STATE_NOT_WRITTEN] = {500, "state-not-written",
		"the journal could not be written, so nothing has changed; temporary "
		"changes still work"},
	[REPLY_NO_MEMORY] = {500, "no-memory", "out of memory"},
	[REPLY_NOT_STARTED] = {502, "not-started",
		"a server could not be started; what was begun with it is taken back"},
	[REPLY_NOT_UPGRADED] = {502, "not-upgraded",
		"the new process did not come up, and nothing has changed"},
	[REPLY_BUSY] = {503, "busy", "too many connections"},
	[REPLY_LATE] = {504, "late", "it takes longer than one waits, and goes on"},
};

static const struct {
	uint16_t    status;
	const char *reason;
} reasons[] = {
	{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {304, "Not Modified"},
	{400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
	{404, "Not Found"}, {405, "Method Not Allowed"}, {409, "Conflict"},
	{412, "Precondition Failed"}, {413, "Content Too Large"}, {414, "URI Too Long"},
	{417, "Expectation Failed"}, {431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"}, {501, "Not Implemented"},
	{502, "Bad Gateway"}, {503, "Service Unavailable"}, {504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

static const char *reason_of(uint16_t status)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

void reply_init(struct reply *r)
{
	*r = (struct reply){0};
}

void reply_fini(struct reply *r)
{
	if (r->stream != NULL)
		r->stream->end(r->stream);
	json_decref(r->body);
	free(r->text_owned);
	reply_init(r);
}

void reply_json(struct reply *r, uint16_t status, json_t *body)
{
	json_decref(r->body);
	r->status = status;
	r->body = body;
}

void reply_bytes(struct reply *r, const char *type, char *text, size_t len)
{
	reply_fixed(r, 200, type, text, len);
	r->text_owned = text;
}

void reply_fixed(struct reply *r, uint16_t status, const char *type, const char *text,
		 size_t len)
{
	r->status = status;
	r->type = type;
	r->text = text;
	r->text_len = len;
}

void reply_stream(struct reply *r, const char *type, struct stream *stream)
{
	r->status = 200;
	r->type = type;
	r->stream = stream;
}

static void say(struct reply *r, enum reply_code code, uint16_t status, const char *field,
		const char *message)
{
	json_t *error = json_object(), *body = json_object();

	json_object_set_new(error, "code", json_string(codes[code].code));
	json_object_set_new(error, "message", reply_text(message));
	if (field != NULL)
		json_object_set_new(error, "field", reply_text(field));
	json_object_set_new(body, "error", error);
	reply_json(r, status, body);
	r->code = code;
}

void reply_error(struct reply *r, enum reply_code code, const char *field,
		 const char *format, ...)
{
	char message[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	say(r, code, codes[code].status, field, message);
}

void reply_fault(struct reply *r, enum h1_fault fault)
{
	uint16_t status = (uint16_t)h1_fault_status(fault);
	bool is_long = status == 414 || status == 431;

	say(r, is_long ? REPLY_HEAD_LONG : REPLY_BAD_REQUEST, status, NULL,
	    h1_fault_text(fault));
}

static enum reply_code code_of_fault(enum change_fault fault)
{
	switch (fault) {
	case CHANGE_POOL_UNKNOWN:   return REPLY_POOL_UNKNOWN;
	case CHANGE_SERVER_UNKNOWN: return REPLY_SERVER_UNKNOWN;
	case CHANGE_SERVER_EXISTS:  return REPLY_SERVER_EXISTS;
	case CHANGE_POOL_FULL:      return REPLY_POOL_FULL;
	case CHANGE_TOO_MANY:       return REPLY_CHANGES_FULL;
	case CHANGE_FINE:           break;
	}
	return REPLY_REFUSED;
}

bool reply_outcome(struct reply *r, enum control_result result, enum change_fault fault,
		   const struct err *err)
{
	switch (result) {
	case CONTROL_DONE:
		return true;
	case CONTROL_REFUSED:
		reply_error(r, code_of_fault(fault), NULL, "%s", err->text);
		break;
	case CONTROL_NOT_WRITTEN:
		reply_error(r, REPLY_STATE_NOT_WRITTEN, NULL, "%s", err->text);
		break;
	case CONTROL_ENDING:
		reply_error(r, REPLY_DRAINING, NULL,
			    "the balancer is ending: it lets its connections finish and "
			    "changes nothing any more");
		break;
	case CONTROL_UPGRADING:
		reply_error(r, REPLY_DRAINING, NULL,
			    "a new process is about to take this one's place: ask again in "
			    "a moment, that one will answer");
		break;
	case CONTROL_NO_FILE:
		reply_error(r, REPLY_NO_FILE, NULL,
			    "there is nothing to reload: this balancer was started "
			    "without a file");
		break;
	case CONTROL_FILE_ERRORS:
		reply_error(r, REPLY_CONFIG_ERRORS, NULL, "%s", err->text);
		break;
	}
	return false;
}

/* The length of the character of UTF-8 at `text`, which ends with NUL; 0: there is
 * none (RFC 3629, section 4). */
static size_t character_len(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	static const struct { unsigned char first, last, low, high, len; } forms[] = {
		{0x01, 0x7f, 0x80, 0xbf, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		if (at[0] < forms[i].first || at[0] > forms[i].last)
			continue;
		for (size_t j = 1; j < forms[i].len; j++)
			if (at[j] < (j == 1 ? forms[i].low : 0x80) ||
			    at[j] > (j == 1 ? forms[i].high : 0xbf))
				return 0;
		return forms[i].len;
	}
	return 0;
}

json_t *reply_text(const char *text)
{
	json_t *whole = json_string(text);

	if (whole != NULL)
		return whole;
	char *good = memory_new(strlen(text) + 1, 3);
	size_t len = 0;

	while (*text != '\0') {
		size_t step = character_len(text);
		memcpy(good + len, step > 0 ? text : "\xef\xbf\xbd", step > 0 ? step : 3);
		len += step > 0 ? step : 3;
		text += step > 0 ? step : 1;
	}
	whole = json_stringn(good, len);
	free(good);
	return whole;
}

static void print_allow(FILE *out, unsigned allow)
{
	static const struct { enum h1_method method; const char *name; } names[] = {
		{H1_GET, "GET, HEAD"}, {H1_POST, "POST"}, {H1_PUT, "PUT"},
		{H1_PATCH, "PATCH"}, {H1_DELETE, "DELETE"},
	};
	const char *between = "";

	fputs("Allow: ", out);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if ((allow & 1u << names[i].method) == 0)
			continue;
		fprintf(out, "%s%s", between, names[i].name);
		between = ", ";
	}
	fputs("\r\n", out);
}

static void print_head(FILE *out, const struct reply *r, const struct reply_frame *f,
		       size_t body_len)
{
	time_t now = (time_t)f->wall_s;
	char date[40];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	fprintf(out, "HTTP/1.1 %u %s\r\nDate: %s\r\n", r->status, reason_of(r->status),
		date);
	if (r->status != 304)
		fprintf(out, "Content-Type: %s\r\n",
			r->type != NULL ? r->type : "application/json");
	if (r->stream == NULL && r->status != 304)
		fprintf(out, "Content-Length: %zu\r\n", body_len);
	else if (r->stream != NULL && !f->is_old)
		fputs("Transfer-Encoding: chunked\r\n", out);
	fprintf(out, "ETag: \"%llu\"\r\nCache-Control: %s\r\n",
		(unsigned long long)(r->tag != 0 ? r->tag : f->version),
		r->tag != 0 ? "no-cache" : "no-store");
	if (r->fields != NULL)
		fputs(r->fields, out);
	if (r->allow != 0)
		print_allow(out, r->allow);
	if (r->status == 401)
		fputs("WWW-Authenticate: Bearer\r\n", out);
	if (f->closes)
		fputs("Connection: close\r\n", out);
	else if (f->is_old)
		fputs("Connection: keep-alive\r\n", out);
	fputs("\r\n", out);
}

/* The JSON object as a text; NULL: out of memory. */
static char *dump(const struct reply *r, bool compact, size_t *len)
{
	char *text = json_dumps(r->body, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12) |
					  (compact ? JSON_COMPACT : 0));

	if (text == NULL)
		return NULL;
	*len = strlen(text);
	if (!compact)
		text[(*len)++] = '\n';	/* where the NUL was: the length counts */
	return text;
}

static char *print(const struct reply *r, const struct reply_frame *frame,
		   struct span body, size_t *len, size_t *body_len)
{
	char *text;
	FILE *out = open_memstream(&text, len);

	must(out != NULL && r->status != 0);
	print_head(out, r, frame, body.len);
	*body_len = frame->head_only ? 0 : body.len;
	fwrite(body.at, 1, *body_len, out);
	must(fclose(out) == 0);
	return text;
}

char *reply_print(const struct reply *r, const struct reply_frame *frame, size_t *len,
		  size_t *body_len)
{
	static const struct reply failed = {.status = 500};
	size_t dumped_len;

	if (r->stream != NULL)
		return print(r, frame, SPAN(""), len, body_len);
	if (r->text != NULL)
		return print(r, frame, (struct span){r->text, r->text_len}, len,
			     body_len);
	char *dumped = dump(r, frame->compact, &dumped_len);
	if (dumped == NULL)
		return print(&failed, frame,
			     SPAN("{\"error\": {\"code\": \"no-memory\", "
				  "\"message\": \"out of memory\"}}\n"), len, body_len);
	char *text = print(r, frame, (struct span){dumped, dumped_len}, len, body_len);
	free(dumped);
	return text;
}

void reply_print_codes(FILE *out)
{
	for (enum reply_code i = 0; i < REPLY_CODES; i++)
		fprintf(out, ".It %u Ta Cm %s Ta %s\n", codes[i].status, codes[i].code,
			codes[i].when);
}
