#include "client/load.h"
#include "client/load_inside.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/must.h"

enum { OTHER_DESCRIPTORS = 16 };
enum { TICK_MS = 1, BEAT_TERMINAL_MS = 500, BEAT_MS = 5000, BEAT_FIRST_MS = 2000 };

static void over(struct load *l)
{
	l->over = true;
	l->figures.ended_us = loop_clock_us();
}

static void on_end(struct loop_timer *t)
{
	struct load *l = CONTAINER_OF(t, struct load, end);

	if (l->state == LOAD_ENDING)
		over(l);		/* nobody answers any more */
	else
		load_end(l);
}

void load_begin(struct load *l)
{
	l->state = LOAD_RUNNING;
	l->figures.begun_us = l->progress.before_us = loop_clock_us();
	if (l->options->time_ms > 0)
		loop_timer_start(l->loop, &l->end, l->options->time_ms);
	if (l->options->rate > 0)
		loop_timer_start(l->loop, &l->tick, TICK_MS);
	loop_timer_start(l->loop, &l->beat, BEAT_FIRST_MS);
	for (uint64_t i = 0; i < l->options->connections && l->state == LOAD_RUNNING; i++)
		if (l->connections[i].talk.state == TALK_OPEN)
			load_fill(&l->connections[i]);
}

void load_end(struct load *l)
{
	if (l->state != LOAD_ENDING)
		loop_timer_start(l->loop, &l->end, l->options->timeout_ms);
	l->state = LOAD_ENDING;
	if (l->under_way == 0 && !l->over)
		over(l);
}

void load_fail(struct load *l, const struct err *why)
{
	l->failed = true;
	l->failure = *why;
	load_end(l);
}

static void on_alone(struct loop_timer *t)
{
	struct load *l = CONTAINER_OF(t, struct load, alone);

	load_fail(l, &l->failure);
}

static void on_tick(struct loop_timer *t)
{
	struct load *l = CONTAINER_OF(t, struct load, tick);

	loop_timer_start(l->loop, t, TICK_MS);
	load_fill_due(l);
}

static void on_beat(struct loop_timer *t)
{
	struct load *l = CONTAINER_OF(t, struct load, beat);

	if (l->state == LOAD_ENDING)
		return;
	load_progress_show(&l->progress, &l->figures, loop_now_us(l->loop), l->options,
			   stderr);
	loop_timer_start(l->loop, t, l->progress.terminal ? BEAT_TERMINAL_MS : BEAT_MS);
}

/* The first one lets what is under way be answered, the second does not. */
static void on_signal(struct signals *s, int number)
{
	struct load *l = CONTAINER_OF(s, struct load, signals);

	(void)number;
	if (l->state == LOAD_ENDING)
		over(l);
	else
		load_end(l);
}

static int open_load(struct load *l, struct err *err)
{
	static const int numbers[] = {SIGINT, SIGTERM, 0};
	const struct options *o = l->options;

	if (o->history != NULL) {
		l->history = load_history_open(o->history, err);
		if (l->history == NULL)
			return -1;
	}
	if (signals_open(&l->signals, l->loop, numbers, on_signal, err) != 0) {
		if (l->history != NULL)
			fclose(l->history);
		return -1;
	}
	loop_timer_init(&l->end, on_end);
	loop_timer_init(&l->tick, on_tick);
	loop_timer_init(&l->beat, on_beat);
	loop_timer_init(&l->alone, on_alone);
	list_init(&l->idle);
	load_plan_init(&l->plan);
	l->key = memory_new(o->key_size, 1);
	l->value = memory_new(o->value_size_max, 1);
	l->connections = memory_new(o->connections, sizeof *l->connections);
	for (uint64_t i = 0; i < o->connections; i++)
		load_connection_init(l, i);
	return 0;
}

/* The history may have failed at the very end: that counts as a failure, too. */
static void close_load(struct load *l)
{
	for (uint64_t i = 0; i < l->options->connections; i++)
		load_connection_fini(&l->connections[i]);
	loop_timer_stop(l->loop, &l->end);
	loop_timer_stop(l->loop, &l->tick);
	loop_timer_stop(l->loop, &l->beat);
	loop_timer_stop(l->loop, &l->alone);
	signals_close(&l->signals);
	load_plan_fini(&l->plan);
	free(l->connections);
	free(l->key);
	free(l->value);
	struct err err;
	if (l->history != NULL &&
	    load_history_close(l->history, l->options->history, &err) != 0) {
		l->failed = true;
		l->failure = err;
	}
}

/* Says how it went; returns the exit code. */
static int conclude(struct load *l)
{
	const struct load_figures *f = &l->figures;
	bool worked = f->took_us[LOAD_PUT].total + f->took_us[LOAD_GET].total > 0;

	load_progress_clear(&l->progress, stderr);
	if (f->begun_us > 0 && option_given(l->options, OPTION_JSON))
		load_report_print_json(f, l->options, stdout);
	else if (f->begun_us > 0)
		load_report_print(f, l->options, stdout);
	if (l->failed)
		fprintf(stderr, "kv-client: %s\n", l->failure.text);
	else if (!worked)
		fprintf(stderr, "kv-client: no operation worked\n");
	return worked && !l->failed && load_figures_wrong(f) == 0 ? 0 : 1;
}

/* Each connection is a descriptor; the rest is what else the program has open. */
static int check_limit(const struct options *o, struct err *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur >= o->connections + OTHER_DESCRIPTORS)
		return 0;
	return err_set(err, "--connections %llu needs more descriptors than the limit of "
			    "%llu; raise it with ulimit -n",
		       (unsigned long long)o->connections,
		       (unsigned long long)limit.rlim_cur);
}

int load_run(struct loop *loop, const struct address *address, const struct options *o)
{
	struct load *l = memory_new(1, sizeof *l);
	bool strict = o->verify == VERIFY_STRICT;
	struct err err;

	l->options = o;
	l->loop = loop;
	l->balancer = (struct talk_balancer){
		.loop = loop, .address = *address, .timeout_ms = o->timeout_ms,
		.version = (uint8_t)o->version, .certain = o->version != 0,
	};
	l->values = (struct load_values){o->seed, o->key_size, o->value_size_min,
					 o->value_size_max};
	l->plan = (struct load_plan){
		.seed = o->seed, .keys = o->keys, .connections = o->connections,
		.reads_percent = o->reads_percent, .strict = strict,
	};
	l->progress.terminal = isatty(STDERR_FILENO) == 1;
	if (check_limit(o, &err) != 0 || open_load(l, &err) != 0) {
		fprintf(stderr, "kv-client: %s\n", err.text);
		free(l);
		return 1;
	}
	l->opened = 1;
	talk_open(&l->connections[0].talk);
	while (!l->over)
		loop_turn(loop, -1);
	close_load(l);
	int code = conclude(l);
	free(l);
	return code;
}
