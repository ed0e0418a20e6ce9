/* control/unix_socket.h - a listening UNIX socket that one process has for itself.
 *
 * A lock beside it, PATH.lock, is held as long as it is open: of two processes that
 * start at once one gets it, and a socket whose process has died is replaced, however
 * that died. In the lock stands the pid of who has it.
 *
 * It can be handed over to another process, lock and all: both descriptors are of the same
 * open files then, so that the lock is never free in between.
 *
 * Thread: control.
 */
#ifndef CONTROL_UNIX_SOCKET_H
#define CONTROL_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/address.h"
#include "base/err.h"

struct unix_socket {
	struct address address;
	char  lock_path[ADDRESS_TEXT_MAX];
	int   lock;			/* owned, -1 when not open */
	dev_t device;			/* of the socket's file: is it still ours? */
	ino_t inode;
	bool  shared;			/* another process serves it, or did until now */
};

/* Makes folders that are missing (0755) and the socket (0660; never more, not for a
 * moment). Returns the listening descriptor, owned by the caller. -1 and *err: another
 * process serves it (*taken is set then), something else stands there, the folder is
 * another user's, or the system refuses. */
int unix_socket_open(struct unix_socket *s, const char *path, bool *taken,
		     struct err *err);

/* The same for one that another process has handed over: fd listens, `lock` holds the lock;
 * both are given, and fd is returned, or -1 and *err: they are not what stands at the path,
 * and are closed. It is that process's, too, until unix_socket_own. */
int unix_socket_adopt(struct unix_socket *s, const char *path, int fd, int lock,
		      struct err *err);

/* It is ours alone from now on. */
void unix_socket_own(struct unix_socket *s);

/* It is another process's from now on: closing it removes nothing. */
void unix_socket_leave(struct unix_socket *s);

/* Removes the socket's file, if it is still the one that was made, and the lock; neither
 * where another process has them, too. */
void unix_socket_close(struct unix_socket *s);

#endif
