/* loop/dns.c - how c-ares is driven, and who frees a question.
 *
 * A question is with c-ares until that calls back, which it always does, and then posted
 * to the loop, so that whoever gets the answer may ask anew or cancel others: nobody is
 * called from within c-ares. One that is cancelled meanwhile is freed at its next step.
 *
 * A channel, c-ares's word for sockets and name servers, lives from a question that finds
 * none under way to the next such one: so each has sockets, thus ports, of its own, and
 * the system's name servers are read again and again.
 */
#include "loop/dns.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/list.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"

enum { EVENTS_AT_ONCE = 32, DATAGRAM_MAX = 1232 };	/* fits into a packet of any network */

struct dns {
	struct loop      *loop;		/* borrowed */
	ares_channel      channel;	/* owned; NULL: none yet */
	struct loop_watch sockets;	/* owned: an epoll set of c-ares's */
	struct loop_timer timer;	/* c-ares's next time limit */
	struct address    servers[DNS_SERVERS_MAX];
	uint32_t          server_count;	/* 0: the system's */
	uint32_t          under_way;	/* questions that c-ares has */
	uint32_t          count;	/* questions that are not cancelled */
	struct link       questions;	/* these */
};

struct dns_question {
	struct loop_job   job;
	struct dns       *dns;		/* borrowed; not touched once it is cancelled and posted */
	struct link       link;		/* in dns.questions */
	bool              cancelled;
	void (*on_srv)(void *arg, const struct dns_srv_answer *answer);
	void (*on_addresses)(void *arg, const struct resolver_answer *answer);
	void             *arg;
	char              host[ADDRESS_HOST_MAX + 1];
	struct dns_srv_answer  srv;
	struct resolver_answer addresses;
};

static void question_free(struct dns_question *q)
{
	dns_answer_fini(&q->srv);
	free(q);
}

static void unlist(struct dns_question *q)
{
	list_remove(&q->link);
	q->dns->count--;
}

/* ---- from c-ares to the loop ---- */

static void on_posted(struct loop_job *job)
{
	struct dns_question *q = CONTAINER_OF(job, struct dns_question, job);

	if (!q->cancelled) {
		unlist(q);
		if (q->on_srv != NULL)
			q->on_srv(q->arg, &q->srv);
		else
			q->on_addresses(q->arg, &q->addresses);
	}
	question_free(q);
}

/* c-ares has done with it. */
static void give_back(struct dns_question *q)
{
	q->dns->under_way--;
	if (q->cancelled) {
		question_free(q);
		return;
	}
	q->job.run = on_posted;
	loop_post(q->dns->loop, &q->job);
}

static enum dns_fault fault_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return DNS_FINE;
	case ARES_ENOTFOUND:
		return DNS_NO_NAME;
	case ARES_ENODATA:
		return DNS_NO_RECORD;
	case ARES_ECONNREFUSED:
		return DNS_UNREACHED;
	case ARES_ETIMEOUT:
		return DNS_SILENT;
	case ARES_EBADRESP:
	case ARES_EBADNAME:
		return DNS_MALFORMED;
	default:
		return DNS_REFUSED;
	}
}

static const char *fault_text(enum dns_fault fault)
{
	static const char *const texts[DNS_FAULTS] = {
		[DNS_FINE] = "",
		[DNS_NO_NAME] = "there is no such name (NXDOMAIN)",
		[DNS_NO_RECORD] = "the name has no such record",
		[DNS_REFUSED] = "the name server could not answer (SERVFAIL or REFUSED)",
		[DNS_UNREACHED] = "no name server is there, or none could answer",
		[DNS_SILENT] = "no name server answers",
		[DNS_MALFORMED] = "the name server's answer cannot be read",
	};

	return texts[fault];
}

static void on_srv_answered(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	struct dns_question *q = arg;
	enum dns_fault fault = fault_of(status);

	(void)timeouts;
	if (fault == DNS_FINE)
		dns_answer_read(bytes, (size_t)len, &q->srv);
	else
		dns_answer_fault(&q->srv, fault, fault_text(fault));
	give_back(q);
}

