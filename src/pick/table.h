/* pick/table.h - what the table of every policy begins with.
 *
 * A policy puts it first in a struct of its own. The whole table is one block without
 * pointers into itself, so that its bytes may be copied and its memory just freed.
 */
#ifndef PICK_TABLE_H
#define PICK_TABLE_H

#include <stddef.h>

struct pick_table {
	size_t bytes;		/* of the whole block */
};

#endif
