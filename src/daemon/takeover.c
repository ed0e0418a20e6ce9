#include "daemon/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/span.h"
#include "daemon/handover.h"
#include "daemon/inside.h"
#include "daemon/notify.h"
#include "daemon/sockets.h"
#include "health/prober.h"
#include "loop/loop.h"
#include "spawn/owners.h"

struct inherited {
	struct address address;
	bool datagrams;
	int  fd;			/* owned; -1: given away */
};

struct takeover {
	int channel;			/* owned; -1: there is nothing more to say */
	struct loop *loop;		/* borrowed, once we serve */
	struct loop_watch end;		/* owned: the channel, from then on */
	struct inherited *all;		/* owned */
	uint32_t count;
	int  control, lock;		/* owned; -1: none, or given away */
	bool has_control;		/* it was taken */
	int  older[HANDOVER_FDS_MAX];	/* owned: pidfds */
	uint32_t older_count;
};

/* ---- what comes ---- */

static int take_number(const char *text, uint64_t max)
{
	uint64_t n;

	return span_to_u64(span_of(text), &n) && n <= max ? (int)n : -1;
}

/* Of what a packet has brought, all of one address. */
static int keep(struct takeover *t, struct handover_packet *p, struct err *err)
{
	if (t->count + p->fd_count > TAKEOVER_SOCKETS_MAX)
		return err_set(err, "more than %d sockets are handed over",
			       TAKEOVER_SOCKETS_MAX);
	t->all = memory_grow(t->all, t->count + p->fd_count, sizeof *t->all);
	while (p->fd_count > 0) {
		struct inherited *i = &t->all[t->count];
		int kind = 0;
		socklen_t len = sizeof kind, address_len = sizeof i->address.in6;
		*i = (struct inherited){.fd = p->fds[p->fd_count - 1]};
		if (getsockname(i->fd, &i->address.any, &address_len) != 0 ||
		    getsockopt(i->fd, SOL_SOCKET, SO_TYPE, &kind, &len) != 0)
			return err_sys(err, "a descriptor is handed over that is no socket");
		i->address.len = address_len;
		i->datagrams = kind == SOCK_DGRAM;
		address_format(&i->address);
		t->count++;
		p->fd_count--;
	}
	return 0;
}

static int keep_control(struct takeover *t, struct handover_packet *p, struct err *err)
{
	if (p->fd_count != 2 || t->control >= 0)
		return err_set(err, "the control socket is not handed over as it should be");
	t->control = p->fds[0];
	t->lock = p->fds[1];
	p->fd_count = 0;
	return 0;
}

static void keep_older(struct takeover *t, struct handover_packet *p)
{
	if (t->older_count > 0)
		return;
	memcpy(t->older, p->fds, p->fd_count * sizeof *p->fds);
	t->older_count = p->fd_count;
	p->fd_count = 0;
}

static int receive(const struct takeover *t, struct handover_packet *p, struct err *err)
{
	int got = handover_receive(t->channel, p);

	if (got == 0)
		return err_set(err, "the process whose place was to be taken has gone");
	if (got < 0)
		return err_sys(err, "nothing comes from the process whose place is to be "
			       "taken");
	return 0;
}

static int take_all(struct takeover *t, struct err *err)
{
	struct handover_packet p;

	if (receive(t, &p, err) != 0)
		return -1;
	const char *version = handover_after(&p, "balancerd-handover");
	if (version == NULL || take_number(version, UINT16_MAX) != HANDOVER_VERSION)
		return err_set(err, "it hands over in another way (\"%.60s\") than this "
			       "version knows (%d): stop the old one, and start the new one",
			       p.text, HANDOVER_VERSION);
	for (;;) {
		int result = 0;
		if (receive(t, &p, err) != 0)
			return -1;
		if (handover_after(&p, "all") != NULL)
			return 0;
		if (handover_after(&p, "sockets") != NULL)
			result = keep(t, &p, err);
		else if (handover_after(&p, "control") != NULL)
			result = keep_control(t, &p, err);
		else if (handover_after(&p, "older") != NULL)
			keep_older(t, &p);
		while (p.fd_count > 0)
			close(p.fds[--p.fd_count]);
		if (result != 0)
			return -1;
	}
}

