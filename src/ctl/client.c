#include "ctl/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/must.h"
#include "base/span.h"
#include "base/text.h"
#include "base/version.h"
#include "ctl/member.h"
#include "ctl/wait.h"

struct client {
	CURL              *curl;	/* owned */
	struct curl_slist *fields;	/* owned: of the head of each question */
	char  *base;			/* owned: what stands before the path */
	char  *place;			/* owned: what messages call it */
	bool   local;			/* over a UNIX socket */
	int64_t deadline_ms;
	char  *text;			/* owned: what has come of the answer */
	size_t len;
};

/* curl_slist_append, which gives the whole list or NULL and then has kept the old. */
static void add_field(struct client *c, const char *field)
{
	struct curl_slist *longer = curl_slist_append(c->fields, field);

	must(longer != NULL);
	c->fields = longer;
}

/* The first line of the file, as the field that carries it. */
static int read_token(struct client *c, const char *path, struct err *err)
{
	static const char before[] = "Authorization: Bearer ";
	char line[sizeof before + CLIENT_TOKEN_MAX + 2];
	char *token = line + sizeof before - 1;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return err_sys(err, "cannot read the token file %s", path);
	memcpy(line, before, sizeof before);
	bool any = fgets(token, CLIENT_TOKEN_MAX + 2, f) != NULL;
	fclose(f);
	if (any)
		token[strcspn(token, "\r\n")] = '\0';
	if (!any || *token == '\0')
		return err_set(err, "the first line of the token file %s is empty", path);
	if (strlen(token) > CLIENT_TOKEN_MAX)
		return err_set(err, "the token in %s has more than %d bytes", path,
			       CLIENT_TOKEN_MAX);
	for (const char *b = token; *b != '\0'; b++)
		if (*b <= ' ' || *b > '~')
			return err_set(err,
				       "the token in %s has a byte that no token may "
				       "have",
				       path);
	add_field(c, line);
	return 0;
}

/* http://HOST:PORT, without a path but "/". */
static int check_url(const char *url, struct err *err)
{
	static const char scheme[] = "http://";
	const char *rest = url + sizeof scheme - 1;

	if (strncmp(url, scheme, sizeof scheme - 1) != 0)
		return err_set(err, "--url: %s is none; expected http://HOST:PORT",
			       quote(url).text);
	size_t host = strcspn(rest, "/?#@ ");
	if (host == 0 || (rest[host] != '\0' && strcmp(rest + host, "/") != 0))
		return err_set(err, "--url: %s has more or less than a host and a port; "
			       "expected http://HOST:PORT", quote(url).text);
	return 0;
}

static size_t on_received(char *bytes, size_t one, size_t count, void *arg)
{
	struct client *c = arg;

	if (count > CLIENT_BODY_MAX - c->len)
		return 0;		/* curl gives up then: CURLE_WRITE_ERROR */
	c->text = memory_grow(c->text, c->len + count + 1, one);
	memcpy(c->text + c->len, bytes, count);
	c->len += count;
	c->text[c->len] = '\0';
	return count;
}

static int set_up(struct client *c, const struct client_target *target, struct err *err)
{
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_PATH_AS_IS, 1L);	/* a pool may be ".." */
	curl_easy_setopt(c->curl, CURLOPT_PROXY, "");	/* not the environment's */
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_received);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "balancerctl/" VERSION);
	add_field(c, "Content-Type: application/json");
	add_field(c, "Expect:");	/* a body is sent at once */
	if (target->socket != NULL) {
		c->local = true;
		c->base = memory_text("http://balancerd");
		c->place = memory_text(target->socket);
		curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->place);
		return 0;
	}
	if (check_url(target->url, err) != 0)
		return -1;
	c->base = memory_text(target->url);
	c->base[7 + strcspn(c->base + 7, "/")] = '\0';
	c->place = memory_text(c->base);
	return read_token(c, target->token_file, err);
}

struct client *client_open(const struct client_target *target, enum outcome *outcome,
			   struct err *err)
{
	struct client *c = memory_new(1, sizeof *c);

	must(target->socket != NULL ||
	     (target->url != NULL && target->token_file != NULL));
	c->deadline_ms = target->deadline_ms;
	c->curl = curl_easy_init();
	must(c->curl != NULL);
	if (set_up(c, target, err) != 0) {
		client_close(c);
		*outcome = OUTCOME_WRONG;
		return NULL;
	}
	return c;
}

void client_close(struct client *c)
{
	if (c == NULL)
		return;
	curl_easy_cleanup(c->curl);
	curl_global_cleanup();
	curl_slist_free_all(c->fields);
	free(c->base);
	free(c->place);
	free(c->text);
	free(c);
}

static enum outcome refuse_permission(const struct client *c, struct err *err)
{
	struct stat st;
	struct group *group = stat(c->place, &st) == 0 && st.st_gid != 0 ?
		getgrgid(st.st_gid) : NULL;

