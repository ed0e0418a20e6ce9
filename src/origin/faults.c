#include "origin/faults.h"

#include "base/must.h"
#include "origin/target.h"

enum { PERCENT_MAX = 100, STEP_MS = 50, SECOND_MS = 1000 };

static const char *const ends[] = {
	[FAULTS_END_FIN] = "fin",
	[FAULTS_END_RST] = "rst",
	NULL,
};

const struct faults_switch faults_switches[FAULTS_SWITCHES] = {
	{"delay", "MS", FAULTS_DELAY_MS_MAX, offsetof(struct faults, delay_ms), NULL,
	 "wait before each answer"},
	{"error-rate", "PERCENT", PERCENT_MAX, offsetof(struct faults, error_percent),
	 NULL, "answer 500, except to health checks"},
	{"die-mid-body", "PERCENT", PERCENT_MAX, offsetof(struct faults, die_percent),
	 NULL, "end the connection after half of a body, except of health checks"},
	{"die-how", "rst|fin", 0, offsetof(struct faults, die_how), ends,
	 "how the connection ends then (default: fin)"},
	{"close-after", "N", UINT32_MAX, offsetof(struct faults, close_after), NULL,
	 "close a connection after N answers, without saying so"},
	{"slow", "BYTES", UINT32_MAX, offsetof(struct faults, slow), NULL,
	 "send bodies at so many bytes per second"},
	{"silent-health", NULL, 1, offsetof(struct faults, silent_health), NULL,
	 "never answer health checks"},
	{"fail-health", NULL, 1, offsetof(struct faults, fail_health), NULL,
	 "answer health checks with 500"},
};

static bool read_word(const char *const *words, struct span value, uint64_t *number)
{
	for (*number = 0; words[*number] != NULL; ++*number)
		if (span_equals(value, span_of(words[*number])))
			return true;
	return false;
}

bool faults_set(struct faults *f, const struct faults_switch *s, struct span value)
{
	uint64_t number = 1;
	uint32_t *field = (uint32_t *)(void *)((char *)f + s->offset);

	if (s->words != NULL) {
		if (!read_word(s->words, value, &number))
			return false;
	} else if (s->argument != NULL || value.len > 0) {
		if (!span_to_u64(value, &number) || number > s->max)
			return false;
	}
	*field = (uint32_t)number;
	return true;
}

bool faults_set_from_query(struct faults *f, struct span query)
{
	struct span key, value;

	while (target_query_next(&query, &key, &value))
		for (size_t i = 0; i < COUNT_OF(faults_switches); i++) {
			if (!span_equals(key, span_of(faults_switches[i].name)))
				continue;
			if (!faults_set(f, &faults_switches[i], value))
				return false;
		}
	return true;
}

bool faults_strike(uint32_t percent, uint64_t roll)
{
	return roll % PERCENT_MAX < percent;
}

uint64_t faults_half(uint64_t length)
{
	return length / 2;
}

struct faults_pace faults_pace_of(uint32_t bytes_per_second)
{
	uint64_t bytes = (uint64_t)bytes_per_second * STEP_MS / SECOND_MS;

	if (bytes > 0)
		return (struct faults_pace){(uint32_t)bytes, STEP_MS};
	return (struct faults_pace){1, SECOND_MS / bytes_per_second};
}
