/* loop/resolve.c - a queue, a thread, and who frees what.
 *
 * A question is in one of three places: in the queue, with the thread, or posted to
 * the loop. The control thread frees it in the first and the last; the thread frees
 * it only when the resolver ended meanwhile. The resolver itself is freed by the
 * thread when a look-up was under way at the end, by resolver_destroy otherwise.
 */
#include "loop/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/memory.h"
#include "base/must.h"

enum question_place { QUESTION_QUEUED, QUESTION_WITH_THREAD, QUESTION_POSTED };

struct resolver {
	struct loop *loop;		/* borrowed; not touched once `ended` */
	pthread_t    thread;
	uint32_t     count;		/* questions that exist; control thread */
	struct link  questions;		/* all of them; control thread */

	pthread_mutex_t lock;		/* of what follows and of questions' places */
	pthread_cond_t  asked;
	struct link     queue;
	bool            looking_up;	/* the thread may be in getaddrinfo for long */
	bool            ended;
};

struct resolver_question {
	struct loop_job  job;
	struct resolver *resolver;	/* NULL: cancelled, and no longer queued */
	struct link      link;		/* in resolver.questions */
	struct link      queue_link;	/* while QUESTION_QUEUED */
	enum question_place place;
	void (*on_answer)(void *arg, const struct resolver_answer *answer);
	void            *arg;
	uint16_t         port;
	char             host[ADDRESS_HOST_MAX + 1];
	struct resolver_answer answer;
};

static void set_answer(struct resolver_answer *a, const struct addrinfo *found)
{
	for (; found != NULL; found = found->ai_next) {
		struct address *at = &a->addresses[a->count];
		if (a->count == RESOLVER_ADDRESSES_MAX)
			return;
		if (found->ai_family != AF_INET && found->ai_family != AF_INET6)
			continue;
		memcpy(&at->any, found->ai_addr, found->ai_addrlen);
		at->len = found->ai_addrlen;
		address_format(at);
		a->count++;
	}
}

static void look_up(struct resolver_question *q)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	char port[8];

	snprintf(port, sizeof port, "%u", (unsigned)q->port);
	int failed = getaddrinfo(q->host, port, &hints, &found);
	if (failed == EAI_SYSTEM) {
		err_sys(&q->answer.err, "cannot resolve \"%s\"", q->host);
		return;
	}
	if (failed != 0) {
		err_set(&q->answer.err, "cannot resolve \"%s\": %s", q->host,
			gai_strerror(failed));
		return;
	}
	set_answer(&q->answer, found);
	freeaddrinfo(found);
	if (q->answer.count == 0)
		err_set(&q->answer.err, "\"%s\" has no internet address", q->host);
}

static void resolver_free(struct resolver *r)
{
	pthread_cond_destroy(&r->asked);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* Control thread. Takes it out of the list of all. */
static void unlist(struct resolver_question *q)
{
	list_remove(&q->link);
	q->resolver->count--;
	q->resolver = NULL;
}

static void on_posted(struct loop_job *job)
{
	struct resolver_question *q = CONTAINER_OF(job, struct resolver_question, job);

	if (q->resolver != NULL) {
		unlist(q);
		q->on_answer(q->arg, &q->answer);
	}
	free(q);
}

/* Waits for a question; NULL: the resolver has ended. Called with the lock held. */
static struct resolver_question *next_question(struct resolver *r)
{
	while (list_empty(&r->queue) && !r->ended)
		pthread_cond_wait(&r->asked, &r->lock);
	if (r->ended)
		return NULL;
	struct resolver_question *q =
		CONTAINER_OF(r->queue.next, struct resolver_question, queue_link);
	list_remove(&q->queue_link);
	q->place = QUESTION_WITH_THREAD;
	return q;
}

static void *run(void *arg)
{
	struct resolver *r = arg;
	struct resolver_question *q;
	bool abandoned = false;

	pthread_setname_np(pthread_self(), "resolver");
	pthread_mutex_lock(&r->lock);
	while (!abandoned && (q = next_question(r)) != NULL) {
		r->looking_up = true;
		pthread_mutex_unlock(&r->lock);
		look_up(q);
		pthread_mutex_lock(&r->lock);
		r->looking_up = false;
		abandoned = r->ended;
		if (abandoned) {
			free(q);
		} else {
			/* Posted with the lock held: resolver_destroy, and the loop's
			 * end after it, come before or after, never in between. */
			q->place = QUESTION_POSTED;
			q->job.run = on_posted;
			loop_post(r->loop, &q->job);
		}
	}
	pthread_mutex_unlock(&r->lock);
	if (abandoned)
		resolver_free(r);
	return NULL;
}

struct resolver *resolver_create(struct loop *control, struct err *err)
{
	struct resolver *r = memory_new(1, sizeof *r);

	r->loop = control;
	list_init(&r->questions);
	list_init(&r->queue);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->asked, NULL);
	errno = pthread_create(&r->thread, NULL, run, r);
	if (errno != 0) {
		err_sys(err, "no thread to resolve names");
		goto free_resolver;
	}
	return r;

free_resolver:
	resolver_free(r);
	return NULL;
}

/* With the lock held. Frees it if nobody else has it. */
static void cancel(struct resolver_question *q)
{
	unlist(q);
	if (q->place != QUESTION_QUEUED)
		return;
	list_remove(&q->queue_link);
	free(q);
}

void resolver_cancel(struct resolver_question *q)
{
	if (q == NULL)
		return;
	struct resolver *r = q->resolver;
	pthread_mutex_lock(&r->lock);
	cancel(q);
	pthread_mutex_unlock(&r->lock);
}

void resolver_destroy(struct resolver *r)
{
	pthread_mutex_lock(&r->lock);
	LIST_EACH(&r->questions, it, next)
		cancel(CONTAINER_OF(it, struct resolver_question, link));
	r->ended = true;
	bool looking_up = r->looking_up;
	pthread_t thread = r->thread;
	pthread_cond_signal(&r->asked);
	pthread_mutex_unlock(&r->lock);

	if (looking_up) {		/* from here on r is the thread's */
		pthread_detach(thread);
		return;
	}
	pthread_join(thread, NULL);
	resolver_free(r);
}

struct resolver_question *
resolver_ask(struct resolver *r, const char *host, uint16_t port,
	     void (*on_answer)(void *arg, const struct resolver_answer *answer),
	     void *arg)
{
	size_t len = strlen(host);

	if (len > ADDRESS_HOST_MAX || r->count == RESOLVER_QUESTIONS_MAX)
		return NULL;
	struct resolver_question *q = memory_new(1, sizeof *q);
	q->resolver = r;
	q->on_answer = on_answer;
	q->arg = arg;
	q->port = port;
	q->place = QUESTION_QUEUED;
	memcpy(q->host, host, len + 1);
	list_push_last(&r->questions, &q->link);
	r->count++;

	pthread_mutex_lock(&r->lock);
	list_push_last(&r->queue, &q->queue_link);
	pthread_cond_signal(&r->asked);
	pthread_mutex_unlock(&r->lock);
	return q;
}
