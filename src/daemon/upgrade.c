#include "daemon/upgrade.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "control/control.h"
#include "control/journal.h"
#include "daemon/handover.h"
#include "daemon/inside.h"
#include "daemon/kept_names.h"
#include "daemon/news.h"
#include "daemon/notify.h"
#include "daemon/sockets.h"
#include "daemon/steering.h"
#include "daemon/successor.h"
#include "daemon/takeover.h"
#include "daemon/watchdog.h"
#include "spawn/owners.h"

enum upgrade_state { UPGRADE_HANDING = 1, UPGRADE_PREPARING, UPGRADE_STARTING };

struct packet {
	const char *text;		/* static */
	const int  *fds;		/* borrowed */
	uint32_t    count;
};

struct upgrade {
	struct service   *service;	/* borrowed */
	struct loop_watch channel;	/* owned */
	struct loop_timer limit;
	enum upgrade_state state;
	pid_t    pid;
	uint32_t ready_ms, limit_ms;
	struct control_upgrade *wish;	/* borrowed; NULL: nobody waits */
	bool     with_control;		/* the new one has the control socket, too */
	bool     end_asked;
	struct packet *packets;		/* owned */
	uint32_t packet_count, sent;
	struct control_sockets control;	/* what some of them point at */
	int      unix_pair[2];
	int      older[HANDOVER_FDS_MAX];	/* borrowed, but for the last: us, owned */
	uint32_t older_count;
	char     hello[64];
};

/* ---- how it ends ---- */

static void answer(struct upgrade *u, enum control_result result, const struct err *err)
{
	struct control_upgrade *wish = u->wish;

	u->wish = NULL;
	if (wish == NULL)
		return;
	wish->pid = (int)u->pid;
	wish->on_done(wish, result, err);
}

static void end(struct upgrade *u)
{
	struct service *s = u->service;

	loop_timer_stop(s->loop, &u->limit);
	loop_watch_close(s->loop, &u->channel);
	s->upgrade = NULL;
	if (u->older_count > 0)
		close(u->older[u->older_count - 1]);
	free(u->packets);
	free(u);
}

/* The new process does not come up: all is as it was. `why` is its own word, or else what
 * is to be seen from here, unless it has ended by itself. */
static void fail(struct upgrade *u, const char *why, bool own_word)
{
	struct service *s = u->service;
	struct err err, ended;

	err_set(&err, "%s", why);
	if (successor_end(u->pid, &ended) && !own_word)
		err = ended;
	log_error("upgrade refused, nothing has changed: %s", err.text);
	news_tell(s, EVENT_UPGRADE_REFUSED, "%s", err.text);
	owners_use(s->owners, s->model);
	answer(u, CONTROL_REFUSED, &err);
	end(u);
}

static void on_successor_ended(struct loop_watch *w, unsigned events)
{
	struct service *s = CONTAINER_OF(w, struct service, successor);

	(void)events;
	log_info("process %d has ended", s->successor_pid);
	loop_watch_close(s->loop, w);
	waitpid(s->successor_pid, NULL, WNOHANG);
}

/* It is our child for as long as we last: once it has ended, nobody else can bury it. */
static void watch_successor(struct service *s, pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return;
	s->successor_pid = (int)pid;
	loop_watch_init(&s->successor, fd, on_successor_ended);
	if (loop_watch_register_level(s->loop, &s->successor) != 0)
		loop_watch_close(s->loop, &s->successor);
}

/* The new process serves: first it is all said, then its end of the channel tells it that
 * nobody accepts here any more. */
static void succeed(struct upgrade *u)
{
	struct service *s = u->service;
	pid_t pid = u->pid;
	uint32_t limit_ms = u->limit_ms;
	bool end_asked = u->end_asked;

	/* Those who follow are told to ask the other one now. */
	news_tell(s, EVENT_HANDED_OVER, "process %d serves from now on", (int)pid);
	control_leave(s->control, u->with_control);
	watchdog_rest(s);
	notify_replaced((int)pid);
	answer(u, CONTROL_DONE, NULL);
	watch_successor(s, pid);
	steering_leave(s, (int)pid, limit_ms);
	end(u);
	if (end_asked)
		kill(pid, SIGTERM);
}

