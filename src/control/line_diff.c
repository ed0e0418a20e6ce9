#include "control/line_diff.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"

struct line {
	struct span text;
	uint64_t hash;
	int32_t  parent;	/* the line that opens the block around it; -1: none */
	bool     differs;	/* is in this text only */
};

struct lines {
	struct line *at;	/* owned */
	int32_t count;
};

static bool opens_block(const struct line *l)
{
	return l->text.len > 0 && l->text.at[l->text.len - 1] == '{';
}

static bool closes_block(const struct line *l)
{
	size_t i = 0;

	while (i < l->text.len && l->text.at[i] == '\t')
		i++;
	return i + 1 == l->text.len && l->text.at[i] == '}';
}

static void lines_init(struct lines *lines, struct span text)
{
	int32_t room = 1, block = -1;

	for (size_t i = 0; i < text.len; i++)
		room += text.at[i] == '\n';
	*lines = (struct lines){.at = memory_new((size_t)room, sizeof *lines->at)};
	while (text.len > 0) {
		const char *end = memchr(text.at, '\n', text.len);
		size_t len = end != NULL ? (size_t)(end - text.at) : text.len;
		struct line *l = &lines->at[lines->count];
		l->text = (struct span){text.at, len};
		l->hash = hash_bytes(text.at, len);
		if (closes_block(l) && block >= 0)
			block = lines->at[block].parent;
		l->parent = block;
		if (opens_block(l))
			block = lines->count;
		lines->count++;
		text.at += len + (end != NULL);
		text.len -= len + (end != NULL);
	}
}

static bool is_same(const struct line *a, const struct line *b)
{
	return a->hash == b->hash && span_equals(a->text, b->text);
}

/* ---- which lines differ ---- */

/* What both have in the middle, after the lines at their beginnings and ends that are
 * the same. */
struct middle {
	struct line *a, *b;
	int32_t n, m;
};

/* For each number of edits d, how far each diagonal k from -d to d, every second one,
 * comes in `a`: row d of the trace begins at d * d. */
struct trace {
	int32_t *far;		/* owned */
	int32_t  edits;
};

static int32_t *trace_at(const struct trace *t, int32_t d, int32_t k)
{
	return &t->far[d * d + d + k];
}

/* How far one gets on diagonal k with d edits, before the lines that are the same. */
static int32_t step_to(const struct trace *t, int32_t d, int32_t k, bool *removes)
{
	*removes = k == d || (k != -d && *trace_at(t, d - 1, k - 1) >=
					 *trace_at(t, d - 1, k + 1));
	if (d == 0)
		return 0;
	return *removes ? *trace_at(t, d - 1, k - 1) + 1 : *trace_at(t, d - 1, k + 1);
}

/* False: it takes more than LINE_DIFF_EDITS_MAX. */
static bool search(struct trace *t, const struct middle *w)
{
	bool removes;

	for (int32_t d = 0; d <= LINE_DIFF_EDITS_MAX; d++) {
		size_t row_end = (size_t)(d + 1) * (size_t)(d + 1);
		t->far = memory_grow(t->far, row_end, sizeof *t->far);
		for (int32_t k = -d; k <= d; k += 2) {
			int32_t x = step_to(t, d, k, &removes), y = x - k;
			while (x < w->n && y < w->m && x >= 0 && y >= 0 &&
			       is_same(&w->a[x], &w->b[y])) {
				x++;
				y++;
			}
			*trace_at(t, d, k) = x;
			t->edits = d;
			if (x >= w->n && y >= w->m)
				return true;
		}
	}
	return false;
}

/* Marks the edits, from the last to the first. */
static void mark(const struct trace *t, const struct middle *w)
{
	int32_t k = w->n - w->m;
	bool removes;

	for (int32_t d = t->edits; d > 0; d--) {
		int32_t x = step_to(t, d, k, &removes);
		if (removes)
			w->a[x - 1].differs = true;
		else
			w->b[x - k - 1].differs = true;
		k += removes ? -1 : 1;
	}
}

static void compare(const struct lines *a, const struct lines *b)
{
	struct middle w = {a->at, b->at, a->count, b->count};
	struct trace t = {NULL, 0};

	while (w.n > 0 && w.m > 0 && is_same(w.a, w.b)) {
		w.a++, w.b++;
		w.n--, w.m--;
	}
	while (w.n > 0 && w.m > 0 && is_same(&w.a[w.n - 1], &w.b[w.m - 1]))
		w.n--, w.m--;
	if (search(&t, &w)) {
		mark(&t, &w);
	} else {
		for (int32_t i = 0; i < w.n; i++)
			w.a[i].differs = true;
		for (int32_t i = 0; i < w.m; i++)
			w.b[i].differs = true;
	}
	free(t.far);
}

/* ---- telling ---- */

struct teller {
	void (*tell)(void *arg, char sign, struct span line);
	void *arg;
	struct span shown[LINE_DIFF_DEPTH_MAX];	/* the blocks that were told of last */
};

/* Tells of the blocks around a line, from the outermost, unless they were told of. */
static void tell_blocks(struct teller *t, const struct lines *lines, int32_t parent)
{
	int32_t chain[LINE_DIFF_DEPTH_MAX], depth = 0;

	while (parent >= 0 && depth < LINE_DIFF_DEPTH_MAX) {
		chain[depth++] = parent;
		parent = lines->at[parent].parent;
	}
	for (int32_t level = 0; level < depth; level++) {
		const struct line *l = &lines->at[chain[depth - 1 - level]];
		if (span_equals(t->shown[level], l->text))
			continue;
		for (int32_t i = level; i < LINE_DIFF_DEPTH_MAX; i++)
			t->shown[i] = SPAN("");
		t->shown[level] = l->text;
		if (!l->differs)
			t->tell(t->arg, ' ', l->text);
	}
}

static void tell_line(struct teller *t, const struct lines *lines, int32_t i, char sign)
{
	tell_blocks(t, lines, lines->at[i].parent);
	t->tell(t->arg, sign, lines->at[i].text);
}

void line_diff(struct span before, struct span after,
	       void (*tell)(void *arg, char sign, struct span line), void *arg)
{
	struct teller t = {.tell = tell, .arg = arg};
	struct lines a, b;
	int32_t i = 0, j = 0;

	lines_init(&a, before);
	lines_init(&b, after);
	compare(&a, &b);
	while (i < a.count || j < b.count) {
		if (i < a.count && a.at[i].differs) {
			tell_line(&t, &a, i++, '-');
		} else if (j < b.count && b.at[j].differs) {
			tell_line(&t, &b, j++, '+');
		} else {
			must(i < a.count && j < b.count);
			i++, j++;
		}
	}
	free(a.at);
	free(b.at);
}
