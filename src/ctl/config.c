/* ctl/config.c - the configuration: check, show, diff. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ctl/call.h"
#include "ctl/member.h"

enum { CONFIG_TEXT_MAX = 1 << 20 };	/* what the balancer takes */

/* The whole file, owned by the caller; NULL and *err. "-": standard input. */
static char *read_file(const char *path, struct err *err)
{
	char *text = memory_new(1, CONFIG_TEXT_MAX + 1);
	bool is_input = strcmp(path, "-") == 0;
	FILE *f = is_input ? stdin : fopen(path, "re");

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
	if (!is_input)
		fclose(f);
	text[len] = '\0';
	return text;

close_file:
	if (!is_input)
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

static uint64_t count_errors(const json_t *problems)
{
	uint64_t errors = 0;
	const json_t *one;
	size_t i;

	json_array_foreach(problems, i, one)
		errors += strcmp(member_text(one, "kind"), "error") == 0;
	return errors;
}

/* What the balancer calls its own file. */
static enum outcome name_own_file(struct call *call, char *name, size_t size,
				  struct err *err)
{
	struct answer a;
	enum outcome outcome = call_get(call, "/v1/status", &a, err);

	if (outcome != OUTCOME_DONE)
		return outcome;
	const char *file = member_text(a.json, "file");
	snprintf(name, size, "%s", *file != '\0' ? file : "the configuration");
	client_answer_fini(&a);
	return OUTCOME_DONE;
}

/* The text of FILE as the body of a question, and its name. */
static enum outcome take_file(const char *file, char *name, size_t size, json_t **body,
			      struct err *err)
{
	char *text = read_file(file, err);

	if (text == NULL)
		return OUTCOME_WRONG;
	snprintf(name, size, "%s", strcmp(file, "-") == 0 ? "standard input" : file);
	*body = json_pack("{s:s}", "text", text);
	free(text);
	if (*body == NULL)
		return outcome_set(err, OUTCOME_WRONG,
				   "%s is no text: it has bytes that are not UTF-8",
				   name);
	return OUTCOME_DONE;
}

enum outcome ctl_config_check(struct call *call, struct err *err)
{
	char name[PATH_MAX];
	struct question q = {.method = "POST", .path = "/v1/config/check"};
	struct answer a;
	enum outcome outcome =
		call->word_count > 0
			? take_file(call->words[0], name, sizeof name, &q.body, err)
			: name_own_file(call, name, sizeof name, err);

	if (outcome == OUTCOME_DONE)
		outcome = call_ask(call, &q, &a, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	const json_t *problems = json_object_get(a.json, "problems");
	uint64_t errors = count_errors(problems);
	bool printed = call_printed_json(call, &a);
	if (!printed)
		print_problems(problems, name);
	if (!member_is_true(a.json, "good"))
		outcome = outcome_set(err, OUTCOME_FAILED, "%s has %" PRIu64 " error%s",
				      name, errors, plural(errors));
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

enum outcome ctl_config_diff(struct call *call, struct err *err)
{
	struct answer a;
	const json_t *line;
	size_t i;
	enum outcome outcome = call_get(call, "/v1/config/diff", &a, err);

	if (outcome != OUTCOME_DONE)
		return outcome;
	if (call_printed_json(call, &a)) {
		client_answer_fini(&a);
		return OUTCOME_DONE;
	}
	const json_t *lines = json_object_get(a.json, "lines");
	json_array_foreach(lines, i, line) {
		const char *text = json_string_value(line);
		enum style style = text != NULL && *text == '+' ? STYLE_GOOD : STYLE_BAD;
		printf("%s%s%s\n", paper_style(&call->paper, style),
		       text != NULL ? text : "", paper_style(&call->paper, STYLE_PLAIN));
	}
	if (json_array_size(lines) == 0 && call->paper.terminal)
		paper_say(&call->paper, "what is in force is what the file says");
	client_answer_fini(&a);
	return OUTCOME_DONE;
}
