/* ctl/client.h - questions to a balancer: HTTP over its UNIX socket, or over TCP.
 *
 * The only file that knows libcurl. One question at a time, on one connection that is
 * kept. Each is answered, refused or given up by a deadline.
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ctl/outcome.h"

enum {
	CLIENT_ANSWER_MS    = 10 * 1000,	/* unless a deadline comes first */
	CLIENT_LATER_MS     = 330 * 1000,	/* where the balancer itself waits for
						 * something, which it does for 300 s */
	CLIENT_ALIVE_S      = 15,		/* how often a silent connection over TCP is
						 * asked whether it is one */
	CLIENT_BODY_MAX     = 64 << 20,		/* bytes of an answer */
	CLIENT_TOKEN_MAX    = 256,
	CLIENT_PATH_MAX     = 2048,		/* bytes of a question's path */
};

struct client;

/* Where the balancer is: a UNIX socket, or a URL and the file of its token. */
struct client_target {
	const char *socket;			/* NULL: over TCP */
	const char *url, *token_file;
	int64_t     deadline_ms;		/* by wait_now; INT64_MAX: none */
};

/* NULL and *outcome, *err: the URL or the token file is no such thing. */
struct client *client_open(const struct client_target *target, enum outcome *outcome,
			   struct err *err);
void client_close(struct client *client);

struct question {
	const char *method;
	const char *path;		/* /v1/..., encoded */
	json_t     *body;		/* given; NULL: none */
	int         answer_ms;		/* 0: CLIENT_ANSWER_MS */
};

struct answer {
	json_t *json;			/* owned; an object, or NULL */
	char   *text;			/* owned; as it came */
};

void client_answer_fini(struct answer *answer);

/* Asks. OUTCOME_DONE: the answer is there, the caller's to end. Otherwise *err says why
 * not, in the balancer's own words if it gave any, and there is no answer. */
enum outcome client_ask(struct client *client, const struct question *question,
			struct answer *answer, struct err *err);

enum client_end {
	CLIENT_ENDED,			/* the answer, or its connection */
	CLIENT_STOPPED,			/* by `stop`, or the deadline of what goes on */
};

/* How a text is read that may go on. */
struct client_reading {
	void (*on_bytes)(void *arg, const char *bytes, size_t len);
	void  *arg;
	bool   goes_on;			/* asked for without an end: neither the deadline, once
					 * it has begun, nor a lost connection is an error */
	int    stop;			/* borrowed: to end it, a descriptor that can be read;
					 * -1: there is none */
	pid_t  peer;			/* set before the first bytes: as client_peer */
	enum client_end end;		/* set with OUTCOME_DONE */
};

/* Asks by GET and gives the answer as it comes. OUTCOME_DONE: it has come whole, or what
 * goes on has begun; else *err says why not. */
enum outcome client_read(struct client *client, const char *path,
			 struct client_reading *reading, struct err *err);

/* The process that serves the UNIX socket, as the kernel knows it; 0: not known. After a
 * question that was answered. */
pid_t client_peer(struct client *client);

/* Writes a path of which each part, up to NULL, is percent-encoded between slashes:
 * /v1/pools/web. False: it does not fit. */
bool client_path(char path[CLIENT_PATH_MAX], const char *const *parts);

#endif
