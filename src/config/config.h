/* config/config.h - text becomes a model.
 *
 *   text -> lexer -> tree -> build (by the table in directives) -> model -> print -> text
 *                     ^             check (what only the whole shows)
 *                     '-> json      suits (what pools and listeners are to each other)
 *
 * All mistakes of a text are found in one go; with a single one there is no model.
 * Nothing is looked up and nothing is opened but the file itself: a name that does
 * not resolve is no mistake.
 *
 * Thread: control.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/err.h"
#include "config/report.h"
#include "model/model.h"

enum {
	CONFIG_FILE_MAX = 1 << 20,	/* bytes */
	CONFIG_QUICK_CONNECTIONS = 4,	/* -N of the quick form, when not given */
	CONFIG_QUICK_REQUESTS    = 5,	/* -R */
};

/* Where the quick form for keys and values listens, when nothing else is given. */
#define CONFIG_QUICK_KV_CLIENTS ":5059"
#define CONFIG_QUICK_KV_WORKERS ":5060"

/* Reads a file. The model is held once, by the caller; NULL: there are errors. The
 * report has these, and warnings in either case; it borrows path. */
struct model *config_load(const char *path, struct config_report *report);

/* The same for a text; `name` is what messages call it, borrowed by the report. */
struct model *config_read(const char *text, size_t len, const char *name,
			  struct config_report *report);

/* The quick form, `balancerd http [-N n] [-R n] PORT SERVER...`: the model of what
 * follows `http` on the command line. Options stand anywhere. -N is how many
 * connections are served at once, -R after how many requests all servers are
 * probed besides every 3 s. NULL: err says why. */
struct model *config_quick_http(int argc, char *const argv[], struct err *err);

/* The same for what follows `tcp`: `balancerd tcp ADDRESS:PORT [SERVER...]`. A port
 * alone, or behind a colon, is one of every IPv4 address. Servers may come later. A
 * client keeps its server by its address; servers are connected to every second. */
struct model *config_quick_tcp(int argc, char *const argv[], struct err *err);

/* The same for what follows `kv`: `balancerd kv [--clients ADDRESS:PORT] [--workers
 * ADDRESS:PORT] [--resp ADDRESS:PORT] [--acks none|one|all]`. The first listener is that of
 * --clients; without --resp nobody is there for clients of Redis. Workers join later. */
struct model *config_quick_kv(int argc, char *const argv[], struct err *err);

/* "1 listener, 2 pools, 5 servers", "3 to 10 servers" where pools own some; and "FILE is
 * good: " before it, a newline behind. */
void config_print_counts(const struct model *m, FILE *out);
void config_print_summary(const struct model *m, const char *name, FILE *out);

#endif
