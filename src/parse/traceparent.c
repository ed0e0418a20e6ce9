#include "parse/traceparent.h"

/* Where the parts begin. */
enum { TRACE_AT = 3, PARENT_AT = 36, FLAGS_AT = 53 };

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether all are digits; *any: whether one is not 0. */
static bool are_digits(const char *at, size_t len, bool *any)
{
	*any = false;
	for (size_t i = 0; i < len; i++) {
		if (digit_of(at[i]) < 0)
			return false;
		*any |= at[i] != '0';
	}
	return true;
}

static bool is_valid(struct span v)
{
	bool later, traced, has_parent, ignored;

	if (v.len < TRACEPARENT_LENGTH || !are_digits(v.at, 2, &later) ||
	    memcmp(v.at, "ff", 2) == 0)
		return false;
	if (v.len > TRACEPARENT_LENGTH && (!later || v.at[TRACEPARENT_LENGTH] != '-'))
		return false;
	return v.at[TRACE_AT - 1] == '-' && v.at[PARENT_AT - 1] == '-' &&
	       v.at[FLAGS_AT - 1] == '-' &&
	       are_digits(v.at + TRACE_AT, TRACE_ID_LENGTH, &traced) && traced &&
	       are_digits(v.at + PARENT_AT, TRACE_PARENT_LENGTH, &has_parent) && has_parent &&
	       are_digits(v.at + FLAGS_AT, 2, &ignored);
}

bool traceparent_parse(struct span value, struct traceparent *t)
{
	if (!is_valid(value))
		return false;
	memcpy(t->trace_id, value.at + TRACE_AT, TRACE_ID_LENGTH);
	memcpy(t->parent_id, value.at + PARENT_AT, TRACE_PARENT_LENGTH);
	t->sampled = digit_of(value.at[FLAGS_AT + 1]) & 1;
	return true;
}

struct span traceparent_id(struct span value)
{
	if (!is_valid(value))
		return (struct span){NULL, 0};
	return (struct span){value.at + TRACE_AT, TRACE_ID_LENGTH};
}

void traceparent_write(const struct traceparent *t, char out[TRACEPARENT_LENGTH])
{
	memcpy(out, "00-", 3);
	memcpy(out + TRACE_AT, t->trace_id, TRACE_ID_LENGTH);
	out[PARENT_AT - 1] = '-';
	memcpy(out + PARENT_AT, t->parent_id, TRACE_PARENT_LENGTH);
	memcpy(out + FLAGS_AT - 1, t->sampled ? "-01" : "-00", 3);
}

static void put_hex(char out[16], uint64_t n)
{
	for (int i = 15; i >= 0; i--, n >>= 4)
		out[i] = "0123456789abcdef"[n & 15];
}

void traceparent_set_trace(struct traceparent *t, uint64_t high, uint64_t low)
{
	put_hex(t->trace_id, high);
	put_hex(t->trace_id + 16, (high | low) != 0 ? low : 1);
}

void traceparent_set_parent(struct traceparent *t, uint64_t id)
{
	put_hex(t->parent_id, id != 0 ? id : 1);
}
