/* config/peers.h - ranges of addresses: 10.0.0.0/8, fd00::/8, 192.0.2.1.
 *
 * Pure: a word in, a range or a reason out, and back.
 */
#ifndef CONFIG_PEERS_H
#define CONFIG_PEERS_H

#include <netinet/in.h>

#include "base/err.h"
#include "model/model.h"

/* Reads an address with the number of its leading bits that count, or all of them.
 * Bits behind these have to be 0: the reason shows what the range is called. */
int peers_read(const char *word, struct model_peers *peers, struct err *err);

struct peers_text {
	char text[INET6_ADDRSTRLEN + 4];
};
/* The shortest word that peers_read reads as this range. */
struct peers_text peers_text(const struct model_peers *peers);

#endif
