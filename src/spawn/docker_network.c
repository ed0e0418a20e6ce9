#include "spawn/docker_network.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "spawn/docker_ask.h"

static void look(struct docker_network *n);
static void look_for_next(struct docker_network *n);

void docker_network_cancel(struct docker_need *need)
{
	if (!need->waits)
		return;
	list_remove(&need->link);
	need->waits = false;
}

/* Takes those of this name first, since out of on_there all may change. */
static void tell(struct docker_network *n, const struct err *err)
{
	struct link told;

	list_init(&told);
	LIST_EACH(&n->needs, at, next) {
		struct docker_need *need = CONTAINER_OF(at, struct docker_need, link);
		if (strcmp(need->network, n->name) != 0)
			continue;
		list_remove(at);
		list_push_last(&told, at);
	}
	n->looks = 0;
	look_for_next(n);		/* n is not looked at from here on */
	while (!list_empty(&told)) {
		struct docker_need *need =
			CONTAINER_OF(told.next, struct docker_need, link);
		docker_network_cancel(need);
		need->on_there(need, err);
	}
}

static void ask(struct docker_network *n, const char *method, char *path, char *body,
		void (*on_done)(struct docker_call *call,
				const struct docker_reply *reply))
{
	n->call.on_done = on_done;
	n->call.limit_ms = DOCKER_CALL_MS;
	docker_client_call(n->client, &n->call, method, path, body);
}

static void on_taken_back(struct docker_call *call, const struct docker_reply *reply)
{
	struct docker_network *n = CONTAINER_OF(call, struct docker_network, call);

	(void)reply;			/* the next look says what there is */
	n->made[0] = '\0';
	look(n);
}

static void on_made(struct docker_call *call, const struct docker_reply *reply)
{
	struct docker_network *n = CONTAINER_OF(call, struct docker_network, call);
	struct err err;

	if (reply->status == 409) {	/* somebody else was faster */
		look(n);
	} else if (reply->status < 200 || reply->status > 299) {
		err_set(&err, "cannot make the network %s: %.300s", quote(n->name).text,
			reply->err->text);
		tell(n, &err);
	} else if (docker_answer_created(reply->text, n->made, &err) != 0) {
		tell(n, &err);
	} else {
		look(n);
	}
}

static void settle(struct docker_network *n, const struct docker_networks *there)
{
	struct err err;

	if (there->count == 1) {
		tell(n, NULL);
	} else if (n->looks >= DOCKER_NETWORK_LOOKS_MAX) {
		err_set(&err, "there are %u networks with the name %s; remove all but "
			"one: docker network rm ID", (unsigned)there->count,
			quote(n->name).text);
		tell(n, &err);
	} else if (there->count == 0) {
		ask(n, "POST", docker_ask_path("/networks/create"),
		    docker_ask_network(n->name, n->balancer), on_made);
	} else if (n->made[0] != '\0' && strcmp(n->made, there->oldest) != 0) {
		ask(n, "DELETE", docker_ask_path("/networks/%s", n->made), NULL,
		    on_taken_back);
	} else {
		loop_timer_start(n->loop, &n->pause, DOCKER_NETWORK_PAUSE_MS);
	}
}

static void on_looked(struct docker_call *call, const struct docker_reply *reply)
{
	struct docker_network *n = CONTAINER_OF(call, struct docker_network, call);
	struct docker_networks there;
	struct err err = *reply->err;

	if (reply->status == 200 &&
	    docker_answer_networks(reply->text, n->name, &there, &err) == 0)
		settle(n, &there);
	else
		tell(n, &err);
}

static void look(struct docker_network *n)
{
	n->looks++;
	ask(n, "GET", docker_ask_networks(n->name), NULL, on_looked);
}

static void look_for_next(struct docker_network *n)
{
	if (n->looks > 0 || list_empty(&n->needs))
		return;
	snprintf(n->name, sizeof n->name, "%s",
		 CONTAINER_OF(n->needs.next, struct docker_need, link)->network);
	n->made[0] = '\0';
	look(n);
}

static void on_pause_over(struct loop_timer *t)
{
	look(CONTAINER_OF(t, struct docker_network, pause));
}

void docker_network_init(struct docker_network *n, struct loop *loop,
			 struct docker_client *client, const char *balancer)
{
	*n = (struct docker_network){.loop = loop, .client = client,
				     .balancer = balancer};
	list_init(&n->needs);
	loop_timer_init(&n->pause, on_pause_over);
}

void docker_network_fini(struct docker_network *n)
{
	LIST_EACH(&n->needs, at, next)
		docker_network_cancel(CONTAINER_OF(at, struct docker_need, link));
	docker_client_cancel(&n->call);
	loop_timer_stop(n->loop, &n->pause);
}

void docker_network_need(struct docker_network *n, struct docker_need *need)
{
	need->waits = true;
	list_push_last(&n->needs, &need->link);
	look_for_next(n);
}
