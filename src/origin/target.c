#include "origin/target.h"

void target_split(struct span target, struct span *path, struct span *query)
{
	const char *mark = memchr(target.at, '?', target.len);

	*path = target;
	*query = (struct span){target.at, 0};
	if (mark == NULL)
		return;
	path->len = (size_t)(mark - target.at);
	*query = (struct span){mark + 1, target.len - path->len - 1};
}

/* What stands before the first `mark` of *from; *from goes on after it. */
static struct span cut(struct span *from, char mark)
{
	const char *at = memchr(from->at, mark, from->len);
	struct span before = *from;

	if (at == NULL) {
		*from = (struct span){from->at + from->len, 0};
		return before;
	}
	before.len = (size_t)(at - from->at);
	*from = (struct span){at + 1, from->len - before.len - 1};
	return before;
}

bool target_query_next(struct span *query, struct span *key, struct span *value)
{
	while (query->len > 0) {
		struct span pair = cut(query, '&');
		if (pair.len == 0)
			continue;
		*key = cut(&pair, '=');
		*value = pair;
		return true;
	}
	return false;
}

bool target_query_has(struct span query, struct span key)
{
	struct span found, value;

	while (target_query_next(&query, &found, &value))
		if (span_equals(found, key))
			return true;
	return false;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = span_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that a path goes on with, decoded; -1 when it is malformed or NUL. */
static int next_byte(struct span *path)
{
	int byte = (unsigned char)path->at[0];
	size_t taken = 1;

	if (byte == '%') {
		if (path->len < 3)
			return -1;
		int high = hex_digit(path->at[1]), low = hex_digit(path->at[2]);
		if (high < 0 || low < 0)
			return -1;
		byte = high * 16 + low;
		taken = 3;
	}
	path->at += taken;
	path->len -= taken;
	return byte != 0 ? byte : -1;
}

static bool climbs(struct span file)
{
	while (file.len > 0)
		if (span_equals(cut(&file, '/'), SPAN("..")))
			return true;
	return false;
}

enum target_file target_to_file(struct span path, char file[PATH_MAX])
{
	size_t len = 0;

	file[0] = '\0';
	while (path.len > 0) {
		int byte = next_byte(&path);
		if (byte < 0)
			return TARGET_FILE_MALFORMED;
		if (byte == '/' && len == 0)
			continue;
		if (len + 2 >= PATH_MAX)
			return TARGET_FILE_LONG;
		file[len++] = (char)byte;
		file[len] = '\0';
	}
	if (climbs((struct span){file, len}))
		return TARGET_FILE_OUTSIDE;
	if (len == 0)
		memcpy(file, ".", 2);
	return TARGET_FILE_OK;
}
