/* ctl/paper.h - what a person reads: one line for what was done, a line that changes
 * while something is waited for, colours where they are wanted.
 *
 * On a terminal; everywhere else output is plain and stable, for programs.
 */
#ifndef CTL_PAPER_H
#define CTL_PAPER_H

#include <stdbool.h>
#include <stdio.h>

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_GOOD, STYLE_BAD, STYLE_WARN, STYLE_DIM };

struct paper {
	bool terminal;		/* standard output is one */
	bool colours;		/* there, unless NO_COLOR or TERM=dumb */
	bool quiet;
	bool live;		/* standard error is a terminal */
	bool progress;		/* a line of progress stands there */
	bool waited;		/* that something is waited for has been said */
};

void paper_init(struct paper *paper, bool quiet);

/* Says what was done, in one line on standard output. */
__attribute__((format(printf, 2, 3)))
void paper_say(const struct paper *paper, const char *format, ...);

/* Says on standard error what is waited for: on a terminal the line is replaced by the
 * next, elsewhere it is said once. */
__attribute__((format(printf, 2, 3)))
void paper_wait(struct paper *paper, const char *format, ...);

/* Takes the line of paper_wait away. */
void paper_waited(struct paper *paper);

/* Begins a style, or ends it with STYLE_PLAIN: what to write into a terminal, "" where
 * there are no colours. */
const char *paper_style(const struct paper *paper, enum style style);

/* 3 seconds, 5 min 20 s, 4 h 10 min, 3 days 4 h */
struct paper_time {
	char text[48];
};
struct paper_time paper_time(unsigned long long seconds);

/* 999, 1.2k, 34M: multiples of 1000, in at most four characters. */
struct paper_bytes {
	char text[24];
};
struct paper_bytes paper_bytes(unsigned long long bytes);

/* "s" unless there is one. */
static inline const char *plural(unsigned long long count)
{
	return count == 1 ? "" : "s";
}

#endif