static void take_addresses(struct resolver_answer *a, const struct ares_addrinfo *found)
{
	const struct ares_addrinfo_node *node = found->nodes;

	for (; node != NULL && a->count < RESOLVER_ADDRESSES_MAX; node = node->ai_next) {
		struct address *at = &a->addresses[a->count];
		if (node->ai_family != AF_INET && node->ai_family != AF_INET6)
			continue;
		memcpy(&at->any, node->ai_addr, node->ai_addrlen);
		at->len = node->ai_addrlen;
		address_format(at);
		a->count++;
	}
}

static void on_addresses_answered(void *arg, int status, int timeouts,
				  struct ares_addrinfo *found)
{
	struct dns_question *q = arg;
	enum dns_fault fault = fault_of(status);

	(void)timeouts;
	if (found != NULL) {
		take_addresses(&q->addresses, found);
		ares_freeaddrinfo(found);
	}
	if (fault == DNS_FINE && q->addresses.count == 0)
		fault = DNS_NO_RECORD;
	if (q->addresses.count == 0)
		err_set(&q->addresses.err, "cannot resolve \"%s\": %s", q->host,
			fault_text(fault));
	give_back(q);
}

/* ---- what c-ares waits for ---- */

static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns *d = arg;
	struct epoll_event event = {
		.events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u), .data.fd = fd,
	};

	/* One that is closed leaves the set by itself. */
	if (event.events != 0 && epoll_ctl(d->sockets.fd, EPOLL_CTL_MOD, fd, &event) != 0)
		epoll_ctl(d->sockets.fd, EPOLL_CTL_ADD, fd, &event);
	else if (event.events == 0)
		epoll_ctl(d->sockets.fd, EPOLL_CTL_DEL, fd, &event);
}

static void set_timer(struct dns *d)
{
	struct timeval left;

	if (d->channel != NULL && ares_timeout(d->channel, NULL, &left) != NULL)
		loop_timer_start(d->loop, &d->timer, (uint64_t)left.tv_sec * 1000 +
						     (uint64_t)left.tv_usec / 1000 + 1);
	else
		loop_timer_stop(d->loop, &d->timer);
}

static void on_due(struct loop_timer *t)
{
	struct dns *d = CONTAINER_OF(t, struct dns, timer);

	ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(d);
}

static void on_sockets(struct loop_watch *w, unsigned unused)
{
	struct dns *d = CONTAINER_OF(w, struct dns, sockets);
	struct epoll_event events[EVENTS_AT_ONCE];
	int count = epoll_wait(w->fd, events, EVENTS_AT_ONCE, 0);

	(void)unused;
	for (int i = 0; i < count; i++) {
		bool broken = (events[i].events & (EPOLLERR | EPOLLHUP)) != 0;
		bool readable = broken || (events[i].events & EPOLLIN) != 0;
		bool writable = broken || (events[i].events & EPOLLOUT) != 0;
		ares_process_fd(d->channel, readable ? events[i].data.fd : ARES_SOCKET_BAD,
				writable ? events[i].data.fd : ARES_SOCKET_BAD);
	}
	set_timer(d);
}

/* ---- the channel ---- */

static void channel_close(struct dns *d)
{
	ares_channel channel = d->channel;

	d->channel = NULL;
	if (channel != NULL)
		ares_destroy(channel);
}

/* "127.0.0.1:53,[::1]:53" */
static int set_servers(const struct dns *d)
{
	char list[DNS_SERVERS_MAX * (ADDRESS_TEXT_MAX + 1)] = "";

	for (uint32_t i = 0; i < d->server_count; i++)
		text_append(list, sizeof list, "%s%s", i > 0 ? "," : "", d->servers[i].text);
	return d->server_count > 0 ? ares_set_servers_ports_csv(d->channel, list)
				   : ARES_SUCCESS;
}

