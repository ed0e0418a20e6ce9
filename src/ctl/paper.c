#include "ctl/paper.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void paper_init(struct paper *paper, bool quiet)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	bool dumb = term == NULL || strcmp(term, "dumb") == 0;

	*paper = (struct paper){.quiet = quiet};
	paper->terminal = isatty(STDOUT_FILENO) == 1;
	paper->colours = paper->terminal && !dumb &&
			 (no_color == NULL || *no_color == '\0');
	paper->live = isatty(STDERR_FILENO) == 1 && !dumb;
}

void paper_say(const struct paper *paper, const char *format, ...)
{
	va_list args;

	if (paper->quiet)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void paper_wait(struct paper *paper, const char *format, ...)
{
	va_list args;

	if (paper->quiet || (paper->waited && !paper->live))
		return;
	fputs(paper->live ? "\r\x1b[K" : "balancerctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (!paper->live)
		fputc('\n', stderr);
	fflush(stderr);
	paper->progress = paper->live;
	paper->waited = true;
}

void paper_waited(struct paper *paper)
{
	if (paper->progress)
		fputs("\r\x1b[K", stderr);
	paper->progress = false;
}

const char *paper_style(const struct paper *paper, enum style style)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "\x1b[0m",  [STYLE_BOLD] = "\x1b[1m",
		[STYLE_GOOD]  = "\x1b[32m", [STYLE_BAD]  = "\x1b[31m",
		[STYLE_WARN]  = "\x1b[33m", [STYLE_DIM]  = "\x1b[2m",
	};

	return paper->colours ? codes[style] : "";
}

struct paper_time paper_time(unsigned long long seconds)
{
	unsigned long long minutes = seconds / 60, hours = minutes / 60,
			   days = hours / 24;
	struct paper_time t;

	if (days > 0)
		snprintf(t.text, sizeof t.text, "%llu day%s %llu h", days, plural(days),
			 hours % 24);
	else if (hours > 0)
		snprintf(t.text, sizeof t.text, "%llu h %llu min", hours, minutes % 60);
	else if (minutes > 0)
		snprintf(t.text, sizeof t.text, "%llu min %llu s", minutes, seconds % 60);
	else
		snprintf(t.text, sizeof t.text, "%llu s", seconds);
	return t;
}

struct paper_bytes paper_bytes(unsigned long long bytes)
{
	static const char units[] = " kMGTPE";
	unsigned long long whole = bytes, tenths = 0;
	struct paper_bytes b;
	size_t unit = 0;

	while (whole >= 1000) {
		tenths = whole % 1000 / 100;
		whole /= 1000;
		unit++;
	}
	if (unit == 0)
		snprintf(b.text, sizeof b.text, "%llu", whole);
	else if (whole < 10)
		snprintf(b.text, sizeof b.text, "%llu.%llu%c", whole, tenths,
			 units[unit]);
	else
		snprintf(b.text, sizeof b.text, "%llu%c", whole, units[unit]);
	return b;
}
