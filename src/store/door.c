#include "store/door.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "store/member.h"
#include "store/peer_in.h"
#include "store/pool.h"

enum visitor_state { VISITOR_SILENT, VISITOR_UNKNOWN, VISITOR_GREETING, VISITOR_LEAVING };

struct visitor {
	struct lane_grave grave;
	struct channel channel;		/* owned */
	struct door   *door;		/* borrowed */
	struct link    link;		/* in door->visitors */
	struct loop_timer limit;	/* of the greeting; LEAVING: none */
	enum visitor_state state;
	struct kv_hello hello;
	struct bytes   first;		/* owned: a message that somebody
					 * else is to hear */
	char           from[ADDRESS_TEXT_MAX];
};

/* A connection that a lane has. */
struct known {
	struct link link;		/* in door->known */
	struct peer_in_who who;
	uint8_t lanes;
	struct lane *lane;
};

static struct visitor *of_channel(struct channel *c)
{
	return CONTAINER_OF(c, struct visitor, channel);
}

static struct visitor *visitor_of(struct link *l)
{
	return CONTAINER_OF(l, struct visitor, link);
}

static struct known *known_of(struct link *l)
{
	return CONTAINER_OF(l, struct known, link);
}

static struct lane *lane_of_door(const struct door *d)
{
	return member_first(d->member);
}

static void free_visitor(struct lane_grave *g)
{
	free(CONTAINER_OF(g, struct visitor, grave));
}

/* How many have not said HELLO, which those of version 1 never do. */
static void count_plain(struct door *d, int more)
{
	d->member->roster.plain += (unsigned)more;
	pool_look(d->member);
}

static void end(struct visitor *v)
{
	struct door *d = v->door;
	bool was_silent = v->state == VISITOR_SILENT;

	channel_close(&v->channel);
	bytes_fini(&v->first);
	loop_timer_stop(lane_of_door(d)->loop, &v->limit);
	list_remove(&v->link);
	v->state = VISITOR_LEAVING;
	d->visitor_count--;
	lane_bury(lane_of_door(d), &v->grave, free_visitor);
	acceptor_resume(&d->acceptor);
	if (was_silent)
		count_plain(d, -1);
}

static void on_lost(struct channel *c, const char *why)
{
	struct visitor *v = of_channel(c);

	if (v->channel.bytes_in > 0)
		log_warn("a connection of a peer is ended before it was greeted "
			 "reason=\"%s\" from=%s", why, v->from);
	end(v);
}

static void refuse(struct visitor *v, enum kv_result code, const char *why)
{
	channel_refuse(&v->channel, code, why);
}

/* ---- giving it to a lane ---- */

static void on_given(struct lane *l, const struct lane_note *n)
{
	struct peer_in_who who = {n->id, n->lane_number, n->serial};

	peer_in_begin(l, &who, n->fd, (struct span){n->bytes, n->len});
}

static void on_replaced(struct lane *l, const struct lane_note *n)
{
	peer_in_close(l, n->serial);
}

static void replace(struct door *d, uint32_t id, uint8_t number)
{
	LIST_EACH(&d->known, it, next) {
		struct known *k = known_of(it);
		if (id != 0 && k->who.id == id && k->who.number == number)
			lane_tell(lane_of_door(d), k->lane,
				  &(struct lane_note){.run = on_replaced, .fd = -1,
						      .serial = k->who.serial});
	}
}

/* All that it has said and we have not heard goes with it. Out of a timer: nothing of
 * it is being read. */
static void give(struct visitor *v)
{
	struct door *d = v->door;
	struct member *m = d->member;
	bool plain = !v->hello.heard;
	struct lane_note n = {
		.run = on_given, .id = plain ? 0 : v->hello.id,
		.lane_number = plain ? 0 : v->hello.lane, .serial = ++d->serial,
	};
	struct span rest = channel_leftover(&v->channel);
	struct known *k = malloc(sizeof *k);

	if (k == NULL || d->known_count == DOOR_KNOWN_MAX ||
	    !bytes_append(&v->first, rest.at, rest.len)) {
		free(k);
		refuse(v, KV_BUSY, "too many connections of peers");
		return;
	}
	replace(d, n.id, n.lane_number);
	k->who = (struct peer_in_who){n.id, n.lane_number, n.serial};
	k->lanes = plain ? 0 : v->hello.lanes;
	k->lane = m->lanes[n.lane_number % m->lane_count];
	list_push_last(&d->known, &k->link);
	d->known_count++;
	n.len = bytes_waiting(&v->first);
	n.bytes = v->first.at;
	must(v->first.start == 0);
	v->first = (struct bytes){0};
	channel_flush(&v->channel);
	n.fd = channel_release(&v->channel);
	if (!plain)
		roster_connected(&m->roster, n.id, n.lane_number, v->hello.lanes);
	else
		m->roster.plain++;	/* it was no visitor of the silent
					 * ones any more */
	lane_tell(lane_of_door(d), k->lane, &n);
	end(v);
	pool_look(m);
}

