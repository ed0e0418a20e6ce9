#include "forward/key.h"

#include <netinet/in.h>
#include <string.h>

#include "base/hash.h"

uint64_t key_of_peer(const struct sockaddr *peer, enum key_kind kind)
{
	uint8_t bytes[18] = {[10] = 0xff, 0xff};	/* RFC 4291, section 2.5.5.2 */
	uint16_t port = 0;

	if (peer->sa_family == AF_INET) {
		const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)peer;
		memcpy(bytes + 12, &in4->sin_addr, 4);
		port = in4->sin_port;
	} else if (peer->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)peer;
		memcpy(bytes, &in6->sin6_addr, 16);
		port = in6->sin6_port;
	}
	memcpy(bytes + 16, &port, 2);
	return hash_bytes(bytes, kind == KEY_ADDRESS_PORT ? 18 : 16);
}
