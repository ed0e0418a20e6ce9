/* daemon/main.c - balancerd: the command line.
 *
 *   balancerd http [-N connections] [-R requests] PORT SERVER...
 *   balancerd run [--threads N] FILE
 *   balancerd check FILE
 *
 * Exit codes: 0 done; 1 it could not start, or the file has errors; 2 the command line
 * is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/version.h"
#include "config/config.h"
#include "config/manual.h"
#include "daemon/service.h"

enum { EXIT_USAGE = 2 };

static const char version[] = "balancerd " VERSION;

struct command {
	const char *name;
	const char *arguments;
	const char *help;
	int (*run)(int argc, char **argv);	/* what follows the command's name */
};

static int usage(FILE *out);

static int say_wrong(const char *what)
{
	fprintf(stderr, "balancerd: %s\n", what);
	return EXIT_USAGE;
}

/* Serves by m, which is given, until a signal ends it. */
static int serve(struct model *m, const struct service_options *options)
{
	struct err err;
	struct service *s = service_start(m, options, &err);

	if (s == NULL) {
		fprintf(stderr, "balancerd: %s\n", err.text);
		return EXIT_FAILURE;
	}
	service_run(s);
	service_stop(s);
	return EXIT_SUCCESS;
}

static int run_http(int argc, char **argv)
{
	struct err err;
	struct model *m = config_quick_http(argc, argv, &err);

	if (m == NULL)
		return say_wrong(err.text);
	return serve(m, &(struct service_options){0});
}

/* Reads the file; its errors and warnings go to standard error. */
static struct model *load(const char *path)
{
	struct config_report *report = memory_new(1, sizeof *report);
	struct model *m = config_load(path, report);

	report_print(report, stderr);
	free(report);
	return m;
}

/* The same while running: each problem is a line of the log. */
static struct model *reread(void *arg)
{
	struct config_report *report = memory_new(1, sizeof *report);
	struct model *m = config_load(arg, report);

	for (uint32_t i = 0; i < report->count; i++) {
		const struct config_problem *p = &report->problems[i];
		log_write(p->is_warning ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR, "%s:%u:%u: %s",
			  report->name, p->at.line, p->at.column, p->text);
	}
	if (m == NULL)
		log_error("reload refused, nothing has changed: %u errors in %s",
			  report->error_count, report->name);
	free(report);
	return m;
}

static int run_file(int argc, char **argv)
{
	struct service_options options = {.reread = reread};
	char *path = NULL;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
			uint64_t n;
			if (!span_to_u64(span_of(argv[++i]), &n) || n < 1 || n > MODEL_LOOPS_MAX)
				return say_wrong("--threads takes a number from 1 to 64");
			options.threads = (uint32_t)n;
		} else if (argv[i][0] == '-' || path != NULL) {
			return say_wrong("usage: balancerd run [--threads N] FILE");
		} else {
			path = argv[i];
		}
	}
	if (path == NULL)
		return say_wrong("usage: balancerd run [--threads N] FILE");
	options.arg = path;
	struct model *m = load(path);
	return m != NULL ? serve(m, &options) : EXIT_FAILURE;
}

static int run_check(int argc, char **argv)
{
	if (argc != 1 || argv[0][0] == '-')
		return say_wrong("usage: balancerd check FILE");
	struct model *m = load(argv[0]);
	if (m == NULL)
		return EXIT_FAILURE;
	config_print_summary(m, argv[0], stdout);
	model_put(m);
	return EXIT_SUCCESS;
}

static int run_manual(int argc, char **argv)
{
	(void)argv;
	if (argc != 0)
		return say_wrong("usage: balancerd manual");
	manual_print(stdout);
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
	puts(version);
	return EXIT_SUCCESS;
}

static const struct command commands[] = {
	{"http", "[-N connections] [-R requests] PORT SERVER...",
	 "balance HTTP on PORT over servers, each PORT or HOST:PORT", run_http},
	{"run", "[--threads N] FILE", "serve by a configuration file", run_file},
	{"check", "FILE", "say what is wrong with a configuration file", run_check},
	{"manual", "", "print the manual page of the configuration file", run_manual},
	{"--help", "", "print this", run_help},
	{"--version", "", "print the version", run_version},
};

static int usage(FILE *out)
{
	fputs("usage: balancerd COMMAND ...\n\n", out);
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		fprintf(out, "  balancerd %-9s %-46s %s\n", commands[i].name,
			commands[i].arguments, commands[i].help);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr);
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, argv + 2);
	fprintf(stderr, "balancerd: unknown command \"%s\"\n", argv[1]);
	return usage(stderr);
}
