#include "config/build.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "config/arguments.h"
#include "config/check.h"
#include "config/check_own.h"
#include "config/fill.h"
#include "config/find.h"
#include "config/own_words.h"
#include "config/usage.h"
#include "model/srv.h"
#include "pick/policy.h"

/* Rows that are told apart by a second word say the same thing in several ways; what
 * begins in another way is another thing. */
static bool is_given_as(const struct given *g, const struct directive *d)
{
	return g->directive == d ||
	       (d->second != NULL && strcmp(g->directive->word, d->word) == 0);
}

/* What the block gives of a directive; at first nothing. Valid until the next call. */
static struct given *find_given(struct block *block, const struct directive *d)
{
	for (uint32_t i = 0; i < block->given_count; i++)
		if (is_given_as(&block->given[i], d))
			return &block->given[i];
	block->given = memory_grow(block->given, block->given_count + 1,
				   sizeof *block->given);
	struct given *g = &block->given[block->given_count++];
	*g = (struct given){.directive = d};
	return g;
}

const struct given *block_given(const struct block *block, const char *word)
{
	must(directive_find(block->context, word) != NULL);
	for (uint32_t i = 0; i < block->given_count; i++)
		if (block->given[i].statement != NULL &&
		    strcmp(block->given[i].directive->word, word) == 0)
			return &block->given[i];
	return NULL;
}

const struct tree_word *given_argument(const struct given *given, const char *keyword)
{
	for (uint32_t i = 0;
	     given != NULL && i < directive_argument_count(given->directive); i++) {
		const char *own = given->directive->arguments[i].keyword;
		if (own != NULL && strcmp(own, keyword) == 0)
			return given->arguments[i];
	}
	return NULL;
}

struct place given_place(const struct given *given, const char *keyword)
{
	const struct tree_word *w = given_argument(given, keyword);

	return w != NULL ? w->at : given->statement->words[0].at;
}

/* Room for one more in an array of the model, zeroed; NULL when it is full. */
static void *add(void **array, uint32_t *count, size_t size, uint32_t max)
{
	if (*count == max)
		return NULL;
	*array = memory_grow(*array, *count + 1, size);
	return memset((char *)*array + size * (*count)++, 0, size);
}

#define ADD(array, count, max) add((void **)&(array), &(count), sizeof *(array), max)

static struct model_listener *add_listener(struct model *m, enum listener_kind kind)
{
	struct model_listener *l =
		ADD(m->listeners, m->listener_count, MODEL_LISTENERS_MAX);

	if (l == NULL)
		return NULL;
	l->kind = kind;
	model_listener_defaults(l);
	return l;
}

static struct model_pool *add_pool(struct model *m)
{
	struct model_pool *p = ADD(m->pools, m->pool_count, MODEL_POOLS_MAX);

	if (p == NULL)
		return NULL;
	model_pool_defaults(p);
	p->name = memory_text("");
	p->policy = policies[0];
	return p;
}

/* Where a route leads whose pool has not been read, or is none. */
#define NO_POOL UINT32_MAX

static struct model_route *add_route(struct model_listener *l)
{
	struct model_route *r = ADD(l->routes, l->route_count, MODEL_ROUTES_MAX);

	if (r != NULL)
		r->pool = NO_POOL;
	return r;
}

static struct model_srv *add_srv(struct model_pool *p)
{
	return ADD(p->srvs, p->srv_count, MODEL_SRVS_MAX);
}

static struct model_control *add_control(struct model *m)
{
	return ADD(m->controls, m->control_count, MODEL_CONTROLS_MAX);
}

static struct model_own *add_own(struct model_pool *p, enum own_driver driver)
{
	must(p->own == NULL);	/* "own" may be given once */
	p->own = memory_new(1, sizeof *p->own);
	model_own_defaults(p->own, driver);
	return p->own;
}

/* Of the last of so many. */
static void note_place(struct place **places, uint32_t count, struct place at)
{
	*places = memory_grow(*places, count, sizeof **places);
	(*places)[count - 1] = at;
}

/* What the directive's arguments fill: a thing that it adds, at the place noted in
 * the block, or what the block itself fills. NULL: no room. */
static void *make_target(const struct build *b, struct block *block,
			 const struct directive *d, const struct tree_statement *s)
{
	uint32_t count = 0, max = 0;
	void *target = block->target;

	switch (d->makes) {
	case MAKES_NOTHING:
		return target;
	case MAKES_LISTENER:
		target = add_listener(b->model, (enum listener_kind)d->constant);
		count = b->model->listener_count;
		max = MODEL_LISTENERS_MAX;
		break;
	case MAKES_POOL:
		target = add_pool(b->model);
		count = b->model->pool_count;
		max = MODEL_POOLS_MAX;
		break;
	case MAKES_SERVER:
		count = ((struct model_pool *)block->target)->server_count + 1;
		target = model_server_add(block->target);
		max = MODEL_SERVERS_MAX;
		break;
	case MAKES_SRV:
		count = ((struct model_pool *)block->target)->srv_count + 1;
		target = add_srv(block->target);
		max = MODEL_SRVS_MAX;
		break;
	case MAKES_ROUTE:
		count = ((struct model_listener *)block->target)->route_count + 1;
		target = add_route(block->target);
		max = MODEL_ROUTES_MAX;
		break;
	case MAKES_CONTROL:
		target = add_control(b->model);
		count = b->model->control_count;
		max = MODEL_CONTROLS_MAX;
		break;
	case MAKES_OWN:
		count = 1;
		target = add_own(block->target, (enum own_driver)d->constant);
		break;
	case MAKES_VARIABLE:
		count = ((struct model_own *)block->target)->environment_count + 1;
		target = own_add_variable(block->target);
		max = OWN_WORDS_MAX;
		break;
	case MAKES:
		must(false);
	}
	if (target == NULL) {
		report_error(b->report, s->words[0].at,
			     "too many of \"%s\"; at most %u are allowed", d->word, max);
		return NULL;
	}
	note_place(&block->made[d->makes], count, s->words[0].at);
	return target;
}

