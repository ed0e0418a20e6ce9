/* control/config.c - the configuration: what is in force, and the file anew. */
#include "control/ask.h"
#include "control/body.h"

void config_reload(const struct ask *ask, struct reply *r)
{
	const struct control_hooks *hooks = ask->view->hooks;
	struct err err = {""};

	if (!reply_outcome(r, hooks->reload(hooks->arg, &err), CHANGE_FINE, &err))
		return;
	const char *path = ask->view->facts->config_path;
	json_t *object = json_object();
	json_object_set_new(object, "file",
			    path != NULL ? reply_text(path) : json_null());
	reply_json(r, 200, object);
}
