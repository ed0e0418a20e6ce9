/* loop/loop.c - the loop on epoll(7). */
#include "loop/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/must.h"
#include "loop/turn.h"
#include "loop/wheel.h"

struct loop {
	int          epoll;		/* owned */
	struct wheel wheel;
	uint64_t     now_us;
	uint64_t     wall_us;		/* of turn number wall_turn */
	uint64_t     wall_turn;
	struct link  again;		/* watches that go on in the next turn */
	struct link  tasks;		/* for the end of this turn */
	bool         may_pause;		/* this turn is one that allows it */
	bool         pause;		/* before the next one */
	bool         exact;		/* the kernel wakes this thread on time */

	struct epoll_event events[LOOP_EVENTS_MAX];
	int event_at, event_count;	/* of the batch being handled */
	uint32_t watches;		/* registered */
	uint64_t told_us;		/* what was ready then has been told */
	uint64_t round_us;		/* the same for the end of this round of full batches */
	uint32_t round_left;		/* events of it to come at most; 0: there is no round */

	struct loop_watch wake;		/* an eventfd */
	bool              stop;		/* atomic */
	_Atomic(struct loop_job *) jobs;	/* the last one posted first */

	struct loop_stats stats;
};

uint64_t loop_clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t loop_now_us(const struct loop *l)
{
	return l->now_us;
}

uint64_t loop_now_ms(const struct loop *l)
{
	return l->now_us / 1000;
}

uint64_t loop_wall_us(const struct loop *const_l)
{
	struct loop *l = (struct loop *)(uintptr_t)const_l;	/* only the cache changes */
	struct timespec t;

	if (l->wall_turn != l->stats.turns || l->wall_us == 0) {
		clock_gettime(CLOCK_REALTIME, &t);
		l->wall_us = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
		l->wall_turn = l->stats.turns;
	}
	return l->wall_us;
}

const struct loop_stats *loop_stats(const struct loop *l)
{
	return &l->stats;
}

/* In the order of posting. */
static struct loop_job *take_jobs(struct loop *l)
{
	struct loop_job *job = atomic_exchange_explicit(&l->jobs, NULL, memory_order_acquire);
	struct loop_job *first = NULL;

	while (job != NULL) {
		struct loop_job *posted_before = job->next;
		job->next = first;
		first = job;
		job = posted_before;
	}
	return first;
}

static void run_jobs(struct loop *l)
{
	for (struct loop_job *job = take_jobs(l), *next; job != NULL; job = next) {
		next = job->next;
		job->run(job);
	}
}

static void on_wake(struct loop_watch *w, unsigned events)
{
	struct loop *l = CONTAINER_OF(w, struct loop, wake);
	uint64_t times;

	(void)events;
	if (read(w->fd, &times, sizeof times) < 0)
		return;		/* somebody else's wake-up was read with an earlier one */
	run_jobs(l);
}

static void wake(struct loop *l)
{
	uint64_t one = 1;

	/* It fails only when the count is at its limit: then it is awake anyway. */
	if (write(l->wake.fd, &one, sizeof one) < 0)
		return;
}

void loop_post(struct loop *l, struct loop_job *job)
{
	struct loop_job *last = atomic_load_explicit(&l->jobs, memory_order_relaxed);

	do
		job->next = last;
	while (!atomic_compare_exchange_weak_explicit(&l->jobs, &last, job, memory_order_release,
						      memory_order_relaxed));
	if (last == NULL)	/* it may be asleep; later ones find it awake, or woken */
		wake(l);
}

void loop_stop(struct loop *l)
{
	__atomic_store_n(&l->stop, true, __ATOMIC_RELEASE);
	wake(l);
}

struct loop *loop_create(struct err *err)
{
	struct loop *l = memory_new(1, sizeof *l);

	list_init(&l->again);
	list_init(&l->tasks);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		err_sys(err, "no epoll instance");
		goto free_loop;
	}
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0) {
		err_sys(err, "no eventfd");
		goto close_epoll;
	}
	loop_watch_init(&l->wake, fd, on_wake);
	/* For reading only: edge-triggered, the read would be told as room to write. */
	if (loop_watch_register_level(l, &l->wake) != 0) {
		err_sys(err, "cannot watch an eventfd");
		goto close_wake;
	}
	l->now_us = l->told_us = loop_clock_us();
	wheel_init(&l->wheel, loop_now_ms(l));
	return l;

