/* ctl/command.h - what balancerctl can do, in one table.
 *
 * Usage, the help of each command, the manual page and the completions are printed from
 * it, so that they say what is true.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdint.h>

#include "ctl/options.h"
#include "ctl/outcome.h"

struct call;

/* What the words behind a command's name are, for completion. */
enum command_words {
	WORDS_OTHER,			/* nothing that we could know */
	WORDS_SERVER,			/* one server that is there */
	WORDS_SERVER_NAME,		/* the same, by its name if it has one */
	WORDS_POOL,
	WORDS_FILE,
	WORDS_COMMAND,
	WORDS_SHELL,			/* bash, zsh, fish */
};

struct command {
	const char *name;
	const char *second;		/* of a name of two words; NULL */
	const char *arguments;		/* "ADDRESS PORT"; "" for none */
	uint32_t    words_min, words_max;	/* behind the name */
	uint32_t    options;		/* OPTION_BIT of each, but OPTIONS_ALWAYS */
	enum command_words words;
	const char *help;		/* an order: "add a server"; NULL: the command is
					 * for programs, and not shown */
	const char *more;		/* sentences for help and manual page; NULL */
	enum outcome (*run)(struct call *call, struct err *err);
};

extern const struct command command_table[];
extern const uint32_t command_count;

enum { COMMAND_WORDS_MANY = UINT16_MAX };

/* The command of the words, *used of which are its name. NULL and *err: there is none;
 * the reason names the nearest one. */
const struct command *command_find(char *const *words, uint32_t count, uint32_t *used,
				   struct err *err);

/* Whether the options and the number of words are right for it. -1 and *err: not. */
int command_check(const struct command *c, const struct options *options,
		  uint32_t word_count, struct err *err);

enum { COMMAND_USAGE_MAX = 320 };
struct command_usage {
	char text[COMMAND_USAGE_MAX];
};

/* `remove ADDRESS PORT`: its name and arguments. */
struct command_usage command_usage(const struct command *c);

/* The same with its own options in brackets: `... [--limit TIME]`. */
struct command_usage command_usage_full(const struct command *c);

/* What they do. Each is in the file of its noun. */
enum outcome ctl_start(struct call *call, struct err *err);
enum outcome ctl_stop(struct call *call, struct err *err);
enum outcome ctl_status(struct call *call, struct err *err);
enum outcome ctl_upgrade(struct call *call, struct err *err);
enum outcome ctl_reload(struct call *call, struct err *err);
enum outcome ctl_add(struct call *call, struct err *err);
enum outcome ctl_remove(struct call *call, struct err *err);
enum outcome ctl_scale(struct call *call, struct err *err);
enum outcome ctl_list(struct call *call, struct err *err);
enum outcome ctl_top(struct call *call, struct err *err);
enum outcome ctl_drain(struct call *call, struct err *err);
enum outcome ctl_enable(struct call *call, struct err *err);
enum outcome ctl_weight(struct call *call, struct err *err);
enum outcome ctl_config_check(struct call *call, struct err *err);
enum outcome ctl_config_show(struct call *call, struct err *err);
enum outcome ctl_config_diff(struct call *call, struct err *err);
enum outcome ctl_explain(struct call *call, struct err *err);
enum outcome ctl_events(struct call *call, struct err *err);
enum outcome ctl_log(struct call *call, struct err *err);
enum outcome ctl_help(struct call *call, struct err *err);
enum outcome ctl_complete(struct call *call, struct err *err);
enum outcome ctl_completion(struct call *call, struct err *err);
enum outcome ctl_manual(struct call *call, struct err *err);

#endif
