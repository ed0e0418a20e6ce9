#include "forward/key.h"

#include <netinet/in.h>
#include <string.h>

#include "base/hash.h"
#include "forward/cookie.h"

/* ---- of a client ---- */

static const struct sockaddr_in *in4_of(const struct sockaddr *peer)
{
	return (const struct sockaddr_in *)(const void *)peer;
}

static const struct sockaddr_in6 *in6_of(const struct sockaddr *peer)
{
	return (const struct sockaddr_in6 *)(const void *)peer;
}

static uint64_t key_of_address(const struct sockaddr *peer)
{
	uint8_t bytes[16] = {[10] = 0xff, 0xff};	/* RFC 4291, section 2.5.5.2 */

	if (peer->sa_family == AF_INET)
		memcpy(bytes + 12, &in4_of(peer)->sin_addr, 4);
	else if (peer->sa_family == AF_INET6)
		memcpy(bytes, &in6_of(peer)->sin6_addr, 16);
	return hash_bytes(bytes, sizeof bytes);
}

uint16_t key_port_of(const struct sockaddr *peer)
{
	if (peer->sa_family == AF_INET)
		return ntohs(in4_of(peer)->sin_port);
	return peer->sa_family == AF_INET6 ? ntohs(in6_of(peer)->sin6_port) : 0;
}

uint64_t key_with_port(uint64_t address_key, uint16_t port)
{
	return hash_pair(address_key, port);
}

uint64_t key_of_peer(const struct sockaddr *peer, enum key_kind kind)
{
	uint64_t key = key_of_address(peer);

	return kind == KEY_ADDRESS_PORT ? key_with_port(key, key_port_of(peer)) : key;
}

/* ---- of a request ---- */

static bool find_field(const struct h1_head *head, const char *at, struct span name,
		       struct span *value)
{
	for (uint16_t i = 0; i < head->field_count; i++) {
		const struct h1_field *f = &head->fields[i];
		if (!span_equals_nocase(h1_name_span(at, f), name))
			continue;
		*value = h1_value_span(at, f);
		return true;
	}
	return false;
}

/* Parts the path from the query, both without the question mark. */
static void split_target(const struct h1_head *head, const char *at, struct span *path,
			 struct span *query)
{
	*query = (struct span){at + head->path_at, head->path_len};
	*path = (struct span){0};
	span_cut(query, '?', path);
}

static bool find_argument(struct span query, struct span name, struct span *value)
{
	struct span argument;

	while (span_cut(&query, '&', &argument))
		if (span_is_named(argument, name, value))
			return true;
	return false;
}

bool key_find(const struct model_pool *pool, const struct h1_head *head, const char *at,
	      struct span *value)
{
	struct span path, query, found = {0};

	switch (pool->key) {
	case KEY_ADDRESS:
	case KEY_ADDRESS_PORT:
	case KEY_REQUEST_ID:
		return false;
	case KEY_HEADER:
		find_field(head, at, span_of(pool->key_name), &found);
		break;
	case KEY_COOKIE:
		cookie_find(head, at, span_of(pool->key_name), &found);
		break;
	case KEY_PATH:
		split_target(head, at, &found, &query);
		if (found.len == 0 && head->target == H1_TARGET_ABSOLUTE)
			found = SPAN("/");
		break;
	case KEY_QUERY:
		split_target(head, at, &path, &query);
		find_argument(query, span_of(pool->key_name), &found);
		break;
	}
	*value = found;
	return found.len > 0;
}

uint64_t key_of_request(const struct model_pool *pool, const struct h1_head *head,
			const char *at, uint64_t address_key, uint16_t port)
{
	struct span value;

	if (key_find(pool, head, at, &value))
		return hash_bytes(value.at, value.len);
	if (pool->key == KEY_ADDRESS_PORT)
		return key_with_port(address_key, port);
	return address_key;
}
