#include "health/verdict.h"

#include "base/must.h"

/* How many results in a row flip the present verdict. */
static uint16_t enough(const struct verdict *v)
{
	if (v->first)
		return 1;
	return v->up ? v->fall : v->rise;
}

void verdict_init(struct verdict *v, bool up, uint16_t rise, uint16_t fall)
{
	must(rise >= 1 && fall >= 1);
	*v = (struct verdict){.up = up, .first = true, .rise = rise, .fall = fall};
}

bool verdict_feed(struct verdict *v, bool success)
{
	uint16_t needed = enough(v);

	v->first = false;
	if (success == v->up) {
		v->streak = 0;
		return false;
	}
	if (++v->streak < needed)
		return false;
	v->up = success;
	v->streak = 0;
	return true;
}

void verdict_force(struct verdict *v, bool up)
{
	v->up = up;
	v->first = false;
	v->streak = 0;
}

void verdict_tune(struct verdict *v, uint16_t rise, uint16_t fall)
{
	must(rise >= 1 && fall >= 1);
	v->rise = rise;
	v->fall = fall;
	if (v->streak >= enough(v))
		v->streak = (uint16_t)(enough(v) - 1);
}
