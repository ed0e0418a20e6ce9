#include "base/log_limit.h"

#include <stddef.h>

#include "base/hash.h"

/* Where a kind is or may be; NULL: the table is full. */
static struct log_kind *find(struct log_limit *l, const char *format)
{
	uint64_t start = hash_mix((uintptr_t)format);

	for (uint32_t i = 0; i < LOG_KINDS_MAX; i++) {
		struct log_kind *k = &l->kinds[(start + i) % LOG_KINDS_MAX];
		if (k->format == format || k->format == NULL)
			return k;
	}
	return NULL;
}

static bool is_over(const struct log_kind *k, uint64_t now_ms)
{
	return now_ms >= k->since_ms + LOG_WINDOW_MS;
}

bool log_limit_take(struct log_limit *l, const char *format, uint64_t now_ms, uint32_t max)
{
	struct log_kind *k = find(l, format);

	if (k == NULL)
		return true;
	/* One that has left lines out keeps its window until it has told. */
	if (k->format == NULL || (is_over(k, now_ms) && k->left_out == 0))
		*k = (struct log_kind){.format = format, .since_ms = now_ms};
	if (k->lines < max) {
		k->lines++;
		return true;
	}
	l->silent += k->left_out == 0;
	k->left_out++;
	return false;
}

bool log_limit_tell(struct log_limit *l, uint64_t now_ms, bool all, struct log_kind *told)
{
	for (uint32_t i = 0; i < LOG_KINDS_MAX && l->silent > 0; i++) {
		struct log_kind *k = &l->kinds[i];
		if (k->left_out == 0 || (!all && !is_over(k, now_ms)))
			continue;
		*told = *k;
		*k = (struct log_kind){.format = k->format, .since_ms = now_ms};
		l->silent--;
		return true;
	}
	return false;
}
