#include "control/percent.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = span_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool percent_decode(struct span encoded, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < encoded.len; i++) {
		char c = encoded.at[i];
		if (c == '%') {
			if (encoded.len - i < 3)
				return false;
			int high = digit(encoded.at[i + 1]);
			int low = digit(encoded.at[i + 2]);
			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0' || len + 1 >= size)
			return false;
		out[len++] = c;
	}
	out[len] = '\0';
	return true;
}
