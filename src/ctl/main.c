/* ctl/main.c - balancerctl: the command line is read, the command runs, and what went
 * wrong is said once, in one line.
 */
#include <signal.h>
#include <stdio.h>

#include "base/version.h"
#include "ctl/call.h"
#include "ctl/help.h"

static enum outcome run(struct call *call, uint32_t count, struct err *err)
{
	uint32_t used;

	if (option_given(&call->options, OPTION_VERSION)) {
		puts("balancerctl " VERSION);
		return OUTCOME_DONE;
	}
	bool wants_help = option_given(&call->options, OPTION_HELP);
	if (count == 0 && wants_help) {
		help_print_all(&call->paper, stdout);
		return OUTCOME_DONE;
	}
	if (count == 0) {
		help_print_all(&call->paper, stderr);
		*err->text = '\0';	/* there is no more to say */
		return OUTCOME_WRONG;
	}
	call->command = command_find(call->words, count, &used, err);
	if (call->command == NULL)
		return OUTCOME_WRONG;
	if (wants_help && call->command->help != NULL) {
		help_print(call->command, &call->paper, stdout);
		return OUTCOME_DONE;
	}
	call->words += used;
	call->word_count = count - used;
	if (command_check(call->command, &call->options, call->word_count, err) != 0)
		return OUTCOME_WRONG;
	return call->command->run(call, err);
}

int main(int argc, char **argv)
{
	struct call call = {.words = argv + 1};
	enum outcome outcome = OUTCOME_WRONG;
	uint32_t count;
	struct err err;

	signal(SIGPIPE, SIG_DFL);	/* `balancerctl list | head` ends quietly */
	if (argc > 0 && ctl_options_read(&call.options, argc - 1, call.words, &count,
					 &err) == 0) {
		call_init(&call);
		outcome = run(&call, count, &err);
		call_fini(&call);
	}
	if (fflush(stdout) != 0 && outcome == OUTCOME_DONE) {
		err_sys(&err, "cannot write");
		outcome = OUTCOME_FAILED;
	}
	if (outcome != OUTCOME_DONE && *err.text != '\0')
		fprintf(stderr, "balancerctl: %s\n", err.text);
	return outcome;
}
