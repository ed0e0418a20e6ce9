#include "base/log_form.h"

#include <ctype.h>
#include <stdio.h>

#include "base/json_text.h"
#include "base/must.h"

enum { FACILITY_DAEMON = 3, FIELD_NAME_MAX = 64 };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info", [LOG_LEVEL_DEBUG] = "debug",
};

/* RFC 5424, section 6.2.1. */
static const int severities[] = {
	[LOG_LEVEL_ERROR] = 3, [LOG_LEVEL_WARN] = 4, [LOG_LEVEL_INFO] = 6,
	[LOG_LEVEL_DEBUG] = 7,
};

static char *put(char *at, struct span s)
{
	if (s.len > 0)
		memcpy(at, s.at, s.len);
	return at + s.len;
}

/* ---- message and pairs ---- */

static bool is_key_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-';
}

/* How long the key is, if it is one, with a letter first and "=" behind it; else 0. */
static size_t key_length(struct span at)
{
	size_t len = 0;

	while (len < at.len && is_key_byte(at.at[len]))
		len++;
	return len > 0 && len < at.len && at.at[len] == '=' &&
	       isalpha((unsigned char)at.at[0]) ? len : 0;
}

/* Whether a backslash marks the byte at `i`. */
static bool is_marked(struct span at, size_t i)
{
	size_t count = 0;

	while (count < i && at.at[i - 1 - count] == '\\')
		count++;
	return count % 2 != 0;
}

/* How long the quoted text is that begins at `at`, with its quotes. What is within need not
 * be escaped: the last quote is the first one with a pair or nothing behind it, or else the
 * first one with a space behind it. */
static size_t quoted_length(struct span at)
{
	size_t otherwise = at.len;

	for (size_t i = 1; i < at.len; i++) {
		if (at.at[i] != '"' || is_marked(at, i))
			continue;
		struct span rest = {at.at + i + 1, at.len - i - 1};
		if (rest.len == 0)
			return at.len;
		if (rest.at[0] != ' ')
			continue;
		if (key_length((struct span){rest.at + 1, rest.len - 1}) > 0)
			return i + 1;
		if (otherwise == at.len)
			otherwise = i + 1;
	}
	return otherwise;
}

/* Reads a pair at the beginning; returns its length, 0: there is none. */
static size_t read_pair(struct span at, struct log_pair *pair)
{
	size_t key = key_length(at);

	if (key == 0)
		return 0;
	struct span rest = {at.at + key + 1, at.len - key - 1};
	pair->key = (struct span){at.at, key};
	if (rest.len > 0 && rest.at[0] == '"') {
		size_t len = quoted_length(rest);
		bool closed = len > 1 && rest.at[len - 1] == '"';
		pair->value = (struct span){rest.at + 1, len - 1 - closed};
		return key + 1 + len;
	}
	const char *space = memchr(rest.at, ' ', rest.len);
	pair->value = (struct span){rest.at,
				    space != NULL ? (size_t)(space - rest.at) : rest.len};
	return key + 1 + pair->value.len;
}

size_t log_form_split(struct span text, struct span *message,
		      struct log_pair pairs[LOG_PAIRS_MAX])
{
	size_t at = 0, count = 0, first = 0;

	while (at < text.len) {
		struct span rest = {text.at + at, text.len - at};
		struct log_pair pair;
		size_t len = read_pair(rest, &pair);
		if (len == 0 || count == LOG_PAIRS_MAX) {
			const char *space = memchr(rest.at, ' ', rest.len);
			len = space != NULL ? (size_t)(space - rest.at) : rest.len;
			count = 0;
		} else {
			if (count == 0)
				first = at;
			pairs[count++] = pair;
		}
		at += len;
		while (at < text.len && text.at[at] == ' ')
			at++;
	}
	*message = (struct span){text.at, count > 0 ? first : text.len};
	while (message->len > 0 && message->at[message->len - 1] == ' ')
		message->len--;
	return count;
}

