/* ctl/member.h - what of a JSON object is there; "", 0 and false where it is not.
 *
 * A balancer of another version may say less than we ask for, which is no reason to
 * say nothing. Texts are borrowed from the object.
 */
#ifndef CTL_MEMBER_H
#define CTL_MEMBER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline const char *member_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static inline uint64_t member_number(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

static inline bool member_is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* How many of a list's objects have this text under the key. */
static inline uint64_t member_count(const json_t *list, const char *key, const char *text)
{
	uint64_t count = 0;
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		count += strcmp(member_text(one, key), text) == 0;
	return count;
}

#endif
