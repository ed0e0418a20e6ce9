#include "ctl/manual.h"

#include <string.h>

#include "base/must.h"
#include "base/roff.h"
#include "ctl/call.h"

/* `Ar ADDRESS PORT` or `Op Ar FILE`, as macros: words in capitals are to be replaced,
 * in brackets may be left out, others are written as they are. */
static void print_arguments(const char *arguments, FILE *out)
{
	while (*arguments != '\0') {
		size_t len = strcspn(arguments, " ");
		bool optional = *arguments == '[';
		const char *word = arguments + optional;
		size_t word_len = optional ? len - 2 : len;
		bool is_name = *word >= 'A' && *word <= 'Z';
		fprintf(out, ".%s%s %.*s\n", optional ? "Op " : "", is_name ? "Ar" : "Cm",
			(int)word_len, word);
		arguments += len;
		arguments += *arguments == ' ';
	}
}

static void print_option_name(const struct option *o, const char *before, FILE *out)
{
	fprintf(out, "%sFl \\-", before);
	roff_sentences(out, o->name);
	if (o->argument != NULL)
		fprintf(out, " Ar %s", o->argument);
	fputc('\n', out);
}

static void print_command(const struct command *c, FILE *out)
{
	fprintf(out, ".It Xo\n.Ic %s%s%s\n", c->name, c->second != NULL ? " " : "",
		c->second != NULL ? c->second : "");
	print_arguments(c->arguments, out);
	for (enum option_id id = 0; id < OPTIONS; id++)
		if ((c->options & OPTION_BIT(id) & ~OPTIONS_TARGET) != 0)
			print_option_name(&option_table[id], ".Op ", out);
	fprintf(out, ".Xc\n%c", c->help[0] - 'a' + 'A');
	roff_sentences(out, c->help + 1);
	fputs(".\n", out);
	if (c->more != NULL) {
		roff_sentences(out, c->more);
		fputc('\n', out);
	}
}

static void print_options(FILE *out)
{
	fprintf(out, ".Sh OPTIONS\nThey stand anywhere on the line, as\n"
		".Fl \\-limit Cm 30s\nor\n.Fl \\-limit Ns = Ns Cm 30s ;\n"
		"behind\n.Fl \\-\n"
		"there are none.\nA\n.Ar TIME\nis a number and one of the units\n"
		".Cm ms , s , m\nand\n.Cm h .\n.Bl -tag -width Ds\n");
	for (enum option_id id = 0; id < OPTIONS; id++) {
		const struct option *o = &option_table[id];
		print_option_name(o, ".It ", out);
		fprintf(out, "%c", o->help[0] >= 'a' && o->help[0] <= 'z' ?
			o->help[0] - 'a' + 'A' : o->help[0]);
		roff_sentences(out, o->help + 1);
		fputs(".\n", out);
	}
	fprintf(out, ".El\n");
}

static void print_exit_codes(FILE *out)
{
	fprintf(out, ".Sh EXIT STATUS\n.Bl -tag -width Ds -compact\n");
	for (int i = 0; i < OUTCOMES; i++) {
		fprintf(out, ".It %d\n", i);
		roff_sentences(out, outcome_meanings[i]);
		fputc('\n', out);
	}
	fprintf(out, ".El\n");
}

static const char beginning[] =
	".\\\" Printed by `balancerctl manual`; change the tables of src/ctl instead.\n"
	".Dd November 20, 2026\n"
	".Dt BALANCERCTL 8\n"
	".Os\n"
	".Sh NAME\n"
	".Nm balancerctl\n"
	".Nd start, steer and stop a balancer\n"
	".Sh SYNOPSIS\n"
	".Nm\n"
	".Op Fl \\-socket Ar PATH | Fl \\-name Ar NAME | "
	"Fl \\-url Ar URL Fl \\-token\\-file Ar FILE\n"
	".Op Fl \\-json\n"
	".Ar COMMAND ...\n"
	".Sh DESCRIPTION\n"
	".Nm\n"
	"asks a running\n"
	".Xr balancerd 8\n"
	"through its control socket, and starts one.\n"
	"Changes take effect at once, lose no connection, and are kept over a restart.\n"
	"Each command says in one line what it did,\n"
	"and ends with 0 only when it is done;\n"
	"what is wrong is one line on standard error.\n"
	"Tables are aligned and coloured on a terminal, unless\n"
	".Ev NO_COLOR\n"
	"is set, and plain text with tabs in a pipe.\n"
	".Sh COMMANDS\n"
	".Bl -tag -width Ds\n";

static const char ending[] =
	".Sh WHICH BALANCER\n"
	"The socket is the first of these that is given:\n"
	".Fl \\-socket ,\n"
	".Fl \\-name ,\n"
	"the environment's\n"
	".Ev BALANCERD_SOCKET ,\n"
	"the name\n"
	".Dq default .\n"
	"The socket of a name is\n"
	".Pa /run/balancerd/NAME.sock\n"
	"for root, otherwise\n"
	".Pa $XDG_RUNTIME_DIR/balancerd/NAME.sock ,\n"
	"or where that is not set\n"
	".Pa /tmp/balancerd\\-UID/NAME.sock .\n"
	"Who may write to the socket may do everything.\n";

static const char examples[] =
	".Sh EXAMPLES\n"
	"Balance port 5432 over two servers, then replace one of them:\n"
	".Bd -literal -offset indent\n"
	"balancerctl start 0.0.0.0 5432 db1:5432 db2:5432\n"
	"balancerctl add db3 5432\n"
	"balancerctl remove db1 5432 \\-\\-limit 1m\n"
	"balancerctl list\n"
	".Ed\n"
	".Pp\n"
	"All servers that are down, in a script:\n"
	".Pp\n"
	".Dl balancerctl list | awk \\-F '\\et' '$3 == \\(dqdown\\(dq { print $1 }'\n"
	".Pp\n"
	"The same questions without this program:\n"
	".Pp\n"
	".Dl curl \\-\\-unix\\-socket /run/balancerd/default.sock "
	"http://balancerd/v1/status\n"
	".Sh SEE ALSO\n"
	".Xr balancerd.conf 5 ,\n"
	".Xr balancerd\\-control 7 ,\n"
	".Xr balancerd 8\n";

void ctl_manual_print(FILE *out)
{
	fputs(beginning, out);
	for (uint32_t i = 0; i < command_count; i++)
		if (command_table[i].help != NULL)
			print_command(&command_table[i], out);
	fputs(".El\n", out);
	print_options(out);
	fputs(ending, out);
	print_exit_codes(out);
	fputs(examples, out);
}

enum outcome ctl_manual(struct call *call, struct err *err)
{
	(void)call, (void)err;
	ctl_manual_print(stdout);
	return OUTCOME_DONE;
}
