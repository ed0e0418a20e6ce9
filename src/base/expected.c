#include "base/expected.h"

#include <stdio.h>
#include <string.h>

#include "base/span.h"

void expected_init(struct expected *e, const char *found)
{
	*e = (struct expected){.found = found, .distance = UINT32_MAX};
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint32_t expected_distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	uint32_t rows[3][EXPECTED_WORD_MAX + 1];
	uint32_t *above2 = rows[0], *above = rows[1], *row = rows[2];

	if (a_len > EXPECTED_WORD_MAX || b_len > EXPECTED_WORD_MAX)
		return UINT32_MAX;
	for (size_t j = 0; j <= b_len; j++)
		above[j] = (uint32_t)j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = (uint32_t)i;
		for (size_t j = 1; j <= b_len; j++) {
			char x = span_lower(a[i - 1]), y = span_lower(b[j - 1]);
			row[j] = least(least(above[j], row[j - 1]) + 1,
				       above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == span_lower(b[j - 2]) &&
			    y == span_lower(a[i - 2]))
				row[j] = least(row[j], above2[j - 2] + 1);
		}
		uint32_t *oldest = above2;
		above2 = above;
		above = row;
		row = oldest;
	}
	return above[b_len];
}

/* Near: a third of the letters may differ. Of two letters one, of one none. */
static uint32_t distance_max(const char *found)
{
	return (uint32_t)((strlen(found) + 1) / 3);
}

void expected_add(struct expected *e, const char *word)
{
	uint32_t distance = expected_distance(e->found, word);
	size_t room = sizeof e->list - e->list_len;

	if (distance <= distance_max(e->found) && distance < e->distance) {
		e->distance = distance;
		e->nearest = word;
	}
	e->count++;
	/* Room is kept for the dots, which close the list for good. */
	if (room <= 1)
		return;
	if (strlen(word) + sizeof ", , ..." > room) {
		memcpy(e->list + e->list_len, ", ...", sizeof ", ...");
		e->list_len = sizeof e->list - 1;
		return;
	}
	e->list_len += (uint32_t)snprintf(e->list + e->list_len, room, "%s%s",
					  e->count > 1 ? ", " : "", word);
}

struct expected_text expected_text(const struct expected *e)
{
	struct expected_text t;
	int len = snprintf(t.text, sizeof t.text, "expected %s%s",
			   e->count > 1 ? "one of " : "", e->list);

	if (e->nearest != NULL)
		snprintf(t.text + len, sizeof t.text - (size_t)len,
			 "; did you mean \"%s\"?", e->nearest);
	return t;
}
