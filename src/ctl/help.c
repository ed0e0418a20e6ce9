#include "ctl/help.h"

#include <string.h>

#include "base/must.h"
#include "ctl/call.h"

enum { HELP_WIDTH = 79, OPTION_WIDTH = 21, COMMAND_WIDTH = 30 };

/* Words, broken into lines that begin so far from the edge; the first of them does
 * already. */
static void print_wrapped(const char *text, int indent, FILE *out)
{
	size_t room = (size_t)(HELP_WIDTH - indent), column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");
		if (column > 0 && column + 1 + len > room) {
			fprintf(out, "\n%*s", indent, "");
			column = 0;
		}
		fprintf(out, "%s%.*s", column == 0 ? "" : " ", (int)len, text);
		column += len + (column > 0);
		text += len;
		text += *text == ' ';
	}
	fputc('\n', out);
}

static void print_option(enum option_id id, FILE *out)
{
	const struct option *o = &option_table[id];
	char left[64];

	snprintf(left, sizeof left, "--%s%s%s", o->name, o->argument != NULL ? " " : "",
		 o->argument != NULL ? o->argument : "");
	fprintf(out, "  %-*s  ", OPTION_WIDTH, left);
	print_wrapped(o->help, OPTION_WIDTH + 4, out);
}

static void print_options(uint32_t bits, FILE *out)
{
	for (enum option_id id = 0; id < OPTIONS; id++)
		if ((bits & OPTION_BIT(id)) != 0)
			print_option(id, out);
}

void help_print_all(const struct paper *paper, FILE *out)
{
	const char *bold = paper_style(paper, STYLE_BOLD);
	const char *plain = paper_style(paper, STYLE_PLAIN);

	fprintf(out, "%susage:%s balancerctl COMMAND ...\n\n%sCommands%s\n", bold, plain,
		bold, plain);
	for (uint32_t i = 0; i < command_count; i++)
		if (command_table[i].help != NULL)
			fprintf(out, "  %-*s  %s\n", COMMAND_WIDTH,
				command_usage(&command_table[i]).text,
				command_table[i].help);
	fprintf(out, "\n%sWhich balancer%s, if it is not the only one on this machine\n",
		bold, plain);
	print_options(OPTIONS_TARGET & ~OPTION_BIT(OPTION_TIMEOUT), out);
	fprintf(out, "\n%sOptions of all commands%s, anywhere on the line\n", bold,
		plain);
	print_options(OPTION_BIT(OPTION_TIMEOUT) | OPTIONS_ALWAYS |
		      OPTION_BIT(OPTION_VERSION), out);
	fprintf(out, "\nMore about one of them: balancerctl help COMMAND. All of it: man "
		"balancerctl.\n");
}

void help_print(const struct command *c, const struct paper *paper, FILE *out)
{
	const char *bold = paper_style(paper, STYLE_BOLD);
	const char *plain = paper_style(paper, STYLE_PLAIN);
	uint32_t own = c->options & ~OPTIONS_TARGET;

	fprintf(out, "%susage:%s balancerctl %s\n\n", bold, plain,
		command_usage_full(c).text);
	fprintf(out, "  %c%s.\n", c->help[0] - 'a' + 'A', c->help + 1);
	if (c->more != NULL) {
		fputs("  ", out);
		print_wrapped(c->more, 2, out);
	}
	fprintf(out, "\n%sOptions%s\n", bold, plain);
	print_options(own, out);
	print_options(c->options & OPTIONS_TARGET, out);
	print_options(OPTIONS_ALWAYS, out);
}

enum outcome ctl_help(struct call *call, struct err *err)
{
	uint32_t used;

	if (call->word_count == 0) {
		help_print_all(&call->paper, stdout);
		return OUTCOME_DONE;
	}
	const struct command *c = command_find(call->words, call->word_count, &used, err);
	if (c == NULL)
		return OUTCOME_WRONG;
	if (c->help == NULL)
		return outcome_set(err, OUTCOME_WRONG, "\"%s\" is for programs", c->name);
	help_print(c, &call->paper, stdout);
	return OUTCOME_DONE;
}
