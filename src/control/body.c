#include "control/body.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "config/report.h"
#include "control/percent.h"

enum { NAME_SIZE = 64, VALUE_SIZE = 256 };	/* of an argument of a query */

static const struct member *find(const struct member *members, uint32_t count,
				 const char *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	return NULL;
}

static bool refuse_unknown(const char *name, const struct member *members, uint32_t count,
			   struct reply *r)
{
	char known[REPLY_NAMES_SIZE];

	for (uint32_t i = 0; i < count; i++)
		reply_list_name(known, i, members[i].name);
	if (count == 0)
		reply_error(r, REPLY_BAD_REQUEST, name, "%s is not understood here: this "
			    "takes nothing", quote(name).text);
	else
		reply_error(r, REPLY_BAD_REQUEST, name, "%s is not understood here; "
			    "there is %s", quote(name).text, known);
	return false;
}

static bool refuse_value(const struct member *m, struct reply *r)
{
	switch (m->kind) {
	case MEMBER_TEXT:
		reply_error(r, REPLY_BAD_REQUEST, m->name, "\"%s\" is a text", m->name);
		break;
	case MEMBER_NUMBER:
		reply_error(r, REPLY_BAD_REQUEST, m->name,
			    "\"%s\" is a whole number from %u to %u", m->name, m->min, m->max);
		break;
	case MEMBER_BOOL:
		reply_error(r, REPLY_BAD_REQUEST, m->name, "\"%s\" is true or false", m->name);
		break;
	case MEMBER_ARRAY:
		reply_error(r, REPLY_BAD_REQUEST, m->name, "\"%s\" is an array", m->name);
		break;
	}
	return false;
}

static bool is_right(const struct member *m, const json_t *value)
{
	json_int_t n;

	switch (m->kind) {
	case MEMBER_TEXT:
		return json_is_string(value);
	case MEMBER_NUMBER:
		n = json_integer_value(value);
		return json_is_integer(value) && n >= m->min && n <= m->max;
	case MEMBER_BOOL:
		return json_is_boolean(value);
	case MEMBER_ARRAY:
		return json_is_array(value);
	}
	return false;
}

static void take(const struct member *m, json_t *value)
{
	switch (m->kind) {
	case MEMBER_TEXT:
		*(const char **)m->value = json_string_value(value);
		break;
	case MEMBER_NUMBER:
		*(uint32_t *)m->value = (uint32_t)json_integer_value(value);
		break;
	case MEMBER_BOOL:
		*(bool *)m->value = json_is_true(value);
		break;
	case MEMBER_ARRAY:
		*(json_t **)m->value = value;
		break;
	}
	if (m->given != NULL)
		*m->given = true;
}

/* All is looked at before anything is taken. */
static bool read_object(json_t *object, const struct member *members, uint32_t count,
			struct reply *r)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value) {
		const struct member *m = find(members, count, name);
		if (m == NULL)
			return refuse_unknown(name, members, count, r);
		if (!is_right(m, value))
			return refuse_value(m, r);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!members[i].required || json_object_get(object, members[i].name) != NULL)
			continue;
		reply_error(r, REPLY_BAD_REQUEST, members[i].name, "\"%s\" is missing",
			    members[i].name);
		return false;
	}
	json_object_foreach(object, name, value)
		take(find(members, count, name), value);
	return true;
}

json_t *body_read(struct span body, const struct member *members, uint32_t count,
		  struct reply *r)
{
	json_error_t error;
	json_t *object = body.len == 0 ? json_object()
		       : json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES, &error);

	if (object == NULL) {
		reply_error(r, REPLY_BAD_REQUEST, NULL, "the body is no JSON: %s, line %d, "
			    "column %d", error.text, error.line, error.column);
		return NULL;
	}
	if (!json_is_object(object)) {
		reply_error(r, REPLY_BAD_REQUEST, NULL,
			    "the body is an array, it has to be an object: {...}");
		goto put_object;
	}
	if (!read_object(object, members, count, r))
		goto put_object;
	return object;

put_object:
	json_decref(object);
	return NULL;
}

/* The text as the kind wants it, or a string where it does not look like it, which is
 * then refused. */
static json_t *typed(const struct member *m, const char *text)
{
	uint64_t n;

	if (m != NULL && m->kind == MEMBER_NUMBER && span_to_u64(span_of(text), &n) &&
	    n <= UINT32_MAX)
		return json_integer((json_int_t)n);
	if (m != NULL && m->kind == MEMBER_BOOL) {
		if (strcmp(text, "1") == 0 || strcmp(text, "true") == 0)
			return json_true();
		if (strcmp(text, "0") == 0 || strcmp(text, "false") == 0)
			return json_false();
	}
	return reply_text(text);
}

static bool add_argument(json_t *object, struct span argument, const struct member *members,
			 uint32_t count, struct reply *r)
{
	const char *equals = argument.len > 0 ? memchr(argument.at, '=', argument.len) : NULL;
	size_t name_len = equals != NULL ? (size_t)(equals - argument.at) : argument.len;
	char name[NAME_SIZE], value[VALUE_SIZE] = "";

	bool good = percent_decode((struct span){argument.at, name_len}, name, sizeof name);
	if (good && equals != NULL)
		good = percent_decode((struct span){equals + 1, argument.len - name_len - 1},
				      value, sizeof value);
	if (!good) {
		reply_error(r, REPLY_BAD_REQUEST, NULL, "behind the \"?\" stands what is too "
			    "long or not percent-encoded as it should be");
		return false;
	}
	json_t *text = reply_text(name);
	const char *key = json_string_value(text);
	good = json_object_get(object, key) == NULL;
	if (good)
		json_object_set_new(object, key, typed(find(members, count, key), value));
	else
		reply_error(r, REPLY_BAD_REQUEST, key, "%s is there twice", quote(key).text);
	json_decref(text);
	return good;
}

bool body_read_query(struct span query, const struct member *members, uint32_t count,
		     struct reply *r)
{
	json_t *object = json_object();
	bool good = true;

	while (good && query.len > 0) {
		const char *end = memchr(query.at, '&', query.len);
		size_t len = end != NULL ? (size_t)(end - query.at) : query.len;
		good = add_argument(object, (struct span){query.at, len}, members, count, r);
		query.at += len + (end != NULL);
		query.len -= len + (end != NULL);
	}
	good = good && read_object(object, members, count, r);
	json_decref(object);
	return good;
}
