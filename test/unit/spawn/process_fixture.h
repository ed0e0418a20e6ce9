/* An engine of processes at work in a folder of its own, one task at a time. Real
 * programs run; waiting ends when something has happened, or the test has failed. */
#ifndef TEST_UNIT_SPAWN_PROCESS_FIXTURE_H
#define TEST_UNIT_SPAWN_PROCESS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "loop/loop.h"
#include "spawn/driver.h"

enum { PATIENCE_MS = 30 * 1000 };

static struct fixture {
	char folder[64];
	char log[96];
	struct loop *loop;
	struct model_own own;
	struct spawn_engine *engine;
	uint32_t gone;			/* have ended by themselves; the last: */
	char gone_id[SPAWN_ID_MAX + 1], gone_why[128];
} here;

static inline void fixture_on_gone(void *arg, const char *id, const char *why)
{
	(void)arg;
	here.gone++;
	snprintf(here.gone_id, sizeof here.gone_id, "%s", id);
	snprintf(here.gone_why, sizeof here.gone_why, "%s", why);
}

/* Runs turns until `seen` is true once, and fails when that does not come. It is not asked
 * again then: what is looked for in /proc may be hidden for a moment by an execve. */
#define WAIT_UNTIL(seen)                                                          \
	do {                                                                      \
		uint64_t end_us = loop_clock_us() + PATIENCE_MS * 1000ull;        \
		bool has_come;                                                    \
		while (!(has_come = (seen)) && loop_clock_us() < end_us)          \
			loop_turn(here.loop, 20);                                 \
		assert_true(has_come);                                            \
	} while (0)

static inline struct spawn_engine *fixture_engine(const char *pool, struct err *err)
{
	const struct spawn_place place = {
		.loop = here.loop, .balancer = "test", .pool = pool, .state = here.folder,
		.own = &here.own, .on_gone = fixture_on_gone,
	};
	return spawn_process.open(&place, err);
}

static inline void fixture_open(void)
{
	struct err err;

	here.engine = fixture_engine("web", &err);
	if (here.engine == NULL)
		print_error("%s\n", err.text);
	assert_non_null(here.engine);
}

static inline void fixture_close(void)
{
	spawn_process.close(here.engine);
	here.engine = NULL;
}

/* The command is a script for /bin/sh; `sh -c` becomes it, so it leads its group. */
static inline void fixture_script(const char *script)
{
	static char *words[4];

	free(words[2]);
	words[0] = (char *)"/bin/sh";
	words[1] = (char *)"-c";
	words[2] = memory_text(script);
	here.own.command = words;
	here.own.command_count = 3;
}

static inline int fixture_setup(void **unused)
{
	struct err err;

	(void)unused;
	here = (struct fixture){.folder = "/tmp/balancerd-process-XXXXXX"};
	assert_non_null(mkdtemp(here.folder));
	snprintf(here.log, sizeof here.log, "%s/log", here.folder);
	assert_int_equal(log_open(here.log, &err), 0);
	here.loop = loop_create(&err);
	assert_non_null(here.loop);
	here.own.driver = OWN_PROCESS;
	here.own.directory = here.folder;
	fixture_script("exec sleep 1000");
	fixture_open();
	return 0;
}

static inline int fixture_unlink(const char *path, const struct stat *st, int kind,
				 struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

/* ---- tasks ---- */

struct asked {
	struct spawn_task task;
	bool done;
	enum spawn_result result;
	struct err err;
	struct spawn_server found[64];
	uint32_t found_count;
};

static inline void fixture_on_done(struct spawn_task *t, enum spawn_result result,
				   const struct err *err)
{
	struct asked *a = (struct asked *)(void *)t;	/* its first member */

	a->done = true;
	a->result = result;
	a->err = *err;
	a->found_count = t->found_count;
	assert_true(t->found_count <= 64);
	for (uint32_t i = 0; i < t->found_count; i++)
		a->found[i] = t->found[i];
}

static inline void fixture_begin(struct asked *a)
{
	*a = (struct asked){.task.on_done = fixture_on_done};
}

static inline void fixture_wait(struct asked *a)
{
	assert_false(a->done);		/* not out of the call */
	assert_non_null(a->task.inside);
	WAIT_UNTIL(a->done);
	assert_null(a->task.inside);
}

static inline enum spawn_result start_in(struct spawn_engine *e, const char *name,
					 struct asked *a)
{
	fixture_begin(a);
	spawn_process.start(e, name, &a->task);
	fixture_wait(a);
	return a->result;
}

static inline struct spawn_server start(const char *name)
{
	struct asked a;

	if (start_in(here.engine, name, &a) != SPAWN_DONE)
		print_error("%s\n", a.err.text);
	assert_int_equal(a.result, SPAWN_DONE);
	return a.task.server;
}

static inline void stop(const struct spawn_server *s, uint32_t grace_ms)
{
	struct asked a;

	fixture_begin(&a);
	spawn_process.stop(here.engine, s, grace_ms, &a.task);
	fixture_wait(&a);
	if (a.result != SPAWN_DONE)
		print_error("%s\n", a.err.text);
	assert_int_equal(a.result, SPAWN_DONE);
}

static inline void list_in(struct spawn_engine *e, struct asked *a)
{
	fixture_begin(a);
	spawn_process.list(e, &a->task);
	fixture_wait(a);
}

/* A test that has failed leaves no process either. */
static inline int fixture_teardown(void **unused)
{
	struct err err;

	(void)unused;
	if (here.engine == NULL)
		here.engine = fixture_engine("web", &err);
	if (here.engine != NULL) {
		struct asked a;
		list_in(here.engine, &a);
		for (uint32_t i = 0; i < a.found_count; i++)
			stop(&a.found[i], 0);
		fixture_close();
	}
	loop_destroy(here.loop);
	log_open(NULL, &err);
	nftw(here.folder, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

#endif
