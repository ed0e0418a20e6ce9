#include "client/options.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/option_name.h"
#include "base/text.h"

#define DAY UINT64_C(86400000)
#define AT(field) .offset = offsetof(struct options, field)

/* What its value is. */
enum form { FORM_FLAG, FORM_TEXT, FORM_VALUE, FORM_SIZES, FORM_VERIFY };

struct option {
	const char *name;		/* without the "--" */
	const char *argument;		/* as help shows it; NULL: a flag */
	enum form   form;
	size_t      offset;		/* of its field in struct options */
	struct value_range range;
	const char *standard;		/* the default as one writes it; NULL: none */
	const char *help;
};

static const struct option table[OPTIONS] = {
	[OPTION_BALANCER] = {"balancer", "HOST:PORT", FORM_TEXT, AT(balancer),
		.standard = "127.0.0.1:5059", .help = "where the balancer is"},
	[OPTION_VERSION] = {"version", "1|2", FORM_VALUE, AT(version),
		.range = {VALUE_NUMBER, 1, 2},
		.help = "speak this version; 2, or else 1, if not given"},
	[OPTION_TIMEOUT] = {"timeout", "TIME", FORM_VALUE, AT(timeout_ms),
		.range = {VALUE_TIME, 1, DAY}, .standard = "10s",
		.help = "how long to wait for a connection or an answer"},
	[OPTION_RAW] = {"raw", .help = "print values byte for byte, without a newline"},
	[OPTION_ESCAPES] = {"escapes",
		.help = "the command's words have escapes such as \\x00"},
	[OPTION_HELP] = {"help", .help = "print this"},
	[OPTION_COUNT] = {"count", "N", FORM_VALUE, AT(count),
		.range = {VALUE_NUMBER, 1, UINT64_MAX}, .help = "end after N operations"},
	[OPTION_TIME] = {"time", "TIME", FORM_VALUE, AT(time_ms),
		.range = {VALUE_TIME, 1, DAY}, .standard = "10s",
		.help = "end after this time; no limit with --count alone"},
	[OPTION_CONNECTIONS] = {"connections", "C", FORM_VALUE, AT(connections),
		.range = {VALUE_NUMBER, 1, OPTION_CONNECTIONS_MAX}, .standard = "50",
		.help = "connections at once"},
	[OPTION_PIPELINE] = {"pipeline", "D", FORM_VALUE, AT(pipeline),
		.range = {VALUE_NUMBER, 1, OPTION_PIPELINE_MAX}, .standard = "1",
		.help = "requests that a connection waits for at once"},
	[OPTION_RATE] = {"rate", "R", FORM_VALUE, AT(rate),
		.range = {VALUE_NUMBER, 1, 100 * 1000 * 1000},
		.help = "operations per second; as many as possible if not given"},
	[OPTION_KEYS] = {"keys", "K", FORM_VALUE, AT(keys),
		.range = {VALUE_NUMBER, 1, OPTION_KEYS_MAX}, .standard = "10000",
		.help = "how many different keys"},
	[OPTION_KEY_SIZE] = {"key-size", "B", FORM_VALUE, AT(key_size),
		.range = {VALUE_SIZE, 1, OPTION_KEY_SIZE_MAX}, .standard = "16",
		.help = "bytes of a key"},
	[OPTION_VALUE_SIZE] = {"value-size", "B|B-B", FORM_SIZES, AT(value_size_min),
		.range = {VALUE_SIZE, 0, OPTION_VALUE_SIZE_MAX}, .standard = "64",
		.help = "bytes of a value, or from least to most"},
	[OPTION_READS] = {"reads", "PERCENT", FORM_VALUE, AT(reads_percent),
		.range = {VALUE_PERCENT, 0, 100}, .standard = "50%",
		.help = "share of gets; 0% and 100% take the keys one after the other"},
	[OPTION_SEED] = {"seed", "S", FORM_VALUE, AT(seed),
		.range = {VALUE_NUMBER, 0, UINT64_MAX}, .standard = "1",
		.help = "another one makes other values, in another order"},
	[OPTION_VERIFY] = {"verify", "[strict]", FORM_VERIFY, AT(verify),
		.help = "check what is read; strict: by the connection's last write"},
	[OPTION_HISTORY] = {"history", "FILE", FORM_TEXT, AT(history),
		.help = "write a JSON line about each operation"},
	[OPTION_JSON] = {"json", .help = "print the figures as JSON"},
};

static const char *name_at(size_t i)
{
	return table[i].name;
}

static const struct option_names names = {"kv-client", OPTIONS, name_at};

/* B or B-B. */
static int read_sizes(struct options *o, const struct option *option, const char *text,
		      struct err *err)
{
	const char *dash = strchr(text, '-');
	char first[32];

	if (dash == NULL)
		dash = text + strlen(text);
	snprintf(first, sizeof first, "%.*s", (int)(dash - text), text);
	if (value_read(&option->range, first, &o->value_size_min, err) != 0)
		return -1;
	o->value_size_max = o->value_size_min;
	if (*dash != '\0' &&
	    value_read(&option->range, dash + 1, &o->value_size_max, err) != 0)
		return -1;
	if (o->value_size_min > o->value_size_max)
		return err_set(err, "%s begins with the larger one; the smaller comes "
				    "first", quote(text).text);
	return 0;
}

static int read_value(struct options *o, const struct option *option, const char *text,
		      struct err *err)
{
	void *field = (char *)o + option->offset;
	struct err why;
	int result = 0;