static void recount(struct door *d, uint32_t id)
{
	LIST_EACH(&d->known, it, next) {
		struct known *k = known_of(it);
		if (id != 0 && k->who.id == id)
			roster_connected(&d->member->roster, id, k->who.number, k->lanes);
	}
}

void door_note_gone(struct door *d, uint64_t serial)
{
	LIST_EACH(&d->known, it, next) {
		struct known *k = known_of(it);
		if (k->who.serial != serial)
			continue;
		list_remove(&k->link);
		d->known_count--;
		if (k->who.id == 0)
			count_plain(d, -1);
		else
			roster_disconnected(&d->member->roster, k->who.id, k->who.number);
		/* Another may have come in its place, before this was told. */
		recount(d, k->who.id);
		free(k);
		return;
	}
}

static void leave_soon(struct visitor *v)
{
	bool was_silent = v->state == VISITOR_SILENT;

	v->state = VISITOR_LEAVING;
	channel_pause(&v->channel, CHANNEL_PAUSE_UNKNOWN);
	loop_timer_start(lane_of_door(v->door)->loop, &v->limit, 0);
	if (was_silent)
		count_plain(v->door, -1);
}

/* ---- greeting ---- */

static void greet(struct visitor *v, const struct kv_message *m)
{
	struct kv_hello *h = &v->hello;
	enum kv_result code;
	const char *why;

	enum kv_hello_state state = kv_hello_take(h, m, &code, &why);
	if (state == KV_HELLO_REFUSED) {
		refuse(v, code, why);
		return;
	}
	if (h->role != KV_ROLE_PEER || h->lane >= h->lanes ||
	    h->lanes > ROSTER_LANES_MAX) {
		refuse(v, KV_PROTOCOL, "only peers connect here");
		return;
	}
	channel_send_bytes(&v->channel, (struct span){(const char *)h->out, h->out_len});
	if (state == KV_HELLO_DONE)
		leave_soon(v);
}

/* Keeps a message to be heard later, as it was. */
static bool keep(struct visitor *v, const struct kv_message *m)
{
	char *to = bytes_reserve(&v->first, kv_wire_size(m));

	if (to == NULL) {
		refuse(v, KV_BUSY, "out of memory");
		return false;
	}
	bytes_added(&v->first, kv_wire_write(m, to));
	return true;
}

static void on_hello(struct visitor *v, const struct kv_message *m)
{
	struct member *member = v->door->member;
	struct loop *loop = lane_of_door(v->door)->loop;

	if (member->options->speaks < 2) {
		refuse(v, KV_PROTOCOL,
		       "HELLO is version 2, this worker speaks version 1");
		return;
	}
	bool was_silent = v->state == VISITOR_SILENT;
	if (roster_find(&member->roster, m->id) != NULL) {
		v->state = VISITOR_GREETING;
		loop_timer_start(loop, &v->limit, DOOR_GREETING_MS);
		member_hello(member, &v->hello, KV_ROLE_PEER, m->lane, false);
		greet(v, m);
	} else if (keep(v, m)) {
		v->state = VISITOR_UNKNOWN;
		channel_pause(&v->channel, CHANNEL_PAUSE_UNKNOWN);
		loop_timer_start(loop, &v->limit, DOOR_UNKNOWN_MS);
	}
	if (was_silent && channel_is_open(&v->channel))
		count_plain(v->door, -1);
}

static void on_message(struct channel *c, const struct kv_message *m)
{
	struct visitor *v = of_channel(c);

	if (v->state == VISITOR_GREETING)
		greet(v, m);
	else if (m->type == KV_HELLO)
		on_hello(v, m);
	else if (v->door->member->secret_len > 0)
		refuse(v, KV_UNAUTHORISED,
		       "this pool has a secret; a peer begins with HELLO");
	else if (keep(v, m))
		leave_soon(v);
}

