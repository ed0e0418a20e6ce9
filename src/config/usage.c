#include "config/usage.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "pick/policy.h"

__attribute__((format(printf, 2, 3)))
static void append(struct usage *u, const char *format, ...)
{
	size_t used = strlen(u->text);
	va_list args;

	va_start(args, format);
	int len = vsnprintf(u->text + used, sizeof u->text - used, format, args);
	va_end(args);
	must(len >= 0 && used + (size_t)len < sizeof u->text);
}

struct usage usage_argument(const struct argument *a)
{
	struct usage u = {{'\0'}};
	const char *between = "";

	if (a->shown != NULL) {
		append(&u, "%s", a->shown);
		between = "|";
	}
	for (const struct choice *c = a->choices; c != NULL && c->word != NULL; c++) {
		append(&u, "%s%s", between, c->word);
		between = "|";
	}
	if (a->kind == ARGUMENT_POLICY)
		for (uint32_t i = 0; policies[i] != NULL; i++) {
			append(&u, "%s%s", between, policies[i]->name);
			between = "|";
		}
	if (a->kind == ARGUMENT_CHOICES)
		append(&u, " ...");
	if (a->unit != NULL)
		append(&u, " %s", a->unit);
	return u;
}

struct usage usage_directive(const struct directive *d, unsigned in)
{
	struct usage u = {{'\0'}};

	append(&u, "%s", d->word);
	if (d->second != NULL)
		append(&u, " %s", d->second);
	for (uint32_t i = 0; i < directive_argument_count(d); i++) {
		const struct argument *a = &d->arguments[i];
		if (!argument_is_for(a, in))
			continue;
		struct usage value = usage_argument(a);
		const char *space = value.text[0] != '\0' ? " " : "";
		if (a->keyword == NULL)
			append(&u, " %s", value.text);
		else if (a->required)
			append(&u, " %s%s%s", a->keyword, space, value.text);
		else
			append(&u, " [%s%s%s]", a->keyword, space, value.text);
	}
	if (d->opens != IN_NONE)
		append(&u, " { ... }");
	return u;
}
