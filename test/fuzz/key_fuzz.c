/* Keys of requests: what is found lies in the head and is what a second reader finds,
 * byte by byte; the key follows from it and from nothing else; cutting the head into
 * reads changes nothing, and neither does what comes after it. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/must.h"
#include "forward/cookie.h"
#include "forward/key.h"
#include "fuzz.h"
#include "h1_plain.h"

enum { ADDRESS_KEY = 4711, PORT = 4712 };

static const struct h1_limits limits = {
	.head_max = 32768, .target_max = 8192, .fields_max = 200,
};
static struct h1_head head, again;

static char header_name[] = "X-Key", cookie_name[] = "id", argument_name[] = "id";

static const struct model_pool pools[] = {
	{.key = KEY_ADDRESS}, {.key = KEY_ADDRESS_PORT},
	{.key = KEY_HEADER, .key_name = header_name},
	{.key = KEY_HEADER, .key_name = (char *)(uintptr_t)"cookie"},
	{.key = KEY_COOKIE, .key_name = cookie_name},
	{.key = KEY_PATH},
	{.key = KEY_QUERY, .key_name = argument_name},
};

/* ---- the second reader ---- */

/* The value of the first name=value of that name between marks. */
static bool plain_pair(struct plain_text list, char mark, const char *name,
		       struct plain_text *value)
{
	for (bool last = false; !last;) {
		struct plain_text pair, before;
		last = !plain_cut(&list, mark, &pair);
		if (last)
			pair = list;
		if (mark == ';')
			pair = plain_trim(pair);
		if (!plain_cut(&pair, '=', &before))
			continue;
		if (before.len == strlen(name) && !memcmp(before.at, name, before.len)) {
			*value = pair;
			return true;
		}
	}
	return false;
}

/* The first field of that name; with a cookie's name, the first that has the cookie. */
static bool plain_field_value(const char *at, const char *name, const char *cookie,
			      struct plain_text *value)
{
	size_t from = head.fields_at;
	struct plain_text rest = {at + from, head.length - from}, line, field;

	while (plain_line(&rest, &line) && line.len > 0) {
		must(plain_cut(&line, ':', &field));
		if (!plain_is(field, name))
			continue;
		*value = plain_trim(line);
		if (cookie == NULL || plain_pair(*value, ';', cookie, value))
			return true;
	}
	return false;
}

static struct plain_text plain_path_of(const char *at, struct plain_text *query)
{
	struct plain_text target = {at + head.target_at, head.target_len}, path;
	struct plain_text scheme;

	*query = (struct plain_text){"", 0};
	if (head.method == H1_CONNECT || plain_is(target, "*"))
		return *query;
	if (target.at[0] != '/') {
		must(plain_cut(&target, ':', &scheme) && target.len > 2);
		target = (struct plain_text){target.at + 2, target.len - 2};
		while (target.len > 0 && target.at[0] != '/' && target.at[0] != '?')
			target = (struct plain_text){target.at + 1, target.len - 1};
	}
	if (plain_cut(&target, '?', &path))
		*query = target;
	else
		path = target;
	return path.len > 0 ? path : (struct plain_text){"/", 1};
}

static struct plain_text plain_key(const struct model_pool *pool, const char *at)
{
	struct plain_text value = {"", 0}, query, path = plain_path_of(at, &query);

	switch (pool->key) {
	case KEY_ADDRESS:
	case KEY_ADDRESS_PORT:
	case KEY_REQUEST_ID:
		break;
	case KEY_HEADER:
		plain_field_value(at, pool->key_name, NULL, &value);
		break;
	case KEY_COOKIE:
		if (!plain_field_value(at, "cookie", pool->key_name, &value))
			value.len = 0;
		break;
	case KEY_PATH:
		return path;
	case KEY_QUERY:
		plain_pair(query, '&', pool->key_name, &value);
		break;
	}
	return value;
}

/* ---- properties ---- */

static void check_found(const char *at, struct span value)
{
	if (value.len == 1 && value.at[0] == '/' && head.target == H1_TARGET_ABSOLUTE)
		return;		/* made up */
	must(value.at >= at + head.start);
	must(value.at + value.len <= at + head.length - 2);
}

static void check_pool(const struct model_pool *pool, const char *at)
{
	struct span value = {0};
	struct plain_text plain = plain_key(pool, at);
	bool found = key_find(pool, &head, at, &value);
	uint64_t otherwise = ADDRESS_KEY;

	if (pool->key == KEY_ADDRESS_PORT)
		otherwise = key_with_port(ADDRESS_KEY, PORT);
	must(found == (plain.len > 0));
	if (found)
		check_found(at, value);
	must(!found || span_equals(value, (struct span){plain.at, plain.len}));
	must(key_of_request(pool, &head, at, ADDRESS_KEY, PORT) ==
	     (found ? hash_bytes(value.at, value.len) : otherwise));
}

/* Parsed in reads of this many bytes, in memory that ends with the head. */
static void check_cut(const char *at, size_t piece)
{
	char *copy = malloc(head.length);
	size_t before = 0;

	must(copy != NULL);
	memcpy(copy, at, head.length);
	while (before < head.length) {
		size_t now = head.length - before < piece ? head.length : before + piece;
		if (h1_parse_request(&again, copy, now, before, &limits) == H1_DONE)
			break;
		before = now;
	}
	for (size_t i = 0; i < COUNT_OF(pools); i++)
		must(key_of_request(&pools[i], &again, copy, ADDRESS_KEY, PORT) ==
		     key_of_request(&pools[i], &head, at, ADDRESS_KEY, PORT));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = {1, 7, 64, SIZE_MAX};
	const char *at = (const char *)data;

	if (h1_parse_request(&head, at, size, 0, &limits) != H1_DONE)
		return 0;
	for (size_t i = 0; i < COUNT_OF(pools); i++)
		check_pool(&pools[i], at);
	for (size_t i = 0; i < COUNT_OF(pieces); i++)
		check_cut(at, pieces[i]);
	return 0;
}
