/* ctl/options.h - the options of balancerctl, in one table.
 *
 * They stand anywhere on the line, as `--limit 30s` or `--limit=30s`, until `--`; what is
 * left are the words of the command, -2 among them. An option means the same for each
 * command that takes it. Of one that is given twice, the second counts, unless it is a
 * list.
 */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/value.h"

enum option_id {
	OPTION_SOCKET, OPTION_NAME, OPTION_URL, OPTION_TOKEN_FILE, OPTION_TIMEOUT,
	OPTION_JSON, OPTION_QUIET, OPTION_HELP, OPTION_VERSION,
	OPTION_POOL, OPTION_WEIGHT, OPTION_DRAIN, OPTION_TEMPORARY,
	OPTION_LIMIT, OPTION_NOW, OPTION_NO_WAIT,
	OPTION_STATE, OPTION_LOG, OPTION_THREADS,
	OPTION_HEADER, OPTION_CLIENT, OPTION_LISTENER,
	OPTION_FOLLOW, OPTION_LINES, OPTION_ONCE,
	OPTIONS
};

#define OPTION_BIT(id) (UINT32_C(1) << (id))

/* What every command takes, and what those take that talk to a balancer. */
#define OPTIONS_ALWAYS \
	(OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_QUIET) | OPTION_BIT(OPTION_HELP))
#define OPTIONS_LOCAL \
	(OPTION_BIT(OPTION_SOCKET) | OPTION_BIT(OPTION_NAME) | OPTION_BIT(OPTION_TIMEOUT))
#define OPTIONS_TARGET \
	(OPTIONS_LOCAL | OPTION_BIT(OPTION_URL) | OPTION_BIT(OPTION_TOKEN_FILE))

enum {
	OPTION_WEIGHT_MAX  = 1000 * 1000,	/* the balancer knows the bound better */
	OPTION_THREADS_MAX = 64,
	OPTION_HEADERS_MAX = 64,
	OPTION_LINES_MAX   = 1000,
};

struct options {
	uint32_t    given;		/* OPTION_BIT of each that was there */
	const char *socket, *name;	/* texts are borrowed from argv */
	const char *url, *token_file;
	const char *pool;
	const char *state, *log;
	uint64_t    timeout_ms, limit_ms;
	uint64_t    weight, threads, lines;
	const char *headers[OPTION_HEADERS_MAX];
	uint32_t    header_count;
	const char *client, *listener;
};

/* What its value is, for completion. */
enum option_completes {
	COMPLETES_NOTHING, COMPLETES_FILE, COMPLETES_FOLDER, COMPLETES_POOL,
};

struct option {
	const char *name;		/* without the "--" */
	const char *argument;		/* as help shows it; NULL: a flag */
	enum option_completes completes;
	bool        is_text;		/* else a value within range */
	char        letter;		/* `-H` does as well; '\0': there is none */
	size_t      offset;		/* of its field in struct options */
	struct value_range range;
	const char *help;		/* one sentence, without its full stop */
};
extern const struct option option_table[OPTIONS];

/* Takes the options out of argv (without the program's name); what is left is moved to
 * the front, *count of them. -1 and *err: an unknown option, or a value that is none. */
int ctl_options_read(struct options *o, int argc, char **argv, uint32_t *count,
		 struct err *err);

static inline bool option_given(const struct options *o, enum option_id id)
{
	return (o->given & OPTION_BIT(id)) != 0;
}

#endif
