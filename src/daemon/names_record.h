/* daemon/names_record.h - what names stood for last, as a text that lasts: the servers that SRV
 * records led to, with their weights, and the addresses of servers given by name.
 *
 *   {"format": 1, "serves": "/etc/balancerd/balancerd.conf", "since": "2026-11-29T06:42:27Z",
 *    "pools": {"web": {"srv": {"_http._tcp.example.com": {"web1.example.com:80": 3}},
 *                      "addresses": {"web1.example.com:80": "192.0.2.7:80"}}}}
 *
 * It has what the models at hand know, and nothing else: so a name that has left the
 * configuration leaves it. Who reads it trusts nothing in it. Pure.
 */
#ifndef DAEMON_NAMES_RECORD_H
#define DAEMON_NAMES_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/model.h"

enum {
	NAMES_RECORD_FORMAT    = 1,
	NAMES_RECORD_BYTES_MAX = 64 << 20,
	NAMES_RECORD_TIME_MAX  = 32,
};

struct json_t;

struct names_record {
	struct json_t *pools;			/* owned */
	char since[NAMES_RECORD_TIME_MAX];	/* when it became so; "": not said */
};

/* What names stand for now: the records as the file's model has them, the addresses as the
 * live parts of m have them. */
struct names_record *names_record_of(const struct model *file, const struct model *m);
void names_record_destroy(struct names_record *r);

bool names_record_is_empty(const struct names_record *r);

/* Whenever they became so. NULL is equal to none. */
bool names_record_equals(const struct names_record *a, const struct names_record *b);

/* serves is UTF-8 (text_utf8). Owned by the caller (free). */
char *names_record_encode(const struct names_record *r, const char *serves);

/* NULL and *err: it is no such text, or not of what is served. */
struct names_record *names_record_decode(const char *text, size_t len, const char *serves,
					 struct err *err);

/* Puts the servers that it knows into the model of a file. Returns how many. */
uint32_t names_record_lead(const struct names_record *r, struct model *file);

/* The servers of m that have live parts and no address get the ones that it knows. Returns how
 * many. */
uint32_t names_record_address(const struct names_record *r, const struct model *m);

#endif
