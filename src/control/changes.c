/* control/changes.c - the two halves of an entry, and how they meet a file.
 *
 *   change --> wish_change --> now ------ settle (against the file) --> applied, listed
 *                   '--------> lasting -- settle -------------------> the journal
 */
#include "control/changes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"
#include "model/srv.h"

enum { NAMED_MAX = 3 };		/* in a message; how many more there are is said */

/* What is wanted of one server. */
struct wish {
	enum { AS_FILE, THERE, GONE } presence;
	bool     has_weight, has_drain;	/* both of one that is THERE, none of one GONE */
	uint32_t weight;
	bool     drain;
};

struct entry {
	struct wish lasting, now;
	struct changes_entry listed;	/* `now`; its pool and server are the entry's */
};

struct changes {
	uint32_t count, room;
	struct entry *entries;		/* owned, in the order they were first made */
	uint64_t *hashes;		/* owned: of pool and server, to be found by */
};

struct changes *changes_create(void)
{
	return memory_new(1, sizeof(struct changes));
}

void changes_destroy(struct changes *c)
{
	if (c == NULL)
		return;
	free(c->entries);
	free(c->hashes);
	free(c);
}

static void move(struct changes *to, uint32_t at, const struct changes *from, uint32_t i)
{
	to->entries[at] = from->entries[i];
	to->hashes[at] = from->hashes[i];
}

struct changes *changes_copy(const struct changes *from)
{
	struct changes *c = changes_create();

	c->count = c->room = from->count;
	c->entries = memory_new(c->count, sizeof *c->entries);
	c->hashes = memory_new(c->count, sizeof *c->hashes);
	for (uint32_t i = 0; i < c->count; i++)
		move(c, i, from, i);
	return c;
}

/* ---- what is there, for people ---- */

struct names {
	char   text[256];
	size_t len;
	uint32_t count;
};

static void name(struct names *n, const char *what)
{
	if (n->count++ < NAMED_MAX)
		n->len += (size_t)snprintf(n->text + n->len, sizeof n->text - n->len,
					   "%s%.64s", n->len > 0 ? ", " : "", what);
}

static const char *names_end(struct names *n)
{
	if (n->count > NAMED_MAX)
		snprintf(n->text + n->len, sizeof n->text - n->len, " and %u more",
			 n->count - NAMED_MAX);
	return n->count > 0 ? n->text : "none";
}

static enum change_fault no_pool(const struct model *m, const char *pool, struct err *err)
{
	struct names names = {.text = ""};

	for (uint32_t i = 0; i < m->pool_count; i++)
		name(&names, m->pools[i].name);
	err_set(err, "there is no pool %s; there is %s", pool, names_end(&names));
	return CHANGE_POOL_UNKNOWN;
}

static enum change_fault no_server(const struct model_pool *p, const struct change *c,
				   struct err *err)
{
	struct names names = {.text = ""};

	for (uint32_t i = 0; i < p->server_count; i++)
		name(&names, p->servers[i].address.text);
	err_set(err, "pool %s has no server %.150s; it has %s", p->name, c->server.text,
		names_end(&names));
	return CHANGE_SERVER_UNKNOWN;
}

/* ---- one change of one model ---- */

static struct model_pool *find_pool(const struct model *m, const char *pool)
{
	int at = model_pool_find(m, span_of(pool));

	return at >= 0 ? &m->pools[at] : NULL;
}

static void set(struct model_server *s, const struct change *c)
{
	if (c->has_weight)
		s->weight = c->weight;
	if (c->has_drain)
		s->drain = c->drain;
}

static enum change_fault add(struct model_pool *p, const struct change *c,
			     struct err *err)
{
	struct model_server *s = model_server_find(p, &c->server);

	if (s != NULL) {
		err_set(err, "pool %s has the server %.150s already; to change it, set "
			"its weight or drain it", p->name, s->address.text);
		return CHANGE_SERVER_EXISTS;
	}
	s = model_server_add(p);
	if (s == NULL) {
		err_set(err, "pool %s is full: it has %d servers, and may have no more; "
			"remove one first", p->name, MODEL_SERVERS_MAX);
		return CHANGE_POOL_FULL;
	}
	s->address = c->server;
	set(s, c);
	return CHANGE_FINE;
}

enum change_fault change_apply(struct model *m, const struct change *c, struct err *err)
{
	struct model_pool *p = find_pool(m, c->pool);
	if (p == NULL)
		return no_pool(m, c->pool, err);
	if (c->kind == CHANGE_ADD)
		return add(p, c, err);

