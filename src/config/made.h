/* config/made.h - what directives have made of a model, to go through it by the table.
 *
 * A block's directives that make nothing fill the struct of the block; the others have
 * each made things of one kind, in the order in which they were written.
 */
#ifndef CONFIG_MADE_H
#define CONFIG_MADE_H

#include "config/directives.h"
#include "model/model.h"

/* Thing i of a kind in the struct of a block (struct model, model_listener, model_pool,
 * model_own);
 * NULL behind the last. */
const void *made_at(enum makes makes, const void *block, uint32_t i);

/* The row that makes such a thing in such a block; those of one kind are told apart by
 * the constant they set, and a route without conditions from one that has some. thing
 * NULL: the first row that makes any. */
const struct directive *made_row(enum context in, enum makes makes, const void *thing);

/* Whether the struct that a directive fills has the constant that it sets; true where it
 * sets none. */
bool made_by(const struct directive *d, const void *target);

#endif
