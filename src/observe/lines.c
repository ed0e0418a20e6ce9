#include "observe/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"

static void drop_front(struct lines *l, size_t len)
{
	l->held -= len;
	memmove(l->bytes, l->bytes + len, l->held);
}

bool lines_write(struct lines *l, int fd)
{
	size_t done = 0;

	l->error = 0;
	while (done < l->held && l->error == 0) {
		ssize_t n = write(fd, l->bytes + done, l->held - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			l->error = n == 0 ? EIO : errno;
	}
	if (done > 0)
		l->halfway = l->bytes[done - 1] != '\n';
	drop_front(l, done);
	return l->held == 0;
}

uint64_t lines_forget(struct lines *l)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < l->held; i++)
		lines += l->bytes[i] == '\n';
	l->held = 0;
	l->halfway = false;
	return lines;
}

uint64_t lines_forget_half(struct lines *l)
{
	if (!l->halfway)
		return 0;
	const char *end = memchr(l->bytes, '\n', l->held);
	must(end != NULL);
	drop_front(l, (size_t)(end - l->bytes) + 1);
	l->halfway = false;
	return 1;
}
