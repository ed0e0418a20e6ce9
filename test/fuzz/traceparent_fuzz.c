/* traceparent: what the plain rule of the standard calls valid is read, nothing else; what
 * is written of it is valid, and says the same; the trace-id alone is the same one. */
#include <string.h>

#include "base/must.h"
#include "fuzz.h"
#include "parse/traceparent.h"

/* Whether it looks like the pattern, where x is any digit. */
static bool looks_like(const uint8_t *at, const char *pattern)
{
	for (; *pattern != '\0'; at++, pattern++)
		if (*pattern == 'x' ? *at == 0 || strchr("0123456789abcdef", *at) == NULL
				    : *at != (uint8_t)*pattern)
			return false;
	return true;
}

static bool is_zero(const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] != '0')
			return false;
	return true;
}

static bool plain_rule(const uint8_t *data, size_t size)
{
	if (size < 55 || !looks_like(data, "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-"
					   "xxxxxxxxxxxxxxxx-xx"))
		return false;
	bool first = is_zero(data, 2), never = data[0] == 'f' && data[1] == 'f';
	return !never && !is_zero(data + 3, 32) && !is_zero(data + 36, 16) &&
	       (size == 55 || (!first && data[55] == '-'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span value = {(const char *)data, size};
	struct traceparent t = {.sampled = false}, again = {.sampled = false};
	char out[TRACEPARENT_LENGTH];
	bool valid = traceparent_parse(value, &t);

	must(valid == plain_rule(data, size));
	must((traceparent_id(value).len == TRACE_ID_LENGTH) == valid);
	if (!valid)
		return 0;
	must(memcmp(traceparent_id(value).at, t.trace_id, TRACE_ID_LENGTH) == 0);
	traceparent_write(&t, out);
	must(traceparent_parse((struct span){out, sizeof out}, &again));
	must(memcmp(&t, &again, sizeof t) == 0);
	return 0;
}
