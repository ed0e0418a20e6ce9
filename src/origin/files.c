#include "origin/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPEN_TRIES = 4, TEMPORARY_MAX = 64 };

struct upload {
	int  directory;			/* owned: the one the file goes to */
	int  fd;			/* owned */
	bool replaces;			/* there was a file of this name at the start */
	char temporary[TEMPORARY_MAX];	/* its name until it is complete */
	char name[NAME_MAX + 1];
};

static int open_beneath(int directory, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd;
	int tries = OPEN_TRIES;

	/* EAGAIN: something on the way was renamed meanwhile. */
	do
		fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
	while (fd < 0 && errno == EAGAIN && --tries > 0);
	return (int)fd;
}

static uint16_t status_of(int reason)
{
	switch (reason) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return 404;
	case EACCES:
	case EPERM:
	case EXDEV:		/* leads out of the directory */
	case ELOOP:
	case EROFS:
	case ENXIO:		/* a FIFO or a device that nobody serves */
		return 403;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EAGAIN:
		return 503;
	case ENOSPC:
	case EDQUOT:
		return 507;
	default:
		return 500;
	}
}

uint16_t files_open(int directory, const char *path, int *fd, uint64_t *length)
{
	struct stat about;

	/* O_NONBLOCK: to open a FIFO must not wait for its writer. */
	int opened = open_beneath(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (opened < 0)
		return status_of(errno);
	if (fstat(opened, &about) != 0 || !S_ISREG(about.st_mode)) {
		close(opened);
		return 403;
	}
	*fd = opened;
	*length = (uint64_t)about.st_size;
	return 200;
}

/* Cuts `path` into its directory, which is opened, and the name in it. */
static uint16_t open_place(struct upload *u, int directory, const char *path)
{
	char parent[PATH_MAX] = ".";
	const char *name = path, *slash = strrchr(path, '/');

	if (slash != NULL) {
		snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
		name = slash + 1;
	}
	if (name[0] == '\0' || strcmp(name, ".") == 0)
		return 403;
	size_t len = strlen(name);
	if (len > NAME_MAX)
		return 404;
	memcpy(u->name, name, len + 1);
	u->directory = open_beneath(directory, parent, O_PATH | O_DIRECTORY);
	return u->directory >= 0 ? 200 : status_of(errno);
}

/* Whether a file may be put here: rename would ask neither what it replaces nor
 * whether that may be written. */
static uint16_t check_place(struct upload *u)
{
	struct stat about;

	if (fstatat(u->directory, u->name, &about, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 200 : status_of(errno);
	if (!S_ISREG(about.st_mode))
		return 403;
	if (faccessat(u->directory, u->name, W_OK, AT_EACCESS) != 0)
		return status_of(errno);
	u->replaces = true;
	return 200;
}

static uint16_t open_temporary(struct upload *u)
{
	static uint64_t number;		/* atomic: over all threads */

	snprintf(u->temporary, sizeof u->temporary, ".origin-%d-%lu.part", (int)getpid(),
		 (unsigned long)__atomic_add_fetch(&number, 1, __ATOMIC_RELAXED));
	u->fd = openat(u->directory, u->temporary,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	return u->fd >= 0 ? 200 : status_of(errno);
}

static void upload_free(struct upload *u)
{
	if (u->fd >= 0)
		close(u->fd);
	if (u->directory >= 0)
		close(u->directory);
	free(u);
}

uint16_t upload_start(struct upload **result, int directory, const char *path)
{
	struct upload *u = calloc(1, sizeof *u);

	*result = NULL;
	if (u == NULL)
		return 503;
	u->fd = u->directory = -1;
	uint16_t status = open_place(u, directory, path);
	if (status == 200)
		status = check_place(u);
	if (status == 200)
		status = open_temporary(u);
	if (status == 200)
		*result = u;
	else
		upload_free(u);
	return status;
}

bool upload_write(struct upload *u, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(u->fd, bytes.at, bytes.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes.at += n;
		bytes.len -= (size_t)n;
	}
	return true;
}

uint16_t upload_finish(struct upload *u)
{
	uint16_t status = u->replaces ? 204 : 201;

	if (renameat(u->directory, u->temporary, u->directory, u->name) != 0) {
		upload_cancel(u);
		return 500;
	}
	upload_free(u);
	return status;
}

void upload_cancel(struct upload *u)
{
	if (u == NULL)
		return;
	unlinkat(u->directory, u->temporary, 0);
	upload_free(u);
}