/* ---- forms ---- */

/* 2026-11-28T16:10:00.123Z */
static char *put_time(char *at, struct timespec when)
{
	struct tm utc = {0};

	gmtime_r(&when.tv_sec, &utc);
	at += strftime(at, 32, "%Y-%m-%dT%H:%M:%S", &utc);
	return at + sprintf(at, ".%03ldZ", when.tv_nsec / 1000000);
}

size_t log_form_logfmt(const struct log_line *l, char out[LOG_RECORD_MAX])
{
	char *at = put_time(out, l->when);

	at += sprintf(at, " %s ", level_names[l->level]);
	at = put(at, l->text);
	*at++ = '\n';
	return (size_t)(at - out);
}

static bool is_one_of(struct span name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (span_equals_nocase(name, span_of(*names)))
			return true;
	return false;
}

size_t log_form_json(const struct log_line *l, char out[LOG_RECORD_MAX])
{
	static const char *const ours[] = {"time", "level", "message", NULL};
	struct log_pair pairs[LOG_PAIRS_MAX];
	struct span message;
	size_t count = log_form_split(l->text, &message, pairs);
	char *at = put(out, SPAN("{\"time\":\""));

	at = put_time(at, l->when);
	at += sprintf(at, "\",\"level\":\"%s\",\"message\":", level_names[l->level]);
	at = json_text_put(at, message);
	for (size_t i = 0; i < count; i++) {
		at = put(at, SPAN(",\""));
		if (is_one_of(pairs[i].key, ours))
			at = put(at, SPAN("field_"));
		at = put(at, pairs[i].key);	/* letters, digits, ., - and _ */
		at = put(at, SPAN("\":"));
		at = json_text_put(at, pairs[i].value);
	}
	at = put(at, SPAN("}\n"));
	return (size_t)(at - out);
}

/* Letters of the upper case, digits and _, a letter first, at most 64. */
static char *put_field_name(char *at, struct span key)
{
	static const char *const theirs[] = {
		"message", "message-id", "message_id", "priority", "code_file", "code_line",
		"code_func", "errno", "invocation_id", "user_invocation_id", "documentation",
		"tid", "unit", "user_unit", "syslog_identifier", "syslog_facility",
		"syslog_pid", "syslog_timestamp", "syslog_raw", NULL,
	};
	const char *start = at;

	if (is_one_of(key, theirs))
		at = put(at, SPAN("BALANCERD_"));
	for (size_t i = 0; i < key.len && at - start < FIELD_NAME_MAX; i++) {
		char c = (char)toupper((unsigned char)key.at[i]);
		*at++ = isalnum((unsigned char)c) ? c : '_';
	}
	return at;
}

size_t log_form_journal(const struct log_line *l, char out[LOG_RECORD_MAX])
{
	struct log_pair pairs[LOG_PAIRS_MAX];
	struct span message;
	size_t count = log_form_split(l->text, &message, pairs);
	char *at = out;

	at += sprintf(at, "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=%.64s\n"
		      "SYSLOG_PID=%d\nMESSAGE=", severities[l->level], FACILITY_DAEMON,
		      l->program, l->pid);
	at = put(at, l->text);
	*at++ = '\n';
	for (size_t i = 0; i < count; i++) {
		at = put_field_name(at, pairs[i].key);
		*at++ = '=';
		at = put(at, pairs[i].value);
		*at++ = '\n';
	}
	return (size_t)(at - out);
}

size_t log_form_syslog(const struct log_line *l, char out[LOG_RECORD_MAX])
{
	struct tm local = {0};
	char *at = out + sprintf(out, "<%d>", FACILITY_DAEMON * 8 + severities[l->level]);

	localtime_r(&l->when.tv_sec, &local);
	at += strftime(at, 32, "%b %e %H:%M:%S ", &local);
	at += sprintf(at, "%.64s[%d]: ", l->program, l->pid);
	at = put(at, l->text);
	return (size_t)(at - out);
}