close_wake:
	close(fd);
close_epoll:
	close(l->epoll);
free_loop:
	free(l);
	return NULL;
}

void loop_destroy(struct loop *l)
{
	run_jobs(l);
	must(l->wheel.count == 0);
	must(list_empty(&l->again));
	must(list_empty(&l->tasks));
	loop_watch_close(l, &l->wake);
	close(l->epoll);
	free(l);
}

/* How long epoll may wait: not past the next timer, not at all with work left. */
static int patience_ms(const struct loop *l, int wait_ms)
{
	uint64_t now = loop_now_ms(l), next = wheel_next_ms(&l->wheel);

	if (!list_empty(&l->again) || !list_empty(&l->tasks) || next <= now)
		return 0;
	uint64_t until = next - now;
	if (wait_ms >= 0 && (uint64_t)wait_ms < until)
		return wait_ms;
	if (until == UINT64_MAX - now)
		return -1;
	return until < INT_MAX ? (int)until : INT_MAX;
}

static unsigned told(uint32_t epoll_events)
{
	unsigned events = 0;

	if (epoll_events & EPOLLIN)
		events |= LOOP_READABLE;
	if (epoll_events & EPOLLOUT)
		events |= LOOP_WRITABLE;
	if (epoll_events & (EPOLLRDHUP | EPOLLHUP))
		events |= LOOP_ENDED | LOOP_READABLE;
	if (epoll_events & EPOLLHUP)		/* a write is told that it is in vain */
		events |= LOOP_WRITABLE;
	if (epoll_events & EPOLLPRI)
		events |= LOOP_URGENT;
	if (epoll_events & EPOLLERR)
		events |= LOOP_BROKEN | LOOP_READABLE | LOOP_WRITABLE;
	return events;
}

/* Takes a list over as it is; what is asked for from here on is for the next turn. */
static void take_list(struct link *from, struct link *taken)
{
	list_insert(from, taken);
	list_remove(from);
}

static void run_resumed(struct link *resumed)
{
	while (!list_empty(resumed)) {
		struct loop_watch *w = CONTAINER_OF(resumed->next, struct loop_watch,
						    again_link);
		list_remove(&w->again_link);
		w->again = false;
		w->on_ready(w, LOOP_RESUMED);
	}
}

/* n events were fetched, by a call that began after before_us and waited up to waited_ms.
 * A full batch leaves others for the next: the kernel tells in the order in which they
 * became ready, so that after as many as there are watches no old ones are left. */
static void note_told(struct loop *l, uint64_t before_us, int n, int waited_ms)
{
	if (n < 0)	/* stopped in its sleep, and told nothing of what came meanwhile */
		return;
	if (n == LOOP_EVENTS_MAX) {
		if (l->round_left == 0) {
			l->round_us = before_us;
			l->round_left = l->watches;
		}
		l->round_left -= l->round_left < (uint32_t)n ? l->round_left : (uint32_t)n;
		if (l->round_left == 0)
			l->told_us = l->round_us;
		return;
	}
	l->round_left = 0;
	l->told_us = n == 0 ? before_us + (uint64_t)waited_ms * 1000 : before_us;
}

/* Those that were due when all that was ready had been told: what a timer limits may have
 * come in time, and not be told yet. */
static void run_timers(struct loop *l)
{
	for (int budget = LOOP_TIMERS_PER_TURN; budget > 0; budget--) {
		struct loop_timer *t = wheel_expire(&l->wheel, l->told_us / 1000);
		if (t == NULL)
			return;
		l->stats.timers_run++;
		t->on_due(t);
	}
}

static void run_tasks(struct loop *l)
{
	struct link tasks;

	if (list_empty(&l->tasks))
		return;
	take_list(&l->tasks, &tasks);
	while (!list_empty(&tasks)) {
		struct loop_task *t = CONTAINER_OF(tasks.next, struct loop_task, link);
		list_remove(&t->link);
		t->run(t);
	}
}

/* By a sleep of its own, during which nobody who sends us something has to wake us. */
static void pause_briefly(struct loop *l)
{
	const struct timespec t = {.tv_nsec = LOOP_PAUSE_US * 1000};

	if (!l->exact)		/* else it would be up to 50 us more */
		prctl(PR_SET_TIMERSLACK, 1);
	l->exact = true;
	nanosleep(&t, NULL);
	l->stats.pauses++;
}

