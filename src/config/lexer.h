/* config/lexer.h - a configuration text becomes words and punctuation.
 *
 * A word is a run of bytes without white space, `{`, `}`, `;` and `"`, or anything
 * between double quotes, on one line, where \" \\ \n stand for a quote, a backslash
 * and a newline. `#` where a word could begin starts a comment up to the end of the
 * line. Words are UTF-8, and all beyond ASCII are letters like any other; a byte order
 * mark at the very beginning and the CR of a CRLF are skipped; other control bytes are
 * errors. What stands in a comment does not matter.
 *
 * Invariant: an error is reported where it is, the word is marked broken, and
 * reading goes on behind it. Words, unescaped and each with its NUL, never need
 * more bytes than the text had, and one.
 */
#ifndef CONFIG_LEXER_H
#define CONFIG_LEXER_H

#include "config/report.h"

enum { LEXER_WORD_MAX = 1024 };		/* bytes of a word, unescaped */

enum token_kind {
	TOKEN_END,		/* of the text */
	TOKEN_WORD,
	TOKEN_STOP,		/* `;` or the end of a line: the statement is over */
	TOKEN_OPEN,		/* { */
	TOKEN_CLOSE,		/* } */
};

struct token {
	enum token_kind kind;
	bool         broken;	/* a word that was complained about: do not read it */
	struct place at;
	const char  *text;	/* of a word, unescaped; lives as long as the storage */
};

struct lexer {
	const char *at, *end;
	uint32_t line, column;	/* of `at` */
	char *storage;		/* borrowed: where the next word goes */
	struct config_report *report;
};

/* storage: room for text.len + 1 bytes, borrowed; the words will be there. */
void lexer_init(struct lexer *l, struct span text, char *storage,
		struct config_report *report);

/* The next token; TOKEN_END again and again once the text is over. */
struct token lexer_next(struct lexer *l);

/* Whether a word needs quotes to be read as what it is. */
bool lexer_needs_quotes(const char *word);

#endif
