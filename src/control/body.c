#include "control/body.h"

#include <stdio.h>
#include <string.h>

#include "base/expected.h"
#include "base/text.h"
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
	struct expected known;

	expected_init(&known, name);
	for (uint32_t i = 0; i < count; i++)
		expected_add(&known, members[i].name);
	reply_error(r, REPLY_BAD_REQUEST, name, "%s is not understood here: %s",
		    quote(name).text,
		    count > 0 ? expected_text(&known).text : "there is nothing to say");
	return false;
}

static bool refuse_value(const struct member *m, struct reply *r)
{
	static const char *const wanted[] = {
		[MEMBER_TEXT] = "a text", [MEMBER_BOOL] = "true or false",
		[MEMBER_ARRAY] = "an array", [MEMBER_ID] = "a whole number",
	};

	if (m->kind == MEMBER_NUMBER)
		reply_error(r, REPLY_BAD_REQUEST, m->name,
			    "\"%s\" has to be a whole number from %u to %u",
			    m->name, m->min, m->max);
	else
		reply_error(r, REPLY_BAD_REQUEST, m->name, "\"%s\" has to be %s",
			    m->name, wanted[m->kind]);
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
		return json_is_integer(value) && n <= m->max &&
		       (n >= m->min || (n == 0 && m->zero));
	case MEMBER_ID:
		return json_is_integer(value) && json_integer_value(value) >= 0;
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
	case MEMBER_ID:
		*(uint64_t *)m->value = (uint64_t)json_integer_value(value);
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
		const char *missing = members[i].name;
		if (!members[i].required || json_object_get(object, missing) != NULL)
			continue;
		reply_error(r, REPLY_BAD_REQUEST, missing, "\"%s\" is missing", missing);
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
		reply_error(r, REPLY_BAD_REQUEST, NULL,
			    "the body is no JSON: %s, line %d, column %d",
			    error.text, error.line, error.column);
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

/* Takes what stands before the next `mark` off *s, and the mark; all, without one. */
static struct span take_until(struct span *s, char mark)
{
	const char *end = s->len > 0 ? memchr(s->at, mark, s->len) : NULL;
	struct span before = {s->at, end != NULL ? (size_t)(end - s->at) : s->len};
	size_t taken = before.len + (end != NULL);

	s->at += taken;
	s->len -= taken;
	return before;
}

/* The text as the kind wants it, or a string where it does not look like it, which is
 * then refused. */
static json_t *typed(const struct member *m, const char *text)
{
	uint64_t n;

	if (m != NULL && (m->kind == MEMBER_NUMBER || m->kind == MEMBER_ID) &&
	    span_to_u64(span_of(text), &n) &&
	    n <= (m->kind == MEMBER_ID ? (uint64_t)INT64_MAX : UINT32_MAX))
		return json_integer((json_int_t)n);
	if (m != NULL && m->kind == MEMBER_BOOL) {
		if (strcmp(text, "1") == 0 || strcmp(text, "true") == 0)
			return json_true();
		if (strcmp(text, "0") == 0 || strcmp(text, "false") == 0)
			return json_false();
	}
	return reply_text(text);
}

static bool add_argument(json_t *object, struct span argument,
			 const struct member *members, uint32_t count, struct reply *r)
{
	char name[NAME_SIZE], value[VALUE_SIZE];
	struct span rest = argument;
	struct span name_there = take_until(&rest, '=');

	if (!percent_decode(name_there, name, sizeof name) ||
	    !percent_decode(rest, value, sizeof value)) {
		reply_error(r, REPLY_BAD_REQUEST, NULL,
			    "what stands behind the \"?\" is too long or not "
			    "percent-encoded as it should be");
		return false;
	}
	/* JSON has no other bytes than UTF-8. */
	json_t *text = reply_text(name);
	const char *key = json_string_value(text);
	bool is_new = json_object_get(object, key) == NULL;
	if (is_new)
		json_object_set_new(object, key, typed(find(members, count, key), value));
	else
		reply_error(r, REPLY_BAD_REQUEST, key, "%s is there twice",
			    quote(key).text);
	json_decref(text);
	return is_new;
}

bool body_read_query(struct span query, const struct member *members, uint32_t count,
		     struct reply *r)
{
	json_t *object = json_object();
	bool good = true;

	while (good && query.len > 0) {
		struct span argument = take_until(&query, '&');
		good = add_argument(object, argument, members, count, r);
	}
	good = good && read_object(object, members, count, r);
	json_decref(object);
	return good;
}
