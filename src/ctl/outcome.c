#include "ctl/outcome.h"

#include <stdarg.h>
#include <string.h>

#include "base/must.h"

const char *const outcome_meanings[OUTCOMES] = {
	[OUTCOME_DONE]          = "Done.",
	[OUTCOME_FAILED]        = "The balancer could not do it; the message says why.",
	[OUTCOME_WRONG]         = "The command line is wrong.",
	[OUTCOME_NO_BALANCER]   = "No balancer is running there.",
	[OUTCOME_NO_PERMISSION] = "No permission, or a wrong token.",
	[OUTCOME_UNKNOWN]       = "There is no such server or pool.",
	[OUTCOME_CONFLICT]      = "It is there already, or was changed meanwhile.",
	[OUTCOME_LATE]          = "It was not done in time.",
};

/* Codes that come to anything else than OUTCOME_FAILED. */
static const struct {
	const char  *code;
	enum outcome outcome;
} codes[] = {
	{"bad-request",      OUTCOME_WRONG},
	{"no-token",         OUTCOME_NO_PERMISSION},
	{"read-only",        OUTCOME_NO_PERMISSION},
	{"pool-unknown",     OUTCOME_UNKNOWN},
	{"server-unknown",   OUTCOME_UNKNOWN},
	{"server-exists",    OUTCOME_CONFLICT},
	{"version-changed",  OUTCOME_CONFLICT},
	{"late",             OUTCOME_LATE},
};

enum outcome outcome_of_code(const char *code)
{
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (strcmp(codes[i].code, code) == 0)
			return codes[i].outcome;
	return OUTCOME_FAILED;
}

enum outcome outcome_set(struct err *err, enum outcome outcome, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	return outcome;
}
