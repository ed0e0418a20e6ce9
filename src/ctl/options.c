#include "ctl/options.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/option_name.h"
#include "base/text.h"

#define DAY UINT64_C(86400000)
#define AT(field) .offset = offsetof(struct options, field)

const struct option option_table[OPTIONS] = {
	[OPTION_SOCKET] = {"socket", "PATH", COMPLETES_FILE, true, AT(socket),
		.help = "the control socket of the balancer; BALANCERD_SOCKET in the "
			"environment does the same"},
	[OPTION_NAME] = {"name", "NAME", COMPLETES_NOTHING, true, AT(name),
		.help = "the balancer of this name, where several run side by side"},
	[OPTION_URL] = {"url", "URL", COMPLETES_NOTHING, true, AT(url),
		.help = "a balancer reached over TCP, http://HOST:PORT"},
	[OPTION_TOKEN_FILE] = {"token-file", "FILE", COMPLETES_FILE, true, AT(token_file),
		.help = "a file whose first line is the token for --url"},
	[OPTION_TIMEOUT] = {"timeout", "TIME", COMPLETES_NOTHING, false, AT(timeout_ms),
		.range = {VALUE_TIME, 1, DAY},
		.help = "give up after this time"},
	[OPTION_JSON] = {"json", .help = "print the balancer's own answer, in JSON"},
	[OPTION_QUIET] = {"quiet",
		.help = "print nothing but errors and what was asked for"},
	[OPTION_HELP] = {"help", .help = "say how the command is used"},
	[OPTION_VERSION] = {"version", .help = "print the version"},
	[OPTION_POOL] = {"pool", "NAME", COMPLETES_POOL, true, AT(pool),
		.help = "the pool; needed only where there are several"},
	[OPTION_WEIGHT] = {"weight", "N", COMPLETES_NOTHING, false, AT(weight),
		.range = {VALUE_NUMBER, 0, OPTION_WEIGHT_MAX},
		.help = "the server's share of the work, beside those of the others"},
	[OPTION_DRAIN] = {"drain", .help = "give the server no work yet"},
	[OPTION_TEMPORARY] = {"temporary",
		.help = "forget the change when the balancer ends"},
	[OPTION_LIMIT] = {"limit", "TIME", COMPLETES_NOTHING, false, AT(limit_ms),
		.range = {VALUE_TIME, 0, DAY},
		.help = "how long open connections may go on; the rest is cut then"},
	[OPTION_NOW] = {"now", .help = "cut open connections at once"},
	[OPTION_NO_WAIT] = {"no-wait", .help = "do not wait for open connections"},
	[OPTION_STATE] = {"state", "DIR", COMPLETES_FOLDER, true, AT(state),
		.help = "the folder where changes are kept over a restart"},
	[OPTION_LOG] = {"log", "PATH", COMPLETES_FILE, true, AT(log),
		.help = "the file that the balancer writes its log to"},
	[OPTION_THREADS] = {"threads", "N", COMPLETES_NOTHING, false, AT(threads),
		.range = {VALUE_NUMBER, 1, OPTION_THREADS_MAX},
		.help = "how many threads move data; one for each core if not given"},
	[OPTION_HEADER] = {"header", "LINE", COMPLETES_NOTHING, true, .letter = 'H',
		.help = "a field of the request, \"Name: value\"; may be given again, and "
			"-H does as well"},
	[OPTION_CLIENT] = {"client", "ADDRESS", COMPLETES_NOTHING, true, AT(client),
		.help = "who asks, such as 192.0.2.1:40000"},
	[OPTION_LISTENER] = {"listener", "ADDRESS", COMPLETES_NOTHING, true, AT(listener),
		.help = "where the client connects to, where that is not clear"},
	[OPTION_FOLLOW] = {"follow", .letter = 'f',
		.help = "go on with what comes, until Ctrl-C; -f does as well"},
	[OPTION_LINES] = {"lines", "N", COMPLETES_NOTHING, false, 'n', AT(lines),
		.range = {VALUE_NUMBER, 0, OPTION_LINES_MAX},
		.help = "only the last so many; -n does as well"},
	[OPTION_ONCE] = {"once", .help = "print one picture as text, and end"},
};

static const char *name_at(size_t i)
{
	return option_table[i].name;
}

static const struct option_names names = {"balancerctl", OPTIONS, name_at};

static int read_value(struct options *o, const struct option *option, const char *text,
		      struct err *err)
{
	struct err reason;
	void *field = (char *)o + option->offset;

	if (*text == '\0')
		return err_set(err, "--%s needs %s", option->name, option->argument);
	if (option == &option_table[OPTION_HEADER]) {
		if (o->header_count == OPTION_HEADERS_MAX)
			return err_set(err, "--header may be given %d times",
				       OPTION_HEADERS_MAX);
		o->headers[o->header_count++] = text;
		return 0;
	}
	if (option->is_text) {
		memcpy(field, &text, sizeof text);
		return 0;
	}
	if (value_read(&option->range, text, field, &reason) != 0)
		return err_set(err, "--%s: %s", option->name, reason.text);
	return 0;
}

/* The option's word: of one that is given by its letter, the long one. */
static const char *word_of(const char *given, char long_name[32])
{
	for (enum option_id id = 0; id < OPTIONS; id++) {
		if (option_table[id].letter == '\0' || given[1] != option_table[id].letter ||
		    given[2] != '\0')
			continue;
		snprintf(long_name, 32, "--%s", option_table[id].name);
		return long_name;
	}
	return given;
}

/* Reads the option at argv[*i] and, if it stands there, its value behind it. */
static int read_option(struct options *o, int argc, char **argv, int *i, struct err *err)
{
	char long_name[32];
	const char *word = word_of(argv[*i], long_name);
	const char *value = strchr(word, '=');
	enum option_id id = (enum option_id)option_name_find(&names, word);

	if (id == OPTIONS)
		return option_name_refuse(&names, word, err);
	o->given |= OPTION_BIT(id);
	const struct option *option = &option_table[id];
	if (option->argument == NULL)
		return value == NULL ? 0 : err_set(err, "--%s takes no value",
						   option->name);
	if (value != NULL)
		return read_value(o, option, value + 1, err);
	if (++*i == argc)
		return err_set(err, "--%s needs %s", option->name, option->argument);
	return read_value(o, option, argv[*i], err);
}

int ctl_options_read(struct options *o, int argc, char **argv, uint32_t *count,
		 struct err *err)
{
	bool over = false;

	*o = (struct options){0};
	*count = 0;
	for (int i = 0; i < argc; i++) {
		/* A "-" alone is a word, as it is for most programs, and so is -2. */
		bool is_option = !over && argv[i][0] == '-' && argv[i][1] != '\0' &&
				 strchr("0123456789", argv[i][1]) == NULL;
		if (is_option && strcmp(argv[i], "--") == 0)
			over = true;
		else if (!is_option)
			argv[(*count)++] = argv[i];
		else if (read_option(o, argc, argv, &i, err) != 0)
			return -1;
	}
	return 0;
}
