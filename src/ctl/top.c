/* ctl/top.c - the balancer live in a terminal: top. It looks once a second, and does what
 * a key asks for; drain, enable, weight and remove are the same questions that the
 * commands of these names ask.
 */
#include <inttypes.h>
#include <locale.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/address.h"
#include "base/must.h"
#include "base/text.h"
#include "ctl/call.h"
#include "ctl/member.h"
#include "ctl/top_looks.h"
#include "ctl/top_screen.h"
#include "ctl/top_still.h"
#include "ctl/wait.h"

enum {
	EVERY_MS = 1000,
	SAID_MS  = 5000,		/* how long the last line keeps what was done */
};

/* What the keys mean at present. */
enum mode { MODE_ROWS, MODE_FILTER, MODE_WEIGHT, MODE_REMOVE };

struct top {
	struct top_looks looks;
	struct top_rows  rows;
	struct top_view  view;
	enum mode        mode;
	char   input[TOP_FILTER_MAX];	/* what is being typed */
	char   said[sizeof ((struct err *)0)->text];
	int64_t said_until_ms;
	struct err trouble;
	/* Who is chosen, so that it stays chosen when the order changes. */
	char   pool[CALL_POOL_MAX + 1], address[ADDRESS_TEXT_MAX], name[256];
	bool   ends;
};

/* ---- looking ---- */

static void note_chosen(struct top *t)
{
	const struct top_row *row = &t->rows.rows[t->view.chosen];

	if (t->view.chosen >= t->rows.count)
		return;
	snprintf(t->pool, sizeof t->pool, "%s", row->pool);
	snprintf(t->address, sizeof t->address, "%s",
		 row->is_pool ? "" : row->text[TOP_SERVER]);
	snprintf(t->name, sizeof t->name, "%s", row->text[TOP_NAME]);
}

static void make_rows(struct top *t)
{
	top_looks_make_rows(&t->looks, &t->view.order, &t->rows);
	uint32_t at = top_rows_find(&t->rows, t->pool, t->address, t->name);
	if (at < t->rows.count)
		t->view.chosen = at;
	top_view_settle(&t->view, &t->rows);
	note_chosen(t);
}

/* What fails is said and tried again; what was seen last stays to be seen. */
static void look(struct top *t)
{
	if (top_looks_take(&t->looks, &t->trouble) == OUTCOME_DONE)
		*t->trouble.text = '\0';
	make_rows(t);
}

/* ---- changes ---- */

__attribute__((format(printf, 2, 3)))
static void say(struct top *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(t->said, sizeof t->said, format, args);
	va_end(args);
	t->said_until_ms = wait_until(SAID_MS);
}

/* Whether a server is chosen that things can be done to; else it is said. */
static bool has_server(struct top *t)
{
	if (t->rows.count == 0 || t->rows.rows[t->view.chosen].is_pool)
		say(t, "choose a server first, with up and down");
	else if (*t->address == '\0')
		say(t, "%s is starting and has no address yet", t->name);
	else
		return true;
	return false;
}

/* Asks for one change of the server that is chosen, or of its pool's own ones; `done`
 * says in one word what has been done. The body is given. */
static void change(struct top *t, const char *method, bool owned, json_t *body,
		   const char *done)
{
	const char *parts[] = {"v1", "pools", t->pool, owned ? "owned" : "servers",
			       owned ? NULL : t->address, NULL};
	char path[CLIENT_PATH_MAX];
	struct question q = {.method = method, .path = path, .body = body};
	struct answer a;
	struct err err;

	if (!client_path(path, parts)) {
		json_decref(body);
		say(t, "the names of pool and server are too long");
		return;
	}
	if (call_ask(t->looks.call, &q, &a, &err) == OUTCOME_DONE) {
		say(t, "%s %s %s pool %s", done, *t->name != '\0' ? t->name : t->address,
		    strcmp(method, "DELETE") == 0 ? "from" : "in", t->pool);
		client_answer_fini(&a);
	} else {
		say(t, "%s", err.text);
	}
	look(t);
}

static void set_drain(struct top *t, bool drain)
{
	if (has_server(t))
		change(t, "PATCH", false, json_pack("{s:b}", "drain", drain),
		       drain ? "draining" : "enabled");
}

