#include "daemon/names.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "daemon/name_question.h"
#include "model/live_registry.h"

struct name {
	struct names       *names;
	struct name        *next;
	struct live_server *live;		/* held by way of names->model */
	const struct model_server *server;	/* likewise */
	struct name_question question;
	uint64_t            due_ms;		/* when it is to be asked for again */
	bool                said;		/* that it does not resolve, in the log */
};

static const struct address *address_of(const struct name *name)
{
	return atomic_load(&name->live->address);
}

/* Asked again when that time has come; how long that is, is the timer's to find out. */
static void ask_again_in(struct name *name, uint64_t ms)
{
	struct names *n = name->names;
	uint64_t now_ms = loop_now_ms(n->loop);

	name->due_ms = now_ms + ms;
	if (!n->retry.armed || n->retry.due_ms > name->due_ms)
		loop_timer_start(n->loop, &n->retry, ms);
}

/* Said once, until it resolves again. */
static void on_unknown(struct name *name, const char *reason)
{
	bool keeps = address_of(name) != NULL;

	if (!name->said)
		log_warn("name does not resolve%s pool=%s server=%s reason=\"%s\"",
			 keeps ? " any more, its last address stays" : "",
			 name->live->pool, name->live->text, reason);
	name->said = true;
	ask_again_in(name, NAMES_RETRY_MS);
}

static bool is_among(const struct address *a, const struct resolver_answer *answer)
{
	for (uint32_t i = 0; i < answer->count; i++)
		if (address_equals(a, &answer->addresses[i]))
			return true;
	return false;
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
	struct name *name = arg;
	struct names *n = name->names;
	const struct address *before = address_of(name);

	name->question = (struct name_question){NULL, NULL};
	n->asked--;
	if (answer->count == 0) {
		on_unknown(name, answer->err.text);
		return;
	}
	ask_again_in(name, n->model->resolve_ms);
	if (before != NULL && is_among(before, answer)) {
		name->said = false;
		return;
	}
	if (name->said || before != NULL)
		log_info("name resolves%s pool=%s server=%s address=%s",
			 before != NULL ? " to another address" : "", name->live->pool,
			 name->live->text, answer->addresses[0].text);
	name->said = false;
	live_server_set_address(name->live, &answer->addresses[0]);
	n->on_resolved(n->arg, name->live);
}

static void ask(struct name *name)
{
	struct names *n = name->names;
	const struct name_ways ways = {n->dns, n->resolver, n->model};

	if (name_question_ask(&name->question, &ways, &name->server->address, on_answer,
			      name))
		n->asked++;
	else
		ask_again_in(name, NAMES_RETRY_MS);
}

/* Asks for those whose time has come, and wakes for the next. */
static void ask_all(struct names *n)
{
	uint64_t now_ms = loop_now_ms(n->loop), next_ms = UINT64_MAX;

	for (struct name *name = n->first; name != NULL; name = name->next) {
		if (!name_question_is_asked(&name->question) && name->due_ms <= now_ms)
			ask(name);
		if (!name_question_is_asked(&name->question) && name->due_ms < next_ms)
			next_ms = name->due_ms;
	}
	if (next_ms != UINT64_MAX)
		loop_timer_start(n->loop, &n->retry, next_ms - now_ms);
}

static void on_retry(struct loop_timer *t)
{
	ask_all(CONTAINER_OF(t, struct names, retry));
}

int names_open(struct names *n, struct loop *loop,
	       void (*on_resolved)(void *arg, struct live_server *s), void *arg, struct err *err)
{
	*n = (struct names){.loop = loop, .on_resolved = on_resolved, .arg = arg};
	loop_timer_init(&n->retry, on_retry);
	n->dns = dns_create(loop, err);
	if (n->dns == NULL)
		return -1;
	n->resolver = resolver_create(loop, err);
	if (n->resolver != NULL)
		return 0;
	dns_destroy(n->dns);
	return -1;
}

void names_close(struct names *n)
{
	names_use(n, NULL);
	resolver_destroy(n->resolver);
	dns_destroy(n->dns);
}

/* Takes the name of this server out of a list; NULL: it is not there. */
static struct name *take(struct name **list, const struct live_server *live)
{
	while (*list != NULL && (*list)->live != live)
		list = &(*list)->next;
	struct name *name = *list;
	if (name != NULL)
		*list = name->next;
	return name;
}

static void forget_all(struct names *n, struct name *list)
{
	while (list != NULL) {
		struct name *name = list;
		list = name->next;
		n->asked -= name_question_is_asked(&name->question);
		name_question_cancel(&name->question);
		free(name);
	}
}

/* The server's name, if it has one: that of `before`, with its question under way, or a
 * new one, to be asked for at once. In the order of the model, so that it is the first one
 * of `before`, or close to that. */
static struct name *name_of(struct names *n, const struct model_server *s,
			    struct name **before)
{
	if (s->address.len > 0)
		return NULL;
	struct name *name = take(before, s->live);
	bool is_new = name == NULL;
	if (is_new)
		name = memory_new(1, sizeof *name);
	name->names = n;
	name->next = NULL;
	name->live = s->live;
	if (is_new && address_of(name) != NULL)
		name->due_ms = loop_now_ms(n->loop) + n->model->resolve_ms;
	name->server = s;
	return name;
}

/* Changes may come faster than answers: a question whose server stays goes on. */
void names_use(struct names *n, const struct model *m)
{
	const struct model *model_before = n->model;
	struct name *before = n->first, **end = &n->first;

	n->first = NULL;
	n->model = m != NULL ? model_get(m) : NULL;
	if (m != NULL)
		dns_use(n->dns, m->name_servers, m->name_server_count);
	for (uint32_t i = 0; m != NULL && i < m->pool_count; i++) {
		for (uint32_t j = 0; j < m->pools[i].server_count; j++) {
			*end = name_of(n, &m->pools[i].servers[j], &before);
			if (*end != NULL)
				end = &(*end)->next;
		}
	}
	forget_all(n, before);
	model_put(model_before);
	loop_timer_stop(n->loop, &n->retry);
	ask_all(n);
}

void names_ask_anew(struct names *n)
{
	for (struct name *name = n->first; name != NULL; name = name->next)
		name->due_ms = 0;
	ask_all(n);
}
