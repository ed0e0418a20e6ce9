/* daemon/offline_names.c - check --resolve: all names of a model are looked up as a balancer
 * would, at the same time, on a loop of their own.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "daemon/name_question.h"
#include "daemon/offline.h"
#include "daemon/targets.h"
#include "model/srv.h"

/* Of all look-ups together; a name server that is silent takes less. */
enum { LOOK_UPS_MAX_MS = 60 * 1000 };

struct looking {
	struct loop        *loop;
	struct name_ways    ways;
	uint32_t            asked, troubles;
	struct look_up     *first;	/* owned: all that were made */
};

struct look_up {
	struct looking          *looking;
	struct look_up          *next;
	const struct model_pool *pool;
	const struct model_srv  *srv;	/* what it is about, or has led to it; or NULL */
	struct address           name;	/* otherwise, or of what it has led to */
	struct name_question     question;	/* NULL both: answered, or of records */
	struct dns_question     *records;
};

static void complain(struct look_up *l, const char *why)
{
	const struct model *m = l->looking->ways.model;
	const char *whom = m->name_server_count > 0 ? m->name_servers[0].text
						    : "the system's name servers";

	l->looking->troubles++;
	if (l->srv == NULL)
		fprintf(stderr, "balancerd: server %s of pool %s has no address: %s\n",
			l->name.text, l->pool->name, why);
	else if (*l->name.text != '\0')
		fprintf(stderr, "balancerd: server %s of pool %s, to which the SRV records of %s "
			"lead, has no address: %s; ask for the name at %s\n", l->name.text,
			l->pool->name, l->srv->name, why, whom);
	else
		fprintf(stderr, "balancerd: server srv %s of pool %s leads to no server: %s; ask "
			"for its SRV records at %s, or see \"resolve from\"\n",
			l->srv->name, l->pool->name, why, whom);
}

static struct look_up *look_up_new(struct looking *all, const struct model_pool *p,
				   const struct model_srv *srv)
{
	struct look_up *l = memory_new(1, sizeof *l);

	l->looking = all;
	l->pool = p;
	l->srv = srv;
	l->next = all->first;
	all->first = l;
	return l;
}

static void on_addresses(void *arg, const struct resolver_answer *answer)
{
	struct look_up *l = arg;

	l->question = (struct name_question){NULL, NULL};
	l->looking->asked--;
	if (answer->count == 0)
		complain(l, answer->err.text);
}

static void look_up_name(struct looking *all, const struct model_pool *p,
			 const struct model_srv *srv, const struct address *name)
{
	struct look_up *l = look_up_new(all, p, srv);

	l->name = *name;
	if (name_question_ask(&l->question, &all->ways, name, on_addresses, l))
		all->asked++;
	else
		complain(l, "too many names are looked up at once");
}

static void on_records(void *arg, const struct dns_srv_answer *answer)
{
	struct look_up *l = arg;
	struct targets t;

	l->records = NULL;
	l->looking->asked--;
	if (answer->fault != DNS_FINE) {
		complain(l, answer->err.text);
		return;
	}
	targets_choose(answer, &t);
	if (t.count == 0)
		complain(l, t.nobody ? "the record says that nobody serves"
				     : "no record has a host and a port");
	for (uint32_t i = 0; i < t.count; i++)
		if (t.all[i].address.len == 0)
			look_up_name(l->looking, l->pool, l->srv, &t.all[i].address);
	targets_fini(&t);
}

static void look_up_records(struct looking *all, const struct model_pool *p,
			    const struct model_srv *srv)
{
	struct look_up *l = look_up_new(all, p, srv);

	l->records = dns_ask_srv(all->ways.dns, srv->name, on_records, l);
	if (l->records != NULL)
		all->asked++;
	else
		complain(l, "too many names are looked up at once");
}

static void look_up_all(struct looking *all)
{
	const struct model *m = all->ways.model;

	for (uint32_t i = 0; i < m->pool_count; i++) {
		const struct model_pool *p = &m->pools[i];
		for (uint32_t j = 0; j < p->server_count; j++)
			if (p->servers[j].address.len == 0)
				look_up_name(all, p, NULL, &p->servers[j].address);
		for (uint32_t j = 0; j < p->srv_count; j++)
			look_up_records(all, p, &p->srvs[j]);
	}
	uint64_t until_ms = loop_now_ms(all->loop) + LOOK_UPS_MAX_MS;
	while (all->asked > 0 && loop_now_ms(all->loop) < until_ms)
		loop_turn(all->loop, 100);
}

static void forget_all(struct looking *all)
{
	while (all->first != NULL) {
		struct look_up *l = all->first;
		all->first = l->next;
		if (name_question_is_asked(&l->question) || l->records != NULL)
			complain(l, "there is no answer yet");
		name_question_cancel(&l->question);
		dns_cancel(l->records);
		free(l);
	}
}

uint32_t offline_resolve(const struct model *m)
{
	struct looking all = {.ways.model = m};
	struct err err;

	all.loop = loop_create(&err);
	if (all.loop == NULL)
		goto say;
	all.ways.dns = dns_create(all.loop, &err);
	if (all.ways.dns == NULL)
		goto destroy_loop;
	all.ways.system = resolver_create(all.loop, &err);
	if (all.ways.system == NULL)
		goto destroy_dns;
	dns_use(all.ways.dns, m->name_servers, m->name_server_count);
	look_up_all(&all);
	forget_all(&all);
	resolver_destroy(all.ways.system);
	dns_destroy(all.ways.dns);
	loop_destroy(all.loop);
	return all.troubles;

destroy_dns:
	dns_destroy(all.ways.dns);
destroy_loop:
	loop_destroy(all.loop);
say:
	fprintf(stderr, "balancerd: names cannot be looked up: %s\n", err.text);
	return 1;
}
