/* ctl/log.c - the last lines of the log, once or as it comes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "ctl/follow.h"

enum { FIRST_LINES = 10, SEEN_SIZE = 1024 };

struct log {
	struct follow follow;
	const struct paper *paper;
	bool json;
	bool again;			/* what comes may have been there already */
	char seen[SEEN_SIZE];		/* the last line, or what fits of it */
};

/* The parts of "TIME LEVEL MESSAGE", which are cut apart in the line; of one that is none,
 * all is its message. */
struct parts {
	const char *time, *level, *message;
};

static struct parts cut(char *line)
{
	char *level = strchr(line, ' ');
	char *message = level != NULL ? strchr(level + 1, ' ') : NULL;

	if (*line < '0' || *line > '9' || message == NULL)
		return (struct parts){"", "", line};
	*level = *message = '\0';
	return (struct parts){line, level + 1, message + 1};
}

/* What is not UTF-8 becomes '?'. */
static json_t *text_json(const char *text)
{
	json_t *string = json_string(text);
	char plain[SEEN_SIZE];

	if (string != NULL)
		return string;
	snprintf(plain, sizeof plain, "%s", text);
	for (char *c = plain; *c != '\0'; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return json_string(plain);
}

static void print_json(const struct parts *p)
{
	json_t *o = json_object();

	json_object_set_new(o, "time", text_json(p->time));
	json_object_set_new(o, "level", text_json(p->level));
	json_object_set_new(o, "message", text_json(p->message));
	char *text = json_dumps(o, JSON_COMPACT);
	if (text != NULL)
		puts(text);
	free(text);
	json_decref(o);
}

static void print_for_people(const struct paper *paper, const struct parts *p)
{
	enum style style = strcmp(p->level, "error") == 0 ? STYLE_BAD
			 : strcmp(p->level, "warn") == 0  ? STYLE_WARN : STYLE_PLAIN;

	if (*p->time != '\0')
		printf("%s%s%s %s%s%s ", paper_style(paper, STYLE_DIM), p->time,
		       paper_style(paper, STYLE_PLAIN), paper_style(paper, style), p->level,
		       paper_style(paper, STYLE_PLAIN));
	puts(p->message);
}

/* Of one that was asked once more: times are written so that they sort as texts. */
static bool was_there(const struct log *l, const char *line)
{
	size_t len = strcspn(l->seen, " ");
	int order = strncmp(line, l->seen, len);

	return order < 0 || (order == 0 && strncmp(line, l->seen, SEEN_SIZE - 1) == 0);
}

static void on_line(struct follow *follow, char *line)
{
	struct log *l = CONTAINER_OF(follow, struct log, follow);

	if (l->again && was_there(l, line))
		return;
	l->again = false;
	snprintf(l->seen, sizeof l->seen, "%s", line);
	if (!l->json && !l->paper->terminal) {
		puts(line);
		return;
	}
	struct parts p = cut(line);
	if (l->json)
		print_json(&p);
	else
		print_for_people(l->paper, &p);
}

static void ask_again(struct follow *follow, char path[CLIENT_PATH_MAX])
{
	struct log *l = CONTAINER_OF(follow, struct log, follow);

	l->again = *l->seen != '\0';
	snprintf(path, CLIENT_PATH_MAX, "/v1/log?follow=1");
}

enum outcome ctl_log(struct call *call, struct err *err)
{
	const struct options *o = &call->options;
	bool follows = option_given(o, OPTION_FOLLOW);
	struct log l = {
		.follow = {.on_line = on_line, .ask_again = follows ? ask_again : NULL},
		.paper = &call->paper, .json = option_given(o, OPTION_JSON),
	};
	char path[64];

	snprintf(path, sizeof path, "/v1/log?follow=%d&lines=%" PRIu64, follows,
		 option_given(o, OPTION_LINES) ? o->lines
					       : follows ? FIRST_LINES : OPTION_LINES_MAX);
	return follow_run(call, &l.follow, path, err);
}
