#include "store/keys.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/must.h"

/* For exit(3), which knows no arguments: there is one terminal. */
static struct termios before;
static bool           changed;

static void restore(void)
{
	if (changed)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	changed = false;
}

static void on_ready(struct loop_watch *w, unsigned events)
{
	struct keys *k = CONTAINER_OF(w, struct keys, watch);
	char keys[16];

	(void)events;
	ssize_t n = read(w->fd, keys, sizeof keys);
	if (n <= 0) {			/* the terminal is gone */
		keys_close(k);
		return;
	}
	for (ssize_t i = 0; i < n && w->fd >= 0; i++)
		k->on_key(k, keys[i]);
}

/* ^C and ^Z keep their meaning; a key is told at once, and not shown. */
static void make_raw(void)
{
	struct termios raw = before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	changed = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
	if (changed)
		atexit(restore);
}

int keys_open(struct keys *k, struct loop *loop, void (*on_key)(struct keys *k, char key),
	      struct err *err)
{
	k->loop = loop;
	k->on_key = on_key;
	loop_watch_init(&k->watch, -1, on_ready);
	/* In the background changing the terminal would stop the program. */
	if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
	    tcgetattr(STDIN_FILENO, &before) != 0)
		return 0;
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return err_sys(err, "no descriptor for the terminal");
	loop_watch_init(&k->watch, fd, on_ready);
	if (loop_watch_register_level(loop, &k->watch) != 0) {
		loop_watch_close(loop, &k->watch);
		return err_sys(err, "cannot watch the terminal");
	}
	make_raw();
	return 0;
}

void keys_close(struct keys *k)
{
	if (k->watch.fd < 0)
		return;
	loop_watch_close(k->loop, &k->watch);
	restore();
}
