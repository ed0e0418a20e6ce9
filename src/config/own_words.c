#include "config/own_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"
#include "config/tree.h"
#include "config/value.h"

int own_add_word(struct model_own *own, const char *word, struct err *err)
{
	if (own->command_count == 0 && *word == '\0')
		return err_set(err, "an empty word; expected the name of a program");
	if (own->command_count == OWN_WORDS_MAX)
		return err_set(err, "more than %d words; put them into a script of their "
			       "own", OWN_WORDS_MAX);
	own->command = memory_grow(own->command, own->command_count + 1,
				   sizeof *own->command);
	own->command[own->command_count++] = memory_text(word);
	return 0;
}

char **own_add_variable(struct model_own *own)
{
	if (own->environment_count == OWN_WORDS_MAX)
		return NULL;
	own->environment = memory_grow(own->environment, own->environment_count + 1,
				       sizeof *own->environment);
	char **variable = &own->environment[own->environment_count++];
	*variable = memory_text("");
	return variable;
}

int own_name_variable(char **variable, const char *name, struct err *err)
{
	char *text;

	if (value_check_variable(name, err) != 0)
		return -1;
	must(asprintf(&text, "%s=", name) > 0);
	free(*variable);
	*variable = text;
	return 0;
}

void own_set_variable(char **variable, const char *value)
{
	size_t len = strcspn(*variable, "=");
	char *text;

	must(asprintf(&text, "%.*s=%s", (int)len, *variable, value) > 0);
	free(*variable);
	*variable = text;
}

bool own_show_command(const struct model_own *own, FILE *out)
{
	for (uint32_t i = 0; i < own->command_count; i++) {
		if (i > 0)
			fputc(' ', out);
		tree_print_word(own->command[i], out);
	}
	return own->command_count > 0;
}

bool own_show_name(const char *variable, FILE *out)
{
	size_t len = strcspn(variable, "=");

	fprintf(out, "%.*s", (int)len, variable);	/* never needs quotes */
	return len > 0;
}

bool own_show_value(const char *variable, FILE *out)
{
	const char *equals = strchr(variable, '=');

	if (equals != NULL)
		tree_print_word(equals + 1, out);
	return equals != NULL;
}
