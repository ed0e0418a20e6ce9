#include "ctl/place.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Longer than any address with its port may be. */
enum { JOINED_MAX = ADDRESS_HOST_MAX + 16 };

static bool is_ip6(const char *text)
{
	struct in6_addr ip;

	return inet_pton(AF_INET6, text, &ip) == 1;
}

static bool is_number(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* Whether a word has its port in it: unix:PATH, app1:80, [::1]:80; not ::1, [::1]. */
static bool is_whole(const char *word)
{
	const char *colon = strrchr(word, ':');

	if (strncmp(word, "unix:", 5) == 0)
		return true;
	return colon != NULL && !is_ip6(word) && strchr(colon, ']') == NULL;
}

static int read_whole(const char *word, struct address *address, struct err *err)
{
	if (strncmp(word, "unix:", 5) == 0 && word[5] != '/')
		return err_set(err,
			       "%s has a path that does not begin with \"/\", but the "
			       "balancer runs in another folder",
			       quote(word).text);
	return address_parse(address, word, "127.0.0.1", err);
}

static int read_two(const char *host, const char *port, struct address *address,
		    struct err *err)
{
	char joined[JOINED_MAX + 1];
	bool bare = is_ip6(host);

	if (!is_number(port) || strlen(port) > 5)
		return err_set(err, "%s is no port; expected 1 to 65535",
			       quote(port).text);
	int len = snprintf(joined, sizeof joined, bare ? "[%s]:%s" : "%s:%s", host, port);
	if (*host == '\0' || (size_t)len >= sizeof joined)
		return err_set(err, "%s is no address", quote(host).text);
	return address_parse(address, joined, "127.0.0.1", err);
}

int place_read(struct words *words, const char *usage, struct address *address,
	       struct err *err)
{
	const char *first, *port;

	if (words->next == words->count)
		return err_set(err, "an address is missing; write: balancerctl %s",
			       usage);
	first = words->at[words->next];
	port = words->next + 1 < words->count ? words->at[words->next + 1] : NULL;
	if (is_whole(first)) {
		words->next++;
		return read_whole(first, address, err);
	}
	if (is_number(first))
		return err_set(err,
			       "%s is a port without an address; write: balancerctl %s",
			       quote(first).text, usage);
	if (port == NULL)
		return err_set(err, "%s has no port; write: balancerctl %s",
			       quote(first).text, usage);
	words->next += 2;
	return read_two(first, port, address, err);
}
