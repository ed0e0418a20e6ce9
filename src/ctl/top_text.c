#include "ctl/top_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/must.h"
#include "ctl/paper.h"

/* One character as it is shown. */
struct glyph {
	const char *bytes;
	size_t      len, used;		/* bytes to show, and of the text */
	uint32_t    columns;
};

static struct glyph next_glyph(const char *text)
{
	mbstate_t state = {0};
	size_t left = strlen(text);
	wchar_t character;
	size_t len = mbrtowc(&character, text, left, &state);

	if (len == 0 || len > left)	/* its two errors are huge numbers */
		return (struct glyph){"?", 1, 1, 1};
	int columns = wcwidth(character);
	if (columns < 0)
		return (struct glyph){"?", 1, len, 1};
	return (struct glyph){text, len, len, (uint32_t)columns};
}

uint32_t top_text_columns(const char *text)
{
	uint32_t columns = 0;

	while (*text != '\0') {
		struct glyph g = next_glyph(text);
		columns += g.columns;
		text += g.used;
	}
	return columns;
}

uint32_t top_text_cut(char *to, size_t size, const char *text, uint32_t columns)
{
	bool cut = top_text_columns(text) > columns;
	const char *mark = MB_CUR_MAX > 1 ? "\u2026" : "~";
	uint32_t used = 0, room = cut && columns > 0 ? columns - 1 : columns;
	size_t len = 0;

	must(size > 8);
	while (*text != '\0') {
		struct glyph g = next_glyph(text);
		if (used + g.columns > room)
			break;
		if (len + g.len + strlen(mark) + 1 > size) {
			cut = true;
			break;
		}
		memcpy(to + len, g.bytes, g.len);
		len += g.len;
		used += g.columns;
		text += g.used;
	}
	to[len] = '\0';
	if (!cut || columns == 0)
		return used;
	strcpy(to + len, mark);
	return used + 1;
}

struct top_figure top_figure_whole(double value)
{
	struct top_figure f = {"-"};

	if (value >= 0)
		snprintf(f.text, sizeof f.text, "%s",
			 paper_bytes((unsigned long long)(value + 0.5)).text);
	return f;
}

struct top_figure top_figure_rate(double value)
{
	struct top_figure f = top_figure_whole(value);

	if (value > 0 && value < 9.95)
		snprintf(f.text, sizeof f.text, "%.1f", value);
	return f;
}

struct top_figure top_figure_ms(double value)
{
	struct top_figure f = top_figure_whole(value);

	if (value >= 0 && value < 9.995)
		snprintf(f.text, sizeof f.text, "%.2f", value);
	else if (value >= 0 && value < 99.95)
		snprintf(f.text, sizeof f.text, "%.1f", value);
	else if (value >= 9999.5)
		snprintf(f.text, sizeof f.text, "%.3gs", value / 1000);
	return f;
}
