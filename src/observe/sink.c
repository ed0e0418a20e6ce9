#include "observe/sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLAGS = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK };

/* O_NONBLOCK belongs to what all holders of a descriptor share: set on standard output
 * itself, the shell and other programs on the same terminal or pipe would get it too.
 * So it is opened a second time. Not so a regular file: that never makes anybody wait,
 * and it may also be standard error, whose position in the file is to stay ours. */
static int open_standard_output(struct err *err)
{
	struct stat status;

	if (fstat(STDOUT_FILENO, &status) != 0)
		return err_sys(err, "there is no standard output for the access log");
	if (!S_ISREG(status.st_mode)) {
		int again = open("/proc/self/fd/1", FLAGS);
		if (again >= 0)
			return again;
	}
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (fd < 0)
		return err_sys(err, "no descriptor for the access log");
	/* A socket, as from systemd, cannot be opened by name. */
	if (!S_ISREG(status.st_mode) && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) {
		err_sys(err, "standard output cannot be used for the access log");
		close(fd);
		return -1;
	}
	return fd;
}

int sink_open(const char *path, struct err *err)
{
	if (path == NULL)
		return open_standard_output(err);
	int fd = open(path, FLAGS | O_CREAT, 0640);
	if (fd < 0)
		return err_sys(err, "cannot open the access log %s", path);
	return fd;
}
