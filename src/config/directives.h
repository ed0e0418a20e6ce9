/* config/directives.h - the words of the configuration language: one table.
 *
 * Each row says where a directive may stand, what follows it, with bounds, and
 * which field of the model that fills. build.c makes models from it, the messages
 * take their suggestions from it, and manual.c prints it; so none of them can say
 * what another does not know. Defaults are not here: they are what a fresh struct
 * of the model holds.
 */
#ifndef CONFIG_DIRECTIVES_H
#define CONFIG_DIRECTIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARGUMENTS_MAX = 8 };

/* Where a directive may stand. */
enum context { IN_FILE, IN_LISTEN, IN_POOL, CONTEXTS };

/* What a directive adds to the model; its arguments then fill that. The others
 * fill the struct of the block they stand in. */
enum makes { MAKES_NOTHING, MAKES_LISTENER, MAKES_POOL, MAKES_SERVER, MAKES_ROUTE,
	     MAKES };

enum argument_kind {
	ARGUMENT_NONE,		/* ends a list of arguments */
	ARGUMENT_NUMBER, ARGUMENT_TIME, ARGUMENT_SIZE, ARGUMENT_PERCENT,
	ARGUMENT_CHOICE,	/* one of its words */
	ARGUMENT_CHOICES,	/* several of them, as bits; that of value 0 alone */
	ARGUMENT_FLAG,		/* the keyword itself: true */
	ARGUMENT_FILE,		/* char *: where to write to */
	ARGUMENT_NAME,		/* char * */
	ARGUMENT_PREFIX,	/* char *: the beginning of a URL's path */
	ARGUMENT_TARGET,	/* char *: a URL's path, perhaps with a query */
	ARGUMENT_HOST,		/* char *: host, perhaps with a port */
	ARGUMENT_HOST_PATTERN,	/* char *: host or *.host, made lower case */
	ARGUMENT_POOL,		/* uint32_t: a pool's name becomes its index */
	ARGUMENT_POLICY,	/* const struct policy * */
	ARGUMENT_LISTEN,	/* struct address of a listener */
	ARGUMENT_SERVER,	/* struct address of a server */
	ARGUMENT_EXPECT,	/* three fields of struct model_check */
	ARGUMENT_HOST_MODE,	/* two fields of struct model_pool */
};

/* A word that stands for a value; lists end with a word of NULL. */
struct choice {
	const char *word;
	uint64_t    value;
};

struct field {
	uint32_t offset;
	uint32_t size;		/* 0: no field */
};

struct argument {
	const char *keyword;	/* in front of it; NULL: known by its place */
	const char *shown;	/* stands for it in the manual; NULL: its choices do */
	const char *unit;	/* a word that has to follow it, or NULL */
	enum argument_kind kind;
	bool     required;	/* with a keyword; without one it always is */
	uint64_t min, max;
	const struct choice *choices;	/* instead of a value, or NULL */
	struct field field;
	const char *help;	/* NULL: the directive's says it all */
};

struct directive {
	const char *word;
	const char *second;	/* a further word that belongs to it, or NULL */
	enum context in;
	enum makes   makes;
	enum context opens;	/* the context of its block; IN_FILE: it has none */
	bool repeats;		/* may be given many times, adding each time */
	bool merges;		/* may be given many times, with other arguments */
	struct field    constant_field;	/* set by the directive itself, */
	uint64_t        constant;	/* to this */
	const char     *refused;	/* known, but not to be had: why */
	const char     *help;
	struct argument arguments[ARGUMENTS_MAX];	/* up to the first of no kind */
};

extern const struct directive directives[];
extern const uint32_t directive_count;

/* Bound of the above, for tables by index. */
enum { DIRECTIVES_MAX = 48 };

/* The first row of a word in a context, or NULL. */
const struct directive *directive_find(enum context in, const char *word);

/* The row among those of the same word whose second word it is, or NULL. */
const struct directive *directive_find_second(const struct directive *first,
					      const char *second);

/* What other balancers call it: our word for theirs, or NULL. */
const char *directive_alias(const char *theirs);

/* "at the top of the file", "in a pool block" */
const char *context_text(enum context in);

/* The number of arguments in use. */
uint32_t directive_argument_count(const struct directive *d);

#endif