static void set_weight(struct top *t)
{
	static const struct value_range range = {VALUE_NUMBER, 0, OPTION_WEIGHT_MAX};
	uint64_t weight;
	struct err err;
	char done[64];

	if (value_read(&range, t->input, &weight, &err) != 0) {
		say(t, "%s", err.text);
		return;
	}
	snprintf(done, sizeof done, "weight %" PRIu64 " for", weight);
	change(t, "PATCH", false, json_pack("{s:I}", "weight", (json_int_t)weight), done);
}

static void remove_server(struct top *t)
{
	bool owned = t->rows.rows[t->view.chosen].is_owned && *t->name != '\0';
	json_t *body = owned ? json_pack("{s:[s]}", "names", t->name) : NULL;

	change(t, "DELETE", owned, body, "removed");
}

/* ---- keys ---- */

static void ask(struct top *t, enum mode mode)
{
	bool may = mode == MODE_FILTER || has_server(t) ||
		   (mode == MODE_REMOVE && *t->name != '\0');

	if (!may)
		return;
	*t->said = '\0';
	t->mode = mode;
	snprintf(t->input, sizeof t->input, "%s",
		 mode == MODE_FILTER ? t->view.order.filter : "");
}

static void order_by(struct top *t, int step)
{
	int by = ((int)t->view.order.by + step + TOP_COLUMNS) % TOP_COLUMNS;

	t->view.order.by = (enum top_column)by;
	say(t, "in order of %s%s", top_column_title(t->view.order.by),
	    t->view.order.reversed ? ", reversed" : "");
	make_rows(t);
}

static void move(struct top *t, int64_t step)
{
	int64_t to = (int64_t)t->view.chosen + step;

	t->view.chosen = to < 0 ? 0 : to > UINT32_MAX ? UINT32_MAX : (uint32_t)to;
	top_view_settle(&t->view, &t->rows);
	note_chosen(t);
}

static void move_by_key(struct top *t, uint32_t key)
{
	int64_t page = top_view_room(&t->view);

	switch (key) {
	case TOP_KEY_UP: case 'k':        move(t, -1); break;
	case TOP_KEY_DOWN: case 'j':      move(t, 1); break;
	case TOP_KEY_PAGE_UP:             move(t, -page); break;
	case TOP_KEY_PAGE_DOWN: case ' ': move(t, page); break;
	case TOP_KEY_HOME: case 'g':      move(t, INT32_MIN); break;
	case TOP_KEY_END: case 'G':       move(t, INT32_MAX); break;
	default: break;
	}
}

static void on_key(struct top *t, uint32_t key)
{
	switch (key) {
	case 'q': t->ends = true; break;
	case 's': case '>': order_by(t, 1); break;
	case '<': order_by(t, -1); break;
	case 'S':
		t->view.order.reversed = !t->view.order.reversed;
		order_by(t, 0);
		break;
	case 'd': set_drain(t, true); break;
	case 'e': set_drain(t, false); break;
	case 'w': ask(t, MODE_WEIGHT); break;
	case 'r': ask(t, MODE_REMOVE); break;
	case '/': ask(t, MODE_FILTER); break;
	case 'p': t->view.paused = !t->view.paused; break;
	case 'h': case '?': t->view.help = !t->view.help; break;
	case TOP_KEY_ESCAPE:
		t->view.help = false;
		*t->said = '\0';
		break;
	default: move_by_key(t, key); break;
	}
}

/* A character more or less of what is being typed. */
static void edit(struct top *t, uint32_t key)
{
	size_t len = strlen(t->input);
	mbstate_t state = {0};
	char bytes[16];

	if (key == TOP_KEY_BACK) {
		while (len > 0 && text_continues(t->input[len - 1]))
			len--;
		t->input[len > 0 ? len - 1 : 0] = '\0';
		return;
	}
	if (key < ' ' || key >= TOP_KEY_UP)
		return;
	size_t more = wcrtomb(bytes, (wchar_t)key, &state);
	if (more > sizeof bytes || len + more >= sizeof t->input)
		return;
	memcpy(t->input + len, bytes, more);
	t->input[len + more] = '\0';
}

/* A line is typed; its filter is seen as it grows. */
static void on_key_of_line(struct top *t, uint32_t key)
{
	enum mode mode = t->mode;

	if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE)
		t->mode = MODE_ROWS;
	else
		edit(t, key);
	if (key == TOP_KEY_ESCAPE)
		*t->input = '\0';
	if (mode == MODE_FILTER) {
		snprintf(t->view.order.filter, TOP_FILTER_MAX, "%s", t->input);
		make_rows(t);
	} else if (key == TOP_KEY_ENTER && *t->input != '\0') {
		set_weight(t);
	}
}

