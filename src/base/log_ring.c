#include "base/log_ring.h"

#include <stdlib.h>
#include <string.h>

void log_ring_put(struct log_ring *r, const char *line, size_t len)
{
	uint32_t at = (uint32_t)(++r->last % LOG_RING_LINES);

	free(r->all[at].line);
	r->all[at].line = malloc(len);
	r->all[at].len = (uint32_t)len;
	if (r->all[at].line != NULL)
		memcpy(r->all[at].line, line, len);
}

/* The oldest one that is there; behind the last, if none is. */
static uint64_t first(const struct log_ring *r)
{
	return r->last > LOG_RING_LINES ? r->last - LOG_RING_LINES + 1 : 1;
}

size_t log_ring_read(const struct log_ring *r, uint64_t *next, uint64_t *missed,
		     char *room, size_t size)
{
	size_t used = 0;

	*missed = *next < first(r) ? first(r) - *next : 0;
	for (*next += *missed; *next <= r->last; ++*next) {
		uint32_t at = (uint32_t)(*next % LOG_RING_LINES);
		if (r->all[at].line == NULL)
			continue;
		if (r->all[at].len > size - used)
			break;
		memcpy(room + used, r->all[at].line, r->all[at].len);
		used += r->all[at].len;
	}
	return used;
}

uint64_t log_ring_last_ones(const struct log_ring *r, uint32_t count)
{
	uint64_t there = r->last + 1 - first(r);

	return r->last + 1 - (count < there ? count : there);
}
