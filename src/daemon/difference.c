#include "daemon/difference.h"

#include <stdlib.h>

#include "base/log.h"
#include "config/print.h"
#include "control/line_diff.h"

static void say(void *arg, char sign, struct span line)
{
	uint32_t *count = arg;

	if (sign == ' ')
		return;
	while (line.len > 0 && line.at[0] == '\t') {
		line.at++;
		line.len--;
	}
	if ((*count)++ < DIFFERENCE_LINES_MAX)
		log_always(LOG_LEVEL_INFO, "what has changed: %c %.*s", sign, (int)line.len,
			   line.at);
}

void difference_log(const struct model *before, const struct model *after)
{
	char *was = config_print(before), *is = config_print(after);
	uint32_t count = 0;

	line_diff(span_of(was), span_of(is), say, &count);
	if (count == 0)
		log_always(LOG_LEVEL_INFO, "nothing has changed");
	else if (count > DIFFERENCE_LINES_MAX)
		log_always(LOG_LEVEL_INFO, "what has changed: %u lines more",
			   count - DIFFERENCE_LINES_MAX);
	free(was);
	free(is);
}
