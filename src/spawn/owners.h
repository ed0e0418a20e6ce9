/* spawn/owners.h - all pools that own their servers: each has as many as it should.
 *
 *   model, orders, load -----> owner (one for each pool) ---> driver: start, stop
 *   probes, ends of servers -'      '-- hooks: server of the pool, or no longer
 *
 * The life of one server is a table in fleet.h. What is said there of time: a new one
 * joins its pool down and takes requests with its first good probe; one that fails a
 * probe leaves the pool at once, and is ended and replaced; one that is taken out leaves
 * the pool first, its requests finish, then it is ended.
 *
 * Thread: control.
 */
#ifndef SPAWN_OWNERS_H
#define SPAWN_OWNERS_H

#include "base/address.h"
#include "base/err.h"
#include "base/list.h"
#include "model/live.h"
#include "model/own.h"

struct loop;
struct spawn_driver;

/* Of the end, see owners_end. */
enum { OWNERS_END_MS = 20 * 1000, OWNERS_SILENCE_MS = 5 * 1000, OWNERS_HURRY_MS = 5 * 1000 };

/* What people may want to know of one server. */
enum owners_news {
	OWNERS_STARTING = 1, OWNERS_SERVES, OWNERS_NOT_STARTED, OWNERS_REPLACED,
	OWNERS_LEAVES, OWNERS_STOPPED,
	OWNERS_LEFT,			/* it could not be stopped */
};

/* How a server becomes one of its pool, and none again. */
struct owners_hooks {
	/* Adds it, not up yet. NULL and *err: it cannot be. */
	struct live_server *(*add)(void *arg, const char *pool, const struct address *at,
				   struct err *err);
	/* Takes it out; what it has may go on for limit_ms, 0: not at all. */
	void (*remove)(void *arg, const char *pool, const struct address *at,
		       uint32_t limit_ms);
	/* What one that was taken out still has: requests, connections. */
	uint32_t (*left)(void *arg, const char *pool, const struct address *at);
	/* Has it probed now. */
	void (*check)(void *arg, struct live_server *s);
	/* What has become of one of them, and why. NULL: nobody asks. */
	void (*told)(void *arg, enum owners_news what, const char *pool, const char *name,
		     const char *text);
	/* Something that owners_list tells has changed. */
	void (*changed)(void *arg, const char *pool);
	void *arg;
};

struct owners;

/* Who owns. The texts are borrowed until owners_destroy. */
struct owners_facts {
	const char *balancer;		/* its name, see spawn/driver.h */
	const char *state;		/* folder for what is to be known after a restart;
					 * NULL: none */
	const char *serves;		/* what that belongs to: a file's real path */
	const struct spawn_driver *(*driver_of)(enum own_driver driver);
	uint32_t silence_ms, hurry_ms;	/* 0: as above */
};

struct owners *owners_create(struct loop *loop, const struct owners_facts *facts,
			     const struct owners_hooks *hooks);

/* Servers go on; what is under way is dropped. */
void owners_destroy(struct owners *o);

/* A model from the file has come into force, and is held until the next. Pools that it
 * has anew look for servers that are theirs already, and adopt them; those of pools
 * that it no longer has are ended; where they are made otherwise now, they are replaced,
 * one after the other; where another engine makes them, the old ones go when the new ones
 * serve. */
void owners_use(struct owners *o, const struct model *m);

/* A probe of this server was judged. Only noted: may be called out of anything, also out
 * of a hook. Servers that are nobody's are none of our business. */
void owners_on_probed(struct owners *o, struct live_server *s, bool good,
		      const char *reason);

/* Somebody else than us took this server out of its pool; what it has may go on for
 * limit_ms (UINT32_MAX: as its pool says). It is drained and ended, and one less is
 * wanted, but never less than min. Its live part is not looked at any more. */
void owners_on_taken_out(struct owners *o, const struct live_server *s,
			 uint32_t limit_ms);

/* A request waits in this pool, and nobody is up. */
void owners_on_needed(struct owners *o, const char *pool);

