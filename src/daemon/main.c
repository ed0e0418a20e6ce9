/* daemon/main.c - balancerd: the command line.
 *
 *   balancerd http [OPTIONS] [-N connections] [-R requests] PORT SERVER...
 *   balancerd tcp [OPTIONS] ADDRESS:PORT [SERVER...]
 *   balancerd kv [OPTIONS] [--clients ADDRESS:PORT] [--workers ADDRESS:PORT]
 *                [--resp ADDRESS:PORT] [--acks none|one|all]
 *   balancerd run [OPTIONS] FILE
 *   balancerd check [--resolve] FILE
 *   balancerd fmt [--write | --check] FILE
 *
 * Exit codes: 0 done; 1 it could not start, or the file has errors; 2 the command line
 * is wrong.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/log.h"
#include "base/log_writer.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/places.h"
#include "base/version.h"
#include "config/config.h"
#include "config/manual.h"
#include "control/control.h"
#include "daemon/offline.h"
#include "daemon/options.h"
#include "daemon/service.h"
#include "daemon/takeover.h"

enum { EXIT_USAGE = 2, SERVES_SIZE = ADDRESS_TEXT_MAX + 8 };

struct command {
	const char *name;
	const char *arguments;
	const char *help;
	int (*run)(int argc, char **argv);	/* what follows the command's name */
	bool serves;
};

static int usage(FILE *out);

/* What this process was started with, for the one that will take its place; and the place
 * that it takes itself. */
static struct {
	char **argv;			/* owned; the texts are borrowed */
	char  *program;			/* owned; NULL: the system does not say */
	struct takeover *takeover;	/* owned; NULL: nobody's */
} origin;

static int say_wrong(const char *what)
{
	takeover_refuse(origin.takeover, what);
	fprintf(stderr, "balancerd: %s\n", what);
	return EXIT_USAGE;
}

static int say_failed(const struct err *err)
{
	takeover_refuse(origin.takeover, err->text);
	fprintf(stderr, "balancerd: %s\n", err->text);
	return EXIT_FAILURE;
}

/* What is the same in all commands that serve. */
static struct service_options options_of(const struct options *o)
{
	struct service_options s = {
		.threads = o->threads, .version = VERSION, .program = origin.program,
		.argv = origin.argv, .takeover = origin.takeover,
	};

	places_from_environment(&s.places, true);
	s.places.socket = o->socket;
	s.places.name = o->name;
	s.places.state = o->state;
	return s;
}

/* Serves by m, which is given, until a signal ends it. */
static int serve(struct model *m, const struct service_options *options)
{
	struct err err;

	if (log_writer_begin(&err) != 0) {
		model_put(m);
		return say_failed(&err);
	}
	struct service *s = service_start(m, options, &err);
	if (s == NULL) {
		log_writer_end();
		return say_failed(&err);
	}
	service_run(s);
	service_stop(s);
	log_writer_end();
	return EXIT_SUCCESS;
}

/* What the changes of a balancer without a file belong to: "http 8080", "tcp [::1]:80",
 * "kv 0.0.0.0:5059". */
static void name_quick(const struct model_listener *l, char serves[SERVES_SIZE])
{
	unsigned port = address_port(&l->address);

	if (l->kind == LISTEN_HTTP)
		snprintf(serves, SERVES_SIZE, "http %u", port);
	else
		snprintf(serves, SERVES_SIZE, "%s %s", l->kind == LISTEN_KV ? "kv" : "tcp",
			 l->address.text);
}

/* Serves by a command line that `read` understands. */
static int run_quick(int argc, char **argv,
		     struct model *(*read)(int argc, char *const argv[], struct err *err))
{
	struct options given;
	struct err err;
	char serves[SERVES_SIZE];

	if (options_take(&given, &argc, argv, &err) != 0)
		return say_wrong(err.text);
	struct model *m = read(argc, argv, &err);
	if (m == NULL)
		return say_wrong(err.text);

