#include "forward/route.h"

/* The host alone: without a port, and without the dot that ends a full name. */
static struct span host_of(struct span authority)
{
	struct span host = authority;

	if (host.len == 0)
		return host;
	if (host.at[0] == '[') {
		const char *end = memchr(host.at, ']', host.len);
		if (end != NULL)
			host.len = (size_t)(end + 1 - host.at);
		return host;
	}
	const char *colon = memchr(host.at, ':', host.len);
	if (colon != NULL)
		host.len = (size_t)(colon - host.at);
	if (host.len > 0 && host.at[host.len - 1] == '.')
		host.len--;
	return host;
}

static bool host_fits(const char *wanted, struct span host)
{
	struct span want = span_of(wanted);

	if (!span_starts_with(want, SPAN("*.")))
		return span_equals_nocase(want, host);
	want.at++;			/* ".example.com" */
	want.len--;
	if (host.len <= want.len)
		return false;
	return span_equals_nocase(want, (struct span){host.at + host.len - want.len, want.len});
}

static bool path_fits(const char *wanted, struct span path)
{
	struct span want = span_of(wanted);

	if (path.len == 0 || path.at[0] == '?')
		path = SPAN("/");
	if (!span_starts_with(path, want))
		return false;
	if (want.len == path.len || want.at[want.len - 1] == '/')
		return true;
	char next = path.at[want.len];
	return next == '/' || next == '?';
}

int route_find_number(const struct model_listener *l, struct span authority,
		      struct span path)
{
	struct span host = host_of(authority);

	for (uint32_t i = 0; i < l->route_count; i++) {
		const struct model_route *route = &l->routes[i];
		if (route->host != NULL && !host_fits(route->host, host))
			continue;
		if (route->path != NULL && !path_fits(route->path, path))
			continue;
		return (int)i;
	}
	return -1;
}

int route_find(const struct model_listener *l, struct span authority, struct span path)
{
	int number = route_find_number(l, authority, path);

	return number >= 0 ? (int)l->routes[number].pool : -1;
}
