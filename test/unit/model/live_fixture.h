/* What is true now, empty at the start of each test and again at its end. */
#ifndef TEST_UNIT_MODEL_LIVE_FIXTURE_H
#define TEST_UNIT_MODEL_LIVE_FIXTURE_H

#include "model/live_registry.h"
#include "unit/model/sample.h"

static struct live live;
static struct err err;

static int start(void **unused)
{
	(void)unused;
	live_init(&live);
	return 0;
}

static int finish(void **unused)
{
	(void)unused;
	live_fini(&live);
	return 0;
}

#endif