	struct service_options options = options_of(&given);
	name_quick(&m->listeners[0], serves);
	options.serves = serves;
	return serve(m, &options);
}

static int run_http(int argc, char **argv)
{
	return run_quick(argc, argv, config_quick_http);
}

static int run_tcp(int argc, char **argv)
{
	return run_quick(argc, argv, config_quick_tcp);
}

static int run_kv(int argc, char **argv)
{
	return run_quick(argc, argv, config_quick_kv);
}

/* The errors of a file in one sentence; as many as there is room for. */
static void sum_up(const struct config_report *report, struct err *err)
{
	err_set(err, "%u error%s in %s", report->error_count,
		report->error_count == 1 ? "" : "s", report->name);
	for (uint32_t i = 0; i < report->count; i++) {
		const struct config_problem *p = &report->problems[i];
		size_t len = strlen(err->text);
		if (!p->is_warning)
			snprintf(err->text + len, sizeof err->text - len, "; line %u: %s",
				 p->at.line, p->text);
	}
}

/* Reads the file; its errors and warnings go to standard error. */
static struct model *load(const char *path)
{
	struct config_report *report = memory_new(1, sizeof *report);
	struct model *m = config_load(path, report);
	struct err err;

	report_print(report, stderr);
	if (m == NULL) {
		sum_up(report, &err);
		takeover_refuse(origin.takeover, err.text);
	}
	free(report);
	return m;
}

/* The same while running: each problem is a line of the log. */
static struct model *reread(void *arg, struct err *err)
{
	struct config_report *report = memory_new(1, sizeof *report);
	struct model *m = config_load(arg, report);

	for (uint32_t i = 0; i < report->count; i++) {
		const struct config_problem *p = &report->problems[i];
		enum log_level level = p->is_warning ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR;
		log_always(level, "%s:%u:%u: %s", report->name, p->at.line, p->at.column,
			   p->text);
	}
	if (m == NULL)
		sum_up(report, err);
	free(report);
	return m;
}

static int run_file(int argc, char **argv)
{
	struct options given;
	struct err err;

	if (options_take(&given, &argc, argv, &err) != 0)
		return say_wrong(err.text);
	if (argc != 1 || argv[0][0] == '-')
		return say_wrong("usage: balancerd run [OPTIONS] FILE");
	struct model *m = load(argv[0]);
	if (m == NULL)
		return EXIT_FAILURE;

	struct service_options options = options_of(&given);
	char *real = realpath(argv[0], NULL);	/* what is changed belongs to this file */
	options.serves = real != NULL ? real : argv[0];
	options.config_path = options.serves;
	options.reread = reread;
	options.arg = argv[0];
	int result = serve(m, &options);
	free(real);
	return result;
}

