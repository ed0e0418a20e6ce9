#include "client/find.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "loop/resolve.h"
#include "parse/kv_wire.h"

struct search {
	bool answered;
	struct resolver_answer answer;
};

static void on_answer(void *arg, const struct resolver_answer *answer)
{
	struct search *s = arg;

	s->answer = *answer;
	s->answered = true;
}

static int look_up(struct loop *loop, struct address *address, struct err *err)
{
	char host[ADDRESS_HOST_MAX + 1], text[ADDRESS_TEXT_MAX];
	struct search search = {0};
	uint16_t port;

	struct resolver *resolver = resolver_create(loop, err);
	if (resolver == NULL)
		return -1;
	address_split(address, host, &port);
	memcpy(text, address->text, sizeof text);
	if (resolver_ask(resolver, host, port, on_answer, &search) != NULL)
		while (!search.answered)
			loop_turn(loop, -1);
	resolver_destroy(resolver);
	if (search.answer.count == 0)
		return err_set(err, "no balancer at %s: %s", text,
			       search.answer.err.text);
	*address = search.answer.addresses[0];
	memcpy(address->text, text, sizeof text);	/* people know it by its name */
	return 0;
}

int find_balancer(struct loop *loop, const char *place, struct address *address,
		  struct err *err)
{
	const char *colon = strrchr(place, ':');
	char with_port[ADDRESS_TEXT_MAX];
	struct err why;

	/* "kv.example" is a host, "5059" a port. */
	bool bare = colon == NULL && place[strspn(place, "0123456789")] != '\0';
	if (bare && strlen(place) <= ADDRESS_HOST_MAX) {
		snprintf(with_port, sizeof with_port, "%s:%d", place, KV_CLIENT_PORT);
		place = with_port;
	}
	if (address_parse(address, place, "127.0.0.1", &why) != 0)
		return err_set(err, "--balancer: %s", why.text);
	return address->len > 0 ? 0 : look_up(loop, address, err);
}
