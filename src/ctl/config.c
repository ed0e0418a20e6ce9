/* ctl/config.c - the configuration: check, show, diff. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "ctl/call.h"
#include "ctl/lines.h"
#include "ctl/member.h"

enum { CONFIG_TEXT_MAX = 1 << 20 };	/* what the balancer takes */

/* The whole file, owned by the caller; NULL and *err. "-": standard input. */
static char *read_file(const char *path, struct err *err)
{
	char *text = memory_new(1, CONFIG_TEXT_MAX + 1);
	FILE *f = strcmp(path, "-") == 0 ? fdopen(dup(STDIN_FILENO), "r")
					 : fopen(path, "re");

	if (f == NULL) {
		err_sys(err, "cannot read %s", path);
		goto free_text;
	}
	size_t len = fread(text, 1, CONFIG_TEXT_MAX + 1, f);
	if (ferror(f)) {
		err_sys(err, "cannot read %s", path);
		goto close_file;
	}
	if (len > CONFIG_TEXT_MAX) {
		err_set(err, "%s has more than %d bytes", path, CONFIG_TEXT_MAX);
		goto close_file;
	}
	fclose(f);
	text[len] = '\0';
	return text;

close_file:
	fclose(f);
free_text:
	free(text);
	return NULL;
}

/* FILE:LINE:COLUMN: error: MESSAGE, as compilers do and editors understand. */
static void print_problems(const json_t *problems, const char *file)
{
	const json_t *one;
	size_t i;

	json_array_foreach(problems, i, one)
		fprintf(stderr, "%s:%" PRIu64 ":%" PRIu64 ": %s: %s\n", file,
			member_number(one, "line"), member_number(one, "column"),
			member_text(one, "kind"), member_text(one, "message"));
}

/* The text of a file as the body of a question. */
static enum outcome take_file(const char *path, const char *name, json_t **body,
			      struct err *err)
{
	char *text = read_file(path, err);

	if (text == NULL)
		return OUTCOME_WRONG;
	*body = json_pack("{s:s}", "text", text);
	free(text);
	if (*body == NULL)
		return outcome_set(err, OUTCOME_WRONG,
				   "%s is no text: it has bytes that are not UTF-8",
				   name);
	return OUTCOME_DONE;
}

/* A file has errors; they have been printed. */
static enum outcome refuse_errors(const json_t *problems, const char *file,
				  struct err *err)
{
	uint64_t errors = member_count(problems, "kind", "error");

	return outcome_set(err, OUTCOME_FAILED, "%s has %" PRIu64 " error%s", file,
			   errors, plural(errors));
}

enum outcome ctl_config_check(struct call *call, struct err *err)
{
	const char *path = call->word_count > 0 ? call->words[0] : NULL;
	bool is_input = path != NULL && strcmp(path, "-") == 0;
	const char *name = is_input ? "standard input" : path;
	struct question q = {.method = "POST", .path = "/v1/config/check"};
	enum outcome outcome = OUTCOME_DONE;
	struct answer a;

	if (path != NULL)
		outcome = take_file(path, name, &q.body, err);
	if (outcome == OUTCOME_DONE)
		outcome = call_ask(call, &q, &a, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	const json_t *problems = json_object_get(a.json, "problems");
	bool printed = call_printed_json(call, &a);
	if (name == NULL)
		name = member_text(a.json, "file");
	if (!printed)
		print_problems(problems, name);
	if (!member_is_true(a.json, "good"))
		outcome = refuse_errors(problems, name, err);
	else if (!printed)
		paper_say(&call->paper, "%s is good: %s", name,
			  member_text(a.json, "summary"));
	client_answer_fini(&a);
	return outcome;
}

enum outcome ctl_config_show(struct call *call, struct err *err)
{
	struct answer a;
	enum outcome outcome = call_get(call, "/v1/config", &a, err);

	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!call_printed_json(call, &a))
		fputs(member_text(a.json, "text"), stdout);
	client_answer_fini(&a);
	return OUTCOME_DONE;
}

/* Changes of servers whose pool is not there. Returns how many there are. */
static size_t print_waiting(const json_t *changes)
{
	size_t i, count = 0;
	const json_t *one;

	json_array_foreach(changes, i, one) {
		if (strcmp(member_text(one, "what"), "waiting") != 0)
			continue;
		printf("? pool %s, server %s: a change that waits for its pool\n",
		       member_text(one, "pool"), member_text(one, "server"));
		count++;
	}
	return count;
}

enum outcome ctl_config_diff(struct call *call, struct err *err)
{
	struct answer a;
	enum outcome outcome = call_get(call, "/v1/config/diff", &a, err);

	if (outcome != OUTCOME_DONE)
		return outcome;
	const char *file = member_text(a.json, "file");
	const json_t *errors = json_object_get(a.json, "file_errors");
	const json_t *lines = json_object_get(a.json, "lines");
	bool printed = call_printed_json(call, &a);
	if (!printed && json_array_size(errors) > 0)
		print_problems(errors, file);
	if (json_array_size(errors) > 0) {
		outcome = refuse_errors(errors, file, err);
	} else if (!printed) {
		lines_print(&call->paper, lines);
		size_t waiting = print_waiting(json_object_get(a.json, "changes"));
		if (json_array_size(lines) + waiting == 0 && call->paper.terminal)
			paper_say(&call->paper, "what is in force is what the file says");
	}
	client_answer_fini(&a);
	return outcome;
}
