/* PROXY headers: cutting changes nothing, and what lies behind a header neither; what is
 * read and then written is read as the same addresses and TLVs. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "fuzz.h"
#include "parse/proxy.h"

static bool is_same(const union proxy_address *a, const union proxy_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_UNIX)
		return strncmp(a->un.sun_path, b->un.sun_path, sizeof a->un.sun_path) == 0;
	return memcmp(a, b, sizeof *a) == 0;
}

/* An IPv4 address that is written as an IPv6 one comes back as what it is. */
static bool is_mapped(const union proxy_address *a)
{
	return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr);
}

static void check_cuts(const struct proxy_header *whole, enum proxy_result result,
		       const char *at, size_t size)
{
	struct proxy_header h;
	bool decided = false;

	for (size_t len = 0; len <= size && !decided; len++) {
		char *copy = malloc(len + 1);
		must(copy != NULL);
		memcpy(copy, at, len);
		enum proxy_result now = proxy_parse(&h, copy, len);
		free(copy);
		if (now == PROXY_MORE) {
			must(len < PROXY_MAX);
			continue;
		}
		decided = true;
		must(now == result && h.fault == whole->fault && h.length == whole->length);
		must(h.local == whole->local && h.named == whole->named);
		must(memcmp(&h.source, &whole->source, sizeof h.source) == 0);
		must(memcmp(&h.destination, &whole->destination, sizeof h.source) == 0);
		must(h.tlvs.len == whole->tlvs.len);
		must(result != PROXY_DONE || len == h.length);
	}
	must(decided || result == PROXY_MORE);
}

static void check_written(const struct proxy_header *h, const char *out, size_t len,
			  bool unix_too)
{
	struct proxy_header again;
	bool both_mapped = is_mapped(&h->source) && is_mapped(&h->destination);
	bool named = h->named && (unix_too || h->source.any.sa_family != AF_UNIX);

	must(proxy_parse(&again, out, len) == PROXY_DONE);
	must(again.length == len && again.named == named);
	if (named && both_mapped)
		must(again.source.any.sa_family == AF_INET);
	else if (named)
		must(is_same(&again.source, &h->source) &&
		     is_same(&again.destination, &h->destination));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data;
	struct proxy_header h, again;
	char v1[PROXY_V1_MAX], v2[PROXY_MAX], v2_again[PROXY_MAX];

	if (size > 2 * PROXY_MAX)
		return 0;
	enum proxy_result result = proxy_parse(&h, at, size);
	must((result == PROXY_BAD) == (h.fault != PROXY_FAULT_NONE));
	must(result != PROXY_DONE || (h.length <= size && h.length <= PROXY_MAX));
	check_cuts(&h, result, at, size);
	if (result != PROXY_DONE)
		return 0;

	const struct sockaddr *source = h.named ? &h.source.any : NULL;
	const struct sockaddr *destination = h.named ? &h.destination.any : NULL;
	check_written(&h, v1, proxy_write_v1(v1, source, destination), false);
	size_t len = proxy_write_v2(v2, source, destination, h.tlvs);
	check_written(&h, v2, len, true);

	/* What was written once is written the same again: nothing is added or lost. */
	must(proxy_parse(&again, v2, len) == PROXY_DONE);
	must(again.local == !again.named);
	source = again.named ? &again.source.any : NULL;
	destination = again.named ? &again.destination.any : NULL;
	if (!again.local) {
		must(proxy_write_v2(v2_again, source, destination, again.tlvs) == len);
		must(memcmp(v2_again, v2, len) == 0);
	}
	return 0;
}
