/* forward/record_texts.h - what of a request's head is noted for the access log.
 *
 * Pure. Texts are borrowed from the bytes of the head.
 */
#ifndef FORWARD_RECORD_TEXTS_H
#define FORWARD_RECORD_TEXTS_H

#include "forward/record.h"

struct access_form;	/* model/access_form.h */
struct h1_head;		/* parse/h1.h */

/* A head of our own writing: where its first two lines are is known, and the others need
 * no parser. Lines have their CRLF; the empty one may be part of the rest. */
struct record_head {
	struct span line;		/* the first one */
	struct span host;		/* the value of the second */
	struct span rest;		/* the other lines */
};

/* Sets the texts that the head has, and the headers that `form`, which may be NULL, names. */
void record_texts_of_sent(const struct record_head *head, const struct access_form *form,
			  struct record *r, struct span texts[RECORD_TEXTS]);

/* The same of a head as it was read at `at`. */
void record_texts_of_read(const struct h1_head *head, const char *at,
			  const struct access_form *form, struct record *r,
			  struct span texts[RECORD_TEXTS]);

#endif
