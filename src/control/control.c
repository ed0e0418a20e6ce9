#include "control/control.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "control/connection.h"
#include "control/history.h"
#include "control/log_tail.h"
#include "control/unix_socket.h"
#include "listen/listener.h"
#include "loop/loop.h"
#include "model/model.h"

struct control {
	struct loop *loop;		/* borrowed */
	struct control_hooks hooks;
	struct control_facts facts;
	struct view view;		/* of the two above */
	struct streams streams;
	struct history *history;	/* owned */
	struct loop_timer sampling;
	uint64_t    started_ms;
	struct link doors;		/* owned */
	struct link connections;	/* owned */
	uint32_t    connection_count;	/* those with a place */
	uint32_t    tcp_count, handed_count;	/* of these */
	uint32_t    busy_count;		/* and those without */
	struct unix_socket unix_socket;
	bool        held;		/* nobody is let in so far */
};

static uint64_t uptime_ms(const struct control *c)
{
	return loop_now_ms(c->loop) - c->started_ms;
}

/* Each sample says when it was taken, so that one which comes late is no error. */
static void on_sampling_due(struct loop_timer *t)
{
	struct control *c = CONTAINER_OF(t, struct control, sampling);
	const struct model *m = view_model(&c->view);

	if (m != NULL)
		history_take(c->history, m, c->view.live, uptime_ms(c));
	loop_timer_start(c->loop, t, HISTORY_EVERY_MS);
}

struct control *control_create(struct loop *loop, struct live *live,
			       const struct control_hooks *hooks,
			       const struct control_facts *facts)
{
	struct control *c = memory_new(1, sizeof *c);

	c->loop = loop;
	c->hooks = *hooks;
	c->facts = *facts;
	c->view = (struct view){
		.live = live, .hooks = &c->hooks, .facts = &c->facts,
		.streams = &c->streams, .log_tail = log_tail_create(loop),
	};
	c->view.history = c->history = history_create();
	c->started_ms = loop_now_ms(loop);
	loop_timer_init(&c->sampling, on_sampling_due);
	loop_timer_start(loop, &c->sampling, HISTORY_EVERY_MS);
	c->unix_socket.lock = -1;
	list_init(&c->doors);
	list_init(&c->connections);
	return c;
}

/* ---- doors ---- */

static struct door *door_of(struct link *link)
{
	return CONTAINER_OF(link, struct door, link);
}

/* Frees a door that nothing comes through any more. */
static void release(struct door *d)
{
	if (!d->closed || d->connections > 0)
		return;
	list_remove(&d->link);
	free(d);
}

/* Its connections end as soon as they may; the door may end with them. */
static void close_door(struct door *d)
{
	struct link *all = &d->control->connections;

	d->closed = true;
	/* Not acceptor_stop: what waits in the queue shall not be served any more. */
	acceptor_close(&d->acceptor);
	d->connections++;		/* so that it stays while we look at it */
	LIST_EACH(all, it, next) {
		struct connection *c = CONTAINER_OF(it, struct connection, link);
		if (c->door == d)
			connection_close(c);
	}
	d->connections--;
	release(d);
}

/* ---- connections ---- */

static void on_active(struct connection *connection)
{
	struct control *c = connection->control;

	c->view.uptime_ms = uptime_ms(c);
	c->view.uptime_s = c->view.uptime_ms / 1000;
	c->view.wall_s = loop_wall_us(c->loop) / 1000000;
}

/* Counts one more, or one less. */
static void count(const struct connection *connection, uint32_t by)
{
	struct control *c = connection->control;
	struct door *d = connection->door;

	if (d != NULL)
		d->connections += by;
	if (connection->exchange.busy) {
		c->busy_count += by;
		return;
	}
	c->connection_count += by;
	c->tcp_count += d != NULL && d->is_tcp ? by : 0;
	c->handed_count += d == NULL ? by : 0;
}

static void on_ended(struct connection *connection)
{
	struct control *c = connection->control;
	struct door *d = connection->door;

	count(connection, UINT32_MAX);
	list_remove(&connection->link);
	free(connection);
	if (d != NULL)
		release(d);
	LIST_EACH(&c->doors, it, next)
		acceptor_resume(&door_of(it)->acceptor);
}

