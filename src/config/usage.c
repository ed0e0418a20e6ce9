#include "config/usage.h"

#include <string.h>

#include "base/text.h"
#include "pick/policy.h"

#define APPEND(usage, ...) text_append((usage).text, sizeof (usage).text, __VA_ARGS__)

struct usage usage_argument(const struct argument *a)
{
	struct usage u = {{'\0'}};
	const char *between = "";

	if (a->shown != NULL) {
		APPEND(u, "%s", a->shown);
		between = "|";
	}
	for (const struct choice *c = a->choices; c != NULL && c->word != NULL; c++) {
		APPEND(u, "%s%s", between, c->word);
		between = "|";
	}
	if (a->kind == ARGUMENT_POLICY)
		for (uint32_t i = 0; policies[i] != NULL; i++) {
			APPEND(u, "%s%s", between, policies[i]->name);
			between = "|";
		}
	if (a->kind == ARGUMENT_CHOICES || a->kind == ARGUMENT_COMMAND)
		APPEND(u, " ...");
	if (a->unit != NULL)
		APPEND(u, " %s", a->unit);
	return u;
}

struct usage usage_directive(const struct directive *d, unsigned in)
{
	struct usage u = {{'\0'}};

	APPEND(u, "%s", d->word);
	if (d->second != NULL)
		APPEND(u, " %s", d->second);
	for (uint32_t i = 0; i < directive_argument_count(d); i++) {
		const struct argument *a = &d->arguments[i];
		if (!argument_is_for(a, in))
			continue;
		struct usage value = usage_argument(a);
		const char *space = value.text[0] != '\0' ? " " : "";
		if (a->keyword == NULL)
			APPEND(u, a->optional ? " [%s]" : " %s", value.text);
		else if (a->required)
			APPEND(u, " %s%s%s", a->keyword, space, value.text);
		else
			APPEND(u, " [%s%s%s]", a->keyword, space, value.text);
	}
	if (d->opens != IN_NONE)
		APPEND(u, " { ... }");
	return u;
}
