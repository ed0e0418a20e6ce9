/* config/check.h - what is wrong with a configuration though every word of it is
 * right: things that are there twice, that contradict each other, that do nothing.
 *
 * Called by build.c when a piece of the model is complete. Reports, and completes
 * what depends on two directives; changes nothing else.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/build.h"

/* The last listener, pool, server, route or control address that the block has added,
 * named. */
void check_new_listener(const struct build *b, const struct block *block);
void check_new_pool(const struct build *b, const struct block *block);
void check_new_server(const struct build *b, const struct block *block);
void check_new_srv(const struct build *b, const struct block *block);
void check_new_route(const struct build *b, const struct block *block,
		     const struct given *given);
void check_new_control(const struct build *b, const struct block *block);

/* A block that has been read to its end; file: the one around a listener's. */
void check_pool(const struct build *b, const struct block *block);
void check_listener(const struct build *b, const struct block *file,
		    const struct block *block);

/* The whole file. */
void check_file(const struct build *b, const struct block *file);

#endif
