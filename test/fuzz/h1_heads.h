/* test/fuzz/h1_heads.h - what holds for both kinds of heads, however they are cut. */
#ifndef FUZZ_H1_HEADS_H
#define FUZZ_H1_HEADS_H

#include <stdlib.h>

#include "base/must.h"
#include "parse/h1.h"

/* The usual limits, and some that small inputs reach. */
static const struct h1_limits limits_tried[] = {
	{.head_max = H1_HEAD_MAX, .target_max = 8192, .fields_max = H1_FIELDS_MAX},
	{.head_max = 160, .target_max = 24, .fields_max = 5},
};

typedef enum h1_result parse_head(struct h1_head *head, const char *at, size_t len,
				  size_t before, const struct h1_limits *limits);

/* Each call sees the bytes in memory that ends with them. */
static inline enum h1_result parse_copy(parse_head *parse, struct h1_head *head,
					const char *at, size_t len, size_t before,
					const struct h1_limits *limits)
{
	char *copy = malloc(len > 0 ? len : 1);

	must(copy != NULL);
	memcpy(copy, at, len);
	enum h1_result result = parse(head, copy, len, before, limits);
	free(copy);
	return result;
}

static inline void check_same_facts(const struct h1_head *a, const struct h1_head *b)
{
	must(memcmp(a, b, offsetof(struct h1_head, fields)) == 0);
	must(memcmp(a->fields, b->fields, a->field_count * sizeof a->fields[0]) == 0);
}

static inline void check_in_pieces(parse_head *parse, const char *at, size_t len,
				   size_t piece, const struct h1_limits *limits,
				   enum h1_result whole_result,
				   const struct h1_head *whole)
{
	static struct h1_head head;
	enum h1_result result = H1_MORE;
	size_t before = 0;

	do {
		size_t now = len - before < piece ? len : before + piece;
		result = parse_copy(parse, &head, at, now, before, limits);
		before = now;
	} while (result == H1_MORE && before < len);

	must(result == whole_result);
	if (result == H1_BAD)
		must(head.fault == whole->fault);
	if (result == H1_DONE)
		check_same_facts(&head, whole);
}

/* Every offset lies in the head, and the bytes between the parts are what they are. */
static inline void check_fields(const struct h1_head *head, const char *at, size_t len)
{
	unsigned position = head->fields_at;

	must(head->start < head->fields_at && head->fields_at < head->length);
	must(head->length <= len);
	must(memcmp(at + head->length - 2, "\r\n", 2) == 0);
	for (unsigned i = 0; i < head->field_count; i++) {
		const struct h1_field *f = &head->fields[i];
		unsigned name_end = f->line + f->name_len;
		unsigned value_end = f->value + f->value_len;
		must(f->line == position && f->name_len > 0);
		must(at[name_end] == ':' && f->value > name_end);
		must(memchr(at + f->line, '\n', value_end - f->line) == NULL);
		const char *line_end =
			memchr(at + value_end, '\n', head->length - value_end);
		must(line_end != NULL);
		position = (unsigned)(line_end - at) + 1;
		must(f->name < H1_NAMES);
		must(f->name == H1_NAME_OTHER || (head->seen & 1u << f->name) != 0);
	}
	must(position + 2u == head->length);
}

/* Parses one input whole and cut, with each set of limits; hands each head that was
 * accepted to `check`. */
static inline void try_head(parse_head *parse, const char *at, size_t len,
			    void (*check)(const struct h1_head *, const char *, size_t))
{
	static const size_t pieces[] = {1, 3, 7};
	static struct h1_head whole;

	for (size_t i = 0; i < COUNT_OF(limits_tried); i++) {
		const struct h1_limits *limits = &limits_tried[i];
		enum h1_result result = parse_copy(parse, &whole, at, len, 0, limits);

		must((result == H1_BAD) == (whole.fault != H1_FAULT_NONE));
		for (size_t k = 0; k < COUNT_OF(pieces); k++)
			check_in_pieces(parse, at, len, pieces[k], limits, result,
					&whole);
		if (result != H1_DONE)
			continue;
		must(whole.length <= limits->head_max);
		must(whole.target_len <= limits->target_max);
		must(whole.field_count <= limits->fields_max);
		check_fields(&whole, at, len);
		check(&whole, at, len);
	}
}

#endif
