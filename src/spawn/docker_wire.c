/* spawn/docker_wire.c - libcurl's multi socket interface on loop/.
 *
 * libcurl thinks in levels: it reads a piece and wants to be called again as long as
 * there is more. A socket it only reads is watched so (loop_watch_register_level). One
 * it also writes is watched by edges and registered anew after each call, which tells
 * again what is still so; that is for moments, while a request is sent.
 */
#include "spawn/docker_wire.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "loop/loop.h"

struct docker_wire {
	struct loop *loop;		/* borrowed */
	const char  *socket;		/* borrowed */
	CURLM       *multi;		/* owned */
	struct curl_slist *fields;	/* owned: of each request's head */
	struct loop_timer timer;	/* libcurl's */
	struct link  sockets;
	struct link  all;		/* transfers under way */
	struct link  news;		/* those whose owners are to be told */
	bool         telling;		/* tell is at work, */
	bool         closed;		/* and ends it then */
};

/* A descriptor of libcurl's, which closes it. */
struct wire_socket {
	struct loop_watch   watch;
	struct docker_wire *wire;
	struct link         link;
	bool                writes;
};

static void end_transfer(struct docker_transfer *t)
{
	curl_multi_remove_handle(t->wire->multi, t->easy);
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
	t->wire = NULL;
	list_remove(&t->link);
	list_remove(&t->news);
}

void docker_wire_take(struct docker_transfer *t)
{
	free(t->text);
	t->text = NULL;
	t->len = 0;
}

static void drop_socket(struct wire_socket *s)
{
	loop_watch_forget(s->wire->loop, &s->watch);
	list_remove(&s->link);
	free(s);
}

static void destroy(struct docker_wire *w)
{
	curl_multi_cleanup(w->multi);
	LIST_EACH(&w->sockets, at, next)
		drop_socket(CONTAINER_OF(at, struct wire_socket, link));
	loop_timer_stop(w->loop, &w->timer);
	curl_slist_free_all(w->fields);
	curl_global_cleanup();
	free(w);
}

static void tell(struct docker_wire *w)
{
	w->telling = true;
	while (!list_empty(&w->news)) {
		struct docker_transfer *t =
			CONTAINER_OF(w->news.next, struct docker_transfer, news);
		bool over = t->over;
		list_remove(&t->news);
		if (over)
			end_transfer(t);
		if (over)
			t->on_done(t);
		else
			t->on_piece(t);
	}
	w->telling = false;
	if (w->closed)
		destroy(w);
}

static void add_news(struct docker_transfer *t)
{
	if (list_empty(&t->news))
		list_push_last(&t->wire->news, &t->news);
}

static void take_results(struct docker_wire *w)
{
	const CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(w->multi, &left)) != NULL) {
		struct docker_transfer *t = NULL;
		long status = 0, number = 0;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(m->easy_handle, CURLINFO_OS_ERRNO, &number);
		t->over = true;
		t->status = (int)status;
		t->failed = (int)m->data.result;
		t->system = (int)number;
		add_news(t);
	}
}

static void watch_again(struct wire_socket *s)
{
	struct loop *l = s->wire->loop;

	/* Where the kernel refuses, the transfer runs into its time limit. */
	loop_watch_forget(l, &s->watch);
	if (s->writes)
		loop_watch_register(l, &s->watch);
	else
		loop_watch_register_level(l, &s->watch);
}

static struct wire_socket *find_socket(struct docker_wire *w, int fd)
{
	LIST_EACH(&w->sockets, at, next) {
		struct wire_socket *s = CONTAINER_OF(at, struct wire_socket, link);
		if (s->watch.fd == fd)
			return s;
	}
	return NULL;
}

static void on_ready(struct loop_watch *watch, unsigned events)
{
	struct wire_socket *s = CONTAINER_OF(watch, struct wire_socket, watch);
	struct docker_wire *w = s->wire;
	int fd = watch->fd, unused, what = 0;

	if (events & (LOOP_READABLE | LOOP_ENDED))
		what |= CURL_CSELECT_IN;
	if (events & LOOP_WRITABLE)
		what |= CURL_CSELECT_OUT;
	if (events & LOOP_BROKEN)
		what |= CURL_CSELECT_ERR;
	curl_multi_socket_action(w->multi, fd, what, &unused);
	s = find_socket(w, fd);		/* it may be gone by now */
	if (s != NULL && s->writes)
		watch_again(s);
	take_results(w);
	tell(w);			/* and so may the wire */
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
	struct docker_wire *w = arg;
	struct wire_socket *s = of_socket;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s != NULL)
			drop_socket(s);
		return 0;
	}
	if (s == NULL) {
		s = memory_new(1, sizeof *s);
		s->wire = w;
		loop_watch_init(&s->watch, fd, on_ready);
		list_push_last(&w->sockets, &s->link);
		curl_multi_assign(w->multi, fd, s);
	}
	s->writes = what != CURL_POLL_IN;
	watch_again(s);
	return 0;
}

