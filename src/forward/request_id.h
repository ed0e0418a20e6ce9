/* forward/request_id.h - numbers of requests: six digits, none given twice among any
 * 900,000 in a row.
 *
 * They are counted for the whole process, and shuffled: a number tells nothing of those
 * before it, so that slots that are chosen by it (pick/slots.c) are chosen evenly. It is
 * no secret.
 *
 * Pure.
 */
#ifndef FORWARD_REQUEST_ID_H
#define FORWARD_REQUEST_ID_H

#include <stdint.h>

enum {
	REQUEST_ID_MIN = 100000, REQUEST_ID_MAX = 999999,
	REQUEST_ID_LINE_MAX = 32,	/* bytes of its field, with CRLF */
};

/* The number of the n-th request. */
uint32_t request_id_of(uint64_t n);

/* The key of a request with this number: a hash as policies want it, whose last six
 * decimal digits are the number itself, since that is what slots go by. */
uint64_t request_id_key(uint32_t id);

/* Writes the field that tells a server, X-Request-Id, with its CRLF; returns its length. */
uint32_t request_id_write(uint32_t id, char out[REQUEST_ID_LINE_MAX]);

#endif
