/* control/metrics.c - GET /metrics: all figures as text, in the format that is asked for. */
#include "control/ask.h"

#include <string.h>

void metrics_get(const struct ask *ask, struct reply *r)
{
	static const char wanted[] = "application/openmetrics-text";
	const struct control_hooks *hooks = ask->view->hooks;
	struct span accept = ask_field(ask, "Accept");
	bool openmetrics = memmem(accept.at, accept.len, wanted, sizeof wanted - 1) != NULL;
	const char *type;
	size_t len;
	char *text = hooks->metrics(hooks->arg, openmetrics, ask->view->uptime_s, &type, &len);

	reply_bytes(r, type, text, len);
}
