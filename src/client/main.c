/* client/main.c - kv-client: the command line is read, and what it asks for is done:
 * commands at a prompt, from standard input or from the line itself, or a load.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "base/version.h"
#include "client/commands.h"
#include "client/find.h"
#include "client/load.h"
#include "client/shell.h"

static void print_help(void)
{
	fputs("usage: kv-client [OPTION]... [COMMAND]\n"
	      "       kv-client load [OPTION]...\n\n"
	      "Without a command it asks for commands at a terminal, or reads them from\n"
	      "standard input, one on a line.\n\nCommands:\n", stdout);
	kv_command_print(stdout);
	fputs("\nOptions:\n", stdout);
	kv_options_print(stdout);
	fputs("\nkv-client of balancerd " VERSION "\n", stdout);
}

/* Any number of words, none for standard input. */
static int run_commands(struct loop *loop, const struct address *address,
			 const struct options *o, char *const *words, uint32_t count)
{
	static struct ask ask;		/* large, for it holds a buffer to receive into */
	int code;

	ask_init(&ask, loop, address, (uint8_t)o->version, o->timeout_ms);
	if (count > 0) {
		code = shell_run_words(&ask, o, words, count);
	} else if (isatty(STDIN_FILENO)) {
		code = shell_run_prompt(&ask, o);
	} else {
		code = shell_run_script(&ask, o, stdin);
	}
	ask_fini(&ask);
	return code;
}

static int run(const struct options *o, char *const *words, uint32_t count)
{
	bool loads = count > 0 && strcmp(words[0], "load") == 0;
	struct address address;
	int code = EXIT_FAILED;
	struct err err;

	int wrong = kv_options_check(o, loads, &err);
	if (wrong == 0 && loads && count > 1)
		wrong = err_set(&err, "load takes options only, no words; see kv-client "
				"--help");
	if (wrong != 0) {
		fprintf(stderr, "kv-client: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (loads) {
		signals_block();
		descriptors_raise();
	}
	struct loop *loop = loop_create(&err);
	if (loop == NULL || find_balancer(loop, o->balancer, &address, &err) != 0)
		fprintf(stderr, "kv-client: %s\n", err.text);
	else if (loads)
		code = load_run(loop, &address, o);
	else
		code = run_commands(loop, &address, o, words, count);
	if (loop != NULL)
		loop_destroy(loop);
	return code;
}

int main(int argc, char **argv)
{
	struct options options;
	uint32_t count;
	struct err err;

	signal(SIGPIPE, SIG_DFL);	/* `kv-client stats | head` ends quietly */
	if (argc < 1 ||
	    kv_options_read(&options, argc - 1, argv + 1, &count, &err) != 0) {
		fprintf(stderr, "kv-client: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (option_given(&options, OPTION_HELP)) {
		print_help();
		return EXIT_WELL;
	}
	int code = run(&options, argv + 1, count);
	if (fflush(stdout) != 0 && code == EXIT_WELL) {
		perror("kv-client: cannot write");
		code = EXIT_FAILED;
	}
	return code;
}
