/* ctl/top_screen.h - a terminal that is drawn on, and whose keys are read.
 *
 * The only file that knows ncurses. While it is open no signal ends the process: what
 * would is told by top_screen_wait, so that the terminal is always given back.
 */
#ifndef CTL_TOP_SCREEN_H
#define CTL_TOP_SCREEN_H

#include "base/err.h"
#include "ctl/top_view.h"

/* What was pressed: a character, or one of these. */
enum top_key {
	TOP_KEY_NONE = 0,
	TOP_KEY_UP = 0x110000,		/* behind the last character */
	TOP_KEY_DOWN, TOP_KEY_PAGE_UP, TOP_KEY_PAGE_DOWN, TOP_KEY_HOME, TOP_KEY_END,
	TOP_KEY_ENTER, TOP_KEY_BACK, TOP_KEY_ESCAPE,
	TOP_KEY_STOP,			/* Ctrl-C, TERM, HUP, or the terminal is gone */
};

struct top_screen;

/* Standard input and output are a terminal. NULL and *err: it is of a strange kind. */
struct top_screen *top_screen_open(bool colours, struct err *err);
void top_screen_close(struct top_screen *screen);	/* NULL: nothing */

/* Waits for a key for so long. A new size ends the wait as well: TOP_KEY_NONE. */
uint32_t top_screen_wait(struct top_screen *screen, int ms);

/* The size as it is now. */
void top_screen_size(struct top_screen *screen, uint32_t *height, uint32_t *width);

/* A pen between these draws; the second shows it. */
struct top_pen top_screen_begin(struct top_screen *screen);
void top_screen_end(struct top_screen *screen);

#endif
