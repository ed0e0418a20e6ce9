#include "spawn/docker_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "loop/loop.h"

struct docker_client {
	struct docker_wire *wire;	/* owned */
	char        socket[DOCKER_SOCKET_SIZE];
	char        version[DOCKER_VERSION_SIZE];	/* "": not known */
	struct docker_call asking;	/* for it */
	struct link waiting;
	struct link under_way;
	struct link refused;		/* to be told that there is no engine */
	uint32_t    count;		/* of those under way that are counted */
	bool        refusing;		/* refuse_waiting is at work, */
	bool        closed;		/* and frees it then */
};

static bool is_stream(const struct docker_call *call)
{
	return call->on_piece != NULL;
}

/* Makes a call one that is not under way, and frees what it had but its answer. */
static void release(struct docker_call *call)
{
	struct docker_client *c = call->client;

	list_remove(&call->link);
	c->count -= call->counted;
	call->counted = false;
	call->client = NULL;
	free(call->path);
	free(call->body);
	call->path = call->body = NULL;
}

static void explain_connection(const struct docker_client *c, int number, struct err *err)
{
	switch (number) {
	case ENOENT:
	case ENOTDIR:
		err_set(err, "no container engine at %s: there is no such socket; start "
			"the engine (systemctl start docker), or name its socket: "
			"socket PATH", c->socket);
		return;
	case EACCES:
	case EPERM:
		err_set(err, "no permission to use the container engine at %s; add the "
			"balancer's user to the group that owns the socket (usermod -aG "
			"docker USER) and start the balancer anew", c->socket);
		return;
	case ECONNREFUSED:
		err_set(err, "no container engine listens at %s; start it: systemctl "
			"start docker", c->socket);
		return;
	default:
		err_set(err, "the container engine at %s cannot be reached%s%s",
			c->socket, number != 0 ? ": " : "",
			number != 0 ? strerrordesc_np(number) : "");
	}
}

static void explain_failure(const struct docker_client *c, const struct docker_call *call,
			    struct err *err)
{
	switch (call->transfer.failed) {
	case CURLE_COULDNT_CONNECT:
		explain_connection(c, call->transfer.system, err);
		return;
	case CURLE_OPERATION_TIMEDOUT:
		err_set(err, "the container engine at %s did not answer within %u s: its "
			"log may say why (journalctl -u docker)", c->socket,
			(unsigned)call->limit_ms / 1000);
		return;
	case CURLE_WRITE_ERROR:
		err_set(err, "the container engine at %s answered with more than %d "
			"bytes", c->socket, DOCKER_ANSWER_MAX);
		return;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		err_set(err, "the container engine at %s ended in the middle of an "
			"answer", c->socket);
		return;
	default:
		err_set(err, "what answers at %s is no container engine: %s", c->socket,
			curl_easy_strerror((CURLcode)call->transfer.failed));
	}
}

static void explain_status(int status, struct span text, struct err *err)
{
	char message[DOCKER_MESSAGE_SIZE];

	if (docker_answer_message(text, message))
		err_set(err, "%s", message);
	else
		err_set(err, "the container engine answered with HTTP status %d", status);
}

static void begin_waiting(struct docker_client *c);

static void on_over(struct docker_transfer *t)
{
	struct docker_call *call = CONTAINER_OF(t, struct docker_call, transfer);
	struct docker_client *c = call->client;
	struct err err = {0};
	struct docker_reply reply = {.status = t->failed == 0 ? t->status : 0,
				     .text = {t->text, t->len}, .err = &err};
	char *text = t->text;		/* the call may be used anew out of on_done */

	t->text = NULL;
	t->len = 0;
	if (t->failed != 0)
		explain_failure(c, call, &err);
	else if (t->status < 200 || t->status > 299)
		explain_status(t->status, reply.text, &err);
	if (t->failed != 0)
		c->version[0] = '\0';	/* who comes back may be another */
	release(call);
	if (call != &c->asking)
		begin_waiting(c);
	call->on_done(call, &reply);
	free(text);
}