	if (*text == '\0')
		return err_set(err, "--%s needs %s", option->name, option->argument);
	switch (option->form) {
	case FORM_TEXT:
		memcpy(field, &text, sizeof text);
		return 0;
	case FORM_SIZES:
		result = read_sizes(o, option, text, &why);
		break;
	case FORM_VALUE:
		result = value_read(&option->range, text, field, &why);
		break;
	case FORM_VERIFY:
		o->verify = VERIFY_STRICT;
		if (strcmp(text, "strict") != 0)
			result = err_set(&why, "%s is no way to verify; write --verify "
					 "or --verify strict", quote(text).text);
		break;
	case FORM_FLAG:
		break;
	}
	return result == 0 ? 0 : err_set(err, "--%s: %s", option->name, why.text);
}

/* Reads the option at argv[*i] and, if it stands there, its value behind it. */
static int read_option(struct options *o, int argc, char **argv, int *i, struct err *err)
{
	const char *word = argv[*i];
	const char *value = strchr(word, '=');
	enum option_id id = (enum option_id)option_name_find(&names, word);

	if (id == OPTIONS)
		return option_name_refuse(&names, word, err);
	o->given |= OPTION_BIT(id);
	const struct option *option = &table[id];
	if (option->form == FORM_FLAG)
		return value == NULL ? 0 : err_set(err, "--%s takes no value",
						   option->name);
	if (value != NULL)
		return read_value(o, option, value + 1, err);
	if (option->form == FORM_VERIFY) {
		bool strict = *i + 1 < argc && strcmp(argv[*i + 1], "strict") == 0;
		*i += strict;
		o->verify = strict ? VERIFY_STRICT : VERIFY_VALUES;
		return 0;
	}
	if (++*i == argc)
		return err_set(err, "--%s needs %s", option->name, option->argument);
	return read_value(o, option, argv[*i], err);
}

static void set_defaults(struct options *o)
{
	struct err err;

	*o = (struct options){0};
	for (enum option_id id = 0; id < OPTIONS; id++)
		if (table[id].standard != NULL)
			must(read_value(o, &table[id], table[id].standard, &err) == 0);
}

/* What can only be judged when all are known. */
static int check_together(struct options *o, struct err *err)
{
	uint64_t digits = 1;

	if (!option_given(o, OPTION_TIME) && option_given(o, OPTION_COUNT))
		o->time_ms = 0;
	for (uint64_t rest = (o->keys - 1) / 10; rest > 0; rest /= 10)
		digits++;
	if (digits > o->key_size)
		return err_set(err, "--key-size %llu has no room for %llu different "
				    "keys; give %llu at least, or fewer --keys",
			       (unsigned long long)o->key_size,
			       (unsigned long long)o->keys, (unsigned long long)digits);
	if (o->key_size + o->value_size_max > OPTION_VALUE_SIZE_MAX)
		return err_set(err, "keys of %llu and values of %llu bytes are more than "
				    "a message holds, which is %d together",
			       (unsigned long long)o->key_size,
			       (unsigned long long)o->value_size_max,
			       OPTION_VALUE_SIZE_MAX);
	if ((o->verify != VERIFY_NOTHING || o->history != NULL) &&
	    o->value_size_min < OPTION_VERIFIED_SIZE_MIN)
		return err_set(err, "--%s needs values of at least %d bytes, since each "
				    "says which one it is; give --value-size",
			       o->history != NULL ? "history" : "verify",
			       OPTION_VERIFIED_SIZE_MIN);
	if (o->verify == VERIFY_STRICT && o->keys < o->connections)
		return err_set(err, "--verify strict gives each connection keys of its "
				    "own: --keys has to be at least --connections");
	return 0;
}

int kv_options_read(struct options *o, int argc, char **argv, uint32_t *count,
		    struct err *err)
{
	bool over = false;

	set_defaults(o);
	*count = 0;
	for (int i = 0; i < argc; i++) {
		/* A "-" alone is a word, as it is for most programs. */
		bool is_option = !over && argv[i][0] == '-' && argv[i][1] != '\0';
		if (is_option && strcmp(argv[i], "--") == 0)
			over = true;
		else if (!is_option)
			argv[(*count)++] = argv[i];
		else if (read_option(o, argc, argv, &i, err) != 0)
			return -1;
	}
	return check_together(o, err);
}

int kv_options_check(const struct options *o, bool loads, struct err *err)
{
	for (enum option_id id = 0; id < OPTIONS; id++) {
		if (!option_given(o, id))
			continue;
		if (!loads && id >= OPTION_COUNT)
			return err_set(err, "--%s is for load; write: kv-client load "
					    "--%s", table[id].name, table[id].name);
		if (loads && (id == OPTION_RAW || id == OPTION_ESCAPES))
			return err_set(err, "load takes no --%s", table[id].name);
	}
	return 0;
}

void kv_options_print(FILE *out)
{
	for (enum option_id id = 0; id < OPTIONS; id++) {
		const struct option *o = &table[id];
		char left[40], right[24] = "";
		if (id == OPTION_COUNT)
			fputs("\nOptions of load:\n", out);
		snprintf(left, sizeof left, "--%s %s", o->name,
			 o->argument != NULL ? o->argument : "");
		if (o->standard != NULL)
			snprintf(right, sizeof right, " (%s)", o->standard);
		fprintf(out, "  %-22s %s%s\n", left, o->help, right);
	}
}
