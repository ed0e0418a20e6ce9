#include "client/load_plan.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"

static const char *const verdict_names[LOAD_VERDICTS] = {
	[LOAD_RIGHT] = "right", [LOAD_FOREIGN] = "foreign",
	[LOAD_UNWRITTEN] = "unwritten", [LOAD_STALE] = "stale",
	[LOAD_VANISHED] = "vanished",
};

const char *load_verdict_name(enum load_verdict verdict)
{
	return verdict_names[verdict];
}

void load_plan_init(struct load_plan *p)
{
	p->cursor = 0;
	p->asked = memory_new(p->keys, sizeof *p->asked);
	p->answered = memory_new(p->keys, sizeof *p->answered);
}

void load_plan_fini(struct load_plan *p)
{
	free(p->asked);
	free(p->answered);
}

static uint64_t random_key(const struct load_plan *p, uint64_t connection,
			   uint64_t random)
{
	if (!p->strict)
		return random % p->keys;
	uint64_t own = (p->keys - connection + p->connections - 1) / p->connections;
	return connection + random % own * p->connections;
}

struct load_step load_plan_next(struct load_plan *p, uint64_t connection, uint64_t nth)
{
	uint64_t random = hash_pair(hash_pair(p->seed, connection), nth);
	struct load_step s;

	s.writes = random % 100 >= p->reads_percent;
	if (p->reads_percent == 0 || p->reads_percent == 100)
		s.key = p->cursor++ % p->keys;
	else
		s.key = random_key(p, connection, hash_mix(random));
	s.id = s.writes ? ++p->asked[s.key] : p->answered[s.key];
	return s;
}

void load_plan_written(struct load_plan *p, const struct load_step *s)
{
	if (p->answered[s->key] < s->id)
		p->answered[s->key] = s->id;
}

enum load_verdict load_plan_judge(const struct load_plan *p, const struct load_step *s,
				  bool found, uint32_t id)
{
	if (found && id == 0)
		return LOAD_FOREIGN;
	if (!p->strict || s->id == 0)	/* nothing is known of it yet */
		return LOAD_RIGHT;
	if (!found)
		return LOAD_VANISHED;
	if (id < s->id)
		return LOAD_STALE;
	return id > p->asked[s->key] ? LOAD_UNWRITTEN : LOAD_RIGHT;
}
