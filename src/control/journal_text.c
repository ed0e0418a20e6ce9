#include "control/journal_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"

static const char *const whats[] = {
	[CHANGE_ADD] = "add", [CHANGE_REMOVE] = "remove", [CHANGE_SET] = "set",
};

/* 16 digits and NUL. */
struct checksum {
	char text[17];
};

static struct checksum checksum_of(const json_t *body)
{
	struct checksum sum;
	char *text = json_dumps(body, JSON_COMPACT);

	must(text != NULL);
	snprintf(sum.text, sizeof sum.text, "%016" PRIx64,
		 hash_bytes(text, strlen(text)));
	free(text);
	return sum;
}

/* What is served is said for people; a path that is not UTF-8 has question marks. */
static json_t *readable(const char *serves)
{
	json_t *exact = json_string(serves);
	if (exact != NULL)
		return exact;

	char *copy = memory_text(serves);
	for (char *at = copy; *at != '\0'; at++)
		if (*at & 0x80)
			*at = '?';
	json_t *text = json_string(copy);
	free(copy);
	return text;
}

/* ---- writing ---- */

static json_t *encode_change(const struct change *c)
{
	json_t *entry = json_pack("{s:s, s:s, s:s}", "pool", c->pool, "server",
				  c->server.text, "what", whats[c->kind]);

	must(entry != NULL);		/* names and addresses are UTF-8 */
	if (c->has_weight)
		json_object_set_new(entry, "weight", json_integer(c->weight));
	if (c->has_drain)
		json_object_set_new(entry, "drain", json_boolean(c->drain));
	return entry;
}

static json_t *encode_changes(const struct changes *all)
{
	json_t *list = json_array();
	struct change c;

	for (uint32_t i = 0; i < changes_count(all); i++)
		if (changes_lasting_at(all, i, &c))
			json_array_append_new(list, encode_change(&c));
	return list;
}

char *journal_encode(const struct changes *all, const char *serves)
{
	json_t *body = json_pack("{s:i, s:o, s:o}", "format", JOURNAL_FORMAT, "serves",
				 readable(serves), "changes", encode_changes(all));

	must(body != NULL);
	struct checksum sum = checksum_of(body);
	json_object_set_new(body, "checksum", json_string(sum.text));
	char *json = json_dumps(body, JSON_INDENT(1));
	json_decref(body);
	must(json != NULL);

	size_t len = strlen(json);
	char *text = memory_grow(json, len + 2, 1);
	memcpy(text + len, "\n", 2);
	return text;
}

/* ---- reading ---- */

static int decode_kind(const char *what, enum change_kind *kind)
{
	for (size_t i = CHANGE_ADD; i < COUNT_OF(whats); i++) {
		if (strcmp(whats[i], what) == 0) {
			*kind = (enum change_kind)i;
			return 0;
		}
	}
	return -1;
}

/* The members that not every entry has; NULL: this one has it not. */
static int decode_set(const json_t *weight, const json_t *drain, struct change *c)
{
	json_int_t n = json_integer_value(weight);

	c->has_weight = weight != NULL;
	c->has_drain = drain != NULL;
	if (c->has_weight && (!json_is_integer(weight) || n < 0 || n > MODEL_WEIGHT_MAX))
		return -1;
	if (c->has_drain && !json_is_boolean(drain))
		return -1;
	c->weight = (uint32_t)n;
	c->drain = json_is_true(drain);
	switch (c->kind) {
	case CHANGE_ADD:    return c->has_weight && c->has_drain ? 0 : -1;
	case CHANGE_REMOVE: return c->has_weight || c->has_drain ? -1 : 0;
	case CHANGE_SET:    return c->has_weight || c->has_drain ? 0 : -1;
	}
	return -1;
}

static int decode_change(json_t *entry, struct change *c)
{
	const char *pool, *server, *what;
	json_t *weight = NULL, *drain = NULL;	/* borrowed from the entry */
	struct err ignored;

	*c = (struct change){.limit_ms = UINT32_MAX};
	/* With all that are named, and no others. */
	if (json_unpack_ex(entry, NULL, JSON_STRICT, "{s:s, s:s, s:s, s?o, s?o}", "pool",
			   &pool, "server", &server, "what", &what, "weight", &weight,
			   "drain", &drain) != 0)
		return -1;
	if (*pool == '\0' || strlen(pool) > MODEL_NAME_MAX ||
	    address_parse(&c->server, server, "127.0.0.1", &ignored) != 0 ||
	    decode_kind(what, &c->kind) != 0)
		return -1;
	memcpy(c->pool, pool, strlen(pool) + 1);
	return decode_set(weight, drain, c);
}

static struct changes *decode_changes(const json_t *list, struct err *err)
{
	struct changes *all = changes_create();
	struct change c;

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (decode_change(json_array_get(list, i), &c) == 0 &&
		    changes_restore(all, &c))
			continue;
		err_set(err, "change number %zu is none, or is there twice", i + 1);
		changes_destroy(all);
		return NULL;
	}
	return all;
}

static bool serves_is(const json_t *given, const char *serves)
{
	json_t *expected = readable(serves);
	bool same = json_equal(given, expected);

	json_decref(expected);
	return same;
}

static struct changes *decode_body(json_t *body, const char *serves, struct err *err)
{
	const json_t *format = json_object_get(body, "format");
	const json_t *given = json_object_get(body, "serves");
	const json_t *list = json_object_get(body, "changes");
	json_t *checksum = json_object_get(body, "checksum");

	if (!json_is_integer(format) || !json_is_string(given) || !json_is_array(list) ||
	    !json_is_string(checksum) || json_object_size(body) != 4) {
		err_set(err, "it has not the members of a state file");
		return NULL;
	}
	if (json_integer_value(format) != JOURNAL_FORMAT) {
		err_set(err, "it is of format %" JSON_INTEGER_FORMAT "; this balancer "
			"knows format %d", json_integer_value(format), JOURNAL_FORMAT);
		return NULL;
	}
	json_incref(checksum);
	json_object_del(body, "checksum");
	bool whole = strcmp(checksum_of(body).text, json_string_value(checksum)) == 0;
	json_decref(checksum);
	if (!whole) {
		err_set(err, "it is damaged: its checksum is another one");
		return NULL;
	}
	if (!serves_is(given, serves)) {
		err_set(err, "it is of a balancer that serves \"%.200s\"",
			json_string_value(given));
		return NULL;
	}
	return decode_changes(list, err);
}

struct changes *journal_decode(const char *text, size_t len, const char *serves,
			       struct err *err)
{
	json_error_t error;
	json_t *body = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	if (body == NULL) {
		err_set(err, "it is no JSON, line %d: %.160s", error.line, error.text);
		return NULL;
	}
	struct changes *all = decode_body(body, serves, err);
	json_decref(body);
	return all;
}
