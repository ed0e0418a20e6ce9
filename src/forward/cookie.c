#include "forward/cookie.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* More than the one space that the grammar has between two cookies is let pass. */
static struct span trimmed(struct span s)
{
	while (s.len > 0 && is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

bool cookie_find(const struct h1_head *head, const char *at, struct span name,
		 struct span *value)
{
	if (!(head->seen & 1u << H1_NAME_COOKIE))
		return false;
	for (uint16_t i = 0; i < head->field_count; i++) {
		if (head->fields[i].name != H1_NAME_COOKIE)
			continue;
		struct span rest = h1_value_span(at, &head->fields[i]), pair;
		while (span_cut(&rest, ';', &pair))
			if (span_is_named(trimmed(pair), name, value))
				return true;
	}
	return false;
}
