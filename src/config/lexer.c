#include "config/lexer.h"

#include "base/text.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

void lexer_init(struct lexer *l, struct span text, char *storage,
		struct config_report *report)
{
	*l = (struct lexer){
		.at = text.at, .end = text.at + text.len, .line = 1, .column = 1,
		.storage = storage, .report = report,
	};
	if (span_starts_with(text, SPAN(BYTE_ORDER_MARK)))
		l->at += 3;
}

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* The only place that moves on, so that line and column always belong to `at`. */
static void step(struct lexer *l)
{
	if (*l->at == '\n') {
		l->line++;
		l->column = 1;
	} else if (((unsigned char)*l->at & 0xc0) != 0x80) {
		l->column++;
	}
	l->at++;
}

static bool at_line_end(const struct lexer *l)
{
	return l->at == l->end || *l->at == '\n' ||
	       (*l->at == '\r' && l->at + 1 < l->end && l->at[1] == '\n');
}

static void skip_blanks_and_comment(struct lexer *l)
{
	while (l->at < l->end && (*l->at == ' ' || *l->at == '\t'))
		step(l);
	if (l->at < l->end && *l->at == '#')
		while (!at_line_end(l))
			step(l);
	if (l->at < l->end && *l->at == '\r' && at_line_end(l))
		step(l);
}

/* The word at hand: where its bytes go and how many there are. */
struct word {
	char  *text;
	size_t len;
	struct place at;
	bool   broken;
};

static void append(struct word *w, char c)
{
	if (w->len < LEXER_WORD_MAX)
		w->text[w->len] = c;
	w->len++;
}

/* The byte at hand is complained about, once in a word. */
static void refuse_byte(struct lexer *l, struct word *w, const char *what)
{
	struct place at = {l->line, l->column, 1};

	if (!w->broken)
		report_error(l->report, at, "%s (byte 0x%02x); is this a text file?",
			     what, (unsigned char)*l->at);
	w->broken = true;
}

/* Puts the next character into the word. */
static void take(struct lexer *l, struct word *w)
{
	size_t len = text_character(l->at, l->end);

	if (len == 0) {
		refuse_byte(l, w, "something that is no UTF-8");
		len = 1;
	} else if (is_control(*l->at)) {
		refuse_byte(l, w, "a control character");
	}
	for (; len > 0; len--) {
		append(w, *l->at);
		step(l);
	}
}

static bool ends_bare_word(const struct lexer *l)
{
	if (at_line_end(l))
		return true;
	switch (*l->at) {
	case ' ':
	case '\t':
	case '{':
	case '}':
	case ';':
	case '"':
		return true;
	default:
		return false;
	}
}

static void read_bare(struct lexer *l, struct word *w)
{
	while (!ends_bare_word(l))
		take(l, w);
	if (l->at < l->end && *l->at == '"') {
		struct place at = {l->line, l->column, 1};
		report_error(l->report, at,
			     "a quote inside a word; quote the whole word, or put a "
			     "space before it");
		w->broken = true;
	}
}

static void read_escape(struct lexer *l, struct word *w)
{
	struct place at = {l->line, l->column, 2};

	step(l);
	if (at_line_end(l))
		return;
	switch (*l->at) {
	case '"':
	case '\\':
		append(w, *l->at);
		break;
	case 'n':
		append(w, '\n');
		break;
	default:
		report_error(l->report, at,
			     "unknown escape \"\\%c\" in a quoted word; there are \\\" "
			     "\\\\ and \\n",
			     *l->at >= ' ' && *l->at <= '~' ? *l->at : '?');
		w->broken = true;
	}
	step(l);
}

/* A quote that is never closed has eaten the rest of its line. If that ends in a
 * brace it was meant as one: given back, the block below keeps its place. */
static void give_back_brace(struct lexer *l, const char *start)
{
	const char *at = l->at;

	while (at > start && (at[-1] == ' ' || at[-1] == '\t'))
		at--;
	if (at == start || at[-1] != '{')
		return;
	while (l->at >= at) {
		l->at--;
		if (((unsigned char)*l->at & 0xc0) != 0x80)
			l->column--;
	}
}

static void read_quoted(struct lexer *l, struct word *w)
{
	const char *start = l->at + 1;

	step(l);
	while (!at_line_end(l) && *l->at != '"') {
		if (*l->at == '\\')
			read_escape(l, w);
		else
			take(l, w);
	}
	if (at_line_end(l)) {
		report_error(l->report, w->at,
			     "a quote that is not closed in its line; add \", or write "
			     "\\n for a new line");
		w->broken = true;
		give_back_brace(l, start);
		return;
	}
	step(l);
	if (!at_line_end(l) && (*l->at == '"' || !ends_bare_word(l))) {
		struct place at = {l->line, l->column, 1};
		report_error(l->report, at,
			     "text right after a quoted word; put a space before it");
		w->broken = true;
	}
}

static struct token read_word(struct lexer *l)
{
	struct word w = {.text = l->storage, .at = {l->line, l->column, 0}};

	if (*l->at == '"')
		read_quoted(l, &w);
	else
		read_bare(l, &w);
	w.at.width = l->column - w.at.column;
	if (w.len > LEXER_WORD_MAX) {
		report_error(l->report, w.at,
			     "a word of %zu bytes; at most %d are allowed", w.len,
			     LEXER_WORD_MAX);
		w.broken = true;
		w.len = LEXER_WORD_MAX;
	}
	w.text[w.len] = '\0';
	l->storage += w.len + 1;
	return (struct token){TOKEN_WORD, w.broken, w.at, w.text};
}

static struct token punctuation(struct lexer *l, enum token_kind kind)
{
	struct token t = {.kind = kind, .at = {l->line, l->column, 1}};

	step(l);
	return t;
}

struct token lexer_next(struct lexer *l)
{
	skip_blanks_and_comment(l);
	if (l->at == l->end)
		return (struct token){.kind = TOKEN_END, .at = {l->line, l->column, 1}};
	switch (*l->at) {
	case '\n':
	case ';':
		return punctuation(l, TOKEN_STOP);
	case '{':
		return punctuation(l, TOKEN_OPEN);
	case '}':
		return punctuation(l, TOKEN_CLOSE);
	default:
		return read_word(l);
	}
}

bool lexer_needs_quotes(const char *word)
{
	return *word == '\0' || *word == '#' || strpbrk(word, " \t\n{};\"") != NULL ||
	       span_starts_with(span_of(word), SPAN(BYTE_ORDER_MARK));
}
