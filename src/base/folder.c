#include "base/folder.h"

#include <fcntl.h>
#include <stdlib.h>
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
