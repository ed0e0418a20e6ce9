/* loop/dns_answer.h - what a name server has said of a service: its SRV records (RFC 2782).
 *
 * The bytes are read by the C library's functions for that (ns_parserr and the like); what
 * the records mean is for others. Pure.
 */
#ifndef LOOP_DNS_ANSWER_H
#define LOOP_DNS_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"

/* Why there is no answer; each is another thing to do about it. */
enum dns_fault {
	DNS_FINE,
	DNS_NO_NAME,		/* the name does not exist (NXDOMAIN) */
	DNS_NO_RECORD,		/* it does, and has nothing of what was asked for */
	DNS_REFUSED,		/* a name server could not or would not (SERVFAIL, REFUSED) */
	DNS_UNREACHED,		/* so it is with each of several; or none is there */
	DNS_SILENT,		/* none has answered in time */
	DNS_MALFORMED,		/* what came cannot be read */
	DNS_FAULTS
};

struct dns_srv {
	uint16_t priority, weight, port;
	char     host[ADDRESS_HOST_MAX + 1];	/* without the last dot; ".": nobody serves */
};

struct dns_srv_answer {
	enum dns_fault fault;
	struct err      err;		/* what to say of a fault */
	uint32_t        ttl_s;		/* of the record that lasts the shortest */
	uint32_t        count;		/* at least one where there is no fault */
	uint32_t        unusable;	/* more, whose host is longer than a host's name may be */
	struct dns_srv *records;	/* owned, in the order of the message */
};

/* Reads a message whose header says that all is well. Sets all of *a. */
void dns_answer_read(const uint8_t *bytes, size_t len, struct dns_srv_answer *a);

/* Sets all of *a, to this. */
void dns_answer_fault(struct dns_srv_answer *a, enum dns_fault fault, const char *why);

/* Frees what it owns. */
void dns_answer_fini(struct dns_srv_answer *a);

#endif
