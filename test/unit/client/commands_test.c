/* Goal: each command becomes the request that it says, or it is said how to write it. */
#include "client/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct words w;
static struct request r;
static struct err err;
static const struct command *command;
static char line[256];

static bool means(const char *text)
{
	size_t len = strlen(text);

	memcpy(line, text, len);
	assert_int_equal(words_read(line, len, &w, &err), 0);
	command = kv_command_find(&w, &err);
	return command != NULL && kv_command_build(command, &w, &r, &err) == 0;
}

static void refuses(const char *text, const char *expected)
{
	assert_false(means(text));
	assert_string_equal(err.text, expected);
}

static void commands_become_requests(void **unused)
{
	(void)unused;
	assert_true(means("put k v"));
	assert_true(r.verb == KV_VERB_SET && r.flags == 0 && r.expires_ms == 0);
	assert_true(span_equals(r.key, SPAN("k")) && span_equals(r.value, SPAN("v")));
	assert_true(means("put k v if-absent ttl 3s"));
	assert_true(r.flags == (KV_IF_ABSENT | KV_RELATIVE_EXPIRY) && r.expires_ms == 3000);
	assert_true(means("put k v ttl 1m if-present"));
	assert_true(r.flags == (KV_IF_PRESENT | KV_RELATIVE_EXPIRY));
	assert_true(means("get k") && r.verb == KV_VERB_GET && r.value.len == 0);
	assert_true(means("del k") && r.verb == KV_VERB_DELETE);
	assert_true(means("expire k 90s") && r.verb == KV_VERB_EXPIRE);
	assert_true(r.flags == KV_RELATIVE_EXPIRY && r.expires_ms == 90000);
	assert_true(means("ttl k") && r.verb == KV_VERB_HEAD);
	assert_true(means("count") && r.verb == KV_VERB_COUNT && r.key.len == 0);
	assert_true(means("stats") && r.verb == KV_VERB_STATS && r.key.len == 0);
	assert_true(means("stats 4242") && span_equals(r.key, SPAN("4242")));
	assert_true(means("help") && command->verb == 0 && !command->quits);
	assert_true(means("quit") && command->quits);
}

static void what_is_wrong_is_said(void **unused)
{
	(void)unused;
	refuses("put k", "too few words; write: put KEY VALUE [ttl TIME] "
			 "[if-absent|if-present]");
	refuses("get a b", "too many words; write: get KEY");
	refuses("count a", "too many words; write: count");
	refuses("putt k v", "unknown command \"putt\"; expected one of put, get, del, "
			    "expire, ttl, count, stats, help, quit; did you mean \"put\"?");
	refuses("put k v w", "\"w\" behind the value; expected ttl TIME, if-absent or "
			     "if-present; a value with blanks needs quotes");
	refuses("put k v ttl", "ttl needs a time, such as 30s");
	refuses("put k v ttl 3", "\"3\" has no unit; write 3ms, 3s, 3m or 3h");
	refuses("put k v if-absent if-present", "if-absent and if-present exclude each "
						"other");
	refuses("expire k 0s", "\"0s\" is too small; expected 1ms to 876000h");
	refuses("stats one", "\"one\" is no worker's id, which is a number");
	refuses("stats 4294967296", "\"4294967296\" is no worker's id, which is a number");
}

/* What the answer to `text` looks like; NULL: it is an error. */
static char *shown(const char *text, struct answer a, bool raw)
{
	struct command_style style = {.raw = raw, .now_ms = 1000};
	char *out = NULL;
	size_t len;

	assert_true(means(text));
	style.out = open_memstream(&out, &len);
	int result = kv_command_show(command, &r, &a, &style, &err);
	fclose(style.out);
	if (result == 0)
		return out;
	assert_int_equal(len, 0);
	free(out);
	return NULL;
}

static void shows(const char *text, struct answer a, bool raw, const char *expected)
{
	char *out = shown(text, a, raw);

	assert_string_equal(out, expected);
	free(out);
}

static void answers_are_one_line(void **unused)
{
	struct answer a = {.value = SPAN("a\nb")};

	(void)unused;
	shows("get k", a, false, "a\\nb\n");
	shows("get k", a, true, "a\nb");
	shows("stats", a, false, "a\nb\n");
	a.value = SPAN("");
	shows("get k", a, false, "\n");
	shows("get k", a, true, "");
	shows("put k v", a, false, "ok\n");
	shows("ttl k", a, false, "never\n");
	a.expires_ms = 3500;
	shows("ttl k", a, false, "2500ms\n");
	a.expires_ms = 10;	/* the clocks differ */
	shows("ttl k", a, false, "0ms\n");
}

static void fails(const char *text, uint8_t result, struct span why, const char *expected)
{
	struct answer a = {.result = result, .value = why};

	assert_null(shown(text, a, false));
	assert_string_equal(err.text, expected);
}

static void errors_are_said(void **unused)
{
	(void)unused;
	fails("get k", KV_NOT_FOUND, SPAN(""), "key not found");
	fails("put k v if-absent", KV_NOT_MET, SPAN(""), "not written: the key is there "
							 "already");
	fails("put k v if-present", KV_NOT_MET, SPAN(""), "not written: there is no such "
							  "key");
	fails("put k v", KV_BUSY, SPAN("no \x1b[2Jworkers"), "server busy: no \\x1b[2Jworkers");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_become_requests),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(answers_are_one_line),
		cmocka_unit_test(errors_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