static void read_block(struct build *b, struct block *block,
		       const struct tree_statement *first);

/* What can be checked as soon as the thing is there, before its block. */
static void check_new(const struct build *b, struct block *block,
		      const struct directive *d)
{
	switch (d->makes) {
	case MAKES_LISTENER:
		check_new_listener(b, block);
		break;
	case MAKES_POOL:
		check_new_pool(b, block);
		break;
	case MAKES_SERVER:
		check_new_server(b, block);
		break;
	case MAKES_SRV:
		check_new_srv(b, block);
		break;
	case MAKES_ROUTE:
		check_new_route(b, block, find_given(block, d));
		break;
	case MAKES_CONTROL:
		check_new_control(b, block);
		break;
	case MAKES_VARIABLE:
		check_new_variable(b, block);
		break;
	case MAKES_NOTHING:
	case MAKES_OWN:
	case MAKES:
		break;
	}
}

static void block_fini(struct block *block)
{
	for (int i = 0; i < MAKES; i++)
		free(block->made[i]);
	free(block->given);
}

/* What the first word of a statement is about. */
static enum makes meant_makes(enum context in, const struct tree_statement *s)
{
	const struct directive *d =
		s->word_count > 0 ? find_meant(in, s->words[0].text) : NULL;

	return d != NULL ? d->makes : MAKES_NOTHING;
}

/* A pool that owns its servers has other defaults, wherever in its block it says so. */
static void prepare_pool(struct model_pool *p, const struct tree_statement *first)
{
	for (const struct tree_statement *s = first; s != NULL; s = s->next)
		if (meant_makes(IN_POOL, s) == MAKES_OWN) {
			model_owning_pool_defaults(p);
			return;
		}
}

/* The blocks of pools are kept: what they say may not fit the listeners. */
static void read_inner_block(struct build *b, const struct block *outer,
			     const struct directive *d, const struct tree_statement *s,
			     void *target)
{
	struct block inner = {.context = d->opens,
			      .target = target,
			      .at = s->words[0].at,
			      .errors_before = b->report->error_count};

	if (!s->has_block)
		report_error(b->report, arguments_end(s),
			     "\"%s\" needs a block; write: %s", d->word,
			     usage_directive(d, d->in).text);
	if (d->opens == IN_POOL)
		prepare_pool(target, s->children);
	read_block(b, &inner, s->children);
	if (d->opens == IN_POOL) {
		check_pool(b, &inner);
		b->pools = memory_grow(b->pools, b->model->pool_count, sizeof *b->pools);
		b->pools[b->model->pool_count - 1] = inner;
		return;
	}
	if (d->makes == MAKES_OWN)
		check_own(b, &inner);
	else
		check_listener(b, outer, &inner);
	block_fini(&inner);
}

/* The words of a statement; what it fills, or NULL when that cannot be said. */
static void *read_words(const struct build *b, struct block *block,
			const struct directive *d, const struct tree_statement *s)
{
	struct given *given = find_given(block, d);
	struct given fresh = {.directive = d, .statement = s};

	if (given->statement != NULL && !d->merges && !d->repeats) {
		report_error(b->report, s->words[0].at,
			     "\"%s\" is already set in line %u", d->word,
			     given->statement->words[0].at.line);
		return NULL;
	}
	void *target = make_target(b, block, d, s);
	if (target == NULL)
		return NULL;
	if (given->statement == NULL || !d->merges)
		*given = fresh;
	arguments_read(b, block->context, s, target, given);
	if (d->constant_field.size > 0)
		fill_number(d->constant_field, target, d->constant);
	return target;
}

static void read_statement(struct build *b, struct block *block,
			   const struct tree_statement *s)
{
	const struct directive *d;
	void *target = NULL;

	if (s->word_count == 0)
		return;
	/* Of words that the lexer has complained about no more is said, but what they
	 * seem to mean is kept, so that what depends on them is not wrong too. */
	b->report->quiet = s->broken;
	d = find_directive(b, block->context, s);
	if (d != NULL)
		target = read_words(b, block, d, s);
	if (target != NULL)
		check_new(b, block, d);
	if (target != NULL && d->opens == IN_NONE && s->has_block)
		report_error(b->report, arguments_end(s),
			     "\"%s\" has no block; write: %s", d->word,
			     usage_directive(d, block->context).text);
	b->report->quiet = false;
	if (target != NULL && d->opens != IN_NONE)
		read_inner_block(b, block, d, s, target);
}

static void read_block(struct build *b, struct block *block,
		       const struct tree_statement *first)
{
	for (const struct tree_statement *s = first; s != NULL; s = s->next)
		read_statement(b, block, s);
}

/* What statements at the top add decides when they are read. */
void build_model(struct build *b, const struct tree *tree)
{
	static const enum makes turns[] = {MAKES_POOL, MAKES_NOTHING, MAKES_LISTENER};
	struct block file = {.context = IN_FILE, .target = b->model};

	for (size_t i = 0; i < COUNT_OF(turns); i++)
		for (const struct tree_statement *s = tree->first; s != NULL; s = s->next)
			if (meant_makes(IN_FILE, s) == turns[i])
				read_statement(b, &file, s);
	check_file(b, &file);
	for (uint32_t i = 0; i < b->model->pool_count; i++)
		block_fini(&b->pools[i]);
	free(b->pools);
	b->pools = NULL;
	block_fini(&file);
}