/* ---- what is said ---- */

static void send_on(struct upgrade *u)
{
	while (u->sent < u->packet_count) {
		const struct packet *p = &u->packets[u->sent];
		if (handover_send(u->channel.fd, p->text, p->fds, p->count) == 0) {
			u->sent++;
			continue;
		}
		if (errno == EAGAIN || errno == EINTR)
			return;
		if (errno == EPIPE || errno == ECONNRESET)
			return;			/* what it said last tells why */
		struct err err;
		err_sys(&err, "the sockets cannot be handed over");
		fail(u, err.text, false);
		return;
	}
	if (u->state == UPGRADE_HANDING)
		u->state = UPGRADE_PREPARING;
}

/* It could begin. From here on the servers that pools own are that process's. */
static void on_ready(struct upgrade *u, const char *what)
{
	struct service *s = u->service;

	u->with_control = strcmp(what, "control=1") == 0;
	owners_hand_over(s->owners);
	u->state = UPGRADE_STARTING;
	loop_timer_start(s->loop, &u->limit, u->ready_ms);
	if (handover_send(u->channel.fd, "go", NULL, 0) != 0)
		fail(u, "the new process does not listen", false);
}

static void hear(struct upgrade *u, const struct handover_packet *p)
{
	const char *rest;

	if ((rest = handover_after(p, "refused")) != NULL)
		fail(u, rest, true);
	else if ((rest = handover_after(p, "ready")) != NULL &&
		 u->state == UPGRADE_PREPARING)
		on_ready(u, rest);
	else if (handover_after(p, "serving") != NULL && u->state == UPGRADE_STARTING)
		succeed(u);
	else
		fail(u, "the new process says what cannot be understood", false);
}

static void on_channel(struct loop_watch *w, unsigned events)
{
	struct upgrade *u = CONTAINER_OF(w, struct upgrade, channel);
	struct handover_packet p;

	(void)events;
	int got = handover_receive(w->fd, &p);
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (u->state == UPGRADE_HANDING)
			send_on(u);
		return;
	}
	if (got <= 0) {
		fail(u, "the new process closed the connection before it was ready", false);
		return;
	}
	while (p.fd_count > 0)
		close(p.fds[--p.fd_count]);
	/* Each is answered before the other side says the next. */
	loop_again(u->service->loop, w);
	hear(u, &p);
}

static void on_limit(struct loop_timer *t)
{
	struct upgrade *u = CONTAINER_OF(t, struct upgrade, limit);
	char why[96];

	snprintf(why, sizeof why, "the new process was not ready within %u.%u s",
		 u->ready_ms / 1000, u->ready_ms % 1000 / 100);
	fail(u, why, false);
}

/* ---- how it begins ---- */

static void add(struct upgrade *u, const char *text, const int *fds, uint32_t count)
{
	u->packets[u->packet_count++] = (struct packet){text, fds, count};
}

/* Who is to be asked to end when the new process is. The oldest of very many is left out. */
static void gather_older(struct upgrade *u)
{
	int us = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (us < 0)
		return;
	u->older_count = takeover_older(u->service->takeover, u->older);
	if (u->older_count == HANDOVER_FDS_MAX)
		memmove(u->older, u->older + 1, --u->older_count * sizeof *u->older);
	u->older[u->older_count++] = us;
	add(u, "older", u->older, u->older_count);
}