	if (group != NULL)
		return outcome_set(err, OUTCOME_NO_PERMISSION,
				   "no permission to use %s; run as root, or join the "
				   "group %s", c->place, group->gr_name);
	return outcome_set(err, OUTCOME_NO_PERMISSION,
			   "no permission to use %s; run as root, or as the user that "
			   "runs the balancer", c->place);
}

/* What the kernel refuses as it would a socket without a listener. */
static const char *describe_refusing(const struct client *c)
{
	struct stat st;

	return stat(c->place, &st) == 0 && !S_ISSOCK(st.st_mode)
		? ", which is no socket" : ", one that is gone left its socket";
}

/* Nobody answers: the socket is missing, closed to us, or was left by the dead. */
static enum outcome refuse_connection(const struct client *c, struct err *err)
{
	long number = 0;

	curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &number);
	if (!c->local)
		return outcome_set(err, OUTCOME_NO_BALANCER,
				   "no balancer answers at %s%s%s", c->place,
				   number != 0 ? ": " : "",
				   number != 0 ? strerror((int)number) : "");
	if (number == EACCES || number == EPERM)
		return refuse_permission(c, err);
	if (number == EAGAIN)
		return outcome_set(err, OUTCOME_FAILED, "the balancer at %s has too many "
				   "connections; try again", c->place);
	return outcome_set(err, OUTCOME_NO_BALANCER,
			   "no balancer is running at %s%s; start one with: balancerctl "
			   "start ADDRESS PORT",
			   c->place,
			   number == ECONNREFUSED ? describe_refusing(c) : "");
}

static enum outcome refuse(const struct client *c, CURLcode code, struct err *err)
{
	switch ((int)code) {
	case CURLE_COULDNT_CONNECT:
		return refuse_connection(c, err);
	case CURLE_COULDNT_RESOLVE_HOST:
		return outcome_set(err, OUTCOME_NO_BALANCER,
				   "no balancer answers at %s: the name has no address",
				   c->place);
	case CURLE_OPERATION_TIMEDOUT:
		return outcome_set(err, OUTCOME_LATE, "the balancer at %s did not answer "
				   "in time", c->place);
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return outcome_set(err, OUTCOME_FAILED, "the balancer at %s ended in the "
				   "middle of it; its log says why", c->place);
	default:
		return outcome_set(err, OUTCOME_FAILED, "what answers at %s is no "
				   "balancer: %s", c->place, curl_easy_strerror(code));
	}
}

/* What an answer says that is not 2xx. */
static enum outcome refuse_status(const struct client *c, long status, const json_t *json,
				  struct err *err)
{
	const json_t *error = json_object_get(json, "error");
	const char *message = member_text(error, "message");

	if (*message == '\0')
		return outcome_set(err, OUTCOME_FAILED,
				   "what answers at %s is no balancer: HTTP status %ld",
				   c->place, status);
	return outcome_set(err, outcome_of_code(member_text(error, "code")), "%s",
			   message);
}

static void forget_text(struct client *c)
{
	free(c->text);
	c->text = NULL;
	c->len = 0;
}

static enum outcome perform(struct client *c, const struct question *q, const char *body,
			    struct err *err)
{
	int left = wait_left(c->deadline_ms,
			     q->answer_ms > 0 ? q->answer_ms : CLIENT_ANSWER_MS);

	/* 0 would mean no limit. */
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)(left > 0 ? left : 1));
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->fields);
	if (body != NULL) {
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
	} else {
		curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, q->method);
	forget_text(c);
	CURLcode code = curl_easy_perform(c->curl);
	return code == CURLE_OK ? OUTCOME_DONE : refuse(c, code, err);
}

enum outcome client_ask(struct client *c, const struct question *q, struct answer *answer,
			struct err *err)
{
	char url[CLIENT_PATH_MAX + 512], *body = NULL;
	long status = 0;

	must(snprintf(url, sizeof url, "%s%s", c->base, q->path) < (int)sizeof url);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	if (q->body != NULL) {
		body = json_dumps(q->body, JSON_COMPACT);
		must(body != NULL);
		json_decref(q->body);
	}
	enum outcome outcome = perform(c, q, body, err);
	free(body);
	if (outcome != OUTCOME_DONE)
		return outcome;

	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	json_t *json = c->text != NULL ? json_loadb(c->text, c->len, 0, NULL) : NULL;
	if (status < 200 || status > 299 || !json_is_object(json)) {
		outcome = refuse_status(c, status, json, err);
		json_decref(json);
		return outcome;
	}
	*answer = (struct answer){.json = json, .text = c->text};
	c->text = NULL;
	return OUTCOME_DONE;
}

void client_answer_fini(struct answer *answer)
{
	json_decref(answer->json);
	free(answer->text);
	*answer = (struct answer){0};
}

/* ---- what may go on ---- */

