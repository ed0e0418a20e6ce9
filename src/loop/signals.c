#include "loop/signals.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/must.h"

static const int blocked[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, 0};

static sigset_t set_of(const int *numbers)
{
	sigset_t set;

	sigemptyset(&set);
	for (; *numbers != 0; numbers++)
		sigaddset(&set, *numbers);
	return set;
}

void signals_block(void)
{
	sigset_t set = set_of(blocked);

	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void signals_unblock(void)
{
	sigset_t set = set_of(blocked);

	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGPIPE, SIG_DFL);
}

static void on_ready(struct loop_watch *w, unsigned events)
{
	struct signals *s = CONTAINER_OF(w, struct signals, watch);
	struct signalfd_siginfo info;

	(void)events;
	while (w->fd >= 0 && read(w->fd, &info, sizeof info) == (ssize_t)sizeof info)
		s->on_signal(s, (int)info.ssi_signo);
}

int signals_open(struct signals *s, struct loop *l, const int *numbers,
		 void (*on_signal)(struct signals *s, int number), struct err *err)
{
	sigset_t set = set_of(numbers);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "no descriptor for signals");
	s->loop = l;
	s->on_signal = on_signal;
	loop_watch_init(&s->watch, fd, on_ready);
	if (loop_watch_register_level(l, &s->watch) != 0) {
		err_sys(err, "cannot watch for signals");
		goto close_watch;
	}
	return 0;

close_watch:
	loop_watch_close(l, &s->watch);
	return -1;
}

void signals_close(struct signals *s)
{
	loop_watch_close(s->loop, &s->watch);
}
