#include "client/prompt.h"

#include <errno.h>
#include <histedit.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wchar.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "client/commands.h"

enum { PATH_SIZE = 4096 };

struct prompt {
	EditLine  *edit;
	History   *history;
	HistEvent  event;		/* libedit's out parameter */
	struct bytes line;
	char       path[PATH_SIZE];	/* of the history; "": there is none */
	struct sigaction before;	/* what SIGINT did */
};

static char *say_prompt(EditLine *edit)
{
	static char text[] = "kv> ";

	(void)edit;
	return text;
}

/* Only ends the read that it interrupts. */
static void on_interrupt(int number)
{
	(void)number;
}

/* Completes the command at the beginning of the line, as far as it is clear. */
static unsigned char complete(EditLine *edit, wint_t key)
{
	const LineInfo *line = el_line(edit);
	size_t len = (size_t)(line->cursor - line->buffer), same = 0;
	const char *found = NULL;
	char rest[32];

	(void)key;
	if (len == 0 || memchr(line->buffer, ' ', len) != NULL)
		return CC_REFRESH_BEEP;
	for (uint32_t i = 0; i < kv_command_count; i++) {
		const char *name = kv_command_table[i].name;
		if (strncmp(name, line->buffer, len) != 0)
			continue;
		if (found == NULL) {
			found = name;
			same = strlen(name);
		}
		while (strncmp(found, name, same) != 0)
			same--;
	}
	if (found == NULL || (same == len && found[same] != '\0'))
		return CC_REFRESH_BEEP;
	snprintf(rest, sizeof rest, "%.*s%s", (int)(same - len), found + len,
		 found[same] == '\0' ? " " : "");
	return el_insertstr(edit, rest) == 0 ? CC_REFRESH : CC_REFRESH_BEEP;
}

/* Makes the folders of a path that is about to be written. */
static void make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
}

static void find_history(struct prompt *p)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int len = 0;

	/* The specification of XDG folders wants relative ones to be ignored. */
	if (state != NULL && *state == '/')
		len = snprintf(p->path, sizeof p->path, "%s/balancerd/kv-client", state);
	else if (home != NULL && *home == '/')
		len = snprintf(p->path, sizeof p->path,
			       "%s/.local/state/balancerd/kv-client", home);
	if (len <= 0 || (size_t)len >= sizeof p->path) {
		*p->path = '\0';
		return;
	}
	make_folders(p->path);
	history(p->history, &p->event, H_LOAD, p->path);
}

struct prompt *prompt_open(struct err *err)
{
	struct prompt *p = memory_new(1, sizeof *p);

	p->edit = el_init("kv-client", stdin, stdout, stderr);
	p->history = history_init();
	if (p->edit == NULL || p->history == NULL) {
		prompt_close(p);
		err_set(err, "this terminal cannot be used; give commands on standard "
			     "input");
		return NULL;
	}
	history(p->history, &p->event, H_SETSIZE, PROMPT_HISTORY_MAX);
	history(p->history, &p->event, H_SETUNIQUE, 1);
	el_set(p->edit, EL_PROMPT, say_prompt);
	el_set(p->edit, EL_EDITOR, "emacs");
	el_set(p->edit, EL_SIGNAL, 1);
	el_set(p->edit, EL_HIST, history, p->history);
	/* The narrow form copies both texts, and never frees them. */
	el_wset(p->edit, EL_ADDFN, L"complete-command", L"Completes a command", complete);
	el_set(p->edit, EL_BIND, "^I", "complete-command", NULL);
	el_source(p->edit, NULL);		/* the person's own ~/.editrc */
	find_history(p);

	struct sigaction quiet = {.sa_handler = on_interrupt};	/* no SA_RESTART */
	sigaction(SIGINT, &quiet, &p->before);
	return p;
}

void prompt_close(struct prompt *p)
{
	if (p == NULL)
		return;
	if (*p->path != '\0')
		history(p->history, &p->event, H_SAVE, p->path);
	if (p->edit != NULL)
		el_end(p->edit);
	if (p->history != NULL)
		history_end(p->history);
	bytes_fini(&p->line);
	free(p);
}

static void heed_interrupt(bool heed)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	pthread_sigmask(heed ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

char *prompt_read(struct prompt *p, size_t *len)
{
	int count = 0;

	heed_interrupt(true);
	errno = 0;
	const char *line = el_gets(p->edit, &count);
	bool interrupted = line == NULL && errno == EINTR;
	heed_interrupt(false);

	bytes_fini(&p->line);
	*len = 0;
	if (interrupted) {
		fputs("^C\n", stdout);
		el_reset(p->edit);
		line = "";
		count = 0;
	} else if (line == NULL || count <= 0) {
		return NULL;
	}
	if (count > 0 && line[count - 1] == '\n')
		count--;
	if (count > 0)
		history(p->history, &p->event, H_ENTER, line);
	if (!bytes_append(&p->line, line, (size_t)count) ||
	    !bytes_append(&p->line, "", 1))
		memory_exhausted((size_t)count + 1, 1);
	*len = (size_t)count;
	return p->line.at;
}
