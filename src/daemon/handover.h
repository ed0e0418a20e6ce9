/* daemon/handover.h - what two processes say to each other while the one takes the other's
 * place: the language. Who says what when is upgrade.h (the old one) and takeover.h (the
 * new one).
 *
 *   old                                            new
 *    |-- balancerd-handover 1 ------------------->|   who does not know the number refuses
 *    |-- sockets + descriptors (any number) ----->|   of one address and kind each
 *    |-- control + the listening one, its lock -->|   if there is a control socket
 *    |-- older + pidfds --------------------------->|   who still has connections; the old one
 *    |-- all ------------------------------------>|
 *    |                                            |   reads its file, opens what is missing
 *    |<--------------- ready control=1 -----------|   could begin; has not let anybody in
 *    |-- go ------------------------------------->|   old: its servers are no longer its own
 *    |<--------------- serving -------------------|
 *    |   closes: it accepts no more               |   closed: it is alone
 *    |                                            |
 *    |<--------------- refused WHY ---------------|   any time before: nothing has changed
 *
 * Packets of a UNIX socket pair (SOCK_SEQPACKET), a line of text each, with descriptors
 * (SCM_RIGHTS). What a socket is for is not said: the kernel knows its address and its
 * kind. A word that is not known is passed over. The new process finds the number of its
 * end in the environment.
 *
 * Thread: control.
 */
#ifndef DAEMON_HANDOVER_H
#define DAEMON_HANDOVER_H

#include <stdint.h>

#include "base/err.h"
#include "model/model.h"

#define HANDOVER_VARIABLE "BALANCERD_HANDOVER"
#define HANDOVER_HELLO    "balancerd-handover "	/* and the version */

enum {
	HANDOVER_VERSION  = 1,
	HANDOVER_TEXT_MAX = 1023,
	HANDOVER_FDS_MAX  = MODEL_LOOPS_MAX,	/* of one packet */
};

struct handover_packet {
	char     text[HANDOVER_TEXT_MAX + 1];
	int      fds[HANDOVER_FDS_MAX];		/* owned by the receiver */
	uint32_t fd_count;
};

/* -1 and errno: it was not sent; EAGAIN: there is no room now. */
int handover_send(int channel, const char *text, const int *fds, uint32_t fd_count);

/* 1: one has come. 0: the other side has closed. -1 and errno; EBADMSG: it was none of
 * these packets. */
int handover_receive(int channel, struct handover_packet *p);

/* What follows the word and a blank; NULL: the packet begins with another word. */
const char *handover_after(const struct handover_packet *p, const char *word);

#endif