void loop_turn(struct loop *l, int wait_ms)
{
	struct link resumed;

	if (l->pause && list_empty(&l->again))
		pause_briefly(l);
	l->pause = false;
	wait_ms = patience_ms(l, wait_ms);
	int n = epoll_wait(l->epoll, l->events, LOOP_EVENTS_MAX, wait_ms);
	must(n >= 0 || errno == EINTR);
	uint64_t before_us = l->now_us;
	l->now_us = loop_clock_us();
	note_told(l, before_us, n, wait_ms);
	l->stats.turns++;
	l->event_count = n > 0 ? n : 0;
	l->may_pause = n <= LOOP_PAUSE_EVENTS_MAX &&
		       l->now_us - before_us < LOOP_PAUSE_SOON_US;
	take_list(&l->again, &resumed);
	for (l->event_at = 0; l->event_at < l->event_count; l->event_at++) {
		struct epoll_event *e = &l->events[l->event_at];
		struct loop_watch *w = e->data.ptr;
		if (w == NULL)		/* closed by a handler of this same batch */
			continue;
		l->stats.events++;
		w->on_ready(w, told(e->events));
	}
	l->event_count = 0;
	run_resumed(&resumed);
	run_timers(l);
	run_tasks(l);
	l->stats.timers_armed = l->wheel.count;
}

void loop_run(struct loop *l)
{
	while (!__atomic_load_n(&l->stop, __ATOMIC_ACQUIRE))
		loop_turn(l, -1);
	__atomic_store_n(&l->stop, false, __ATOMIC_RELAXED);
}

void loop_watch_init(struct loop_watch *w, int fd,
		     void (*on_ready)(struct loop_watch *w, unsigned events))
{
	*w = (struct loop_watch){.fd = fd, .on_ready = on_ready};
	list_init(&w->again_link);
}

static int add(struct loop *l, struct loop_watch *w, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = w};

	if (w->registered)
		return 0;
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, w->fd, &e) != 0)
		return -1;
	w->registered = true;
	l->watches++;
	return 0;
}

int loop_watch_register(struct loop *l, struct loop_watch *w)
{
	return add(l, w, EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET);
}

int loop_watch_register_level(struct loop *l, struct loop_watch *w)
{
	return add(l, w, EPOLLIN);
}

/* Events that were fetched but not handled yet are not for w any more. */
static void drop_events(struct loop *l, struct loop_watch *w)
{
	for (int i = l->event_at + 1; i < l->event_count; i++)
		if (l->events[i].data.ptr == w)
			l->events[i].data.ptr = NULL;
	list_remove(&w->again_link);
	w->again = false;
}

void loop_watch_forget(struct loop *l, struct loop_watch *w)
{
	drop_events(l, w);
	if (!w->registered)
		return;
	/* Closing takes it out of epoll only if nobody else has it open (epoll(7)): a process
	 * that is just being begun has all that we have, until it runs its program. */
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	w->registered = false;
	l->watches--;
}

void loop_watch_close(struct loop *l, struct loop_watch *w)
{
	if (w->fd < 0)
		return;
	loop_watch_forget(l, w);
	close(w->fd);
	w->fd = -1;
}

void loop_again(struct loop *l, struct loop_watch *w)
{
	if (w->again)
		return;
	w->again = true;
	list_push_last(&l->again, &w->again_link);
}

void loop_task_init(struct loop_task *t, void (*run)(struct loop_task *t))
{
	*t = (struct loop_task){.run = run};
	list_init(&t->link);
}

void loop_at_end(struct loop *l, struct loop_task *t)
{
	if (list_empty(&t->link))
		list_push_last(&l->tasks, &t->link);
}

void loop_task_cancel(struct loop_task *t)
{
	list_remove(&t->link);
}

void loop_pause(struct loop *l)
{
	l->pause = l->may_pause;
}

void loop_timer_init(struct loop_timer *t, void (*on_due)(struct loop_timer *t))
{
	*t = (struct loop_timer){.on_due = on_due};
	list_init(&t->link);
}

void loop_timer_start(struct loop *l, struct loop_timer *t, uint64_t ms)
{
	wheel_start(&l->wheel, t, loop_now_ms(l) + ms);
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
	wheel_stop(&l->wheel, t);
}
