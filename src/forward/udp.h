/* forward/udp.h - datagrams: a listening socket of this loop and its flows.
 *
 *   client --(datagram)--> port --> flow --(connected socket)--> server
 *   client <--------------- port <-- flow <--(datagram)---------'
 *
 *            first datagram: a server is picked
 *   (nothing) ---------------------------------> JOINED --- idle ---> (nothing)
 *                                                 |   ^
 *   refused, down, out of the pool: before the    |   |  next datagram: picked anew,
 *   next datagram at the latest                   v   |  without those that have failed
 *                                                HOMELESS --- idle ---> (nothing)
 *
 * A flow is what one client address and port says to one address of ours. It has a socket
 * of its own, so the kernel tells apart which answer is whose, and tells of a server that
 * is not there (ICMP). Answers leave from the address that was asked.
 *
 * Nothing is queued and nothing is sent again: what the kernel does not take, what comes
 * when all flows are taken and what no server is there for is dropped and counted, and
 * clients of UDP know how to live with that.
 *
 * The kernel keeps a flow on one loop, by a hash of its addresses over the loops' sockets.
 * Where the number of these changes, a flow may go on in another loop: with the same
 * server if the policy goes by a key, from a fresh socket in any case.
 *
 * A listener that was removed ends at once, with its flows. When the balancer drains, no
 * flow is begun any more, and a port ends when it has been silent for a second.
 * Where another process takes its place, that one hears what clients send from then on; a
 * flow that is left hands on what its server still answers, until it was idle for long.
 *
 * Thread: the loop's.
 */
#ifndef FORWARD_UDP_H
#define FORWARD_UDP_H

#include "forward/worker_thread.h"

/* Opens the port of a listener that is door number `door` of w->now; opening->fd is
 * given. */
void udp_open(struct worker *w, const struct port_opening *opening, uint32_t door);

/* Works by w->now from now on: ports whose listeners it lacks end, flows move from
 * servers that it lacks with their next datagram. */
void udp_adopt(struct worker *w);

/* Begins to end. Those that have no flow end at once; worker_look_whether_drained is
 * called after the last one. */
void udp_drain(struct worker *w);

/* Ends all ports and flows. */
void udp_end_all(struct worker *w);

/* Frees what ports have shared; all have ended. */
void udp_fini(struct worker *w);

#endif