static const struct channel_calls calls = {on_message, on_lost, NULL};

/* The balancer has told of it now: its HELLO is heard. */
static void hear_again(struct visitor *v)
{
	struct kv_message m;
	const char *why;
	size_t used;
	struct bytes first = v->first;

	v->first = (struct bytes){0};
	v->state = VISITOR_GREETING;
	enum kv_parse parsed = kv_wire_parse(&m, bytes_first(&first),
					     bytes_waiting(&first), &used, &why);
	must(parsed == KV_PARSE_DONE);
	on_hello(v, &m);
	bytes_fini(&first);
	if (v->state == VISITOR_GREETING)
		channel_resume(&v->channel, CHANNEL_PAUSE_UNKNOWN);
}

void door_look(struct door *d, uint32_t id)
{
	struct kv_message m;
	const char *why;
	size_t used;

	LIST_EACH(&d->visitors, it, next) {
		struct visitor *v = visitor_of(it);
		if (v->state == VISITOR_UNKNOWN &&
		    kv_wire_parse(&m, bytes_first(&v->first), bytes_waiting(&v->first),
				  &used, &why) == KV_PARSE_DONE &&
		    roster_find(&d->member->roster, m.id) != NULL)
			hear_again(v);
	}
	recount(d, id);
}

/* Only one of version 1 may be silent until somebody writes, and where none is left they
 * would take the places of those who have something to say. */
static bool may_be_silent(const struct door *d)
{
	return d->member->secret_len == 0 && roster_has_plain(&d->member->roster);
}

static void on_limit(struct loop_timer *t)
{
	struct visitor *v = CONTAINER_OF(t, struct visitor, limit);

	if (v->state == VISITOR_LEAVING)
		give(v);
	else if (v->state == VISITOR_SILENT && may_be_silent(v->door))
		loop_timer_start(lane_of_door(v->door)->loop, t, DOOR_GREETING_MS);
	else if (v->state == VISITOR_UNKNOWN)
		refuse(v, KV_UNAUTHORISED, "the balancer has not told of this peer");
	else
		refuse(v, KV_PROTOCOL, "nothing was said in time");
}

/* ---- accepting ---- */

static bool has_place(struct acceptor *a)
{
	return CONTAINER_OF(a, struct door, acceptor)->visitor_count < DOOR_VISITORS_MAX;
}

static void leave(struct acceptor *a)
{
	(void)a;
}

static void on_accept(struct acceptor *a, int fd, const struct sockaddr *peer)
{
	struct door *d = CONTAINER_OF(a, struct door, acceptor);
	struct lane *l = lane_of_door(d);
	struct visitor *v = calloc(1, sizeof *v);

	if (v == NULL) {
		close(fd);
		return;
	}
	v->door = d;
	address_host_text(peer, v->from);
	channel_init(&v->channel, &l->turn, &calls);
	loop_timer_init(&v->limit, on_limit);
	list_push_last(&d->visitors, &v->link);
	d->visitor_count++;
	count_plain(d, 1);
	if (channel_open(&v->channel, fd) != 0)
		on_lost(&v->channel, "the kernel cannot watch it");
	else
		loop_timer_start(l->loop, &v->limit, DOOR_GREETING_MS);
}

static void on_starved(struct acceptor *a)
{
	CONTAINER_OF(a, struct door, acceptor)->turned_away++;
	log_warn("no descriptor for a peer's connection");
}

void door_open(struct door *d, struct member *m, int fd)
{
	*d = (struct door){.member = m, .acceptor = {
		.enter = has_place, .has_place = has_place, .leave = leave,
		.on_accept = on_accept, .on_starved = on_starved,
	}};
	list_init(&d->visitors);
	list_init(&d->known);
	acceptor_start(&d->acceptor, lane_of_door(d)->loop, fd);
}

void door_close(struct door *d)
{
	loop_watch_close(lane_of_door(d)->loop, &d->acceptor.watch);
	loop_timer_stop(lane_of_door(d)->loop, &d->acceptor.retry);
	LIST_EACH(&d->visitors, it, next)
		end(visitor_of(it));
	LIST_EACH(&d->known, it, next)
		free(known_of(it));
	list_init(&d->known);
}