static bool is_channel(int fd)
{
	int kind = 0;
	socklen_t len = sizeof kind;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &len) == 0 &&
	       kind == SOCK_SEQPACKET;
}

struct takeover *takeover_open(struct err *err)
{
	static const struct timeval wait = {.tv_sec = TAKEOVER_WAIT_S};
	const char *number = getenv(HANDOVER_VARIABLE);

	err->text[0] = '\0';
	if (number == NULL)
		return NULL;
	int fd = take_number(number, INT16_MAX);
	unsetenv(HANDOVER_VARIABLE);	/* it is not for those whom we start */
	if (fd < 0 || !is_channel(fd)) {
		err_set(err, HANDOVER_VARIABLE " is in the environment, and is no descriptor "
			"of a process that hands over");
		return NULL;
	}
	struct takeover *t = memory_new(1, sizeof *t);
	*t = (struct takeover){.channel = fd, .end.fd = -1, .control = -1, .lock = -1};
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	if (take_all(t, err) == 0)
		return t;
	takeover_refuse(t, err->text);
	takeover_close(t);
	return NULL;
}

void takeover_refuse(struct takeover *t, const char *why)
{
	char text[sizeof(struct err) + 16];

	if (t == NULL || t->channel < 0)
		return;
	snprintf(text, sizeof text, "refused %s", why);
	handover_send(t->channel, text, NULL, 0);
	close(t->channel);
	t->channel = -1;
}

