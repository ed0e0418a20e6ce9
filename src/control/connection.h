/* control/connection.h - the I/O of one connection: bytes between its socket and its
 * exchange, and the time limits.
 *
 * A door is a listening socket of the interface: the UNIX one, or one over TCP with its
 * tokens. It lives as long as it is open or has connections.
 *
 * While an answer is waited for, or goes on, the connection of a client that is gone ends.
 * Over TCP one that has closed cannot be told from one that only says no more: it is waited
 * with while it waits for an answer; one that goes on ends with what is there, since its
 * place is somebody else's. One whose machine is gone is found out by the kernel
 * (keep-alive).
 *
 * Thread: control.
 */
#ifndef CONTROL_CONNECTION_H
#define CONTROL_CONNECTION_H

#include "control/exchange.h"
#include "forward/asked.h"
#include "listen/acceptor.h"

struct control;

struct door {
	struct acceptor acceptor;	/* its socket is closed once the door is */
	struct control *control;	/* borrowed */
	struct link     link;		/* in its list of doors */
	struct address  address;
	bool            is_tcp;
	struct tokens   tokens;		/* TCP only */
	bool            wanted;		/* by the model that is being used */
	bool            closed;		/* accepts no more; its last connection ends it */
	uint32_t        connections;
};

/* What a listener had read of a connection before it handed that over. */
struct begun {
	char  *bytes;			/* owned; NULL: nothing is left of it */
	size_t len, used;
};

struct connection {
	struct loop_watch watch;	/* owned */
	struct loop_timer limit;
	struct link  link;		/* in control's list */
	struct loop *loop;		/* borrowed */
	struct control *control;	/* borrowed */
	struct door *door;		/* borrowed: lives as long as this; NULL: a
					 * listener has handed it over */
	struct begun begun;		/* is read before the socket is */
	uint32_t phase;			/* of the exchange, for which limit was started */
	bool     readable;		/* there may be bytes in the socket */
	bool     ended;			/* the client sends no more; there may be bytes */
	bool     shut;			/* we have said that we send no more */
	struct exchange exchange;

	/* Told when it has ended, all but its memory; the receiver frees it. */
	void (*on_ended)(struct connection *c);
	/* Told once when the answer to the only request is out, or will not be any more;
	 * before on_ended. NULL: nobody is. */
	void (*on_answered)(struct connection *c, const struct asked_answer *answer);
	struct asked *asked;		/* of who is told; NULL: none */
	/* Told before anything may be asked. */
	void (*on_active)(struct connection *c);
};

/* Serves the descriptor, which is given. The caller has set loop, control, door, begun,
 * exchange and the two functions; out of kernel memory it ends at once. */
void connection_start(struct connection *c, int fd);

/* Ends once what is asked for has been answered; at once if that is nothing. Not out of
 * its own on_active. */
void connection_close(struct connection *c);

/* Ends at once. */
void connection_end(struct connection *c);

#endif
