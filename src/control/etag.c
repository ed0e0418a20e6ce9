#include "control/etag.h"

#include <stdio.h>

static struct span skip_blanks(struct span s)
{
	while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t' || s.at[0] == ',')) {
		s.at++;
		s.len--;
	}
	return s;
}

bool etag_is_among(struct span value, uint64_t tag)
{
	char text[32];

	snprintf(text, sizeof text, "\"%llu\"", (unsigned long long)tag);
	for (value = skip_blanks(value); value.len > 0; value = skip_blanks(value)) {
		size_t len = 0;
		while (len < value.len && value.at[len] != ',' && value.at[len] != ' ' &&
		       value.at[len] != '\t')
			len++;
		struct span one = {value.at, len};
		if (span_equals(one, SPAN("*")) || span_equals(one, span_of(text)))
			return true;
		value.at += len;
		value.len -= len;
	}
	return false;
}