void takeover_close(struct takeover *t)
{
	if (t == NULL)
		return;
	int fds[] = {t->channel, t->control, t->lock};

	for (size_t i = 0; i < COUNT_OF(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	for (uint32_t i = 0; i < t->count; i++)
		if (t->all[i].fd >= 0)
			close(t->all[i].fd);
	for (uint32_t i = 0; i < t->older_count; i++)
		close(t->older[i]);
	free(t->all);
	free(t);
}

/* ---- what is asked for of it ---- */

int *takeover_sockets(struct takeover *t, const struct address *at, bool datagrams,
		      uint32_t *count)
{
	uint32_t found = 0;
	int *fds = NULL;

	for (uint32_t i = 0; t != NULL && i < t->count; i++) {
		struct inherited *one = &t->all[i];
		if (one->fd < 0 || one->datagrams != datagrams ||
		    !address_equals(&one->address, at))
			continue;
		fds = memory_grow(fds, found + 1, sizeof *fds);
		fds[found++] = one->fd;
		one->fd = -1;
	}
	if (found > 0)
		*count = found;
	return fds;
}

int takeover_socket(struct takeover *t, const struct address *at)
{
	for (uint32_t i = 0; t != NULL && i < t->count; i++) {
		struct inherited *one = &t->all[i];
		int fd = one->fd;
		if (fd < 0 || one->datagrams || !address_equals(&one->address, at))
			continue;
		one->fd = -1;
		return fd;
	}
	return -1;
}

bool takeover_control(struct takeover *t, const char *path, int *fd, int *lock)
{
	struct sockaddr_un un = {0};
	socklen_t len = sizeof un;

	if (t == NULL || t->control < 0 ||
	    getsockname(t->control, (struct sockaddr *)&un, &len) != 0 ||
	    strcmp(un.sun_path, path) != 0)
		return false;
	*fd = t->control;
	*lock = t->lock;
	t->control = t->lock = -1;
	t->has_control = true;
	return true;
}

/* ---- those before us ---- */

static int tell(int pidfd, int number)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

uint32_t takeover_older(const struct takeover *t, int fds[])
{
	uint32_t count = 0;

	for (uint32_t i = 0; t != NULL && i < t->older_count; i++)
		if (tell(t->older[i], 0) == 0)
			fds[count++] = t->older[i];
	return count;
}

/* The first signal drains, the second, which must be another one, ends at once. */
void takeover_end_older(const struct takeover *t, bool at_once)
{
	int fds[HANDOVER_FDS_MAX];
	uint32_t count = takeover_older(t, fds);

	for (uint32_t i = 0; i < count; i++) {
		tell(fds[i], SIGTERM);
		if (at_once)
			tell(fds[i], SIGINT);
	}
	if (count > 0)
		log_info("earlier processes are asked to end, too count=%u", count);
}

void takeover_reopen_older(const struct takeover *t)
{
	int fds[HANDOVER_FDS_MAX];
	uint32_t count = takeover_older(t, fds);

	for (uint32_t i = 0; i < count; i++)
		tell(fds[i], SIGUSR1);
}

/* ---- the moment ---- */

static int wait_for_word(struct takeover *t, struct err *err)
{
	struct handover_packet p;

	if (handover_send(t->channel, t->has_control ? "ready control=1" : "ready control=0",
			  NULL, 0) != 0)
		return err_sys(err, "the process whose place was to be taken does not listen");
	if (receive(t, &p, err) != 0)
		return -1;
	while (p.fd_count > 0)
		close(p.fds[--p.fd_count]);
	if (handover_after(&p, "go") == NULL)
		return err_set(err, "the other process says \"%.60s\", not that it is time",
			       p.text);
	return 0;
}

/* Who is down there is not to be asked here, as if one did not know. */
static void wait_for_probes(struct service *s)
{
	uint64_t until = loop_now_ms(s->loop) + TAKEOVER_PROBES_MS;

	while (!prober_knows_all(s->prober) && loop_now_ms(s->loop) < until)
		loop_turn(s->loop, 10);
}

/* The servers that pools own are there, and are found. The other process still serves. */
static void wait_for_servers(struct service *s)
{
	uint64_t until = loop_now_ms(s->loop) + TAKEOVER_SERVERS_MS;

	owners_take_over(s->owners, s->model);
	while (!owners_are_complete(s->owners) && loop_now_ms(s->loop) < until)
		loop_turn(s->loop, 10);
}

int takeover_go(struct service *s, struct err *err)
{
	wait_for_probes(s);
	if (wait_for_word(s->takeover, err) != 0 || sockets_fill(s, err) != 0)
		return -1;
	wait_for_servers(s);
	return 0;
}

/* It has closed its end: it accepts no more. */
static void on_end(struct loop_watch *w, unsigned events)
{
	struct takeover *t = CONTAINER_OF(w, struct takeover, end);
	struct handover_packet p;

	(void)events;
	if (handover_receive(w->fd, &p) > 0)
		return;
	loop_watch_close(t->loop, w);
	notify_ready("serving");
}

/* Those of addresses where nobody listens any more: the other process takes what waits
 * there, and then the last copies are to be closed. */
static void close_left(struct takeover *t)
{
	for (uint32_t i = 0; i < t->count; i++) {
		if (t->all[i].fd < 0)
			continue;
		log_info("not listening any more on %s", t->all[i].address.text);
		close(t->all[i].fd);
		t->all[i].fd = -1;
	}
	if (t->control >= 0) {
		close(t->control);
		close(t->lock);
	}
	t->control = t->lock = -1;
}

void takeover_done(struct service *s)
{
	struct takeover *t = s->takeover;

	close_left(t);
	handover_send(t->channel, "serving", NULL, 0);
	t->loop = s->loop;
	loop_watch_init(&t->end, t->channel, on_end);
	t->channel = -1;
	if (loop_watch_register_level(s->loop, &t->end) == 0)
		return;
	loop_watch_close(s->loop, &t->end);
	notify_ready("serving");
}

void takeover_end(struct service *s)
{
	if (s->takeover != NULL)
		loop_watch_close(s->loop, &s->takeover->end);
	s->takeover = NULL;
}
