#include "base/option_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/expected.h"
#include "base/text.h"

size_t option_name_find(const struct option_names *names, const char *word)
{
	bool is_short = strcmp(word, "-h") == 0;

	if (!is_short && strncmp(word, "--", 2) != 0)
		return names->count;
	const char *name = is_short ? "help" : word + 2;
	size_t len = strcspn(name, "="), i = 0;
	while (i < names->count &&
	       (strlen(names->at(i)) != len || strncmp(names->at(i), name, len) != 0))
		i++;
	return i;
}

int option_name_refuse(const struct option_names *names, const char *word,
		       struct err *err)
{
	char name[EXPECTED_WORD_MAX + 1];
	int len = (int)strcspn(word, "=");
	struct expected e;

	snprintf(name, sizeof name, "%.*s", len, word);
	expected_init(&e, name + strspn(name, "-"));
	for (size_t i = 0; i < names->count; i++)
		expected_add(&e, names->at(i));
	if (e.nearest == NULL)
		return err_set(err, "unknown option %s; see %s --help", quote(name).text,
			       names->program);
	return err_set(err, "unknown option %s; did you mean \"--%s\"?", quote(name).text,
		       e.nearest);
}