/* Whether one more through this door, or from a listener, could only be told to go. */
static bool is_busy(const struct control *c, const struct door *d)
{
	bool stranger = d == NULL || d->is_tcp;

	return c->connection_count >= CONTROL_CONNECTIONS_MAX ||
	       (stranger && c->tcp_count + c->handed_count >= CONTROL_TCP_MAX) ||
	       (d == NULL && c->handed_count >= CONTROL_HANDED_MAX);
}

static bool has_place(struct acceptor *a)
{
	const struct door *d = CONTAINER_OF(a, struct door, acceptor);

	return !is_busy(d->control, d) || d->control->busy_count < CONTROL_BUSY_MAX;
}

/* Counted when it is there. */
static void leave(struct acceptor *a)
{
	(void)a;
}

/* One that has come through this door, or from a listener (NULL); it is to be started. */
static struct connection *add_connection(struct control *c, struct door *d)
{
	struct connection *new = memory_new(1, sizeof *new);
	bool is_tcp = d != NULL && d->is_tcp;

	new->loop = c->loop;
	new->control = c;
	new->door = d;
	new->on_ended = on_ended;
	new->on_active = on_active;
	exchange_init(&new->exchange, &c->view, is_tcp ? &d->tokens : NULL,
		      is_busy(c, d));
	list_push_last(&c->connections, &new->link);
	count(new, 1);
	return new;
}

/* What a listener has handed over: it notes what has become of it. */
static void on_answered(struct connection *connection, const struct asked_answer *answer)
{
	const struct control_hooks *hooks = &connection->control->hooks;
	struct asked *asked = connection->asked;

	connection->asked = NULL;
	if (asked != NULL)
		hooks->answered(hooks->arg, asked, answer);
}

static void on_accept(struct acceptor *a, int fd, const struct sockaddr *peer)
{
	struct door *d = CONTAINER_OF(a, struct door, acceptor);

	(void)peer;
	connection_start(add_connection(d->control, d), fd);
}

void control_take(struct control *c, int fd, struct span bytes, const char *pool,
		  struct asked *asked)
{
	if (is_busy(c, NULL) && c->busy_count >= CONTROL_BUSY_MAX) {
		close(fd);
		if (asked != NULL)
			c->hooks.answered(c->hooks.arg, asked, &(struct asked_answer){0});
		return;
	}
	struct connection *new = add_connection(c, NULL);
	exchange_only_legacy(&new->exchange, pool);
	new->asked = asked;
	new->on_answered = on_answered;
	if (bytes.len > 0) {
		new->begun = (struct begun){memory_new(bytes.len, 1), bytes.len, 0};
		memcpy(new->begun.bytes, bytes.at, bytes.len);
	}
	connection_start(new, fd);
}

static void on_starved(struct acceptor *a)
{
	log_warn("control: out of descriptors, connections have to wait listener=%s",
		 CONTAINER_OF(a, struct door, acceptor)->address.text);
}

/* Lets connections in through fd, which is given. */
static struct door *open_door(struct control *c, const struct address *at, int fd)
{
	struct door *d = memory_new(1, sizeof *d);

	d->control = c;
	d->address = *at;
	d->acceptor.enter = d->acceptor.has_place = has_place;
	d->acceptor.leave = leave;
	d->acceptor.on_accept = on_accept;
	d->acceptor.on_starved = on_starved;
	list_push_last(&c->doors, &d->link);
	acceptor_start(&d->acceptor, c->loop, fd);
	if (c->held)
		acceptor_hold(&d->acceptor);
	return d;
}

int control_open_unix(struct control *c, const char *path, bool *taken, struct err *err)
{
	must(c->unix_socket.lock < 0);
	int fd = unix_socket_open(&c->unix_socket, path, taken, err);
	if (fd < 0)
		return -1;
	open_door(c, &c->unix_socket.address, fd);
	return 0;
}

/* ---- over TCP, as the model wants it ---- */

