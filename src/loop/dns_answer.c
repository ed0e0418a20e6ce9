#include "loop/dns_answer.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { HEAD_SIZE = 3 * NS_INT16SZ };	/* of a record's data: priority, weight, port */

void dns_answer_fault(struct dns_srv_answer *a, enum dns_fault fault, const char *why)
{
	*a = (struct dns_srv_answer){.fault = fault};
	err_set(&a->err, "%s", why);
}

void dns_answer_fini(struct dns_srv_answer *a)
{
	free(a->records);
	a->records = NULL;
	a->count = 0;
}

/* False: the record ends within itself. */
static bool read_record(const ns_msg *message, const ns_rr *rr, struct dns_srv_answer *a)
{
	const uint8_t *data = ns_rr_rdata(*rr);
	char host[NS_MAXDNAME];

	if (ns_rr_rdlen(*rr) <= HEAD_SIZE ||
	    ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message),
			       data + HEAD_SIZE, host, sizeof host) < 0)
		return false;
	if (a->count + a->unusable == 0 || ns_rr_ttl(*rr) < a->ttl_s)
		a->ttl_s = ns_rr_ttl(*rr);
	if (strlen(host) > ADDRESS_HOST_MAX) {		/* by bytes written as \123 */
		a->unusable++;
		return true;
	}
	struct dns_srv *record = &a->records[a->count++];
	record->priority = (uint16_t)ns_get16(data);
	record->weight = (uint16_t)ns_get16(data + NS_INT16SZ);
	record->port = (uint16_t)ns_get16(data + 2 * NS_INT16SZ);
	memcpy(record->host, host, strlen(host) + 1);
	return true;
}

/* Others may be among them: where the name is an alias, records say of what. */
static bool read_records(ns_msg *message, struct dns_srv_answer *a)
{
	int count = ns_msg_count(*message, ns_s_an);
	ns_rr rr;

	a->records = memory_new((size_t)count + 1, sizeof *a->records);
	for (int i = 0; i < count; i++) {
		if (ns_parserr(message, ns_s_an, i, &rr) < 0)
			return false;
		if (ns_rr_type(rr) == ns_t_srv && ns_rr_class(rr) == ns_c_in &&
		    !read_record(message, &rr, a))
			return false;
	}
	return true;
}

void dns_answer_read(const uint8_t *bytes, size_t len, struct dns_srv_answer *a)
{
	ns_msg message;

	*a = (struct dns_srv_answer){.fault = DNS_FINE};
	if (len > NS_MAXMSG || ns_initparse(bytes, (int)len, &message) < 0 ||
	    !read_records(&message, a)) {
		dns_answer_fini(a);
		dns_answer_fault(a, DNS_MALFORMED, "the name server's answer cannot be read");
	} else if (a->count == 0) {
		dns_answer_fini(a);
		dns_answer_fault(a, DNS_NO_RECORD, "the name has no SRV record");
	}
}
