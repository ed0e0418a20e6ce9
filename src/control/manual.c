/* control/manual.c - the manual page of the interface, printed from its tables, so that
 * it says what is true. doc/balancerd-control.7 is this, kept; a test compares.
 */
#include <ctype.h>

#include "control/control.h"
#include "control/legacy.h"
#include "control/reply.h"
#include "control/routes.h"
#include "control/stream.h"

static const char beginning[] =
	".\\\" Printed by `balancerd manual control`; change the tables of src/control "
	"instead.\n"
	".Dd November 20, 2026\n"
	".Dt BALANCERD-CONTROL 7\n"
	".Os\n"
	".Sh NAME\n"
	".Nm balancerd-control\n"
	".Nd how a running balancerd is asked and changed\n"
	".Sh SYNOPSIS\n"
	".Nm curl\n"
	".Fl \\-unix\\-socket\n"
	".Pa /run/balancerd/default.sock\n"
	".Pa http://balancerd/v1/status\n"
	".Sh DESCRIPTION\n"
	"A running\n"
	".Xr balancerd 8\n"
	"answers HTTP/1.1 with JSON on a UNIX socket\n"
	"and, where the directive\n"
	".Ic control\n"
	"of\n"
	".Xr balancerd.conf 5\n"
	"asks for it, over TCP.\n"
	".Xr balancerctl 8\n"
	"uses nothing else.\n"
	"Who may write to the socket, which has mode 0660, may do everything.\n"
	"Over TCP each request needs\n"
	".Li Authorization: Bearer TOKEN ;\n"
	"the token is the first line of the file that the directive names,\n"
	"which nobody but its owner may be able to read.\n"
	"With the token of\n"
	".Cm read\\-token\n"
	"one may only look.\n"
	".Pp\n"
	"Answers are JSON objects, but for metrics, the page, events and the log.\n"
	"Their\n"
	".Li ETag\n"
	"is the version of all that is configured,\n"
	"another one after each change whoever made it.\n"
	"A change may carry\n"
	".Li If\\-Match ;\n"
	"where that names another version, nothing is changed.\n"
	"A member or an argument that is unknown is an error,\n"
	"and so is a body or a query where none is taken;\n"
	"the type of a body is not looked at.\n"
	".Sh REQUESTS\n"
	".Em POOL\n"
	"is a pool's name,\n"
	".Em SERVER\n"
	"a server's address, or its port alone;\n"
	"a slash in one of them is written as\n"
	".Li %2F .\n"
	"What is marked\n"
	".Em change\n"
	"cannot be asked with a read token,\n"
	"and not by a page of another origin;\n"
	"what is marked\n"
	".Em open\n"
	"needs no token.\n"
	".Bl -tag -width Ds\n";

static const char between[] =
	".El\n"
	".Sh ERRORS\n"
	"An error is\n"
	".Bd -literal -offset indent\n"
	"{\"error\": {\"code\": \"...\", \"message\": \"...\", \"field\": \"...\"}}\n"
	".Ed\n"
	".Pp\n"
	"with a code for programs, a sentence for people and,\n"
	"where a member of the request is wrong, its name.\n"
	"Nothing has changed then.\n"
	".Bl -column 000 state-not-written\n";

static const char ending[] =
	".Sh SEE ALSO\n"
	".Xr balancerd.conf 5 ,\n"
	".Xr balancerctl 8 ,\n"
	".Xr balancerd 8\n";

/* A path with what stands for something else marked. */
static void print_path(FILE *out, const char *path)
{
	bool stands = false;	/* for something else */

	for (; *path != '\0'; path++) {
		if (*path == '{' || *path == '}') {
			stands = *path == '{';
			fputs(stands ? "\\fI" : "\\fP", out);
		} else {
			fputc(stands ? toupper((unsigned char)*path) : *path, out);
		}
	}
}

static void print_route(FILE *out, const struct route *route)
{
	fprintf(out, ".It Ic %s ", routes_method_text(route->method));
	print_path(out, route->path);
	if (route->role == ROLE_CHANGE)
		fputs(" No \\(em Em change", out);
	else if (route->role == ROLE_NONE)
		fputs(" No \\(em Em open", out);
	fprintf(out, "\n%s\n", route->help);
	if (route->query != NULL && *route->query != '\0')
		fprintf(out, ".br\nquery:\n.Li %s\n", route->query);
	if (route->body != NULL)
		fprintf(out, ".br\nbody:\n.Bd -literal -compact\n%s\n.Ed\n", route->body);
}

static void print_legacy(FILE *out)
{
	fputs(".Sh LEGACY CALLS\n"
	      "A listener with\n"
	      ".Ic admin legacy\n"
	      "answers these about one pool that makes its servers,\n"
	      "without a token:\n"
	      ".Bl -tag -width Ds\n", out);
	for (uint32_t i = 0; i < legacy_route_count; i++)
		print_route(out, &legacy_routes[i]);
	fputs(".El\n"
	      "They answer\n"
	      ".Bd -literal -offset indent\n"
	      "{\"message\":{\"N\":2,\"replicas\":[\"S1\",\"S2\"]},"
	      "\"status\":\"successful\"}\n"
	      "{\"message\":\"<Error> ...\",\"status\":\"failure\"}\n"
	      ".Ed\n", out);
}

static void print_limits(FILE *out)
{
	fprintf(out, ".Sh LIMITS\n"
		"There are at most %d connections at once,\n"
		"of which %d may be over TCP;\n"
		"who comes after them gets 503.\n",
		CONTROL_CONNECTIONS_MAX, CONTROL_TCP_MAX);
	fprintf(out, "Up to %d answers may go on, %d of them over TCP;\n"
		"one that nobody takes anything of for %d s is ended.\n",
		STREAMS_MAX, STREAMS_TCP_MAX, CONTROL_WRITE_MS / 1000);
	fprintf(out, "Among those over TCP are up to %d whose legacy calls\n"
		"listeners have handed over.\n", CONTROL_HANDED_MAX);
	fprintf(out, "An answer that has to wait for servers comes after %d s "
		"at the latest.\n", CONTROL_WAITING_MS / 1000);
	fprintf(out, "A head has at most %d bytes, a body %d.\n", CONTROL_HEAD_MAX,
		CONTROL_BODY_MAX);
	fprintf(out, "A connection is closed when a head takes longer than %d s,\n"
		"a body longer than %d s, when nothing of an answer is taken for %d s,\n"
		"and after %d s without a request.\n",
		CONTROL_HEAD_MS / 1000, CONTROL_BODY_MS / 1000,
		CONTROL_WRITE_MS / 1000, CONTROL_IDLE_MS / 1000);
}

void control_print_manual(FILE *out)
{
	fputs(beginning, out);
	for (uint32_t i = 0; i < control_route_count; i++)
		print_route(out, &control_routes[i]);
	fputs(between, out);
	reply_print_codes(out);
	fputs(".El\n", out);
	print_legacy(out);
	print_limits(out);
	fputs(ending, out);
}