struct reader {
	struct client         *client;
	struct client_reading *reading;
	bool began;			/* it is the answer, and no error */
};

static size_t on_more(char *bytes, size_t one, size_t count, void *arg)
{
	struct reader *r = arg;
	long status = 0;

	curl_easy_getinfo(r->client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return on_received(bytes, one, count, r->client);
	if (!r->began)
		r->reading->peer = client_peer(r->client);
	r->began = true;
	r->reading->on_bytes(r->reading->arg, bytes, count);
	return count;
}

/* Whether the balancer has answered, if only by a head: what goes on may have nothing to
 * say for hours. */
static bool has_answered(const struct client *c)
{
	long status = 0;

	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200;
}

/* Until the transfer is over, *code says how, or it is to be stopped (false): by `stop`, or
 * by the deadline once what goes on goes on. A deadline that comes before is an error. */
static bool transfer(struct reader *r, CURLM *multi, CURLcode *code)
{
	struct curl_waitfd stop = {.fd = r->reading->stop, .events = CURL_WAIT_POLLIN};
	int64_t deadline = r->client->deadline_ms, answer = wait_until(CLIENT_ANSWER_MS);
	int running, left;

	for (;;) {
		must(curl_multi_perform(multi, &running) == CURLM_OK);
		const CURLMsg *done = curl_multi_info_read(multi, &left);
		if (done != NULL) {
			*code = done->data.result;
			return true;
		}
		bool goes_on = r->reading->goes_on && has_answered(r->client);
		left = wait_left(deadline, goes_on ? CLIENT_ANSWER_MS
						   : wait_left(answer, CLIENT_ANSWER_MS));
		*code = CURLE_OPERATION_TIMEDOUT;
		if (left == 0)
			return !goes_on;
		stop.revents = 0;
		must(curl_multi_poll(multi, &stop, r->reading->stop >= 0, left, NULL) ==
		     CURLM_OK);
		if (stop.revents != 0)
			return false;
	}
}

/* How it went, once it is over. */
static enum outcome conclude(struct reader *r, CURLcode code, struct err *err)
{
	struct client *c = r->client;
	long status = 0;

	r->reading->end = CLIENT_ENDED;
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200 && (code == CURLE_OK || r->reading->goes_on))
		return OUTCOME_DONE;
	if (code != CURLE_OK)
		return refuse(c, code, err);
	json_t *json = c->text != NULL ? json_loadb(c->text, c->len, 0, NULL) : NULL;
	enum outcome outcome = refuse_status(c, status, json, err);
	json_decref(json);
	return outcome;
}

enum outcome client_read(struct client *c, const char *path,
			 struct client_reading *reading, struct err *err)
{
	struct reader r = {.client = c, .reading = reading};
	enum outcome outcome = OUTCOME_DONE;
	char url[CLIENT_PATH_MAX + 512];
	CURLM *multi = curl_multi_init();
	CURLcode code;

	must(multi != NULL);
	must(snprintf(url, sizeof url, "%s%s", c->base, path) < (int)sizeof url);
	forget_text(c);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->fields);
	curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, "GET");
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, 0L);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CLIENT_ANSWER_MS);
	/* A machine that is gone sends no end. */
	curl_easy_setopt(c->curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c->curl, CURLOPT_TCP_KEEPIDLE, (long)CLIENT_ALIVE_S);
	curl_easy_setopt(c->curl, CURLOPT_TCP_KEEPINTVL, (long)CLIENT_ALIVE_S);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_more);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &r);
	curl_multi_add_handle(multi, c->curl);
	if (transfer(&r, multi, &code))
		outcome = conclude(&r, code, err);
	else
		reading->end = CLIENT_STOPPED;
	curl_multi_remove_handle(multi, c->curl);
	curl_multi_cleanup(multi);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_received);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
	return outcome;
}

pid_t client_peer(struct client *c)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	struct ucred peer = {0};
	socklen_t len = sizeof peer;

	if (!c->local ||
	    curl_easy_getinfo(c->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
	    fd == CURL_SOCKET_BAD ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return 0;
	return peer.pid;
}

static bool stands_for_itself(char byte)
{
	char c = span_lower(byte);

	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~:", c) != NULL);
}

bool client_path(char path[CLIENT_PATH_MAX], const char *const *parts)
{
	static const char hex[] = "0123456789ABCDEF";
	char *at = path, *end = path + CLIENT_PATH_MAX;

	for (; *parts != NULL; parts++) {
		if (end - at < 2)
			return false;
		*at++ = '/';
		for (const char *c = *parts; *c != '\0'; c++) {
			unsigned char byte = (unsigned char)*c;
			if (end - at < 4)
				return false;
			if (stands_for_itself(*c)) {
				*at++ = *c;
				continue;
			}
			*at++ = '%';
			*at++ = hex[byte >> 4];
			*at++ = hex[byte & 15];
		}
	}
	*at = '\0';
	return true;
}