static void on_more(struct docker_transfer *t)
{
	struct docker_call *call = CONTAINER_OF(t, struct docker_call, transfer);
	struct span piece = {t->text, t->len};

	/* What comes with another status is a message, told when it is whole. */
	if (t->status != 200)
		return;
	char *text = t->text;
	t->text = NULL;
	t->len = 0;
	call->on_piece(call, piece);
	free(text);
}

static void begin(struct docker_client *c, struct docker_call *call)
{
	char *path;

	if (asprintf(&path, "%s%s%s", c->version[0] != '\0' ? "/v" : "", c->version,
		     call->path) < 0)
		memory_exhausted(strlen(call->path), 1);
	list_remove(&call->link);
	list_push_last(&c->under_way, &call->link);
	call->counted = !is_stream(call) && call != &c->asking;
	c->count += call->counted;
	call->transfer.on_done = on_over;
	call->transfer.on_piece = is_stream(call) ? on_more : NULL;
	call->transfer.text_max = DOCKER_ANSWER_MAX;
	docker_wire_start(c->wire, &call->transfer,
			  &(struct docker_request){.method = call->method, .path = path,
						   .body = call->body,
						   .limit_ms = call->limit_ms});
	free(path);
}

static void begin_waiting(struct docker_client *c)
{
	if (list_empty(&c->waiting) || c->asking.client != NULL)
		return;
	if (c->version[0] == '\0') {
		c->asking.client = c;
		c->asking.method = "GET";
		c->asking.path = memory_text("/version");
		c->asking.limit_ms = DOCKER_VERSION_MS;
		begin(c, &c->asking);
		return;
	}
	LIST_EACH(&c->waiting, at, next) {
		struct docker_call *call = CONTAINER_OF(at, struct docker_call, link);
		if (is_stream(call) || c->count < DOCKER_CALLS_MAX)
			begin(c, call);
	}
}

/* Those that come meanwhile wait for the next version. */
static void refuse_waiting(struct docker_client *c, const struct err *err)
{
	list_insert(&c->waiting, &c->refused);
	list_remove(&c->waiting);
	c->refusing = true;
	while (!list_empty(&c->refused)) {
		struct docker_call *call =
			CONTAINER_OF(c->refused.next, struct docker_call, link);
		release(call);
		call->on_done(call, &(struct docker_reply){.err = err});
	}
	c->refusing = false;
	if (c->closed)
		free(c);
}

static void on_version(struct docker_call *call, const struct docker_reply *reply)
{
	struct docker_client *c = CONTAINER_OF(call, struct docker_client, asking);
	struct err err = *reply->err;

	if (reply->status == 200 &&
	    docker_answer_version(reply->text, c->version, &err) == 0)
		begin_waiting(c);
	else
		refuse_waiting(c, &err);
}

struct docker_client *docker_client_open(struct loop *loop, const char *socket)
{
	struct docker_client *c = memory_new(1, sizeof *c);

	snprintf(c->socket, sizeof c->socket, "%s", socket);
	c->wire = docker_wire_open(loop, c->socket);
	c->asking.on_done = on_version;
	list_init(&c->asking.link);
	list_init(&c->waiting);
	list_init(&c->under_way);
	list_init(&c->refused);
	return c;
}

static void cancel_all(struct link *calls)
{
	LIST_EACH(calls, at, next)
		docker_client_cancel(CONTAINER_OF(at, struct docker_call, link));
}

void docker_client_close(struct docker_client *c)
{
	cancel_all(&c->waiting);
	cancel_all(&c->under_way);
	cancel_all(&c->refused);
	docker_wire_close(c->wire);
	c->closed = true;
	if (!c->refusing)
		free(c);
}

void docker_client_call(struct docker_client *c, struct docker_call *call,
			const char *method, char *path, char *body)
{
	must(call->client == NULL);
	call->client = c;
	call->method = method;
	call->path = path;
	call->body = body;
	list_push_last(&c->waiting, &call->link);
	begin_waiting(c);
}

void docker_client_cancel(struct docker_call *call)
{
	if (call->client == NULL)
		return;
	docker_wire_cancel(&call->transfer);
	release(call);
}
