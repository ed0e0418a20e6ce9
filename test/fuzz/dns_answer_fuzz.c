/* Properties: whatever a name server sends, it is read whole or refused with a reason, names
 * fit, and what is chosen among the records are servers of a pool: in order, each once, with
 * a weight that a pool knows. */
#include <string.h>

#include "base/must.h"
#include "daemon/targets.h"
#include "fuzz.h"

static void must_be_servers(const struct targets *t, const struct dns_srv_answer *a)
{
	must(t->count <= TARGETS_MAX);
	must(t->count + t->left_out + t->unusable <= a->count + a->unusable);
	for (uint32_t i = 0; i < t->count; i++) {
		const struct target *target = &t->all[i];
		must(target->weight >= 1 && target->weight <= MODEL_WEIGHT_MAX);
		must(i == 0 || strcmp(t->all[i - 1].address.text, target->address.text) < 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_srv_answer a;
	struct targets t;

	dns_answer_read(data, size, &a);
	must((a.fault == DNS_FINE) == (a.count > 0));
	must((a.fault == DNS_FINE) == (*a.err.text == '\0'));
	for (uint32_t i = 0; i < a.count; i++)
		must(memchr(a.records[i].host, '\0', sizeof a.records[i].host) != NULL);
	if (a.fault == DNS_FINE) {
		targets_choose(&a, &t);
		must_be_servers(&t, &a);
		targets_fini(&t);
	}
	dns_answer_fini(&a);
	return 0;
}
