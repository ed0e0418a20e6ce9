#include "client/shell.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "client/commands.h"
#include "client/prompt.h"

enum shell_result {
	SHELL_DONE,
	SHELL_FAILED,		/* it was asked, or tried to */
	SHELL_WRONG,		/* it means nothing that could be asked */
	SHELL_UNREACHED,
	SHELL_QUIT,
};

struct shell {
	struct ask *ask;		/* borrowed */
	bool        raw;
	uint64_t    line;		/* of a script; 0: there is none */
};

/* Says what went wrong, and where. */
static void complain(const struct shell *s, const char *command, const char *why)
{
	fflush(stdout);
	fputs("kv-client: ", stderr);
	if (s->line > 0)
		fprintf(stderr, "line %llu: ", (unsigned long long)s->line);
	fprintf(stderr, "%s%s%s\n", command != NULL ? command : "",
		command != NULL ? ": " : "", why);
}

static enum shell_result ask_for(struct shell *s, const struct command *c,
				 const struct request *r)
{
	struct command_style style = {.out = stdout, .raw = s->raw};
	struct answer answer;
	struct err err;

	switch (ask(s->ask, r, &answer, &err)) {
	case ASK_ANSWERED:
		break;
	case ASK_UNREACHED:
		complain(s, NULL, err.text);
		return SHELL_UNREACHED;
	case ASK_LOST:
		complain(s, c->name, err.text);
		if (c->verb == KV_VERB_SET || c->verb == KV_VERB_DELETE ||
		    c->verb == KV_VERB_EXPIRE)
			complain(s, c->name, "it may have been done all the same");
		return SHELL_FAILED;
	case ASK_WRONG:
		complain(s, c->name, err.text);
		return SHELL_WRONG;
	case ASK_INTERRUPTED:
		complain(s, c->name, err.text);
		return SHELL_FAILED;
	}
	style.now_ms = loop_wall_us(s->ask->balancer.loop) / 1000;
	if (kv_command_show(c, r, &answer, &style, &err) == 0)
		return SHELL_DONE;
	complain(s, c->name, err.text);
	return SHELL_FAILED;
}

static enum shell_result run(struct shell *s, const struct words *w)
{
	struct request r;
	struct err err;

	const struct command *c = kv_command_find(w, &err);
	if (c == NULL) {
		complain(s, NULL, err.text);
		return SHELL_WRONG;
	}
	if (c->quits)
		return SHELL_QUIT;
	if (c->verb == 0) {
		kv_command_print(stdout);
		return SHELL_DONE;
	}
	if (kv_command_build(c, w, &r, &err) != 0) {
		complain(s, c->name, err.text);
		return SHELL_WRONG;
	}
	return ask_for(s, c, &r);
}

/* A line of `len` bytes, which change. */
static enum shell_result run_line(struct shell *s, char *line, size_t len)
{
	struct words w;
	struct err err;

	if (words_read(line, len, &w, &err) != 0) {
		complain(s, NULL, err.text);
		return SHELL_WRONG;
	}
	return w.count == 0 ? SHELL_DONE : run(s, &w);
}

int shell_run_words(struct ask *a, const struct options *o, char *const *words,
		     uint32_t count)
{
	struct shell s = {.ask = a, .raw = option_given(o, OPTION_RAW)};
	struct words w = {.count = 0};
	struct err err;

	for (; w.count < count && w.count < WORDS_MAX; w.count++) {
		char *word = words[w.count];
		size_t len = strlen(word);
		if (option_given(o, OPTION_ESCAPES) &&
		    words_unescape(word, &len, &err) != 0) {
			complain(&s, quote(word).text, err.text);
			return EXIT_USAGE;
		}
		w.at[w.count] = (struct span){word, len};
	}
	enum shell_result result = run(&s, &w);
	if (result == SHELL_WRONG)
		return EXIT_USAGE;
	return result == SHELL_DONE || result == SHELL_QUIT ? EXIT_WELL : EXIT_FAILED;
}

/* Reads up to a newline, which is not kept. -1: the end; SHELL_LINE_MAX + 1: too long,
 * and skipped. */
static ssize_t read_line(FILE *in, char *line)
{
	ssize_t len = 0;
	int c;

	while ((c = getc_unlocked(in)) != EOF && c != '\n') {
		if (len < SHELL_LINE_MAX)
			line[len] = (char)c;
		if (len <= SHELL_LINE_MAX)
			len++;
	}
	return c == EOF && len == 0 ? -1 : len;
}

int shell_run_script(struct ask *a, const struct options *o, FILE *in)
{
	struct shell s = {.ask = a, .raw = option_given(o, OPTION_RAW)};
	char *line = memory_new(SHELL_LINE_MAX, 1);
	bool worked = true;
	ssize_t len;

	while ((len = read_line(in, line)) >= 0) {
		enum shell_result result = SHELL_FAILED;
		s.line++;
		if (len > SHELL_LINE_MAX)
			complain(&s, NULL, "longer than 1 MiB, as no command is");
		else if (len > 0 && line[0] == '#')
			result = SHELL_DONE;
		else
			result = run_line(&s, line, (size_t)len);
		worked &= result == SHELL_DONE || result == SHELL_QUIT;
		if (result == SHELL_QUIT || result == SHELL_UNREACHED)
			break;
		fflush(stdout);		/* whoever reads along gets each answer at once */
	}
	free(line);
	return worked ? EXIT_WELL : EXIT_FAILED;
}

int shell_run_prompt(struct ask *a, const struct options *o)
{
	struct shell s = {.ask = a, .raw = option_given(o, OPTION_RAW)};
	struct err err;
	size_t len;
	char *line;

	if (ask_heed_signals(a, &err) != 0 || ask_connect(a, &err) != ASK_ANSWERED) {
		complain(&s, NULL, err.text);
		return EXIT_FAILED;
	}
	struct prompt *prompt = prompt_open(&err);
	if (prompt == NULL) {
		complain(&s, NULL, err.text);
		return EXIT_FAILED;
	}
	printf("connected to %s, version %d; \"help\" says what can be asked\n",
	       a->balancer.address.text, a->talk.version);
	while ((line = prompt_read(prompt, &len)) != NULL)
		if (run_line(&s, line, len) == SHELL_QUIT)
			break;
	if (line == NULL)
		putchar('\n');
	prompt_close(prompt);
	return EXIT_WELL;
}
