/* ctl/top_view.h - the picture of top: a head, titles, rows, and a last line.
 *
 * It is drawn through a pen, from the top to the bottom and from left to right, so that
 * a terminal and a text file show the same. Nothing is drawn outside of the size.
 */
#ifndef CTL_TOP_VIEW_H
#define CTL_TOP_VIEW_H

#include "ctl/paper.h"
#include "ctl/top_rows.h"

/* Text at a place: `columns` of them, which it fills or not. */
struct top_ink {
	uint32_t    row, column, columns;
	enum style  style;
	bool        reversed;
	const char *text;
};

struct top_pen {
	void (*put)(void *arg, const struct top_ink *ink);
	void  *arg;
};

struct top_view {
	uint32_t height, width;
	bool     is_still;		/* one picture: no line is chosen, no last line */
	uint32_t first, chosen;		/* rows: at the top, and the one that is meant */
	struct top_order order;
	bool     paused, help;
	const char *trouble;		/* why the last poll failed; "": it did not */
	const char *last;		/* what the last line says; "": what suits */
};

enum {
	TOP_HEAD_LINES = 3,		/* above the rows */
	TOP_TEXT_MAX   = 512,		/* bytes of one text in the picture */
};

/* How many rows there is room for; at least 1. */
uint32_t top_view_room(const struct top_view *view);

/* Moves `first` and `chosen` to where there is something, and the second is seen. */
void top_view_settle(struct top_view *view, const struct top_rows *rows);

/* Draws all of it; the poll is the one that the rows were made of. */
void top_view_draw(const struct top_view *view, const struct top_rows *rows,
		   const struct top_poll *poll, const struct top_pen *pen);

/* The title of a column. */
const char *top_column_title(enum top_column column);

#endif
