#include "base/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

void folder_make(const char *path)
{
	char *part = memory_text(path);

	for (char *at = part + 1; *part != '\0' && *at != '\0'; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		mkdir(part, 0755);
		*at = '/';
	}
	mkdir(part, 0755);
	free(part);
}

void folder_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		log_warn("cannot sync the folder %s: %m", path);
	if (fd >= 0)
		close(fd);
}

static int write_synced(const char *path, const char *text)
{
	unlink(path);			/* of a process that was killed at this point */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd < 0)
		return -1;
	for (size_t left = strlen(text); left > 0; ) {
		ssize_t n = write(fd, text, left);
		if (n < 0)
			goto close_fd;
		text += n;
		left -= (size_t)n;
	}
	if (fsync(fd) != 0)
		goto close_fd;
	return close(fd);

close_fd:
	close(fd);
	return -1;
}

int folder_replace(const char *folder, const char *path, const char *beside, const char *text,
		   struct err *err)
{
	folder_make(folder);
	if (write_synced(beside, text) != 0) {
		err_sys(err, "cannot write %s", beside);
		goto unlink_beside;
	}
	if (rename(beside, path) != 0) {
		err_sys(err, "cannot replace %s", path);
		goto unlink_beside;
	}
	folder_sync(folder);
	return 0;

unlink_beside:
	unlink(beside);			/* a disk that is full needs the room */
	return -1;
}
