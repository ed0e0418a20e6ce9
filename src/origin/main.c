/* origin/main.c - origin, a small multi-threaded HTTP server for demos and tests.
 *
 * Serves the files of a directory, answers health checks with its counts, makes
 * bodies of any size, and misbehaves in measured ways when told to; a balancer that owns
 * its servers may start it as one of them. Reads the command line, starts the server,
 * and waits for a signal to end it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/descriptors.h"
#include "origin/options.h"
#include "origin/routes.h"
#include "origin/server.h"

enum { EXIT_WELL = 0, EXIT_CANNOT_RUN = 1, EXIT_USAGE = 2 };

static void say_ports(const struct server *s)
{
	const char *address = s->options->address;
	bool v6 = strchr(address, ':') != NULL;

	for (unsigned i = 0; i < s->options->port_count; i++)
		printf(v6 ? "listening on [%s]:%u\n" : "listening on %s:%u\n", address,
		       s->ports[i]);
	fflush(stdout);
}

static int serve(const struct options *o)
{
	struct server server;
	struct err err;
	sigset_t ends;
	int received;

	/* Blocked in every thread, taken by sigwait below. That also works as process 1
	 * of a container, where a signal that is neither blocked nor handled is lost. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	descriptors_raise();

	if (origin_server_start(&server, o, &err) != 0) {
		fprintf(stderr, "origin: %s\n", err.text);
		return EXIT_CANNOT_RUN;
	}
	say_ports(&server);
	sigwait(&ends, &received);
	origin_server_stop(&server);
	return EXIT_WELL;
}

int main(int argc, char **argv)
{
	const struct options_environment environment = {
		.server_id = getenv("SERVER_ID"), .port = getenv("PORT"),
		.address = getenv("ADDRESS"),
	};
	struct options options;
	struct err err;

	if (origin_options_read(&options, argc, argv, &environment, &err) != 0) {
		fprintf(stderr, "origin: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (options.help) {
		origin_options_print(stdout);
		origin_routes_print(stdout);
		return EXIT_WELL;
	}
	return serve(&options);
}
