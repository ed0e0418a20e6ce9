#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	return -1;
}

int err_sys(struct err *err, const char *format, ...)
{
	int reason = errno;
	va_list args;

	va_start(args, format);
	int len = vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof err->text)
		return -1;
	const char *said = strerrordesc_np(reason);	/* unlike strerror: any thread */
	char *at = err->text + len;
	size_t room = sizeof err->text - (size_t)len;
	if (said != NULL)
		snprintf(at, room, ": %s", said);
	else
		snprintf(at, room, ": error %d", reason);
	return -1;
}