/* All that is to be handed over; nothing of it changes meanwhile. */
static void gather(struct upgrade *u)
{
	struct service *s = u->service;
	uint32_t count = 4 + MODEL_CONTROLS_MAX;

	LIST_EACH(&s->sockets, it, next)
		count += 1 + listening_at(it)->count / HANDOVER_FDS_MAX;
	u->packets = memory_new(count, sizeof *u->packets);
	snprintf(u->hello, sizeof u->hello, HANDOVER_HELLO "%d", HANDOVER_VERSION);
	add(u, u->hello, NULL, 0);
	LIST_EACH(&s->sockets, it, next) {
		const struct listening *l = listening_at(it);
		for (uint32_t i = 0; i < l->count; i += HANDOVER_FDS_MAX)
			add(u, "sockets", l->fds + i, l->count - i < HANDOVER_FDS_MAX ?
				l->count - i : HANDOVER_FDS_MAX);
	}
	control_sockets(s->control, &u->control);
	for (uint32_t i = 0; i < u->control.tcp_count; i++)
		add(u, "sockets", &u->control.tcp[i], 1);
	u->unix_pair[0] = u->control.unix_socket;
	u->unix_pair[1] = u->control.unix_lock;
	if (u->unix_pair[0] >= 0 && u->unix_pair[1] >= 0)
		add(u, "control", u->unix_pair, 2);
	gather_older(u);
	add(u, "all", NULL, 0);
}

/* Why it cannot begin, or CONTROL_DONE. */
static enum control_result may_begin(const struct service *s, struct err *err)
{
	if (s->draining)
		return CONTROL_ENDING;
	if (s->upgrade != NULL)
		return CONTROL_UPGRADING;
	if (s->options.argv != NULL && s->options.program != NULL) {
		if (getpid() != 1)
			return CONTROL_DONE;
		err_set(err, "this balancer is process 1 of a container, which ends with it: "
			"start a container of the new image instead");
	} else {
		err_set(err, "this balancer does not know what it was started from");
	}
	return CONTROL_REFUSED;
}

static void refuse(struct control_upgrade *wish, enum control_result result,
		   struct err *err)
{
	if (result == CONTROL_ENDING)
		err_set(err, "this balancer is ending");
	if (result == CONTROL_UPGRADING)
		err_set(err, "an upgrade is under way");
	log_error("upgrade refused, nothing has changed: %s", err->text);
	if (wish != NULL)
		wish->on_done(wish, result, err);
}

static int start(struct service *s, const struct control_upgrade *wish,
		 struct successor *new, struct err *err)
{
	bool chosen = wish != NULL && wish->binary != NULL;
	const char *binary = chosen ? wish->binary : s->options.program;

	log_info("upgrade binary=%s", binary);
	return successor_start(new, binary, s->options.argv, err);
}

void upgrade_begin(struct service *s, struct control_upgrade *wish)
{
	struct successor new;
	struct err err;
	enum control_result result = may_begin(s, &err);

	if (result == CONTROL_DONE)
		kept_names_flush(s);
	if (result == CONTROL_DONE && start(s, wish, &new, &err) != 0)
		result = CONTROL_REFUSED;
	if (result != CONTROL_DONE) {
		refuse(wish, result, &err);
		return;
	}
	struct upgrade *u = memory_new(1, sizeof *u);
	u->service = s;
	u->state = UPGRADE_HANDING;
	u->pid = new.pid;
	u->wish = wish;
	u->ready_ms = wish != NULL && wish->ready_ms > 0 ? wish->ready_ms : UPGRADE_READY_MS;
	u->limit_ms = wish != NULL ? wish->limit_ms : UINT32_MAX;
	s->upgrade = u;
	if (s->wanted.journal != NULL)
		journal_release(s->wanted.journal);
	loop_watch_init(&u->channel, new.channel, on_channel);
	loop_timer_init(&u->limit, on_limit);
	loop_timer_start(s->loop, &u->limit, u->ready_ms);
	gather(u);
	if (loop_watch_register(s->loop, &u->channel) != 0)
		fail(u, "out of memory for watching the new process", false);
	else
		send_on(u);
}

void upgrade_forget(struct service *s, const struct control_upgrade *wish)
{
	if (s->upgrade != NULL && s->upgrade->wish == wish)
		s->upgrade->wish = NULL;
}

bool upgrade_end_asked(struct service *s)
{
	struct upgrade *u = s->upgrade;

	if (u == NULL)
		return false;
	if (u->state == UPGRADE_STARTING) {
		u->end_asked = true;
		return true;
	}
	fail(u, "this balancer was asked to end", false);
	return false;
}

void upgrade_cancel(struct service *s)
{
	loop_watch_close(s->loop, &s->successor);
	if (s->upgrade != NULL)
		fail(s->upgrade, "this balancer has ended", false);
}
