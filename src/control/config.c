/* control/config.c - the configuration: what is in force, what differs from the file,
 * whether a text is good, and the file anew.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "config/config.h"
#include "config/json.h"
#include "config/print.h"
#include "control/ask.h"
#include "control/body.h"
#include "control/line_diff.h"

static json_t *text_or_null(const char *text)
{
	return text != NULL ? reply_text(text) : json_null();
}

/* ---- what is in force ---- */

void config_get(const struct ask *ask, struct reply *r)
{
	struct config_report *report = memory_new(1, sizeof *report);
	char *text = config_print(view_model(ask->view));
	json_t *object = json_object();
	json_t *twin = config_json_of_text(text, strlen(text), "", report);

	json_object_set_new(object, "text", reply_text(text));
	json_object_set_new(object, "json", twin != NULL ? twin : json_null());
	reply_json(r, 200, object);
	free(text);
	free(report);
}

/* ---- problems ---- */

static json_t *problems_of(const struct config_report *report)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < report->count; i++) {
		const struct config_problem *p = &report->problems[i];
		json_t *one = json_object();
		json_object_set_new(one, "line", json_integer(p->at.line));
		json_object_set_new(one, "column", json_integer(p->at.column));
		json_object_set_new(one, "kind",
				    json_string(p->is_warning ? "warning" : "error"));
		json_object_set_new(one, "message", reply_text(p->text));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *summary_of(const struct model *m)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	must(out != NULL);
	config_print_counts(m, out);
	must(fclose(out) == 0);
	json_t *summary = json_string(text);
	free(text);
	return summary;
}

/* The answer on what was read; m is given, NULL where there are errors. */
static void reply_check(struct model *m, const struct config_report *report,
			const char *file, struct reply *r)
{
	json_t *object = json_object();

	json_object_set_new(object, "good", json_boolean(m != NULL));
	json_object_set_new(object, "problems", problems_of(report));
	json_object_set_new(object, "summary", m != NULL ? summary_of(m) : json_null());
	json_object_set_new(object, "file", text_or_null(file));
	reply_json(r, 200, object);
	model_put(m);
}

static void check_file(const struct ask *ask, struct reply *r)
{
	const char *path = ask->view->facts->config_path;

	if (path == NULL) {
		reply_error(r, REPLY_NO_FILE, NULL,
			    "there is no file to check: this balancer was started "
			    "without one");
		return;
	}
	struct config_report *report = memory_new(1, sizeof *report);
	reply_check(config_load(path, report), report, path, r);
	free(report);
}

static void check_text(const char *text, struct reply *r)
{
	struct config_report *report = memory_new(1, sizeof *report);

	reply_check(config_read(text, strlen(text), "text", report), report, NULL, r);
	free(report);
}

static void check_json(const json_t *statements, struct reply *r)
{
	struct err err;
	char *text = config_text_of_json(statements, &err);

	if (text == NULL)
		reply_error(r, REPLY_BAD_REQUEST, "json", "%s", err.text);
	else
		check_text(text, r);
	free(text);
}

void config_check(const struct ask *ask, struct reply *r)
{
	const char *text = NULL;
	json_t *statements = NULL;
	const struct member members[] = {
		{.name = "text", .kind = MEMBER_TEXT, .value = &text},
		{.name = "json", .kind = MEMBER_ARRAY, .value = &statements},
	};
	json_t *body = body_read(ask->body, members, COUNT_OF(members), r);

	if (body == NULL)
		return;
	if (text != NULL && statements != NULL)
		reply_error(r, REPLY_BAD_REQUEST, "json",
			    "\"text\" and \"json\" are two configurations; give one");
	else if (text != NULL)
		check_text(text, r);
	else if (statements != NULL)
		check_json(statements, r);
	else
		check_file(ask, r);
	json_decref(body);
}

/* ---- the file against what is in force ---- */

static const char *what_of(const struct changes_entry *entry)
{
	if (entry->waiting)
		return "waiting";
	switch (entry->change.kind) {
	case CHANGE_ADD:    return "added";
	case CHANGE_REMOVE: return "removed";
	case CHANGE_SET:    break;
	}
	return "changed";
}

