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

/* Where a directive may stand: a bit for each kind of block, so that one row serves
 * all blocks that share a word. */
enum context {
	IN_NONE = 0,
	IN_FILE = 1 << 0,
	IN_HTTP = 1 << 1, IN_TCP = 1 << 2, IN_UDP = 1 << 3, IN_KV = 1 << 4,
	IN_POOL = 1 << 5,
	IN_DOCKER = 1 << 6, IN_PROCESS = 1 << 7,	/* own blocks, in a pool's */
};
#define IN_LISTEN (IN_HTTP | IN_TCP | IN_UDP | IN_KV)
#define IN_OWN    (IN_DOCKER | IN_PROCESS)
#define IN_ANY    (IN_FILE | IN_LISTEN | IN_POOL | IN_OWN)

/* What a directive adds to the model; its arguments then fill that. The others
 * fill the struct of the block they stand in. */
enum makes { MAKES_NOTHING, MAKES_LISTENER, MAKES_POOL, MAKES_SERVER, MAKES_SRV, MAKES_ROUTE,
	     MAKES_CONTROL, MAKES_OWN,
	     MAKES_VARIABLE,	/* char *: NAME=VALUE */
	     MAKES };

enum argument_kind {
	ARGUMENT_NONE,		/* ends a list of arguments */
	ARGUMENT_NUMBER, ARGUMENT_TIME, ARGUMENT_SIZE, ARGUMENT_PERCENT,
	ARGUMENT_SECONDS,	/* a time, kept in seconds */
	ARGUMENT_PRIME,
	ARGUMENT_CHOICE,	/* one of its words */
	ARGUMENT_CHOICES,	/* several of them, as bits; that of value 0 alone */
	ARGUMENT_FLAG,		/* the keyword itself: true */
	ARGUMENT_SOCKET,	/* char *: what stands behind "unix:" */
	/* Texts that are kept as they are, from here: */
	ARGUMENT_FILE,		/* char *: a path */
	ARGUMENT_NAME,		/* char * */
	ARGUMENT_PREFIX,	/* char *: the beginning of a URL's path */
	ARGUMENT_TARGET,	/* char *: a URL's path, perhaps with a query */
	ARGUMENT_TOKEN,		/* char *: the name of a header field or a cookie */
	ARGUMENT_QUERY_NAME,	/* char *: of an argument of a query */
	ARGUMENT_HOST,		/* char *: host, perhaps with a port */
	ARGUMENT_HOST_PATTERN,	/* char *: host or *.host, made lower case */
	ARGUMENT_IMAGE,		/* char *: of containers */
	ARGUMENT_NETWORK,	/* char *: of containers */
	ARGUMENT_ENGINE,	/* char *: the path of a socket, absolute */
	ARGUMENT_FOLDER,	/* char *: a path, absolute */
	ARGUMENT_SERVICE,	/* char *: the name of SRV records */
	ARGUMENT_SERVER_PREFIX,	/* char *: what made-up names of servers begin with */
	/* to here. */
	ARGUMENT_POOL,		/* uint32_t: a pool's name becomes its index */
	ARGUMENT_POLICY,	/* const struct policy * */
	ARGUMENT_LISTEN,	/* struct address of a listener */
	ARGUMENT_CONTROL,	/* the same, of the control interface */
	ARGUMENT_SERVER,	/* struct address of a server */
	ARGUMENT_PEERS,		/* all words left: two fields of struct model_listener */
	ARGUMENT_NAME_SERVERS,	/* words up to a keyword: two fields of struct model */
	ARGUMENT_EXPECT,	/* three fields of struct model_check */
	ARGUMENT_HOST_MODE,	/* two fields of struct model_pool */
	ARGUMENT_OWNING_POOL,	/* uint32_t: its index and 1 */
	ARGUMENT_COMMAND,	/* all words left: two fields of struct model_own */
	ARGUMENT_VARIABLE,	/* char *: becomes NAME= */
	ARGUMENT_VARIABLE_VALUE,	/* char *: put behind that */
	ARGUMENT_PART,		/* 1/N, kept as N */
	ARGUMENT_ACCESS_FORM,	/* struct access_form *, owned */
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
	bool     required;	/* with a keyword; without one it is, unless: */
	bool     optional;	/* without a keyword, and the last of these */
	unsigned in;		/* blocks where it may stand; 0: all of its directive's */
	uint64_t min, max;
	const struct choice *choices;	/* instead of a value, or NULL */
	struct field field;
	const char *help;	/* NULL: the directive's says it all */
};

struct directive {
	const char *word;
	const char *second;	/* a further word that belongs to it, or NULL */
	const char *begins;	/* what its first argument begins with, where that tells
				 * it from the next row of the same word, or NULL */
	unsigned     in;	/* blocks where it may stand */
	enum makes   makes;
	enum context opens;	/* the context of its block; IN_NONE: it has none */
	bool repeats;		/* may be given many times, adding each time */
	bool merges;		/* may be given many times, with other arguments */
	struct field    constant_field;	/* set by the directive itself, */
	uint64_t        constant;	/* to this */
	const char     *help;
	struct argument arguments[ARGUMENTS_MAX];	/* up to the first of no kind */
};

/* Row i of all, those of one word side by side; NULL behind the last. */
const struct directive *directive_at(uint32_t i);

/* The first row of a word in one of these blocks, or NULL. */
const struct directive *directive_find(unsigned in, const char *word);

/* The row of the same word and blocks whose second word it is, or NULL; rows of a word may
 * also have none. */
const struct directive *directive_find_second(const struct directive *first,
					      const char *second);

/* The row of the same word and blocks to which such a first argument belongs: the one
 * that says what it begins with, or else the one that says nothing. */
const struct directive *directive_find_beginning(const struct directive *first,
						 const char *argument);

/* A word that another balancer has for it. */
struct alias {
	const char *theirs;
	const char *ours;	/* the word that means the same, or NULL: */
	const char *hint;	/* what to write instead */
};

/* NULL: nobody calls anything like that. */
const struct alias *directive_alias(const char *theirs);

/* "at the top of the file", "in a listen tcp block or in a pool block" */
struct context_text {
	char text[192];
};
struct context_text context_text(unsigned in);

/* The number of arguments in use. */
uint32_t directive_argument_count(const struct directive *d);

/* Whether an argument may stand in one of these blocks. */
bool argument_is_for(const struct argument *a, unsigned in);

#endif
