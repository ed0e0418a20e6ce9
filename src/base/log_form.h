/* base/log_form.h - how a line of the log is written for whoever takes it.
 *
 *   server is down pool=web server=127.0.0.1:8081 reason="it is silent"
 *   '- message --' '- pairs ------------------------------------------'
 *
 * The pairs are those at the end, with nothing but pairs behind them; a value that has
 * spaces stands between quotes. All else is the message.
 *
 * Pure but for the calendar.
 */
#ifndef BASE_LOG_FORM_H
#define BASE_LOG_FORM_H

#include <time.h>

#include "base/log.h"
#include "base/span.h"

enum {
	LOG_RECORD_MAX = 8 * LOG_LINE_MAX,	/* of a line in any form */
	LOG_PAIRS_MAX = 32,			/* further ones are part of the message */
};

/* A line before it has a form: what controls has been taken out (text_tame). */
struct log_line {
	enum log_level  level;
	struct timespec when;		/* since 1970 */
	struct span     text;		/* at most LOG_LINE_MAX bytes */
	const char     *program;	/* whose line it is */
	int             pid;
};

struct log_pair {
	struct span key, value;		/* the value without its quotes */
};

/* Cuts a text; returns how many pairs there are. */
size_t log_form_split(struct span text, struct span *message,
		      struct log_pair pairs[LOG_PAIRS_MAX]);

/* Each writes a whole record into `out` and returns its length: one of these ends with a
 * newline, the others go out as one datagram. */

/* 2026-11-28T16:10:00.123Z info server is down pool=web */
size_t log_form_logfmt(const struct log_line *l, char out[LOG_RECORD_MAX]);

/* {"time":"...","level":"info","message":"server is down","pool":"web"}; a pair that is
 * called like one of the first three gets "field_" in front. */
size_t log_form_json(const struct log_line *l, char out[LOG_RECORD_MAX]);

/* The native protocol of journald (systemd, "Native Journal Protocol"): PRIORITY, MESSAGE
 * with the whole text, SYSLOG_IDENTIFIER, SYSLOG_PID, and each pair in upper case; what
 * has a meaning of its own there gets BALANCERD_ in front. */
size_t log_form_journal(const struct log_line *l, char out[LOG_RECORD_MAX]);

/* RFC 3164 as /dev/log wants it, without a host name, in local time; facility daemon. */
size_t log_form_syslog(const struct log_line *l, char out[LOG_RECORD_MAX]);

#endif
