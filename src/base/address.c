#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/span.h"
#include "base/text.h"

static int parse_port(const char *digits, uint16_t *port, const char *whole, struct err *err)
{
	uint64_t n;

	if (!span_to_u64(span_of(digits), &n) || n < 1 || n > 65535)
		return err_set(err, "\"%s\" has no port from 1 to 65535", whole);
	*port = (uint16_t)n;
	return 0;
}

static bool is_name(const char *host, size_t len)
{
	if (len == 0 || len > ADDRESS_HOST_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = span_lower(host[i]);
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '.' || c == '_'))
			return false;
	}
	return true;
}

static void set_ip4(struct address *a, struct in_addr ip, uint16_t port)
{
	a->in4 = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = ip,
	};
	a->len = sizeof a->in4;
}

static void set_ip6(struct address *a, struct in6_addr ip, uint16_t port)
{
	a->in6 = (struct sockaddr_in6){
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = ip,
	};
	a->len = sizeof a->in6;
}

static int parse_unix(struct address *a, const char *path, struct err *err)
{
	size_t len = strlen(path);

	if (!text_is_plain(path))
		return err_set(err, "the path of a UNIX socket is UTF-8 without control "
			       "bytes, not %s", quote(path).text);
	if (len == 0 || len >= sizeof a->un.sun_path)
		return err_set(err, "the path of a UNIX socket has 1 to %zu bytes, not %zu",
			       sizeof a->un.sun_path - 1, len);
	a->un.sun_family = AF_UNIX;
	memcpy(a->un.sun_path, path, len + 1);
	a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	snprintf(a->text, sizeof a->text, "unix:%s", path);
	return 0;
}

/* Sets the socket address if `host` is numeric, and the text in any case. */
static int set_host(struct address *a, const char *host, uint16_t port, const char *whole,
		    struct err *err)
{
	struct in_addr ip4;
	struct in6_addr ip6;

	if (inet_pton(AF_INET, host, &ip4) == 1)
		set_ip4(a, ip4, port);
	else if (inet_pton(AF_INET6, host, &ip6) == 1)
		set_ip6(a, ip6, port);
	else if (!is_name(host, strlen(host)))
		return err_set(err, "\"%s\" has no host name or address before its port", whole);
	snprintf(a->text, sizeof a->text, strchr(host, ':') ? "[%s]:%u" : "%s:%u",
		 host, (unsigned)port);
	return 0;
}

int address_parse(struct address *out, const char *text, const char *host, struct err *err)
{
	struct address a = {0};
	char name[ADDRESS_HOST_MAX + 1];
	uint16_t port = 0;

	if (strncmp(text, "unix:", 5) == 0) {
		if (parse_unix(&a, text + 5, err) != 0)
			return -1;
		*out = a;
		return 0;
	}

	const char *colon = strrchr(text, ':');
	const char *start = text, *end = colon;
	if (parse_port(colon != NULL ? colon + 1 : text, &port, text, err) != 0)
		return -1;
	if (colon != NULL && *text == '[') {
		if (colon[-1] != ']')
			return err_set(err, "\"%s\" has a \"[\" without \"]\" before "
				       "the port", text);
		start++;
		end--;
		if (memchr(start, ':', (size_t)(end - start)) == NULL)
			return err_set(err, "\"%s\" has no IPv6 address in its brackets",
				       text);
	} else if (colon != NULL && memchr(text, ':', (size_t)(colon - text)) != NULL) {
		return err_set(err, "\"%s\": an IPv6 address needs brackets, [...]:%u",
			       text, (unsigned)port);
	}
	if (colon == NULL || colon == text) {
		start = host;
		end = host + strlen(host);
	}
	if (end <= start || (size_t)(end - start) > ADDRESS_HOST_MAX)
		return err_set(err, "\"%s\" has no host of 1 to %d characters", text,
			       ADDRESS_HOST_MAX);
	memcpy(name, start, (size_t)(end - start));
	name[end - start] = '\0';
	if (set_host(&a, name, port, text, err) != 0)
		return -1;
	*out = a;
	return 0;
}

void address_split(const struct address *a, char host[ADDRESS_HOST_MAX + 1], uint16_t *port)
{
	const char *colon = strrchr(a->text, ':');
	const char *start = a->text, *end = colon;
	uint64_t n = 0;

	if (*start == '[') {
		start++;
		end--;
	}
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	span_to_u64(span_of(colon + 1), &n);
	*port = (uint16_t)n;
}

bool address_equals(const struct address *a, const struct address *b)
{
	if (a->len != b->len)
		return false;
	if (a->len == 0)
		return strcasecmp(a->text, b->text) == 0;
	return memcmp(&a->un, &b->un, a->len) == 0;
}

uint64_t address_hash(const struct address *a)
{
	char text[ADDRESS_TEXT_MAX];
	size_t len = strlen(a->text);

	if (a->len > 0)
		return hash_bytes(&a->un, a->len);
	for (size_t i = 0; i < len; i++)
		text[i] = span_lower(a->text[i]);
	return hash_bytes(text, len);
}

void address_format(struct address *a)
{
	char host[INET6_ADDRSTRLEN];

	if (a->any.sa_family == AF_UNIX) {
		snprintf(a->text, sizeof a->text, "unix:%s", a->un.sun_path);
		return;
	}
	address_host_text(&a->any, host);
	snprintf(a->text, sizeof a->text,
		 a->any.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host,
		 (unsigned)address_port(a));
}

uint16_t address_port(const struct address *a)
{
	switch (a->any.sa_family) {
	case AF_INET:  return ntohs(a->in4.sin_port);
	case AF_INET6: return ntohs(a->in6.sin6_port);
	default:       return 0;
	}
}

/* inet_ntop for IPv4 goes through printf; this is in the path of each request. */
static size_t ip4_text(const struct in_addr *ip, char *out)
{
	const uint8_t *octet = (const uint8_t *)&ip->s_addr;
	char *at = out;

	for (int i = 0; i < 4; i++) {
		unsigned n = octet[i];
		if (n >= 100)
			*at++ = (char)('0' + n / 100);
		if (n >= 10)
			*at++ = (char)('0' + n / 10 % 10);
		*at++ = (char)('0' + n % 10);
		*at++ = '.';
	}
	*--at = '\0';
	return (size_t)(at - out);
}

size_t address_host_text(const struct sockaddr *peer, char out[INET6_ADDRSTRLEN])
{
	if (peer->sa_family == AF_INET)
		return ip4_text(&((const struct sockaddr_in *)(const void *)peer)->sin_addr, out);
	if (peer->sa_family == AF_INET6) {
		const struct in6_addr *ip =
			&((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;
		if (IN6_IS_ADDR_V4MAPPED(ip))
			return ip4_text((const void *)&ip->s6_addr[12], out);
		inet_ntop(AF_INET6, ip, out, INET6_ADDRSTRLEN);
		return strlen(out);
	}
	memcpy(out, "unix", 5);
	return 4;
}