static void take_key(struct top *t, uint32_t key)
{
	if (key == TOP_KEY_STOP) {
		t->ends = true;
	} else if (t->mode == MODE_REMOVE) {
		t->mode = MODE_ROWS;
		if (key == 'y' || key == 'Y')
			remove_server(t);
	} else if (t->mode != MODE_ROWS) {
		on_key_of_line(t, key);
	} else {
		on_key(t, key);
	}
}

/* ---- the picture ---- */

static void write_last(struct top *t, char *text, size_t size)
{
	const char *who = *t->name != '\0' ? t->name : t->address;

	*text = '\0';
	switch (t->mode) {
	case MODE_FILTER: snprintf(text, size, "show what has: %s_", t->input); break;
	case MODE_WEIGHT:
		snprintf(text, size, "weight of %s: %s_", who, t->input);
		break;
	case MODE_REMOVE:
		snprintf(text, size, "remove %.200s from pool %.200s? y/n", who, t->pool);
		break;
	case MODE_ROWS:
		if (wait_now() < t->said_until_ms)
			snprintf(text, size, "%s", t->said);
		break;
	}
}

static void draw(struct top *t, struct top_screen *screen)
{
	char last[TOP_TEXT_MAX];
	struct top_pen pen;

	top_screen_size(screen, &t->view.height, &t->view.width);
	top_view_settle(&t->view, &t->rows);
	note_chosen(t);
	write_last(t, last, sizeof last);
	t->view.last = last;
	t->view.trouble = t->trouble.text;
	pen = top_screen_begin(screen);
	top_view_draw(&t->view, &t->rows, &t->looks.now, &pen);
	top_screen_end(screen);
	t->view.last = "";
}

static void run(struct top *t, struct top_screen *screen)
{
	int64_t next = wait_until(EVERY_MS);

	while (!t->ends) {
		draw(t, screen);
		uint32_t key = top_screen_wait(screen, wait_left(next, EVERY_MS));
		if (key != TOP_KEY_NONE)
			take_key(t, key);
		if (wait_now() < next || t->ends)
			continue;
		/* A line that asks is about who was chosen when it was asked. */
		if (!t->view.paused && t->mode != MODE_REMOVE && t->mode != MODE_WEIGHT)
			look(t);
		next = wait_until(EVERY_MS);
	}
}

static void print_once(struct top *t)
{
	top_looks_make_rows(&t->looks, &t->view.order, &t->rows);
	top_still_print(&t->rows, &t->looks.now, &t->looks.call->paper);
}

static enum outcome run_on_screen(struct top *t, struct err *err)
{
	struct top_screen *screen = top_screen_open(t->looks.call->paper.colours, err);

	if (screen == NULL)
		return OUTCOME_WRONG;
	make_rows(t);
	run(t, screen);
	top_screen_close(screen);
	return OUTCOME_DONE;
}

enum outcome ctl_top(struct call *call, struct err *err)
{
	struct top t = {.looks = {.call = call}, .view = {.order = {.by = TOP_SERVER}}};
	bool once = option_given(&call->options, OPTION_ONCE);

	if (option_given(&call->options, OPTION_JSON))
		return outcome_set(err, OUTCOME_WRONG, "top prints no JSON; balancerctl "
				   "list --json and balancerctl status --json do");
	if (!once && (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1))
		return outcome_set(err, OUTCOME_WRONG, "top needs a terminal; elsewhere "
				   "use balancerctl list and balancerctl status, or "
				   "balancerctl top --once");
	setlocale(LC_CTYPE, "");
	enum outcome outcome = top_looks_take(&t.looks, err);
	if (outcome == OUTCOME_DONE && once) {
		wait_for(-1, -1, EVERY_MS);	/* two looks, so that there are rates */
		outcome = top_looks_take(&t.looks, err);
		if (outcome == OUTCOME_DONE)
			print_once(&t);
	} else if (outcome == OUTCOME_DONE) {
		outcome = run_on_screen(&t, err);
	}
	top_rows_fini(&t.rows);
	top_looks_fini(&t.looks);
	return outcome;
}
