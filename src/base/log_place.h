/* base/log_place.h - where the log goes: a file, standard error, journald or syslog.
 *
 * To the two former a thread writes, if there is one (log_writer.h). The latter are sockets
 * that datagrams are sent to. That never waits: one that is full loses the line, which is
 * counted. When nobody has the socket any more, the line goes to standard error; it is
 * looked for anew with each line.
 */
#ifndef BASE_LOG_PLACE_H
#define BASE_LOG_PLACE_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/err.h"
#include "base/log_form.h"

enum log_place_kind { LOG_TO_DESCRIPTOR, LOG_TO_JOURNALD, LOG_TO_SYSLOG };

struct log_place {
	enum log_place_kind kind;
	int fd;				/* owned, unless it is standard error */
	struct sockaddr_un to;		/* of a socket */
	uint64_t queued;		/* the last line's number for log_writer_wait; 0: none */
};

enum log_put { LOG_PUT_DONE, LOG_PUT_FULL, LOG_PUT_GONE };

/* name: NULL or "stderr", "journald", "syslog", the latter two perhaps with another path
 * behind a colon; anything else is the path of a file to append to, which is created when
 * missing. On an error nothing is open; *gone: it is a socket that nobody has. */
int log_place_open(struct log_place *p, const char *name, bool *gone, struct err *err);
void log_place_close(struct log_place *p);

/* Without a log_writer.h standard error may make the caller wait, and a file on a slow disk;
 * a socket never. LOG_PUT_FULL: the line is lost. */
enum log_put log_place_put(struct log_place *p, const struct log_line *line,
			   enum log_form form);

#endif