/* A worker adds itself, and a server that its pool owns is made by it; what somebody has
 * changed of them is another matter. */
static bool came_by_itself(const struct model *m, const struct change *c)
{
	int pool = model_pool_find(m, span_of(c->pool));

	return c->kind == CHANGE_ADD && pool >= 0 &&
	       (m->pools[pool].own != NULL || model_pool_is_kv(m, (uint32_t)pool));
}

static bool is_as_it_came(const struct change *c)
{
	struct model_server s = {0};

	model_server_defaults(&s);
	return c->weight == s.weight && c->drain == s.drain;
}

static json_t *changes_of(const struct view *view)
{
	const struct changes *all = view->hooks->changes(view->hooks->arg);
	json_t *list = json_array();

	for (uint32_t i = 0; i < changes_count(all); i++) {
		const struct changes_entry *entry = changes_at(all, i);
		const struct change *c = &entry->change;
		bool by_itself = came_by_itself(view_model(view), c);
		if (by_itself && is_as_it_came(c))
			continue;
		json_t *one = json_object();
		json_object_set_new(one, "pool", reply_text(c->pool));
		json_object_set_new(one, "server", reply_text(c->server.text));
		json_object_set_new(one, "what", json_string(by_itself ? "changed"
								: what_of(entry)));
		json_object_set_new(one, "weight", c->has_weight ? json_integer(c->weight)
								 : json_null());
		json_object_set_new(one, "drain", c->has_drain ? json_boolean(c->drain)
							       : json_null());
		json_object_set_new(one, "temporary", json_boolean(c->temporary));
		json_array_append_new(list, one);
	}
	return list;
}

static void add_line(void *list, char sign, struct span line)
{
	char *text = memory_new(line.len + 2, 1);

	text[0] = sign;
	memcpy(text + 1, line.at, line.len);
	json_array_append_new(list, reply_text(text));
	free(text);
}

/* What is in force as the file would say it: how many connections descriptors allow was
 * found out at the start, where the file leaves it open. */
static char *print_in_force(const struct model *now, const struct model *file)
{
	struct model *copy = model_copy(now);

	if (file->connections_max == 0)
		copy->connections_max = 0;
	char *text = config_print(copy);
	model_put(copy);
	return text;
}

static void add_lines(const struct model *file, const struct model *now, json_t *list)
{
	char *before = config_print(file), *after = print_in_force(now, file);

	line_diff(span_of(before), span_of(after), add_line, list);
	free(before);
	free(after);
}

void config_get_diff(const struct ask *ask, struct reply *r)
{
	const char *path = ask->view->facts->config_path;
	struct config_report *report = memory_new(1, sizeof *report);
	struct model *file = path != NULL ? config_load(path, report) : NULL;
	bool has_errors = path != NULL && file == NULL;
	json_t *object = json_object();
	json_t *lines = json_array();

	if (file != NULL)
		add_lines(file, view_model(ask->view), lines);
	json_object_set_new(object, "file", text_or_null(path));
	json_object_set_new(object, "file_errors", has_errors ? problems_of(report)
							       : json_array());
	json_object_set_new(object, "changes", changes_of(ask->view));
	json_object_set_new(object, "lines", lines);
	reply_json(r, 200, object);
	model_put(file);
	free(report);
}

/* ---- the file anew ---- */

void config_reload(const struct ask *ask, struct reply *r)
{
	const struct control_hooks *hooks = ask->view->hooks;
	struct err err = {""};
	char *before = config_print(view_model(ask->view));
	enum control_result result = hooks->reload(hooks->arg, &err);

	if (reply_outcome(r, result, CHANGE_FINE, &err)) {
		char *after = config_print(view_model(ask->view));
		json_t *object = json_object(), *lines = json_array();
		line_diff(span_of(before), span_of(after), add_line, lines);
		json_object_set_new(object, "file",
				    text_or_null(ask->view->facts->config_path));
		json_object_set_new(object, "lines", lines);
		reply_json(r, 200, object);
		free(after);
	}
	free(before);
}
