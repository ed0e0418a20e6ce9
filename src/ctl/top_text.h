/* ctl/top_text.h - texts and figures as they fit into columns of a terminal.
 *
 * Pure but for the locale, which says how wide a character is and which can be shown.
 */
#ifndef CTL_TOP_TEXT_H
#define CTL_TOP_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* How many columns it takes. What cannot be shown takes one, for its '?'. */
uint32_t top_text_columns(const char *text);

/* Copies what fits into so many columns, and into `size` bytes; where anything is left
 * out the last column says so. Returns the columns that are used. */
uint32_t top_text_cut(char *to, size_t size, const char *text, uint32_t columns);

/* Five characters at most, "-" below 0. */
struct top_figure {
	char text[24];
};
struct top_figure top_figure_rate(double value);
struct top_figure top_figure_ms(double value);
struct top_figure top_figure_whole(double value);

#endif
