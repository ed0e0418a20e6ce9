#include "config/format.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/must.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* What has been written, and what is to come before anything else is. */
struct page {
	FILE    *out;
	unsigned depth;
	bool     begun;		/* something stands in the line at hand */
	bool     ends;		/* the line is over, but for a comment behind it */
	bool     blank;		/* a blank line was there */
	bool     opened;	/* the last line opens a block, or there is none */
	bool     line_over;	/* so is the line of the text that was last written from */
};

static void end_line(struct page *p)
{
	if (p->begun)
		fputc('\n', p->out);
	p->begun = p->ends = false;
}

/* Before a word, a brace or a comment. `closes`: of a brace that ends a block. */
static void place(struct page *p, bool closes)
{
	if (p->ends)
		end_line(p);
	if (p->begun) {
		fputc(' ', p->out);
		return;
	}
	if (p->blank && !p->opened && !closes)
		fputc('\n', p->out);
	p->blank = p->opened = false;
	for (unsigned i = 0; i < p->depth; i++)
		fputc('\t', p->out);
}

static void write(struct page *p, struct span what)
{
	fwrite(what.at, 1, what.len, p->out);
	p->begun = true;
	p->line_over = false;
}

static void put(struct page *p, struct span what)
{
	place(p, false);
	write(p, what);
}

static void open_block(struct page *p)
{
	put(p, SPAN("{"));
	p->ends = p->opened = true;
	p->depth++;
	p->blank = false;
}

static void close_block(struct page *p)
{
	if (p->begun)
		p->ends = true;
	p->depth -= p->depth > 0;
	place(p, true);
	write(p, SPAN("}"));
	p->ends = true;
	p->opened = false;
}

/* Behind what stands in its line, or in a line of its own. */
static void put_comment(struct page *p, struct span comment)
{
	while (comment.len > 0 && (comment.at[comment.len - 1] == ' ' ||
				   comment.at[comment.len - 1] == '\t'))
		comment.len--;
	bool opened = p->opened;
	if (p->begun && !p->line_over)
		p->ends = false;
	else if (p->begun)
		p->ends = true;
	put(p, comment);
	p->opened = opened && p->ends;
	p->ends = true;
}

static void on_newline(struct page *p)
{
	if (p->line_over || !p->begun)
		p->blank = true;
	if (p->begun)
		p->ends = true;
	p->line_over = true;
}

/* The bytes of the word at hand, quotes included. */
static struct span word_at(struct span rest)
{
	size_t len = 0;

	if (rest.at[0] != '"') {
		while (len < rest.len && strchr(" \t\r\n{};", rest.at[len]) == NULL)
			len++;
		return (struct span){rest.at, len > 0 ? len : 1};
	}
	for (len = 1; len < rest.len && rest.at[len] != '"' && rest.at[len] != '\n'; len++)
		if (rest.at[len] == '\\' && len + 1 < rest.len)
			len++;
	return (struct span){rest.at, len < rest.len ? len + 1 : len};
}

static struct span line_at(struct span rest)
{
	const char *end = memchr(rest.at, '\n', rest.len);
	size_t len = end != NULL ? (size_t)(end - rest.at) : rest.len;

	if (len > 0 && rest.at[len - 1] == '\r')
		len--;
	return (struct span){rest.at, len};
}

/* Takes one thing off the text; returns its bytes. */
static size_t take(struct page *p, struct span rest)
{
	struct span what;

	switch (rest.at[0]) {
	case ' ':
	case '\t':
	case '\r':
		return 1;
	case '\n':
		on_newline(p);
		return 1;
	case ';':
		p->ends = p->begun;
		return 1;
	case '{':
		open_block(p);
		return 1;
	case '}':
		close_block(p);
		return 1;
	case '#':
		what = line_at(rest);
		put_comment(p, what);
		return what.len;
	default:
		what = word_at(rest);
		put(p, what);
		return what.len;
	}
}

char *config_format(struct span text, size_t *len)
{
	char *out;
	struct page p = {.out = open_memstream(&out, len), .opened = true};

	must(p.out != NULL);
	if (span_starts_with(text, SPAN(BYTE_ORDER_MARK))) {
		text.at += 3;
		text.len -= 3;
	}
	while (text.len > 0) {
		size_t took = take(&p, text);
		text.at += took;
		text.len -= took;
	}
	end_line(&p);
	must(fclose(p.out) == 0);
	return out;
}
