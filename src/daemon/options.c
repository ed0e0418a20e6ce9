#include "daemon/options.h"

#include <string.h>

#include "base/must.h"
#include "base/places.h"
#include "base/span.h"
#include "model/model.h"

static int take_text(const char **into, const char *value, const char *option,
		     struct err *err)
{
	if (*into != NULL)
		return err_set(err, "%s is given twice", option);
	if (*value == '\0')
		return err_set(err, "%s needs a value", option);
	*into = value;
	return 0;
}

static int take_socket(struct options *o, const char *value, struct err *err)
{
	return take_text(&o->socket, value, "--socket", err);
}

static int take_state(struct options *o, const char *value, struct err *err)
{
	return take_text(&o->state, value, "--state", err);
}

static int take_name(struct options *o, const char *value, struct err *err)
{
	if (*value != '\0' && !places_is_name(value))
		return err_set(err, "--name takes 1 to %d letters, digits, \"-\", \"_\" "
			       "and \".\", not as the first", PLACES_NAME_MAX);
	return take_text(&o->name, value, "--name", err);
}

static int take_threads(struct options *o, const char *value, struct err *err)
{
	uint64_t n;

	if (o->threads > 0)
		return err_set(err, "--threads is given twice");
	if (!span_to_u64(span_of(value), &n) || n < 1 || n > MODEL_LOOPS_MAX)
		return err_set(err, "--threads takes a number from 1 to %d",
			       MODEL_LOOPS_MAX);
	o->threads = (uint32_t)n;
	return 0;
}

static const struct option {
	const char *name;
	int (*take)(struct options *o, const char *value, struct err *err);
} table[] = {
	{"--socket", take_socket},
	{"--name", take_name},
	{"--state", take_state},
	{"--threads", take_threads},
};

/* The option that a word is, or NULL. *value: what stands behind "=", or NULL. */
static const struct option *find(const char *word, const char **value)
{
	size_t len = strcspn(word, "=");

	*value = word[len] == '=' ? word + len + 1 : NULL;
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (span_equals(span_of(table[i].name), (struct span){word, len}))
			return &table[i];
	return NULL;
}

int options_take(struct options *o, int *argc, char **argv, struct err *err)
{
	int left = 0;

	*o = (struct options){0};
	for (int i = 0; i < *argc; i++) {
		const char *value;
		const struct option *option = find(argv[i], &value);
		if (option == NULL) {
			argv[left++] = argv[i];
			continue;
		}
		if (value == NULL && ++i == *argc)
			return err_set(err, "%s needs a value", option->name);
		if (option->take(o, value != NULL ? value : argv[i], err) != 0)
			return -1;
	}
	*argc = left;
	return 0;
}