static int run_check(int argc, char **argv)
{
	bool resolve = argc == 2 && strcmp(argv[0], "--resolve") == 0;
	const char *path = argc > 0 ? argv[argc - 1] : "-";

	if ((argc != 1 && !resolve) || path[0] == '-')
		return say_wrong("usage: balancerd check [--resolve] FILE");
	struct model *m = load(path);
	if (m == NULL)
		return EXIT_FAILURE;
	uint32_t unknown = resolve ? offline_resolve(m) : 0;
	if (unknown == 0)
		config_print_summary(m, path, stdout);
	model_put(m);
	return unknown == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_manual(int argc, char **argv)
{
	if (argc == 0)
		manual_print(stdout);
	else if (argc == 1 && strcmp(argv[0], "control") == 0)
		control_print_manual(stdout);
	else
		return say_wrong("usage: balancerd manual [control]");
	return EXIT_SUCCESS;
}

static int run_help(int argc, char **argv)
{
	(void)argc, (void)argv;
	usage(stdout);
	return EXIT_SUCCESS;
}

static int run_version(int argc, char **argv)
{
	(void)argc, (void)argv;
	puts("balancerd " VERSION);
	return EXIT_SUCCESS;
}

static const struct command commands[] = {
	{"http", "[-N connections] [-R requests] PORT SERVER...",
	 "balance HTTP on PORT over servers, each PORT or HOST:PORT", run_http,
	 true},
	{"tcp", "ADDRESS:PORT [SERVER...]",
	 "balance TCP connections over servers; they may be added later", run_tcp, true},
	{"kv", "[--clients ADDRESS:PORT] [--workers ...] ...",
	 "balance keys and values over workers, which join by themselves", run_kv,
	 true},
	{"run", "FILE", "serve by a configuration file", run_file, true},
	{"check", "[--resolve] FILE",
	 "say what is wrong with a configuration file, and with its names", run_check,
	 false},
	{"fmt", "[--write | --check] FILE",
	 "print a configuration file in the usual form, or write it so", offline_format,
	 false},
	{"manual", "[control]",
	 "print the manual page of the configuration file, or of the control interface",
	 run_manual, false},
	{"--help", "", "print this", run_help, false},
	{"--version", "", "print the version", run_version, false},
};

struct option_help {
	const char *option, *help;
};

static const struct option_help of_kv[] = {
	{"--clients ADDRESS:PORT", "where clients connect; " CONFIG_QUICK_KV_CLIENTS
	 " if not given"},
	{"--workers ADDRESS:PORT", "where workers connect; " CONFIG_QUICK_KV_WORKERS
	 " if not given"},
	{"--resp ADDRESS:PORT", "where clients of Redis connect, too"},
	{"--acks none|one|all", "how many other workers have a write before it is answered"},
};

static const struct option_help common[] = {
	{"--socket PATH", "the control socket, for balancerctl; also BALANCERD_SOCKET"},
	{"--name NAME", "what this balancer is called: its socket is NAME.sock"},
	{"--state DIR", "where changes of run time, and what names stand for, are kept"},
	{"--threads N", "threads that serve, instead of one for each core"},
};

static int usage(FILE *out)
{
	fputs("usage: balancerd COMMAND ...\n\n", out);
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		fprintf(out, "  balancerd %-9s %-46s %s\n", commands[i].name,
			commands[i].arguments, commands[i].help);
	fputs("\nOptions of kv:\n\n", out);
	for (size_t i = 0; i < COUNT_OF(of_kv); i++)
		fprintf(out, "  %-24s %s\n", of_kv[i].option, of_kv[i].help);
	fputs("\nOptions of http, tcp, kv and run, anywhere on the line:\n\n", out);
	for (size_t i = 0; i < COUNT_OF(common); i++)
		fprintf(out, "  %-15s %s\n", common[i].option, common[i].help);
	return EXIT_USAGE;
}

/* Before anything is taken out of the line. -1: there is a place to take, and it cannot be
 * had. */
static int note_origin(int argc, char **argv)
{
	struct err err;

	origin.argv = memory_new((size_t)argc + 1, sizeof *origin.argv);
	memcpy(origin.argv, argv, (size_t)argc * sizeof *argv);
	/* Now, while it is there: an upgrade replaces the file. */
	origin.program = realpath("/proc/self/exe", NULL);
	origin.takeover = takeover_open(&err);
	if (origin.takeover != NULL || *err.text == '\0')
		return 0;
	fprintf(stderr, "balancerd: %s\n", err.text);
	return -1;
}

static int run_command(const struct command *c, int argc, char **argv)
{
	if (!c->serves)
		return c->run(argc - 2, argv + 2);
	int result = note_origin(argc, argv) == 0 ? c->run(argc - 2, argv + 2)
						  : EXIT_FAILURE;
	takeover_close(origin.takeover);
	free(origin.argv);
	free(origin.program);
	return result;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr);
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return run_command(&commands[i], argc, argv);
	fprintf(stderr, "balancerd: unknown command \"%s\"\n", argv[1]);
	return usage(stderr);
}
