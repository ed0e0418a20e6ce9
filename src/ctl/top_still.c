#include "ctl/top_still.h"

#include <sys/ioctl.h>
#include <unistd.h>

enum { STILL_WIDTH = 500 };		/* columns, where there are as many as it takes */

struct still {
	const struct paper *paper;
	uint32_t row, column;
};

static void on_put(void *arg, const struct top_ink *ink)
{
	struct still *s = arg;

	for (; s->row < ink->row; s->row++, s->column = 0)
		putchar('\n');
	for (; s->column < ink->column; s->column++)
		putchar(' ');
	if (ink->style != STYLE_PLAIN)
		fputs(paper_style(s->paper, ink->style), stdout);
	fputs(ink->text, stdout);
	if (ink->style != STYLE_PLAIN)
		fputs(paper_style(s->paper, STYLE_PLAIN), stdout);
	s->column += ink->columns;
}

void top_still_print(const struct top_rows *rows, const struct top_poll *poll,
		     const struct paper *paper)
{
	struct still still = {.paper = paper};
	struct top_pen pen = {on_put, &still};
	struct top_view view = {
		.height = rows->count + TOP_HEAD_LINES + 1, .width = STILL_WIDTH,
		.is_still = true, .trouble = "", .last = "",
	};
	struct winsize size;

	if (paper->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
	    size.ws_col > 0)
		view.width = size.ws_col;
	top_view_draw(&view, rows, poll, &pen);
	putchar('\n');
}
