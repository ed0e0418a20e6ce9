/* control/config.c - the configuration: what is in force, and the file anew. */
#include "control/ask.h"
#include "control/body.h"

void config_reload(const struct ask *ask, struct reply *r)
{
	const struct control_hooks *hooks = ask->view->hooks;
	struct err err = {""};

	if (!reply_outcome(r, hooks->reload(hooks->arg, &err), CHANGE_FINE, &err))
		return;
	json_t *object = json_object();
	json_object_set_new(object, "file", reply_text(ask->view->facts->config_path != NULL
						       ? ask->view->facts->config_path : ""));
	reply_json(r, 200, object);
}
