/* base/list.h - doubly linked lists whose links live inside the listed structs.
 *
 * A list is a link that points at itself when empty. A link that is in no list
 * points at itself too, so list_remove may be called on it at any time.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>

struct link {
	struct link *next, *prev;
};

static inline void list_init(struct link *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct link *list)
{
	return list->next == list;
}

static inline void list_insert(struct link *after, struct link *l)
{
	l->prev = after;
	l->next = after->next;
	after->next->prev = l;
	after->next = l;
}

static inline void list_push_first(struct link *list, struct link *l)
{
	list_insert(list, l);
}

static inline void list_push_last(struct link *list, struct link *l)
{
	list_insert(list->prev, l);
}

static inline void list_remove(struct link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

/* Walks over a list; `next` is read ahead, so the one at hand may be removed. */
#define LIST_EACH(list, it, next_one)                                          \
	for (struct link *it = (list)->next, *next_one = it->next; it != (list); \
	     it = next_one, next_one = it->next)

#endif