static struct door *find_door(struct control *c, const struct address *at)
{
	LIST_EACH(&c->doors, it, next) {
		struct door *d = door_of(it);
		if (d->is_tcp && !d->closed && strcmp(d->address.text, at->text) == 0)
			return d;
	}
	return NULL;
}

/* What control_use gathers before it changes anything. */
struct wish {
	struct tokens tokens;
	struct door  *door;		/* one that is there, or NULL */
	int           fd;		/* of a new one, or -1 */
};

static int prepare(struct control *c, const struct model_control *asked, struct wish *w,
		   struct err *err)
{
	w->fd = -1;
	w->door = find_door(c, &asked->address);
	if (tokens_load(&w->tokens, asked, err) != 0)
		return -1;
	if (w->door != NULL)
		return 0;
	w->fd = c->hooks.inherited != NULL ?
			c->hooks.inherited(c->hooks.arg, &asked->address) : -1;
	return w->fd >= 0 ? 0 : listener_open(&w->fd, 1, &asked->address, err);
}

int control_use(struct control *c, const struct model *m, struct err *err)
{
	struct wish wishes[MODEL_CONTROLS_MAX];
	uint32_t count = 0;

	must(m->control_count <= MODEL_CONTROLS_MAX);
	for (; count < m->control_count; count++)
		if (prepare(c, &m->controls[count], &wishes[count], err) != 0)
			goto close_new;
	for (uint32_t i = 0; i < count; i++) {
		struct door *d = wishes[i].door;
		if (d == NULL)
			d = open_door(c, &m->controls[i].address, wishes[i].fd);
		d->is_tcp = d->wanted = true;
		d->tokens = wishes[i].tokens;
	}
	LIST_EACH(&c->doors, it, next) {
		struct door *d = door_of(it);
		if (d->is_tcp && !d->closed && !d->wanted)
			close_door(d);
		else
			d->wanted = false;
	}
	return 0;

close_new:
	while (count-- > 0)
		if (wishes[count].fd >= 0)
			close(wishes[count].fd);
	return -1;
}

/* ---- from one process to another ---- */

void control_hold(struct control *c)
{
	must(list_empty(&c->doors));
	c->held = true;
}

void control_begin(struct control *c)
{
	c->held = false;
	unix_socket_own(&c->unix_socket);
	LIST_EACH(&c->doors, it, next)
		acceptor_resume(&door_of(it)->acceptor);
}

int control_adopt_unix(struct control *c, const char *path, int fd, int lock,
		       struct err *err)
{
	must(c->unix_socket.lock < 0);
	if (unix_socket_adopt(&c->unix_socket, path, fd, lock, err) < 0)
		return -1;
	open_door(c, &c->unix_socket.address, fd);
	return 0;
}

void control_sockets(const struct control *c, struct control_sockets *all)
{
	*all = (struct control_sockets){
		.unix_socket = -1, .unix_lock = c->unix_socket.lock,
	};
	LIST_EACH(&c->doors, it, next) {
		const struct door *d = door_of(it);
		if (d->closed)
			continue;
		if (!d->is_tcp)
			all->unix_socket = d->acceptor.watch.fd;
		else if (all->tcp_count < MODEL_CONTROLS_MAX)
			all->tcp[all->tcp_count++] = d->acceptor.watch.fd;
	}
}

void control_leave(struct control *c, bool with_unix)
{
	if (with_unix)
		unix_socket_leave(&c->unix_socket);
	LIST_EACH(&c->doors, it, next) {
		struct door *d = door_of(it);
		if (!d->closed)
			close_door(d);
	}
}

void control_destroy(struct control *c)
{
	/* First the name: who comes from now on is told that nobody is here. */
	unix_socket_close(&c->unix_socket);
	LIST_EACH(&c->doors, it, next) {
		struct door *d = door_of(it);
		if (!d->closed)
			close_door(d);
	}
	while (!list_empty(&c->connections))
		connection_end(CONTAINER_OF(c->connections.next, struct connection,
					    link));
	must(list_empty(&c->doors));
	loop_timer_stop(c->loop, &c->sampling);
	history_destroy(c->history);
	log_tail_destroy(c->view.log_tail);
	free(c);
}
