/* loop/resolve.h - names become addresses, off the loops.
 *
 * getaddrinfo(3) blocks, for many seconds if a name server is silent; so one thread
 * does nothing else, and answers come back as messages to the control thread's
 * loop. Questions are answered one after the other, in the order of asking.
 *
 *   resolver_ask --> queue --> thread: getaddrinfo --> loop_post --> on_answer
 *
 * Threads: all functions and on_answer belong to the control thread.
 */
#ifndef LOOP_RESOLVE_H
#define LOOP_RESOLVE_H

#include <stdint.h>

#include "base/address.h"
#include "base/err.h"
#include "loop/loop.h"

enum {
	RESOLVER_ADDRESSES_MAX = 8,	/* further ones of a name are left out */
	RESOLVER_QUESTIONS_MAX = 4096,	/* not answered yet */
};

struct resolver;
struct resolver_question;

/* What a name stands for: at least one address, in the order in which they are to
 * be tried (RFC 6724), or none and the reason. */
struct resolver_answer {
	uint32_t       count;
	struct address addresses[RESOLVER_ADDRESSES_MAX];
	struct err     err;		/* count 0 */
};

/* NULL and *err: no thread could be started. */
struct resolver *resolver_create(struct loop *control, struct err *err);

/* No on_answer is called any more, and every question is freed. Does not wait for
 * a look-up that is under way: its thread ends by itself when the look-up does, and
 * touches nothing of the caller's, nor the loop. */
void resolver_destroy(struct resolver *r);

/* Looks up host (a name or a numeric address); on_answer is called once with what
 * came of it and `arg`, never before resolver_ask returns. The question is for
 * resolver_cancel only, and gone when on_answer is called. NULL: the host is too
 * long, or RESOLVER_QUESTIONS_MAX wait already. */
struct resolver_question *
resolver_ask(struct resolver *r, const char *host, uint16_t port,
	     void (*on_answer)(void *arg, const struct resolver_answer *answer),
	     void *arg);

/* on_answer will not be called. NULL is allowed. */
void resolver_cancel(struct resolver_question *q);

#endif
