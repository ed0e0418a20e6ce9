#include "listen/peers.h"

#include <netinet/in.h>
#include <string.h>

static bool in_range(const struct model_peers *range, const uint8_t bytes[16])
{
	unsigned whole = range->bits / 8, rest = range->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	return memcmp(range->bytes, bytes, whole) == 0 &&
	       (rest == 0 || ((range->bytes[whole] ^ bytes[whole]) & mask) == 0);
}

bool peers_trust(const struct model_listener *l, const struct sockaddr *peer)
{
	uint8_t bytes[16] = {[10] = 0xff, 0xff};

	if (peer->sa_family == AF_INET)
		memcpy(bytes + 12, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, 4);
	else if (peer->sa_family == AF_INET6)
		memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, 16);
	else
		return false;
	for (uint32_t i = 0; i < l->proxy_peer_count; i++)
		if (in_range(&l->proxy_peers[i], bytes))
			return true;
	return false;
}
