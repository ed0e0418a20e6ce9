#include "base/value.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/span.h"
#include "base/text.h"

struct unit {
	const char *word;
	uint64_t    factor;
};

/* Ascending, so that value_text finds the largest that divides. */
static const struct unit times[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000},
};
static const struct unit sizes[] = {
	{"", 1}, {"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30},
};
static const struct unit seconds[] = {{"s", 1}, {"m", 60}, {"h", 3600}};
static const struct unit percents[] = {{"%", 1}};
static const struct unit numbers[] = {{"", 1}};

static const struct {
	const struct unit *units;
	size_t      count;
	const char *noun;
	const char *how;	/* what to write, when a unit is missing or not known */
} kinds[] = {
	[VALUE_NUMBER] = {numbers, COUNT_OF(numbers), "number", "digits only"},
	[VALUE_TIME] = {times, COUNT_OF(times), "time", "digits and ms, s, m or h"},
	[VALUE_SIZE] = {sizes, COUNT_OF(sizes), "size", "bytes, or digits and k, m or g"},
	[VALUE_PERCENT] = {percents, COUNT_OF(percents), "share", "digits and %"},
	[VALUE_SECONDS] = {seconds, COUNT_OF(seconds), "time in whole seconds",
			   "digits and s, m or h"},
};

static const struct unit *find_unit(enum value_kind kind, const char *word)
{
	for (size_t i = 0; i < kinds[kind].count; i++)
		if (strcmp(kinds[kind].units[i].word, word) == 0)
			return &kinds[kind].units[i];
	return NULL;
}

/* A number that stands where it needs a unit: shows what it would look like. */
static int refuse_bare(enum value_kind kind, const char *word, struct err *err)
{
	if (kind == VALUE_PERCENT)
		return err_set(err, "%s has no unit; write %.20s%%", quote(word).text,
			       word);
	if (kind == VALUE_SECONDS)
		return err_set(err, "%s has no unit; write %.20ss, %.20sm or %.20sh",
			       quote(word).text, word, word, word);
	return err_set(err, "%s has no unit; write %.20sms, %.20ss, %.20sm or %.20sh",
		       quote(word).text, word, word, word, word);
}

/* The unit that was meant: the same in lower case, or with a letter too much. */
static const struct unit *guess_unit(enum value_kind kind, const char *unit)
{
	char small[3] = {span_lower(unit[0]),
			 unit[0] != '\0' ? span_lower(unit[1]) : '\0'};
	const struct unit *u = find_unit(kind, small);

	if (u == NULL) {
		small[1] = '\0';
		u = find_unit(kind, small);
	}
	return u;
}

static int refuse_unit(enum value_kind kind, const char *word, size_t digits,
		       struct err *err)
{
	bool too_fine = kind == VALUE_SECONDS && strcmp(word + digits, "ms") == 0;
	const struct unit *guess = too_fine ? NULL : guess_unit(kind, word + digits);

	if (guess != NULL && *guess->word != '\0' && digits < 20)
		return err_set(err, "%s has an unknown unit; did you mean \"%.*s%s\"?",
			       quote(word).text, (int)digits, word, guess->word);
	return err_set(err, "%s is no %s; expected %s", quote(word).text,
		       kinds[kind].noun, kinds[kind].how);
}

int value_read(const struct value_range *range, const char *word, uint64_t *value,
	       struct err *err)
{
	enum value_kind kind = range->kind;
	size_t digits = strspn(word, "0123456789");
	uint64_t v;

	if (digits == 0)
		return err_set(err, "%s is no %s; expected %s", quote(word).text,
			       kinds[kind].noun, kinds[kind].how);
	const struct unit *unit = find_unit(kind, word + digits);
	if (unit == NULL && word[digits] == '\0')
		return refuse_bare(kind, word, err);
	if (unit == NULL)
		return refuse_unit(kind, word, digits, err);
	bool fits = span_to_u64((struct span){word, digits}, &v) &&
		    !__builtin_mul_overflow(v, unit->factor, &v);
	if (!fits || v < range->min || v > range->max)
		return err_set(err, "%s is too %s; expected %s to %s", quote(word).text,
			       fits && v < range->min ? "small" : "large",
			       value_text(kind, range->min).text,
			       value_text(kind, range->max).text);
	*value = v;
	return 0;
}

struct value_text value_text(enum value_kind kind, uint64_t value)
{
	const struct unit *unit = kinds[kind].units;
	struct value_text t;

	for (size_t i = 1; i < kinds[kind].count; i++)
		if (value > 0 && value % kinds[kind].units[i].factor == 0)
			unit = &kinds[kind].units[i];
	/* Nought is nought in any unit: seconds read best. */
	if (kind == VALUE_TIME && value == 0)
		unit = &times[1];
	snprintf(t.text, sizeof t.text, "%llu%s",
		 (unsigned long long)(value / unit->factor), unit->word);
	return t;
}
