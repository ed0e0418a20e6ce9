/* daemon/name_question.h - one look-up of a name's addresses, by whichever way the model
 * says: its own name servers (loop/dns.h), or the system (loop/resolve.h).
 *
 * Thread: control.
 */
#ifndef DAEMON_NAME_QUESTION_H
#define DAEMON_NAME_QUESTION_H

#include "loop/dns.h"
#include "loop/resolve.h"
#include "model/model.h"

struct name_question {
	struct dns_question      *dns;		/* both NULL: not asked at present; the caller's */
	struct resolver_question *system;	/* to clear when it is answered */
};

/* All borrowed. */
struct name_ways {
	struct dns      *dns;
	struct resolver *system;
	const struct model *model;	/* says which of the two */
};

static inline bool name_question_is_asked(const struct name_question *q)
{
	return q->dns != NULL || q->system != NULL;
}

/* Asks for the host in the text of `name`, and says its port of each address. False: too
 * many questions wait. */
static inline bool
name_question_ask(struct name_question *q, const struct name_ways *ways,
		  const struct address *name,
		  void (*on_answer)(void *arg, const struct resolver_answer *answer), void *arg)
{
	char host[ADDRESS_HOST_MAX + 1];
	uint16_t port;

	address_split(name, host, &port);
	if (ways->model->name_server_count > 0)
		q->dns = dns_ask_addresses(ways->dns, host, port, on_answer, arg);
	else
		q->system = resolver_ask(ways->system, host, port, on_answer, arg);
	return name_question_is_asked(q);
}

static inline void name_question_cancel(struct name_question *q)
{
	dns_cancel(q->dns);
	resolver_cancel(q->system);
	*q = (struct name_question){NULL, NULL};
}

#endif
