#include "config/peers.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/span.h"
#include "base/text.h"

enum { BITS = 128, MAPPED_BITS = 96 };	/* of IPv6; of what stands before an IPv4 */

static const uint8_t mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

/* The address before the slash; how many bits of `bytes` are not its own. */
static bool read_address(struct span text, uint8_t bytes[BITS / 8], uint32_t *before)
{
	char numeric[INET6_ADDRSTRLEN];

	if (text.len >= sizeof numeric)
		return false;
	memcpy(numeric, text.at, text.len);
	numeric[text.len] = '\0';
	*before = 0;
	if (inet_pton(AF_INET6, numeric, bytes) == 1)
		return true;
	*before = MAPPED_BITS;
	memcpy(bytes, mapped, sizeof mapped);
	return inet_pton(AF_INET, numeric, bytes + sizeof mapped) == 1;
}

/* Clears all bits behind the first ones; true when there was one. */
static bool clear_behind(uint8_t bytes[BITS / 8], uint32_t bits)
{
	bool any = false;

	for (uint32_t i = bits / 8; i < BITS / 8; i++) {
		uint8_t kept = i == bits / 8 ? (uint8_t)(0xff00 >> bits % 8) : 0;
		any |= (bytes[i] & (uint8_t)~kept) != 0;
		bytes[i] &= kept;
	}
	return any;
}

int peers_read(const char *word, struct model_peers *peers, struct err *err)
{
	const char *slash = strchr(word, '/');
	size_t len = slash != NULL ? (size_t)(slash - word) : strlen(word);
	struct model_peers range;
	uint32_t before;
	uint64_t bits = 0;

	if (!read_address((struct span){word, len}, range.bytes, &before))
		return err_set(err,
			       "%s is no range of addresses; expected one like "
			       "10.0.0.0/8, fd00::/8 or 192.0.2.1",
			       quote(word).text);
	if (slash == NULL)
		bits = BITS - before;
	else if (!span_to_u64(span_of(slash + 1), &bits) || bits > BITS - before)
		return err_set(err,
			       "%s has no number of bits from 0 to %u behind its \"/\"",
			       quote(word).text, BITS - before);
	range.bits = (uint8_t)(before + bits);
	if (clear_behind(range.bytes, range.bits))
		return err_set(err,
			       "%s has more bits than the %u that count; write %s for "
			       "the range, or %.*s for this address alone",
			       quote(word).text, (unsigned)bits, peers_text(&range).text,
			       (int)len, word);
	*peers = range;
	return 0;
}

struct peers_text peers_text(const struct model_peers *peers)
{
	bool ip4 = peers->bits >= MAPPED_BITS &&
		   memcmp(peers->bytes, mapped, sizeof mapped) == 0;
	uint32_t before = ip4 ? MAPPED_BITS : 0;
	struct peers_text t;

	inet_ntop(ip4 ? AF_INET : AF_INET6, peers->bytes + before / 8, t.text,
		  sizeof t.text);
	if (peers->bits < BITS) {
		size_t used = strlen(t.text);
		snprintf(t.text + used, sizeof t.text - used, "/%u",
			 peers->bits - before);
	}
	return t;
}
