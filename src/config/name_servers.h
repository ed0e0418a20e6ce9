/* config/name_servers.h - the words of `resolve from`: which name servers are asked. */
#ifndef CONFIG_NAME_SERVERS_H
#define CONFIG_NAME_SERVERS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "model/model.h"

/* Takes up one more: a numeric address, with a port where it is not 53. */
int name_servers_add(struct model *m, const char *word, struct err *err);

/* All of them; false: there is none. */
bool name_servers_show(const struct model *m, FILE *out);

#endif
