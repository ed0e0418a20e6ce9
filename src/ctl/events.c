/* ctl/events.c - what has happened, once or as it comes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "base/text.h"
#include "ctl/follow.h"
#include "ctl/member.h"

enum { FIRST_LINES = 10 };

struct events {
	struct follow follow;
	const struct paper *paper;
	bool     json;
	uint64_t last;			/* number of the last one heard; 0: none */
};

/* What kinds look like on a terminal; the others are plain. */
static enum style style_of(const char *kind)
{
	static const struct { const char *kind; enum style style; } styles[] = {
		{"server-up", STYLE_GOOD}, {"server-serves", STYLE_GOOD},
		{"server-down", STYLE_BAD}, {"server-not-started", STYLE_BAD},
		{"server-left", STYLE_BAD}, {"reload-refused", STYLE_BAD},
		{"upgrade-refused", STYLE_BAD}, {"server-replaced", STYLE_WARN},
		{"draining", STYLE_WARN}, {"missed", STYLE_WARN},
	};

	for (size_t i = 0; i < COUNT_OF(styles); i++)
		if (strcmp(styles[i].kind, kind) == 0)
			return styles[i].style;
	return STYLE_PLAIN;
}

/* A text without anything that moves a cursor. */
static void put(const char *text)
{
	const char *end = text + strlen(text);
	bool controls;

	while (text < end) {
		size_t step = text_step(text, end, &controls);
		if (controls)
			putchar('?');
		else
			fwrite(text, 1, step, stdout);
		text += step;
	}
}

static void put_cell(const char *text)
{
	putchar('\t');
	put(*text != '\0' ? text : "-");
}

static void print_plain(const json_t *event, const char *text)
{
	fputs("event", stdout);
	put_cell(member_text(event, "time"));
	put_cell(member_text(event, "kind"));
	put_cell(member_text(event, "pool"));
	put_cell(member_text(event, "server"));
	put_cell(text);
	putchar('\n');
}

/* In the time of who reads it; as it came, if it is no such time. */
static void put_time(const char *iso)
{
	struct tm tm = {0};
	char text[40];

	if (strptime(iso, "%Y-%m-%dT%H:%M:%S", &tm) != NULL) {
		time_t at = timegm(&tm);
		localtime_r(&at, &tm);
		strftime(text, sizeof text, "%b %e %H:%M:%S", &tm);
		iso = text;
	}
	printf("%-15s  ", iso);
}

static void print_for_people(const struct paper *paper, const json_t *event,
			     const char *text)
{
	const char *kind = member_text(event, "kind"), *pool = member_text(event, "pool");
	const char *server = member_text(event, "server");
	int left = 18 - (int)strlen(kind);

	put_time(member_text(event, "time"));
	fputs(paper_style(paper, style_of(kind)), stdout);
	put(kind);
	fputs(paper_style(paper, STYLE_PLAIN), stdout);
	printf("%*s", left > 0 ? left : 0, "");
	if (*pool != '\0') {
		fputs("  ", stdout);
		put(pool);
	}
	if (*server != '\0') {
		putchar(' ');
		put(server);
	}
	if (*text != '\0') {
		fputs("  ", stdout);
		put(text);
	}
	putchar('\n');
}

static void print(const struct paper *paper, const json_t *event)
{
	const char *text = member_text(event, "text");
	char missed[48];

	if (strcmp(member_text(event, "kind"), "missed") == 0) {
		snprintf(missed, sizeof missed, "%" PRIu64 " events",
			 member_number(event, "count"));
		text = missed;
	}
	if (paper->terminal)
		print_for_people(paper, event, text);
	else
		print_plain(event, text);
}

/* A line of server-sent events: what matters of them is that a "data:" is one event. */
static void on_line(struct follow *follow, char *line)
{
	static const char id[] = "id: ", data[] = "data: ";
	struct events *e = CONTAINER_OF(follow, struct events, follow);

	if (strncmp(line, id, sizeof id - 1) == 0)
		e->last = strtoull(line + sizeof id - 1, NULL, 10);
	if (strncmp(line, data, sizeof data - 1) != 0)
		return;
	if (e->json) {
		puts(line + sizeof data - 1);
		return;
	}
	json_t *event = json_loads(line + sizeof data - 1, 0, NULL);
	if (event != NULL)
		print(e->paper, event);
	json_decref(event);
}

static void ask_again(struct follow *follow, char path[CLIENT_PATH_MAX])
{
	const struct events *e = CONTAINER_OF(follow, struct events, follow);

	snprintf(path, CLIENT_PATH_MAX, "/v1/events?after=%" PRIu64, e->last);
}

static enum outcome print_all(struct call *call, struct err *err)
{
	char path[64] = "/v1/events?follow=0";
	struct answer a;
	const json_t *one;
	size_t i;

	if (option_given(&call->options, OPTION_LINES))
		snprintf(path, sizeof path, "/v1/events?follow=0&last=%" PRIu64,
			 call->options.lines);
	enum outcome outcome = call_get(call, path, &a, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!call_printed_json(call, &a))
		json_array_foreach(json_object_get(a.json, "events"), i, one)
			print(&call->paper, one);
	client_answer_fini(&a);
	return OUTCOME_DONE;
}

enum outcome ctl_events(struct call *call, struct err *err)
{
	const struct options *o = &call->options;
	struct events e = {
		.follow = {.on_line = on_line, .ask_again = ask_again},
		.paper = &call->paper, .json = option_given(o, OPTION_JSON),
	};
	char path[64];

	if (!option_given(o, OPTION_FOLLOW))
		return print_all(call, err);
	snprintf(path, sizeof path, "/v1/events?last=%" PRIu64,
		 option_given(o, OPTION_LINES) ? o->lines : FIRST_LINES);
	return follow_run(call, &e.follow, path, err);
}
