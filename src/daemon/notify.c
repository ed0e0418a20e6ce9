#include "daemon/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "loop/loop.h"

/* The manager's socket; its length, 0: there is none. */
static socklen_t find_manager(struct sockaddr_un *manager)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path != NULL ? strlen(path) : 0;

	if (len < 2 || (*path != '/' && *path != '@'))
		return 0;
	if (len >= sizeof manager->sun_path) {
		errno = ENAMETOOLONG;
		log_warn("cannot tell the service manager at %.200s: %m", path);
		return 0;
	}
	*manager = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(manager->sun_path, path, len);
	if (*path == '@')
		manager->sun_path[0] = '\0';
	/* An abstract name ends with the length; a path with its NUL. */
	len += *path == '/';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* Whoever only waited until we were ready may be gone later, as balancerctl start is. */
static bool is_gone(bool heard_before)
{
	return heard_before && (errno == ECONNREFUSED || errno == ENOENT);
}

static void tell(const char *message)
{
	static const struct timeval wait = {.tv_usec = NOTIFY_WAIT_MS * 1000};
	static bool heard;	/* the manager has taken a message */
	struct sockaddr_un manager;
	socklen_t len = find_manager(&manager);

	if (len == 0)
		return;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0 &&
	    sendto(fd, message, strlen(message), MSG_NOSIGNAL,
		   (const struct sockaddr *)&manager, len) >= 0)
		heard = true;
	else if (!is_gone(heard))
		log_warn("cannot tell the service manager at %s: %m",
			 getenv("NOTIFY_SOCKET"));
	if (fd >= 0)
		close(fd);
}

void notify_ready(const char *status)
{
	char message[512];

	snprintf(message, sizeof message, "READY=1\nMAINPID=%d\nSTATUS=%s\n",
		 (int)getpid(), status);
	tell(message);
}

void notify_reloading(void)
{
	char message[128];

	/* The manager compares the time with when it asked (Type=notify-reload). */
	snprintf(message, sizeof message,
		 "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=reloading\n",
		 loop_clock_us());
	tell(message);
}

void notify_stopping(void)
{
	tell("STOPPING=1\nSTATUS=draining\n");
}

void notify_alive(void)
{
	tell("WATCHDOG=1\n");
}

void notify_replaced(int pid)
{
	char message[128];

	snprintf(message, sizeof message, "MAINPID=%d\nSTATUS=serving as a new process\n",
		 pid);
	tell(message);
}
