#include "spawn/process_record.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"
#include "spawn/driver.h"

enum { VERSION = 1, START_FIELD = 22, STATE_FIELD = 3 };

char *process_record_head(const struct process_record *r)
{
	char recipe[17];

	snprintf(recipe, sizeof recipe, "%016" PRIx64, r->recipe);
	json_t *all = json_pack("{s:i, s:s, s:s, s:i, s:s, s:s}", "version", VERSION,
				"server", r->name, "command",
				text_is_plain(r->command) ? r->command : "?",
				"port", (int)r->port, "recipe", recipe, "boot", r->boot);
	char *text = all != NULL ? json_dumps(all, JSON_COMPACT) : NULL;
	json_decref(all);
	if (text == NULL)
		memory_exhausted(1, PROCESS_RECORD_MAX);
	size_t len = strlen(text);
	must(text[len - 1] == '}');
	text[len - 1] = '\0';
	return text;
}

/* snprintf is not among what may be called between a fork and exec (signal-safety(7)). */
static char *put_number(char *at, uint64_t number)
{
	char digits[20];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (count > 0)
		*at++ = digits[--count];
	return at;
}

static char *put_text(char *at, const char *text)
{
	while (*text != '\0')
		*at++ = *text++;
	return at;
}

size_t process_record_tail(char out[PROCESS_TAIL_MAX], pid_t pid, uint64_t started)
{
	char *at = put_text(out, ",\"pid\":");

	at = put_number(at, (uint64_t)pid);
	at = put_text(at, ",\"started\":");
	at = put_number(at, started);
	at = put_text(at, "}\n");
	return (size_t)(at - out);
}

static bool copy_text(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size || !text_is_plain(text))
		return false;
	memcpy(out, text, len + 1);
	return true;
}

static bool read_hex(const char *text, uint64_t *number)
{
	size_t len = strspn(text, "0123456789abcdef");

	if (len != 16 || text[len] != '\0')
		return false;
	*number = strtoull(text, NULL, 16);
	return true;
}

int process_record_decode(struct process_record *r, const char *text, size_t len,
			  struct err *err)
{
	const char *name, *command, *recipe, *boot;
	json_int_t version, port, pid, started;
	struct process_record read = {.pid = 0};
	json_error_t why;
	json_t *all = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	int result = -1;

	if (all == NULL)
		return err_set(err, "it is not JSON: %s", why.text);
	if (json_unpack_ex(all, &why, 0, "{s:I, s:s, s:s, s:I, s:s, s:s, s:I, s:I}",
			   "version", &version, "server", &name, "command", &command,
			   "port", &port, "recipe", &recipe, "boot", &boot,
			   "pid", &pid, "started", &started) != 0) {
		err_set(err, "%s", why.text);
		goto put_all;
	}
	if (version != VERSION) {
		err_set(err, "it is of another version");
		goto put_all;
	}
	/* 0 and 1 would be all of us, and the system itself. */
	if (!spawn_name_is_good(name) || port < 1 || port > UINT16_MAX || pid < 2 ||
	    pid > INT32_MAX || started < 0 || !read_hex(recipe, &read.recipe) ||
	    !copy_text(read.name, sizeof read.name, name) ||
	    !copy_text(read.command, sizeof read.command, command) ||
	    !copy_text(read.boot, sizeof read.boot, boot)) {
		err_set(err, "a value is out of its range");
		goto put_all;
	}
	read.port = (uint16_t)port;
	read.pid = (pid_t)pid;
	read.started = (uint64_t)started;
	*r = read;
	result = 0;

put_all:
	json_decref(all);
	return result;
}

bool process_stat_decode(const char *text, size_t len, uint64_t *started, bool *alive)
{
	const char *end = text + len;
	/* The program's name may have anything in it, the fields after it have not. */
	const char *at = memrchr(text, ')', len);
	uint64_t number = 0;
	int field = STATE_FIELD - 1;

	if (at == NULL)
		return false;
	for (at++; at < end && field < START_FIELD; at++) {
		if (*at != ' ')
			continue;
		field++;
		if (field == STATE_FIELD && end - at > 1)
			*alive = at[1] != 'Z' && at[1] != 'X' && at[1] != 'x';
	}
	if (field != START_FIELD)
		return false;
	const char *first = at;
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
			return false;
	/* Another field follows, so the number is whole. */
	if (at == first || at == end || *at != ' ')
		return false;
	*started = number;
	return true;
}