	struct model_server *s = model_server_find(p, &c->server);
	if (s == NULL)
		return no_server(p, c, err);
	if (c->kind == CHANGE_REMOVE)
		model_server_remove(p, (uint32_t)(s - p->servers));
	else
		set(s, c);
	return CHANGE_FINE;
}

/* ---- wishes ---- */

static bool wish_is_empty(const struct wish *w)
{
	return w->presence == AS_FILE && !w->has_weight && !w->has_drain;
}

static bool wish_equals(const struct wish *a, const struct wish *b)
{
	return a->presence == b->presence && a->has_weight == b->has_weight &&
	       a->has_drain == b->has_drain &&
	       (!a->has_weight || a->weight == b->weight) &&
	       (!a->has_drain || a->drain == b->drain);
}

static struct wish wish_there(const struct change *c)
{
	struct model_server s = {0};

	model_server_defaults(&s);
	set(&s, c);
	return (struct wish){
		.presence = THERE, .has_weight = true, .has_drain = true,
		.weight = s.weight, .drain = s.drain,
	};
}

/* One change more; in_file: whether the file has this server. */
static void wish_change(struct wish *w, const struct change *c, bool in_file)
{
	if (c->kind == CHANGE_ADD) {
		*w = wish_there(c);
	} else if (c->kind == CHANGE_REMOVE) {
		*w = (struct wish){.presence = GONE};
	} else if (w->presence == THERE || (w->presence == AS_FILE && in_file)) {
		if (c->has_weight)
			w->weight = c->weight;
		if (c->has_drain)
			w->drain = c->drain;
		w->has_weight |= c->has_weight;
		w->has_drain |= c->has_drain;
	}
}

/* Takes out of a wish what the file says already; s: what the file has, or NULL. Where
 * `under` says something, the wish goes on saying it, or it would not be heard. */
static void settle(struct wish *w, const struct model_server *s, const struct wish *under)
{
	bool in_file = s != NULL;

	if (under->presence == AS_FILE &&
	    ((w->presence == THERE && in_file) || (w->presence == GONE && !in_file)))
		w->presence = AS_FILE;
	if (w->presence != AS_FILE)
		return;
	if (!in_file || (w->weight == s->weight && !under->has_weight))
		w->has_weight = false;
	if (!in_file || (w->drain == s->drain && !under->has_drain))
		w->has_drain = false;
}

static void wish_apply(const struct wish *w, struct model_pool *p,
		       struct changes_entry *listed)
{
	struct model_server *s = model_server_find(p, &listed->change.server);

	if (w->presence == GONE) {
		if (s != NULL)
			model_server_remove(p, (uint32_t)(s - p->servers));
		return;
	}
	if (w->presence == THERE && s == NULL) {
		s = model_server_add(p);
		listed->waiting = s == NULL;
		if (s != NULL)
			s->address = listed->change.server;
	}
	if (s != NULL)
		set(s, &listed->change);
}

/* ---- entries ---- */

static uint64_t hash_of(const struct change *c)
{
	return hash_pair(hash_bytes(c->pool, strlen(c->pool)), address_hash(&c->server));
}

static struct entry *entry_find(const struct changes *c, const struct change *of)
{
	uint64_t hash = hash_of(of);

	for (uint32_t i = 0; i < c->count; i++) {
		const struct change *there = &c->entries[i].listed.change;
		if (c->hashes[i] == hash && strcmp(there->pool, of->pool) == 0 &&
		    address_equals(&there->server, &of->server))
			return &c->entries[i];
	}
	return NULL;
}

/* NULL: CHANGES_MAX are there. */
static struct entry *entry_add(struct changes *c, const struct change *of)
{
	if (c->count == CHANGES_MAX)
		return NULL;
	if (c->count == c->room) {
		c->room = c->room > 0 ? c->room * 2 : 16;
		c->entries = memory_grow(c->entries, c->room, sizeof *c->entries);
		c->hashes = memory_grow(c->hashes, c->room, sizeof *c->hashes);
	}
	c->hashes[c->count] = hash_of(of);
	struct entry *e = &c->entries[c->count++];
	*e = (struct entry){.listed.change.server = of->server};
	memcpy(e->listed.change.pool, of->pool, sizeof of->pool);
	return e;
}

