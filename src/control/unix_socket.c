#include "control/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0755, SOCKET_MODE = 0660, LOCK_MODE = 0600, LOCK_TRIES_MAX = 100 };

/* Whatever the umask is. One that is there stays as it is. */
static int make_folders(const char *path, struct err *err)
{
	char folder[ADDRESS_TEXT_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
		if (mkdir(folder, FOLDER_MODE) == 0)
			chmod(folder, FOLDER_MODE);
		else if (errno != EEXIST)
			return err_sys(err, "cannot make the folder %s of the control "
				       "socket", folder);
	}
	return 0;
}

/* Who owns the folder may put another socket in the place of ours: nobody but root and
 * ourselves shall. In /tmp anybody can make the folder that we would. */
static int check_owner(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL && slash > path ? (size_t)(slash - path) : 1;
	char folder[ADDRESS_TEXT_MAX];
	struct stat there;

	snprintf(folder, sizeof folder, "%.*s", (int)len, slash != NULL ? path : ".");
	if (stat(folder, &there) != 0)
		return err_sys(err, "cannot look at the folder %s of the control socket",
			       folder);
	if (geteuid() == 0 || there.st_uid == 0 || there.st_uid == geteuid())
		return 0;
	return err_set(err, "the folder %s of the control socket belongs to another "
		       "user, who could put another socket there", folder);
}

static int say_taken(const struct unix_socket *s, bool *taken, struct err *err)
{
	char text[16] = "";
	ssize_t len = s->lock >= 0 ? pread(s->lock, text, sizeof text - 1, 0) : 0;
	long pid = len > 0 ? strtol(text, NULL, 10) : 0;

	*taken = true;
	if (pid > 0)
		return err_set(err, "the control socket %s is served by another "
			       "balancer, process %ld", s->address.un.sun_path, pid);
	return err_set(err, "the control socket %s is served by another process",
		       s->address.un.sun_path);
}

static bool is_same_file(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* Into the lock, for people. */
static int write_pid(const struct unix_socket *s, struct err *err)
{
	char pid[16];

	snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	if (ftruncate(s->lock, 0) != 0 || pwrite(s->lock, pid, strlen(pid), 0) < 0)
		return err_sys(err, "cannot write %s", s->lock_path);
	return 0;
}

/* Gets the lock. Who had it before may have removed the file between our opening and
 * our locking it: then the lock is worth nothing, and there is another file. */
static int take_lock(struct unix_socket *s, bool *taken, struct err *err)
{
	for (int tries = 0; tries < LOCK_TRIES_MAX; tries++) {
		s->lock = open(s->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			       LOCK_MODE);
		if (s->lock < 0)
			return err_sys(err, "cannot open %s", s->lock_path);
		if (flock(s->lock, LOCK_EX | LOCK_NB) != 0) {
			say_taken(s, taken, err);
			goto close_lock;
		}
		if (is_same_file(s->lock, s->lock_path)) {
			if (write_pid(s, err) != 0)
				goto close_lock;
			return 0;
		}
		close(s->lock);
	}
	s->lock = -1;
	return err_set(err, "cannot lock %s: it is replaced again and again",
		       s->lock_path);

close_lock:
	close(s->lock);
	s->lock = -1;
	return -1;
}

/* Removes what a dead process left. */
static int make_room(struct unix_socket *s, bool *taken, struct err *err)
{
	const char *path = s->address.un.sun_path;
	struct stat there;

	if (lstat(path, &there) != 0)
		return errno == ENOENT ? 0 : err_sys(err, "cannot look at %s", path);
	if (!S_ISSOCK(there.st_mode))
		return err_set(err, "%s is there and is no socket; choose another path "
			       "for the control socket, or remove it", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "no socket for %s", path);
	int reason = connect(fd, &s->address.any, s->address.len) == 0 ? 0 : errno;
	close(fd);
	if (reason == 0 || reason == EAGAIN)
		return say_taken(&(struct unix_socket){.address = s->address, .lock = -1},
				 taken, err);
	if (reason != ECONNREFUSED) {
		errno = reason;
		return err_sys(err, "cannot tell whether %s is served", path);
	}
	if (unlink(path) != 0)
		return err_sys(err, "cannot remove %s, which nobody serves", path);
	return 0;
}

/* The mode is set before the socket has a name, so that the umask can only take from
 * it, and again before anybody can connect. */
static int listen_there(struct unix_socket *s, struct err *err)
{
	const char *path = s->address.un.sun_path;
	struct stat made;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(err, "no socket for %s", path);
	if (fchmod(fd, SOCKET_MODE) != 0 ||
	    bind(fd, &s->address.any, s->address.len) != 0) {
		err_sys(err, "cannot make the control socket %s", path);
		goto close_socket;
	}
	if (chmod(path, SOCKET_MODE) != 0 || lstat(path, &made) != 0 ||
	    listen(fd, SOMAXCONN) != 0) {
		err_sys(err, "cannot listen on %s", path);
		goto remove_file;
	}
	s->device = made.st_dev;
	s->inode = made.st_ino;
	return fd;

remove_file:
	unlink(path);
close_socket:
	close(fd);
	return -1;
}

static void give_up_lock(struct unix_socket *s)
{
	unlink(s->lock_path);
	close(s->lock);
	s->lock = -1;
}

static int set_path(struct unix_socket *s, const char *path, struct err *err)
{
	char text[ADDRESS_TEXT_MAX];

	*s = (struct unix_socket){.lock = -1};
	if (snprintf(text, sizeof text, "unix:%s", path) >= (int)sizeof text)
		return err_set(err, "the path of the control socket is longer than %zu "
			       "bytes", sizeof s->address.un.sun_path - 1);
	snprintf(s->lock_path, sizeof s->lock_path, "%s.lock", path);
	return address_parse(&s->address, text, "", err);
}

int unix_socket_open(struct unix_socket *s, const char *path, bool *taken,
		     struct err *err)
{
	int fd = -1;

	*taken = false;
	if (set_path(s, path, err) != 0 || make_folders(path, err) != 0 ||
	    check_owner(path, err) != 0)
		return -1;
	if (take_lock(s, taken, err) != 0)
		return -1;
	if (make_room(s, taken, err) == 0)
		fd = listen_there(s, err);
	if (fd < 0)
		give_up_lock(s);
	return fd;
}

int unix_socket_adopt(struct unix_socket *s, const char *path, int fd, int lock,
		      struct err *err)
{
	struct stat there;

	if (set_path(s, path, err) != 0)
		goto close_both;
	if (lstat(path, &there) != 0 || !S_ISSOCK(there.st_mode) ||
	    !is_same_file(lock, s->lock_path)) {
		err_set(err, "the control socket %s or its lock is not there any more",
			path);
		goto close_both;
	}
	s->lock = lock;
	s->device = there.st_dev;
	s->inode = there.st_ino;
	s->shared = true;
	return fd;

close_both:
	close(fd);
	close(lock);
	return -1;
}

void unix_socket_own(struct unix_socket *s)
{
	struct err ignored;

	s->shared = false;
	if (s->lock >= 0)
		write_pid(s, &ignored);
}

void unix_socket_leave(struct unix_socket *s)
{
	s->shared = true;
}

void unix_socket_close(struct unix_socket *s)
{
	struct stat there;

	if (s->lock < 0)
		return;
	if (s->shared) {
		close(s->lock);
		s->lock = -1;
		return;
	}
	if (lstat(s->address.un.sun_path, &there) == 0 && there.st_dev == s->device &&
	    there.st_ino == s->inode)
		unlink(s->address.un.sun_path);
	give_up_lock(s);
}
