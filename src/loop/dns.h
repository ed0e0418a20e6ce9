/* loop/dns.h - questions to name servers themselves: of a service, where it is (SRV, RFC
 * 2782); and of names, where the configuration says which name servers are to be asked.
 *
 * c-ares asks, from the control thread's own loop: its sockets are watched there and its
 * times are a timer, so nothing blocks, any number of questions is under way at once, and
 * an answer that was too long for a datagram is asked for again over TCP. Names that go by
 * the system's own ways (/etc/hosts and all that nsswitch.conf names) are resolve.h's.
 *
 *   dns_ask_* --> c-ares --(sockets in an epoll set of its own)--> loop_post --> on_answer
 *
 * The name servers are those given, or the system's (/etc/resolv.conf, read anew by the
 * first question after all others were answered).
 *
 * Thread: control.
 */
#ifndef LOOP_DNS_H
#define LOOP_DNS_H

#include <stdint.h>

#include "base/address.h"
#include "base/err.h"
#include "loop/dns_answer.h"
#include "loop/loop.h"
#include "loop/resolve.h"

enum {
	DNS_SERVERS_MAX   = 3,		/* as in resolv.conf */
	DNS_QUESTIONS_MAX = 8192,	/* not answered yet */
	DNS_TIMEOUT_MS    = 1500,	/* of the first try; the second may take twice as long */
	DNS_TRIES         = 2,		/* of each name server */
};

struct dns;
struct dns_question;

/* NULL and *err: the kernel refused a descriptor. */
struct dns *dns_create(struct loop *control, struct err *err);

/* No on_answer is called any more. */
void dns_destroy(struct dns *d);

/* Whom to ask from now on, numeric addresses; 0 of them: those of the system. Questions
 * under way go on, and so do those asked before the last of these is answered. */
void dns_use(struct dns *d, const struct address *servers, uint32_t count);

/* on_answer is called once with what came of it, which is gone afterwards, and never
 * before dns_ask_* returns. The question is for dns_cancel only, and gone when on_answer is
 * called. NULL: the name is too long, or DNS_QUESTIONS_MAX wait already.
 *
 * The first asks for the SRV records of a name, as it is; the second for a name's
 * addresses, as it is too: no domain is tried behind it, and no file says what it is. */
struct dns_question *
dns_ask_srv(struct dns *d, const char *name,
	    void (*on_answer)(void *arg, const struct dns_srv_answer *answer), void *arg);
struct dns_question *
dns_ask_addresses(struct dns *d, const char *host, uint16_t port,
		  void (*on_answer)(void *arg, const struct resolver_answer *answer),
		  void *arg);

/* on_answer will not be called. NULL is allowed. */
void dns_cancel(struct dns_question *q);

#endif
