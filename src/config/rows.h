/* config/rows.h - what the tables of directives are written with.
 *
 * Only rows_*.c include it: one table for each place where directives stand, which
 * directives.c makes one of.
 */
#ifndef CONFIG_ROWS_H
#define CONFIG_ROWS_H

#include "base/must.h"
#include "config/directives.h"
#include "model/model.h"

/* The rows of one place. */
struct directive_table {
	const struct directive *rows;
	uint32_t count;
};

extern const struct directive_table rows_file, rows_listen, rows_pool, rows_own;

/* Words that stand for a number in several places. */
extern const struct choice choice_unlimited[], choice_off[], choice_on_off[];

enum {
	SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE,
	TIME_MAX         = 24 * HOUR,
	LASTING_TIME_MAX = 24 * 24 * HOUR,	/* fits in 31 bits of milliseconds */
	CONNECTIONS_MAX  = 10 * 1000 * 1000,
	PARALLEL_MAX     = 1000 * 1000,
	QUEUE_MAX        = 1000 * 1000,
	REQUESTS_MAX     = 1000 * 1000 * 1000,
	PART_MAX         = 1000 * 1000,
};

/* What an argument fills. */
#define FIELD(type, member) \
	{offsetof(struct type, member), sizeof(((struct type *)0)->member)}
#define FILE_FIELD(member)     .field = FIELD(model, member)
#define CONTROL_FIELD(member)  .field = FIELD(model_control, member)
#define LISTENER_FIELD(member) .field = FIELD(model_listener, member)
#define ROUTE_FIELD(member)    .field = FIELD(model_route, member)
#define POOL_FIELD(member)     .field = FIELD(model_pool, member)
#define SERVER_FIELD(member)   .field = FIELD(model_server, member)
#define SRV_FIELD(member)      .field = FIELD(model_srv, member)
#define OWN_FIELD(member)      .field = FIELD(model_own, member)

/* What the directive itself sets. */
#define SETS(type, member, value) \
	.constant_field = FIELD(type, member), .constant = value

/* What an argument is, within which bounds. */
#define NUMBER(from, to)    .kind = ARGUMENT_NUMBER, .min = from, .max = to
#define LIMIT(to)           NUMBER(1, to), .choices = choice_unlimited
#define SIZE(from, to)      .kind = ARGUMENT_SIZE, .min = from, .max = to
#define PERCENT(from, to)   .kind = ARGUMENT_PERCENT, .min = from, .max = to
#define TIME_FROM(from, to) .kind = ARGUMENT_TIME, .min = from, .max = to
#define TIME                TIME_FROM(1, TIME_MAX)
#define TIME_OR_NONE        TIME_FROM(0, TIME_MAX)
#define LASTING_TIME        TIME_FROM(1, LASTING_TIME_MAX)
#define PART_OF(to)         .kind = ARGUMENT_PART, .min = 1, .max = to
#define CHOICE(list)        .kind = ARGUMENT_CHOICE, .choices = list

#endif