static void entry_remove(struct changes *c, const struct entry *e)
{
	c->count--;
	for (uint32_t i = (uint32_t)(e - c->entries); i < c->count; i++)
		move(c, i, c, i + 1);
}

static void wish_to_change(const struct wish *w, struct change *c)
{
	static const enum change_kind kinds[] = {
		[AS_FILE] = CHANGE_SET, [THERE] = CHANGE_ADD, [GONE] = CHANGE_REMOVE,
	};

	c->kind = kinds[w->presence];
	c->has_weight = w->has_weight;
	c->has_drain = w->has_drain;
	c->weight = w->weight;
	c->drain = w->drain;
	c->limit_ms = UINT32_MAX;
}

static void entry_list(struct entry *e)
{
	wish_to_change(&e->now, &e->listed.change);
	e->listed.change.temporary = !wish_equals(&e->lasting, &e->now);
}

/* True: the file had caught up with some of it. */
static bool entry_settle(struct entry *e, const struct model_server *in_file)
{
	static const struct wish nothing;
	struct entry before = *e;

	settle(&e->lasting, in_file, &nothing);
	settle(&e->now, in_file, &e->lasting);
	entry_list(e);
	return !wish_equals(&e->lasting, &before.lasting) ||
	       !wish_equals(&e->now, &before.now);
}

static bool entry_is_empty(const struct entry *e)
{
	return wish_is_empty(&e->lasting) && wish_is_empty(&e->now);
}

enum change_fault changes_note(struct changes *all, const struct model *file,
			       const struct change *c, struct err *err)
{
	const struct model_pool *p = find_pool(file, c->pool);
	const struct model_server *in_file =
		p != NULL ? model_server_find(p, &c->server) : NULL;
	struct entry *e = entry_find(all, c);

	if (e == NULL)
		e = entry_add(all, c);
	if (e == NULL) {
		err_set(err, "%d servers differ from the file, which is the most; write "
			"them into the file and reload", CHANGES_MAX);
		return CHANGE_TOO_MANY;
	}
	wish_change(&e->now, c, in_file != NULL);
	if (!c->temporary)
		wish_change(&e->lasting, c, in_file != NULL);
	entry_settle(e, in_file);
	if (entry_is_empty(e))
		entry_remove(all, e);
	return CHANGE_FINE;
}

void changes_forget(struct changes *all, const char *pool, const struct address *server)
{
	struct change of = {.server = *server};

	snprintf(of.pool, sizeof of.pool, "%s", pool);
	struct entry *e = entry_find(all, &of);
	if (e != NULL)
		entry_remove(all, e);
}

void changes_apply(struct changes *all, struct model *m, uint32_t *caught_up)
{
	uint32_t kept = 0;

	*caught_up = 0;
	for (uint32_t i = 0; i < all->count; i++) {
		struct entry *e = &all->entries[i];
		struct model_pool *p = find_pool(m, e->listed.change.pool);
		e->listed.waiting = p == NULL;
		const struct model_server *in_file =
			p != NULL ? model_server_find(p, &e->listed.change.server) : NULL;
		/* It may be about one that is there when name servers have answered. */
		if (p != NULL && in_file == NULL && e->now.presence != THERE &&
		    model_pool_awaits_srv(p))
			e->listed.waiting = true;
		else if (p != NULL) {
			*caught_up += entry_settle(e, in_file);
			wish_apply(&e->now, p, &e->listed);
		}
		if (!entry_is_empty(e))
			move(all, kept++, all, i);
	}
	all->count = kept;
}

uint32_t changes_count(const struct changes *c)
{
	return c->count;
}

const struct changes_entry *changes_at(const struct changes *c, uint32_t i)
{
	must(i < c->count);
	return &c->entries[i].listed;
}

bool changes_lasting_at(const struct changes *c, uint32_t i, struct change *lasting)
{
	must(i < c->count);
	const struct entry *e = &c->entries[i];
	*lasting = e->listed.change;
	wish_to_change(&e->lasting, lasting);
	lasting->temporary = false;
	return !wish_is_empty(&e->lasting);
}

bool changes_restore(struct changes *c, const struct change *lasting)
{
	struct entry *e = entry_find(c, lasting) == NULL ? entry_add(c, lasting) : NULL;

	if (e == NULL)
		return false;
	wish_change(&e->lasting, lasting, true);
	e->now = e->lasting;
	entry_list(e);
	return true;
}
