/* store/main.c - kv-worker: holds all data of a pool in memory, for balancerd in
 * key-value mode. The command line, and the life of the whole.
 *
 * Exit codes: 0 told to stop; 1 it could not start, or had to leave the pool; 2 the
 * command line is wrong.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/descriptors.h"
#include "base/log.h"
#include "base/log_writer.h"
#include "store/member.h"

enum { EXIT_USAGE = 2 };

static int say_failed(const struct err *err)
{
	fprintf(stderr, "kv-worker: %s\n", err->text);
	return EXIT_FAILURE;
}

/* All its threads are of the store: none waits for its own line of the log. */
static int serve(const struct worker_options *o)
{
	static struct member member;
	struct err err;

	signals_block();
	descriptors_raise();
	if (log_writer_begin(&err) != 0)
		return say_failed(&err);
	log_hurry();
	if (member_open(&member, o, &err) != 0) {
		log_writer_end();	/* first what led to it */
		return say_failed(&err);
	}
	printf("kv-worker %u: peers at %s\n", member.id, member.peers_at.text);
	fflush(stdout);
	int result = member_run(&member);
	member_close(&member);
	log_info("stopped");
	log_writer_end();
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct worker_options options;
	struct err err;

	if (worker_options_read(&options, argc, argv, &err) != 0) {
		fprintf(stderr, "kv-worker: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (options.help) {
		worker_options_print(stdout);
		return EXIT_SUCCESS;
	}
	return serve(&options);
}