static void on_due(struct loop_timer *timer)
{
	struct docker_wire *w = CONTAINER_OF(timer, struct docker_wire, timer);
	int unused;

	curl_multi_socket_action(w->multi, CURL_SOCKET_TIMEOUT, 0, &unused);
	take_results(w);
	tell(w);
}

static int on_timer_wanted(CURLM *multi, long ms, void *arg)
{
	struct docker_wire *w = arg;

	(void)multi;
	if (ms < 0)
		loop_timer_stop(w->loop, &w->timer);
	else
		loop_timer_start(w->loop, &w->timer, (uint64_t)ms);
	return 0;
}

static size_t on_received(char *bytes, size_t one, size_t count, void *arg)
{
	struct docker_transfer *t = arg;

	if (count > t->text_max - t->len)
		return 0;		/* libcurl gives up then */
	t->text = memory_grow(t->text, t->len + count + 1, one);
	memcpy(t->text + t->len, bytes, count);
	t->len += count;
	t->text[t->len] = '\0';
	if (t->on_piece != NULL)
		add_news(t);
	return count;
}

/* A line of the head; the last one is empty. */
static size_t on_head(char *bytes, size_t one, size_t count, void *arg)
{
	struct docker_transfer *t = arg;
	long status = 0;

	(void)one;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (count > 2 || *bytes != '\r' || status < 200)
		return count;
	t->status = (int)status;
	add_news(t);
	return count;
}

struct docker_wire *docker_wire_open(struct loop *loop, const char *socket)
{
	static const char *const fields[] = {"Content-Type: application/json", "Expect:"};
	struct docker_wire *w = memory_new(1, sizeof *w);

	must(curl_global_init(CURL_GLOBAL_NOTHING) == CURLE_OK);	/* no TLS here */
	w->loop = loop;
	w->socket = socket;
	w->multi = curl_multi_init();
	must(w->multi != NULL);
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		struct curl_slist *longer = curl_slist_append(w->fields, fields[i]);
		must(longer != NULL);
		w->fields = longer;
	}
	list_init(&w->sockets);
	list_init(&w->all);
	list_init(&w->news);
	loop_timer_init(&w->timer, on_due);
	curl_multi_setopt(w->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(w->multi, CURLMOPT_SOCKETDATA, w);
	curl_multi_setopt(w->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
	curl_multi_setopt(w->multi, CURLMOPT_TIMERDATA, w);
	return w;
}

void docker_wire_close(struct docker_wire *w)
{
	LIST_EACH(&w->all, at, next)
		docker_wire_cancel(CONTAINER_OF(at, struct docker_transfer, link));
	w->closed = true;
	if (!w->telling)
		destroy(w);
}

static void set_up(struct docker_transfer *t, const struct docker_request *request)
{
	CURL *easy = t->easy;
	static const char host[] = "http://docker";
	char *url = memory_new(sizeof host + strlen(request->path), 1);

	/* The host is only a word in the head: what is asked is behind the socket. */
	stpcpy(stpcpy(url, host), request->path);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	free(url);
	curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, t->wire->socket);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");	/* not the environment's */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->wire->fields);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->limit_ms);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_received);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	if (t->on_piece != NULL) {
		curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
		curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	}
	if (strcmp(request->method, "POST") == 0) {
		const char *body = request->body != NULL ? request->body : "";
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

void docker_wire_start(struct docker_wire *w, struct docker_transfer *t,
		       const struct docker_request *request)
{
	must(t->wire == NULL);
	docker_wire_take(t);
	t->wire = w;
	t->status = t->failed = t->system = 0;
	t->over = false;
	t->easy = curl_easy_init();
	must(t->easy != NULL);
	list_push_last(&w->all, &t->link);
	list_init(&t->news);
	set_up(t, request);
	must(curl_multi_add_handle(w->multi, t->easy) == CURLM_OK);
}

void docker_wire_cancel(struct docker_transfer *t)
{
	if (t->wire != NULL)
		end_transfer(t);
	docker_wire_take(t);
}
