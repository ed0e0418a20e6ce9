#include "ctl/follow.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/must.h"
#include "ctl/wait.h"

enum { LOOK_EVERY_MS = 200 };

/* One question, or several after each other. */
struct followed {
	struct call   *call;
	struct follow *follow;
	struct client_reading reading;
	char  *line;			/* owned: what has come of the one at hand */
	size_t len;
	pid_t  before;			/* who was asked before; 0: not known, or nobody */
	bool   looks;			/* the next one has not said anything yet */
};

static void end_line(struct followed *f)
{
	f->line[f->len] = '\0';
	f->len = 0;
	f->follow->on_line(f->follow, f->line);
}

static void say_found(struct followed *f)
{
	paper_waited(&f->call->paper);
	if (!f->call->paper.quiet)
		fputs("balancerctl: another balancer answers now\n", stderr);
}

static void on_bytes(void *arg, const char *bytes, size_t len)
{
	struct followed *f = arg;

	if (f->looks && (f->reading.peer == 0 || f->reading.peer != f->before))
		say_found(f);
	f->looks = false;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n' || f->len == FOLLOW_LINE_MAX)
			end_line(f);
		if (bytes[i] != '\n')
			f->line[f->len++] = bytes[i];
	}
	fflush(stdout);
}

/* SIGINT and SIGTERM end what goes on, and nothing else: they come by this descriptor. */
static int catch_signals(void)
{
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGINT);
	sigaddset(&both, SIGTERM);
	must(sigprocmask(SIG_BLOCK, &both, NULL) == 0);
	return signalfd(-1, &both, SFD_CLOEXEC);
}

/* Whether somebody has ended it. */
static bool pause_a_moment(const struct followed *f)
{
	return wait_for(f->reading.stop, -1, LOOK_EVERY_MS).first;
}

/* The answer has ended: asks the next balancer, once there is one. After one that had
 * nothing to say there is a moment between, whoever ended it. */
static enum outcome ask_next(struct followed *f, struct err *err)
{
	struct call *call = f->call;
	int64_t until = wait_until(FOLLOW_AGAIN_MS);
	char path[CLIENT_PATH_MAX];
	enum outcome outcome;

	if (f->looks && pause_a_moment(f)) {
		f->reading.end = CLIENT_STOPPED;
		return OUTCOME_DONE;
	}
	f->before = f->reading.peer;
	f->looks = true;
	f->len = 0;
	for (;;) {
		f->follow->ask_again(f->follow, path);
		outcome = call_follow(call, path, &f->reading, err);
		if (outcome != OUTCOME_NO_BALANCER || wait_left(until, 1) == 0 ||
		    wait_left(call->deadline, 1) == 0)
			break;
		paper_wait(&call->paper, "the balancer has ended; looking for the next one");
		if (pause_a_moment(f)) {
			f->reading.end = CLIENT_STOPPED;
			outcome = OUTCOME_DONE;
			break;
		}
	}
	paper_waited(&call->paper);
	if (outcome == OUTCOME_NO_BALANCER)
		outcome_set(err, outcome, "the balancer has ended, and no other is running "
			    "there");
	return outcome;
}

enum outcome follow_run(struct call *call, struct follow *follow, const char *path,
			struct err *err)
{
	struct followed f = {.call = call, .follow = follow};
	bool goes_on = follow->ask_again != NULL;

	f.line = memory_new(FOLLOW_LINE_MAX + 1, 1);
	f.reading = (struct client_reading){
		.on_bytes = on_bytes, .arg = &f, .goes_on = goes_on,
		.stop = goes_on ? catch_signals() : -1,
	};
	enum outcome outcome = call_follow(call, path, &f.reading, err);
	while (outcome == OUTCOME_DONE && f.reading.end == CLIENT_ENDED && goes_on)
		outcome = ask_next(&f, err);
	if (f.len > 0)
		end_line(&f);
	if (f.reading.stop >= 0)
		close(f.reading.stop);
	free(f.line);
	return outcome;
}
