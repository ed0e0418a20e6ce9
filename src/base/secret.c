#include "base/secret.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

static int check_file(int fd, const char *path, const char *kind, struct err *err)
{
	struct stat about;

	if (fstat(fd, &about) != 0)
		return err_sys(err, "cannot look at the %s file %s", kind, path);
	if (!S_ISREG(about.st_mode))
		return err_set(err, "the %s file %s is no regular file", kind, path);
	if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return err_set(err, "the %s file %s is open to others than its owner; "
			       "run: chmod 600 %s", kind, path, path);
	return 0;
}

/* How long the first of these lines is, without its end. */
static size_t line_length(const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '\n', len);
	size_t line = end != NULL ? (size_t)(end - bytes) : len;

	return end != NULL && line > 0 && bytes[line - 1] == '\r' ? line - 1 : line;
}

int secret_read(const char *path, const char *kind, char *out, size_t max, size_t *len,
		struct err *err)
{
	char *bytes = memory_new(1, max + 3);	/* a line that is too long shows it */
	int result = -1;
	/* A pipe or a device must not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		err_sys(err, "cannot open the %s file %s", kind, path);
		goto free_bytes;
	}
	if (check_file(fd, path, kind, err) != 0)
		goto close_file;
	ssize_t got = read(fd, bytes, max + 3);
	if (got < 0) {
		err_sys(err, "cannot read the %s file %s", kind, path);
		goto close_file;
	}
	*len = line_length(bytes, (size_t)got);
	if (*len == 0) {
		err_set(err, "the first line of the %s file %s is empty", kind, path);
	} else if (*len > max) {
		err_set(err, "the first line of the %s file %s is longer than %zu bytes",
			kind, path, max);
	} else {
		memcpy(out, bytes, *len);
		result = 0;
	}

close_file:
	close(fd);
free_bytes:
	free(bytes);
	return result;
}
