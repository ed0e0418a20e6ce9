/* forward/cookie.h - the cookies that a request brings (RFC 6265, section 4.2.1): one of
 * them, by its name.
 *
 * Pure, and read only: cookies are passed on to servers as they came.
 */
#ifndef FORWARD_COOKIE_H
#define FORWARD_COOKIE_H

#include "parse/h1.h"

/* The first cookie of that name, of all Cookie fields in their order: a client puts the
 * one with the longest path first (section 5.4). Names are compared byte by byte. The
 * value is as it stands at `at`, where the head was parsed: quotes belong to it, nothing
 * is decoded, and it may be empty. False: there is none; what has no "=" is no cookie. */
bool cookie_find(const struct h1_head *head, const char *at, struct span name,
		 struct span *value);

#endif