/* The balancer drains: nothing is started any more, and no order is taken. */
void owners_rest(struct owners *o);

/* Another balancer takes all servers as they are, by looking for them: this one forgets
 * them, and has nothing to end. owners_use undoes it, and looks for them itself. */
void owners_hand_over(struct owners *o);

/* The other side of it: by what the one that hands over has written last, takes this model
 * into use. */
void owners_take_over(struct owners *o, const struct model *m);

/* Each pool has as many servers as it should have now; or none is asked for. */
bool owners_are_complete(const struct owners *o);

/* The balancer ends: those that are not to be left are ended. It all takes OWNERS_END_MS
 * beyond their stop time at most; where none has ended for OWNERS_SILENCE_MS after that,
 * say because the engine is out of reach, force is used at once. `ended` is told when they
 * are gone, or the time is, which may be out of this call. Once. */
void owners_end(struct owners *o, void (*ended)(void *arg), void *arg);

/* While it ends: by force at once, and at most OWNERS_HURRY_MS more. */
void owners_hurry(struct owners *o);

/* ---- asked for by people ---- */

enum owners_wish { OWNERS_ADD = 1, OWNERS_REMOVE, OWNERS_SCALE };

enum owners_result {
	OWNERS_DONE,
	OWNERS_BAD,		/* what is asked for cannot be; nothing has changed */
	OWNERS_NOT_OWNED,	/* the pool has no servers of its own, or there is none */
	OWNERS_FAILED,		/* it was tried, and taken back */
	OWNERS_ENDING,
};

/* More detail of OWNERS_BAD, for those who have words of their own for it. */
enum owners_fault {
	OWNERS_FINE,
	OWNERS_MORE_NAMES_THAN_N, OWNERS_N_RANGE, OWNERS_NAME_BAD, OWNERS_NAME_TWICE,
	OWNERS_NAME_UNKNOWN, OWNERS_NAME_TAKEN,
};

/* Lives inside the struct that owns it, until on_done. */
struct owners_order {
	enum owners_wish wish;
	const char *pool;		/* borrowed, all three until the call returns */
	const char *const *names;	/* ADD, REMOVE: of some of them */
	uint32_t name_count;
	uint32_t count;			/* ADD, REMOVE: so many; SCALE: in all */

	/* May be called out of owners_ask. */
	void (*on_done)(struct owners_order *order, enum owners_result result,
			const struct err *err);
	enum owners_fault fault;	/* with OWNERS_BAD */
	struct link link;		/* while it is under way */
	void *inside;			/* the owner's */
};

/* ADD is done when the new ones take requests; REMOVE, when those that go take none any
 * more, which is at once; SCALE as the one of both that it comes to. Where one of the new
 * does not come up, all of them are taken back first, and it has failed. */
void owners_ask(struct owners *o, struct owners_order *order);

/* The asker is gone: on_done is not called; what is under way goes on. */
void owners_forget(struct owners *o, struct owners_order *order);

/* ---- for those who look ---- */

struct owners_entry {
	char     name[OWN_NAME_MAX + 1];
	char     id[128];
	char     address[ADDRESS_TEXT_MAX];	/* "": not known yet */
	const char *state;		/* a word of fleet.h: "starting", ... */
	bool     serves;		/* it is one of the pool's, and has answered */
	uint64_t since_ms;		/* how long it is in this state */
	char     why[LIVE_REASON_MAX];	/* of the last change; "": nothing to say */
};

/* Calls `each` for every server of the pool's owner, in the order of their names (S2
 * before S10). False: the pool owns none. */
bool owners_list(const struct owners *o, const char *pool,
		 void (*each)(void *arg, const struct owners_entry *e), void *arg);

struct owners_figures {
	uint32_t wanted, serving, starting, leaving;
	uint64_t starts, start_failures, replaced, adopted;
	uint32_t retry_ms;		/* until the next start is tried; 0: none waits */
	char     trouble[256];		/* why starts fail at present; "": they do not */
};
bool owners_figures(const struct owners *o, const char *pool, struct owners_figures *f);

#endif
