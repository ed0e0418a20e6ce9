#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

void must_fail(const char *condition, const char *file, int line)
{
	fprintf(stderr, "bug at %s:%d: must(%s) does not hold\n", file, line, condition);
	abort();
}
