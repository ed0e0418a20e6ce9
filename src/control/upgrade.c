/* control/upgrade.c - a new process takes this one's place, as long as somebody waits to hear
 * how it went.
 *
 * Thread: control.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/must.h"
#include "control/ask.h"
#include "control/body.h"
#include "control/later.h"

enum {
	READY_MS_MIN = 100,
	READY_MS_MAX = 2 * 60 * 1000,	/* CONTROL_WAITING_MS is more */
	LIMIT_MS_MAX = 24 * 3600 * 1000,
};

struct upgrading {
	struct later later;
	struct control_upgrade wish;
	const struct control_hooks *hooks;	/* borrowed */
	bool under_way;
};

static void on_done(struct control_upgrade *wish, enum control_result result,
		    const struct err *err)
{
	struct upgrading *u = CONTAINER_OF(wish, struct upgrading, wish);
	struct reply *r = &u->later.reply;

	u->under_way = false;
	if (result == CONTROL_REFUSED) {
		reply_error(r, REPLY_NOT_UPGRADED, NULL, "%s", err->text);
	} else if (reply_outcome(r, result, CHANGE_FINE, err)) {
		json_t *body = json_object();
		json_object_set_new(body, "pid", json_integer(wish->pid));
		json_object_set_new(body, "was", json_integer(getpid()));
		reply_json(r, 200, body);
	}
	later_answered(&u->later);
}

static void end(struct later *l)
{
	struct upgrading *u = CONTAINER_OF(l, struct upgrading, later);

	if (u->under_way)
		u->hooks->upgrade_forget(u->hooks->arg, &u->wish);
	reply_fini(&u->later.reply);
	free(u);
}

static void begin(const struct ask *ask, const struct control_upgrade *wish,
		  struct reply *r)
{
	struct upgrading *u = memory_new(1, sizeof *u);

	u->later.end = end;
	u->wish = *wish;
	u->wish.on_done = on_done;
	u->hooks = ask->view->hooks;
	u->under_way = true;
	r->later = &u->later;
	u->hooks->upgrade(u->hooks->arg, &u->wish);
}

/* Who may change servers over the network is not to choose programs that are run here. */
static bool may_choose(const struct ask *ask, const char *binary, struct reply *r)
{
	if (binary == NULL)
		return true;
	if (!ask->local)
		reply_error(r, REPLY_READ_ONLY, "binary", "which program is run can be said "
			    "at the UNIX socket only");
	else if (*binary != '/')
		reply_error(r, REPLY_BAD_REQUEST, "binary", "\"binary\" has to be a path "
			    "that begins with a slash");
	return ask->local && *binary == '/';
}

void upgrade_post(const struct ask *ask, struct reply *r)
{
	struct control_upgrade wish = {.limit_ms = UINT32_MAX};
	const struct member members[] = {
		{.name = "binary", .kind = MEMBER_TEXT, .value = &wish.binary},
		{.name = "ready_ms", .kind = MEMBER_NUMBER, .min = READY_MS_MIN,
		 .max = READY_MS_MAX, .value = &wish.ready_ms},
		{.name = "limit_ms", .kind = MEMBER_NUMBER, .max = LIMIT_MS_MAX,
		 .value = &wish.limit_ms},
	};
	json_t *body = body_read(ask->body, members, COUNT_OF(members), r);

	if (body != NULL && may_choose(ask, wish.binary, r))
		begin(ask, &wish, r);
	json_decref(body);
}
