#include "client/words.h"

#include "base/text.h"

/* Where reading stands: `from` runs ahead of `to`, the decoded bytes. */
struct reader {
	const char *start, *end;
	const char *from;
	char       *to;
};

static int refuse(const struct reader *r, const char *at, const char *why,
		  struct err *err)
{
	return err_set(err, "column %zu: %s", (size_t)(at - r->start) + 1, why);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = span_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The escape at r->from, which is a backslash. */
static int read_escape(struct reader *r, struct err *err)
{
	static const char letters[] = "nrt\\\"' ", bytes[] = "\n\r\t\\\"' ";
	const char *at = r->from;
	const char *known;

	if (r->end - at < 2)
		return refuse(r, at, "nothing behind the backslash; for one write \\\\",
			      err);
	if (at[1] == 'x') {
		int high = r->end - at > 3 ? hex_digit(at[2]) : -1;
		int low = high >= 0 ? hex_digit(at[3]) : -1;
		if (low < 0)
			return refuse(r, at, "\\x needs two hex digits, as in \\x0a",
				      err);
		*r->to++ = (char)(high << 4 | low);
		r->from += 4;
		return 0;
	}
	known = at[1] != '\0' ? strchr(letters, at[1]) : NULL;
	if (known == NULL)
		return refuse(r, at, "no such escape; there are \\xHH \\n \\r \\t, and "
			      "for a backslash \\\\", err);
	*r->to++ = bytes[known - letters];
	r->from += 2;
	return 0;
}

/* What stands between quotes; r->from is the first of them. */
static int read_quoted(struct reader *r, struct err *err)
{
	const char *opened = r->from;
	char quote = *r->from++;

	while (r->from < r->end && *r->from != quote) {
		if (*r->from == '\\' && quote == '"') {
			if (read_escape(r, err) != 0)
				return -1;
		} else {
			*r->to++ = *r->from++;
		}
	}
	if (r->from == r->end)
		return refuse(r, opened, "this quote is never closed", err);
	r->from++;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int read_word(struct reader *r, struct err *err)
{
	while (r->from < r->end && !is_blank(*r->from)) {
		int result = 0;
		if (*r->from == '"' || *r->from == '\'')
			result = read_quoted(r, err);
		else if (*r->from == '\\')
			result = read_escape(r, err);
		else
			*r->to++ = *r->from++;
		if (result != 0)
			return -1;
	}
	return 0;
}

int words_read(char *line, size_t len, struct words *w, struct err *err)
{
	struct reader r = {.start = line, .end = line + len, .from = line, .to = line};

	w->count = 0;
	for (;;) {
		while (r.from < r.end && is_blank(*r.from))
			r.from++;
		if (r.from == r.end)
			return 0;
		if (w->count == WORDS_MAX)
			return refuse(&r, r.from, "too many words; one with blanks in it "
				      "needs quotes", err);
		const char *began = r.to;
		if (read_word(&r, err) != 0)
			return -1;
		w->at[w->count++] = (struct span){began, (size_t)(r.to - began)};
	}
}

int words_unescape(char *text, size_t *len, struct err *err)
{
	struct reader r = {.start = text, .end = text + *len, .from = text, .to = text};

	while (r.from < r.end) {
		if (*r.from != '\\')
			*r.to++ = *r.from++;
		else if (read_escape(&r, err) != 0)
			return -1;
	}
	*len = (size_t)(r.to - text);
	return 0;
}

/* The length of what stands at `at` if it may be printed as it is, 0 if it has to be
 * escaped. U+0080 to U+009F control terminals as the bytes below 0x20 do. */
static size_t plain_length(const char *at, const char *end)
{
	size_t len = text_character(at, end);
	unsigned char first = (unsigned char)*at;

	if (len == 1)
		return first >= 0x20 && first != 0x7f && first != '\\' ? 1 : 0;
	return len == 2 && first == 0xc2 && (unsigned char)at[1] < 0xa0 ? 0 : len;
}

/* The escape of one byte; returns its length. */
static size_t write_escape(char c, char out[5])
{
	static const char letters[] = "nrt\\", bytes[] = "\n\r\t\\";
	const char *known = c != '\0' ? strchr(bytes, c) : NULL;

	if (known == NULL)
		return (size_t)snprintf(out, 5, "\\x%02x", (unsigned char)c);
	out[0] = '\\';
	out[1] = letters[known - bytes];
	return 2;
}

/* One character or escape, *taken bytes of the text; points at what to print. */
static struct span next_piece(const char *at, const char *end, char escape[5],
			      size_t *taken)
{
	size_t len = plain_length(at, end);

	*taken = len > 0 ? len : 1;
	if (len > 0)
		return (struct span){at, len};
	return (struct span){escape, write_escape(*at, escape)};
}

void words_print(FILE *out, struct span bytes)
{
	const char *at = bytes.at, *end = bytes.at + bytes.len;
	char escape[5];
	size_t taken;

	for (; at < end; at += taken) {
		struct span piece = next_piece(at, end, escape, &taken);
		fwrite(piece.at, 1, piece.len, out);
	}
}

bool words_are_plain(struct span bytes)
{
	const char *at = bytes.at, *end = bytes.at + bytes.len;
	size_t len = 1;

	for (; at < end && len > 0; at += len)
		len = plain_length(at, end);
	return len > 0;
}

struct words_text words_text(struct span bytes)
{
	const char *at = bytes.at, *end = bytes.at + bytes.len;
	struct words_text t;
	size_t used = 0, taken;
	char escape[5];

	for (; at < end; at += taken) {
		struct span piece = next_piece(at, end, escape, &taken);
		if (used + piece.len > WORDS_TEXT_MAX)
			break;
		memcpy(t.text + used, piece.at, piece.len);
		used += piece.len;
	}
	strcpy(t.text + used, at < end ? "..." : "");
	return t;
}
