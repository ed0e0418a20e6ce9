/* config/value.h - which words are names, paths and hosts, and which numbers primes.
 * Those with a unit are in base/value.h.
 *
 * Pure: a word in, a reason out. Reasons quote the word, say what it should have been
 * and, where that can be known, how to write it.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Whether it is a prime; if not, the reason names the nearest one. */
int value_check_prime(uint64_t value, struct err *err);

/* Letters, digits, "-", "_" and ".": the name of a pool. */
int value_check_name(const char *word, struct err *err);

/* The name of a header field or of a cookie (RFC 9110, section 5.6.2: token). */
int value_check_token(const char *word, struct err *err);

/* The name of an argument of a query, as it stands in a URL. */
int value_check_query_name(const char *word, struct err *err);

/* The name of SRV records: labels that may begin with "_", without a port. */
int value_check_service(const char *word, struct err *err);

/* Something to open, whatever it is. */
int value_check_file(const char *word, struct err *err);

/* The path of a URL: begins with "/", and no byte in it could end a request line
 * or be read in two ways. A query is allowed only where one is sent. */
int value_check_path(const char *word, bool with_query, struct err *err);

/* A host name or a numeric address, [::1] in brackets; with_port: a port may
 * follow. */
int value_check_host(const char *word, bool with_port, struct err *err);

/* The same, or "*." and a host name: every host below it. */
int value_check_host_pattern(const char *word, struct err *err);

/* What containers are made of: name, name:tag, host:port/name@digest. */
int value_check_image(const char *word, struct err *err);

/* A network of containers that is of one's own choice. */
int value_check_network(const char *word, struct err *err);

/* The path of a UNIX socket, as long as one may be, and of a folder. */
int value_check_engine(const char *word, struct err *err);
int value_check_folder(const char *word, struct err *err);

/* What made-up names of servers begin with: they have to be names of containers and of
 * hosts, with a number of OWN_SERVERS_MAX behind it. */
int value_check_server_prefix(const char *word, struct err *err);

/* The name of a variable that is ours to give. */
int value_check_variable(const char *word, struct err *err);

#endif
