#define NCURSES_WIDECHAR 1
#include "ctl/top_screen.h"

#include <curses.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <term.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/must.h"
#include "ctl/wait.h"

enum {
	ESCAPE_MS   = 50,		/* so fast come the bytes of one key */
	NOTHING_MAX = 100,		/* wake-ups without a key: the terminal is gone */
};

struct top_screen {
	SCREEN  *screen;		/* owned */
	sigset_t mask_before;
	int      signals;		/* owned: a signalfd */
	uint32_t nothing;		/* wake-ups without a key, one after the other */
	bool     colours;
	bool     is_spoilt;		/* nobody knows what the terminal shows */
};

static void use_colours(struct top_screen *s)
{
	s->colours = s->colours && has_colors() && start_color() == OK;
	if (!s->colours)
		return;
	use_default_colors();
	init_pair(STYLE_GOOD, COLOR_GREEN, -1);
	init_pair(STYLE_BAD, COLOR_RED, -1);
	init_pair(STYLE_WARN, COLOR_YELLOW, -1);
}

/* From here on signals wait until they are read. */
static void hold_signals(struct top_screen *s)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGQUIT);
	sigaddset(&mask, SIGWINCH);
	sigprocmask(SIG_BLOCK, &mask, &s->mask_before);
	s->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	must(s->signals >= 0);
}

/* Whether TERM is known, and there is a way to go to a place: a teletype has none. */
static bool can_draw(void)
{
	int found;

	if (setupterm(NULL, STDOUT_FILENO, &found) != OK)
		return false;
	bool can = cursor_address != NULL;
	del_curterm(cur_term);
	return can;
}

struct top_screen *top_screen_open(bool colours, struct err *err)
{
	struct top_screen *s = memory_new(1, sizeof *s);
	const char *term = getenv("TERM");

	s->colours = colours;
	hold_signals(s);
	s->screen = can_draw() ? newterm(NULL, stdout, stdin) : NULL;
	if (s->screen == NULL) {
		err_set(err,
			"top cannot draw on a terminal of the kind \"%.40s\" (TERM); "
			"balancerctl list and balancerctl status print the same as text",
			term != NULL ? term : "");
		top_screen_close(s);
		return NULL;
	}
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	use_colours(s);
	return s;
}

void top_screen_close(struct top_screen *s)
{
	if (s == NULL)
		return;
	if (s->screen != NULL) {
		endwin();
		delscreen(s->screen);
	}
	close(s->signals);
	sigprocmask(SIG_SETMASK, &s->mask_before, NULL);
	free(s);
}

/* Whether one has come that ends us. Of a new size only that there was one is of use: a
 * terminal that became smaller and large again has lost what it showed. */
static bool read_signals(struct top_screen *s)
{
	struct signalfd_siginfo one;
	bool ends = false;

	while (read(s->signals, &one, sizeof one) == sizeof one) {
		ends |= one.ssi_signo != SIGWINCH;
		s->is_spoilt |= one.ssi_signo == SIGWINCH;
	}
	return ends;
}

static uint32_t name_key(wint_t code)
{
	switch (code) {
	case KEY_UP:        return TOP_KEY_UP;
	case KEY_DOWN:      return TOP_KEY_DOWN;
	case KEY_PPAGE:     return TOP_KEY_PAGE_UP;
	case KEY_NPAGE:     return TOP_KEY_PAGE_DOWN;
	case KEY_HOME:      return TOP_KEY_HOME;
	case KEY_END:       return TOP_KEY_END;
	case KEY_ENTER:     return TOP_KEY_ENTER;
	case KEY_BACKSPACE: return TOP_KEY_BACK;
	default:            return TOP_KEY_NONE;	/* KEY_RESIZE among them */
	}
}

static uint32_t name_character(wint_t character)
{
	switch (character) {
	case '\r': case '\n': return TOP_KEY_ENTER;
	case 0x7f: case '\b': return TOP_KEY_BACK;
	case 0x1b:            return TOP_KEY_ESCAPE;
	case 0x04:            return TOP_KEY_STOP;
	default:              return character;
	}
}

uint32_t top_screen_wait(struct top_screen *s, int ms)
{
	wint_t code;
	int kind = get_wch(&code);	/* what was read ahead wakes nobody */

	if (kind == ERR) {
		struct wait_result ready = wait_for(STDIN_FILENO, s->signals, ms);
		if (ready.second && read_signals(s))
			return TOP_KEY_STOP;
		if (!ready.first) {
			s->nothing = 0;
			return TOP_KEY_NONE;
		}
		kind = get_wch(&code);
	}
	if (kind == ERR)
		return ++s->nothing > NOTHING_MAX ? TOP_KEY_STOP : TOP_KEY_NONE;
	s->nothing = 0;
	return kind == KEY_CODE_YES ? name_key(code) : name_character(code);
}

void top_screen_size(struct top_screen *s, uint32_t *height, uint32_t *width)
{
	struct winsize size;

	(void)s;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 &&
	    size.ws_col > 0 && (size.ws_row != LINES || size.ws_col != COLS))
		resizeterm(size.ws_row, size.ws_col);
	*height = (uint32_t)LINES;
	*width = (uint32_t)COLS;
}

static void on_put(void *arg, const struct top_ink *ink)
{
	const struct top_screen *s = arg;
	attr_t look = ink->reversed ? A_REVERSE : A_NORMAL;
	bool coloured = ink->style == STYLE_GOOD || ink->style == STYLE_BAD ||
			ink->style == STYLE_WARN;

	if (ink->style == STYLE_BOLD)
		look |= A_BOLD;
	if (ink->style == STYLE_DIM)
		look |= A_DIM;
	if (coloured && s->colours)
		look |= (attr_t)COLOR_PAIR(ink->style);
	attrset((int)look);
	mvaddstr((int)ink->row, (int)ink->column, ink->text);
	attrset(A_NORMAL);
}

struct top_pen top_screen_begin(struct top_screen *s)
{
	erase();
	if (s->is_spoilt)
		clearok(curscr, TRUE);
	s->is_spoilt = false;
	return (struct top_pen){on_put, s};
}

void top_screen_end(struct top_screen *s)
{
	(void)s;
	refresh();
}