/* False: there is none. */
static bool channel_open(struct dns *d)
{
	char only_dns[] = "b";
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
		.timeout = DNS_TIMEOUT_MS, .tries = DNS_TRIES, .lookups = only_dns,
		.ednspsz = DATAGRAM_MAX,
		.sock_state_cb = on_socket_state, .sock_state_cb_data = d,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
		   ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB;

	/* Otherwise the next one is asked, and in the end nobody says what was wrong. */
	if (d->server_count == 1)
		options.flags |= ARES_FLAG_NOCHECKRESP;
	if (d->under_way > 0)
		return true;
	channel_close(d);
	if (ares_init_options(&d->channel, &options, mask) != ARES_SUCCESS) {
		d->channel = NULL;
		return false;
	}
	if (set_servers(d) == ARES_SUCCESS)
		return true;
	channel_close(d);
	return false;
}

struct dns *dns_create(struct loop *control, struct err *err)
{
	struct dns *d = memory_new(1, sizeof *d);
	int fd = epoll_create1(EPOLL_CLOEXEC);

	d->loop = control;
	list_init(&d->questions);
	loop_timer_init(&d->timer, on_due);
	loop_watch_init(&d->sockets, fd, on_sockets);
	if (fd >= 0 && loop_watch_register_level(control, &d->sockets) == 0)
		return d;
	err_sys(err, "name servers cannot be asked");
	loop_watch_close(control, &d->sockets);
	free(d);
	return NULL;
}

void dns_destroy(struct dns *d)
{
	LIST_EACH(&d->questions, it, next)
		dns_cancel(CONTAINER_OF(it, struct dns_question, link));
	channel_close(d);		/* gives back what it has, to be freed */
	must(d->under_way == 0);
	loop_timer_stop(d->loop, &d->timer);
	loop_watch_close(d->loop, &d->sockets);
	free(d);
}

void dns_use(struct dns *d, const struct address *servers, uint32_t count)
{
	must(count <= DNS_SERVERS_MAX);
	for (uint32_t i = 0; i < count; i++)
		d->servers[i] = servers[i];
	d->server_count = count;
}

/* ---- questions ---- */

static struct dns_question *question_new(struct dns *d, const char *name, void *arg)
{
	if (d->count == DNS_QUESTIONS_MAX || strlen(name) > ADDRESS_HOST_MAX)
		return NULL;
	struct dns_question *q = memory_new(1, sizeof *q);
	q->dns = d;
	q->arg = arg;
	snprintf(q->host, sizeof q->host, "%s", name);
	list_push_last(&d->questions, &q->link);
	d->count++;
	return q;
}

struct dns_question *
dns_ask_srv(struct dns *d, const char *name,
	    void (*on_answer)(void *arg, const struct dns_srv_answer *answer), void *arg)
{
	struct dns_question *q = question_new(d, name, arg);

	if (q == NULL)
		return NULL;
	q->on_srv = on_answer;
	bool open = channel_open(d);
	d->under_way++;
	if (open)
		ares_query(d->channel, name, ns_c_in, ns_t_srv, on_srv_answered, q);
	else
		on_srv_answered(q, ARES_ENOTINITIALIZED, 0, NULL, 0);
	set_timer(d);
	return q;
}

struct dns_question *
dns_ask_addresses(struct dns *d, const char *host, uint16_t port,
		  void (*on_answer)(void *arg, const struct resolver_answer *answer),
		  void *arg)
{
	const struct ares_addrinfo_hints hints = {
		.ai_flags = ARES_AI_NUMERICSERV, .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};
	struct dns_question *q = question_new(d, host, arg);
	char digits[8];

	if (q == NULL)
		return NULL;
	q->on_addresses = on_answer;
	bool open = channel_open(d);
	snprintf(digits, sizeof digits, "%u", (unsigned)port);
	d->under_way++;
	if (open)
		ares_getaddrinfo(d->channel, host, digits, &hints, on_addresses_answered, q);
	else
		on_addresses_answered(q, ARES_ENOTINITIALIZED, 0, NULL);
	set_timer(d);
	return q;
}

void dns_cancel(struct dns_question *q)
{
	if (q == NULL)
		return;
	unlist(q);
	q->cancelled = true;
}
