#include "origin/options.h"

#include <getopt.h>
#include <string.h>

#include "base/must.h"

enum option_id {
	OPTION_THREADS = 'N',
	OPTION_DIRECTORY = 128, OPTION_BIND, OPTION_HELP,	/* no letters */
	OPTION_FAULT = 256,	/* and up: an index into faults_switches */
};

/* Apart from the switches in faults.c. */
static const struct {
	const char    *name, *argument;
	enum option_id id;
	const char    *help;
} plain[] = {
	{"threads", "N", OPTION_THREADS, "threads (2); -N for short"},
	{"dir", "DIR", OPTION_DIRECTORY, "serve the files of this directory (.)"},
	{"bind", "ADDRESS", OPTION_BIND, "listen on this address (127.0.0.1)"},
	{"help", NULL, OPTION_HELP, "print this"},
};

enum { OPTIONS = COUNT_OF(plain) + FAULTS_SWITCHES };

static void list_long(struct option list[OPTIONS + 1])
{
	memset(list, 0, sizeof(struct option) * (OPTIONS + 1));
	for (size_t i = 0; i < COUNT_OF(plain); i++)
		*list++ = (struct option){
			.name = plain[i].name, .val = (int)plain[i].id,
			.has_arg = plain[i].argument != NULL,
		};
	for (size_t i = 0; i < FAULTS_SWITCHES; i++)
		*list++ = (struct option){
			.name = faults_switches[i].name, .val = OPTION_FAULT + (int)i,
			.has_arg = faults_switches[i].argument != NULL,
		};
}

static int read_fault(struct options *o, int id, const char *value, struct err *err)
{
	const struct faults_switch *s = &faults_switches[id - OPTION_FAULT];

	if (faults_set(&o->faults, s, span_of(value != NULL ? value : "")))
		return 0;
	if (s->words != NULL)
		return err_set(err, "--%s takes %s, not '%s'", s->name, s->argument,
			       value);
	return err_set(err, "--%s takes a number up to %u, not '%s'", s->name, s->max,
		       value);
}

static int read_option(struct options *o, int id, const char *value, struct err *err)
{
	uint64_t number;

	if (id >= OPTION_FAULT)
		return read_fault(o, id, value, err);
	switch ((enum option_id)id) {
	case OPTION_THREADS:
		if (!span_to_u64(span_of(value), &number) || number < 1 ||
		    number > OPTIONS_THREADS_MAX)
			return err_set(err, "-N takes a number from 1 to %d, not '%s'",
				       OPTIONS_THREADS_MAX, value);
		o->threads = (unsigned)number;
		return 0;
	case OPTION_DIRECTORY:
		o->directory = value;
		return 0;
	case OPTION_BIND:
		o->address = value;
		return 0;
	case OPTION_HELP:
		o->help = true;
		return 0;
	case OPTION_FAULT:
		break;
	}
	return err_set(err, "try --help");	/* getopt has said what is wrong */
}

/* It stands in a JSON text as it is. */
static bool id_is_plain(const char *id)
{
	size_t len = 0;

	for (; id[len] != '\0'; len++)
		if (id[len] < ' ' || id[len] > '~' || id[len] == '"' || id[len] == '\\')
			return false;
	return len > 0 && len <= OPTIONS_ID_MAX;
}

static int read_port(struct options *o, const char *text, struct err *err)
{
	uint64_t number;

	if (!span_to_u64(span_of(text), &number) || number > UINT16_MAX)
		return err_set(err, "a port is a number up to 65535, not '%s'", text);
	if (o->port_count == OPTIONS_PORTS_MAX)
		return err_set(err, "more than %d ports", OPTIONS_PORTS_MAX);
	for (unsigned i = 0; i < o->port_count; i++)
		if (number != 0 && o->ports[i] == number)
			return err_set(err, "port %s is given twice", text);
	o->ports[o->port_count++] = (uint16_t)number;
	return 0;
}

/* The command line comes first: whoever wrote it knows more than a default does. */
static int read_environment(struct options *o, const struct options_environment *env,
			    struct err *err)
{
	if (env->server_id == NULL)
		return 0;
	if (!id_is_plain(env->server_id))
		return err_set(err, "SERVER_ID has to have 1 to %d printable characters, "
				    "without \" and \\", OPTIONS_ID_MAX);
	o->id = env->server_id;
	if (o->address == NULL)
		o->address = env->address;
	if (o->port_count > 0)
		return 0;
	if (env->port != NULL)
		return read_port(o, env->port, err);
	o->ports[o->port_count++] = OPTIONS_SAMPLE_PORT;
	return 0;
}

int origin_options_read(struct options *o, int argc, char **argv,
			const struct options_environment *env, struct err *err)
{
	struct option list[OPTIONS + 1];
	int id;

	list_long(list);
	*o = (struct options){
		.threads = OPTIONS_THREADS_DEFAULT,
		.directory = ".",
	};
	while ((id = getopt_long(argc, argv, "N:", list, NULL)) != -1)
		if (read_option(o, id, optarg, err) != 0)
			return -1;
	for (; optind < argc; optind++)
		if (read_port(o, argv[optind], err) != 0)
			return -1;
	if (!o->help && read_environment(o, env, err) != 0)
		return -1;
	if (o->address == NULL)
		o->address = "127.0.0.1";
	if (o->port_count == 0 && !o->help)
		return err_set(err, "no port given; try --help");
	return 0;
}

static void print_option(FILE *out, const char *name, const char *argument,
			 const char *help)
{
	char left[40];

	snprintf(left, sizeof left, "--%s %s", name, argument != NULL ? argument : "");
	fprintf(out, "  %-24s  %s\n", left, help);
}

void origin_options_print(FILE *out)
{
	fprintf(out, "usage: origin PORT... [-N THREADS] [--dir DIR] [--bind ADDRESS] "
		     "[fault switches]\n\n"
		     "With SERVER_ID in its environment it is a sample server for pools "
		     "that own\ntheirs, and the port may stand in PORT (%d), the address "
		     "in ADDRESS.\n\n"
		     "Options, which may stand anywhere:\n", OPTIONS_SAMPLE_PORT);
	for (size_t i = 0; i < COUNT_OF(plain); i++)
		print_option(out, plain[i].name, plain[i].argument, plain[i].help);
	fprintf(out, "\nFault switches, for every request; a request may ask for them, "
		     "too, as in ?delay=20:\n");
	for (size_t i = 0; i < FAULTS_SWITCHES; i++)
		print_option(out, faults_switches[i].name, faults_switches[i].argument,
			     faults_switches[i].help);
}
