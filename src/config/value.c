#include "config/value.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/must.h"
#include "base/span.h"
#include "config/report.h"
#include "model/model.h"

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

static bool is_prime(uint64_t value)
{
	for (uint64_t divisor = 2; divisor * divisor <= value; divisor++)
		if (value % divisor == 0)
			return false;
	return value >= 2;
}

int value_check_prime(uint64_t value, struct err *err)
{
	uint64_t distance = 0;

	if (is_prime(value))
		return 0;
	while (!is_prime(value + distance) &&
	       (distance > value || !is_prime(value - distance)))
		distance++;
	return err_set(err, "\"%llu\" is no prime; the nearest one is %llu",
		       (unsigned long long)value,
		       (unsigned long long)(is_prime(value + distance)
						    ? value + distance
						    : value - distance));
}

static bool is_letter_or_digit(char c)
{
	char lower = span_lower(c);
	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

static bool consists_of_name_bytes(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_letter_or_digit(word[i]) && strchr("-_.", word[i]) == NULL)
			return false;
	return len > 0;
}

int value_check_name(const char *word, struct err *err)
{
	size_t len = strlen(word);

	if (!consists_of_name_bytes(word, len))
		return err_set(err,
			       "%s is no name; expected letters, digits, \"-\", \"_\" "
			       "and \".\"",
			       quote(word).text);
	if (len > MODEL_NAME_MAX)
		return err_set(err, "%s is too long; expected a name of at most %d bytes",
			       quote(word).text, MODEL_NAME_MAX);
	return 0;
}

int value_check_token(const char *word, struct err *err)
{
	bool good = *word != '\0';

	for (const char *c = word; *c != '\0'; c++)
		good &= is_letter_or_digit(*c) || strchr("!#$%&'*+-.^_`|~", *c) != NULL;
	if (!good)
		return err_set(err, "%s is no name of a header field or a cookie",
			       quote(word).text);
	return 0;
}

int value_check_query_name(const char *word, struct err *err)
{
	bool good = *word != '\0';

	for (const char *c = word; *c != '\0'; c++)
		good &= *c > ' ' && *c <= '~' && strchr("&=#", *c) == NULL;
	if (!good)
		return err_set(err,
			       "%s is no name of an argument; write it as it stands in "
			       "a URL, up to the \"=\"",
			       quote(word).text);
	return 0;
}

int value_check_file(const char *word, struct err *err)
{
	if (*word == '\0')
		return err_set(err, "an empty word; expected the name of a file");
	return 0;
}

int value_check_path(const char *word, bool with_query, struct err *err)
{
	if (*word != '/')
		return err_set(err, "%s is no path; expected one that begins with \"/\"",
			       quote(word).text);
	for (const char *c = word; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~')
			return err_set(err,
				       "%s has a byte that no URL may have; write it as "
				       "%%%02X",
				       quote(word).text, (unsigned char)*c);
		if (*c == '#' || (*c == '?' && !with_query))
			return err_set(err, "%s has a \"%c\"; expected a path alone",
				       quote(word).text, *c);
	}
	return 0;
}

/* Whether [at, at + len) is what may stand before a port. */
static bool is_host(const char *at, size_t len)
{
	char numeric[INET6_ADDRSTRLEN];
	struct in6_addr ip6;

	if (len > 2 && at[0] == '[' && at[len - 1] == ']') {
		if (len - 2 >= sizeof numeric)
			return false;
		memcpy(numeric, at + 1, len - 2);
		numeric[len - 2] = '\0';
		return inet_pton(AF_INET6, numeric, &ip6) == 1;
	}
	return len <= ADDRESS_HOST_MAX && consists_of_name_bytes(at, len);
}

int value_check_host(const char *word, bool with_port, struct err *err)
{
	const char *bracket = strrchr(word, ']');
	const char *colon = strchr(bracket != NULL ? bracket : word, ':');
	size_t len = colon != NULL ? (size_t)(colon - word) : strlen(word);
	uint64_t port = 1;

	if (colon != NULL && !with_port && is_host(word, len))
		return err_set(err,
			       "%s has a port; expected a host name alone, which fits on "
			       "every port",
			       quote(word).text);
	if (!is_host(word, len))
		return err_set(err, "%s is no host name", quote(word).text);
	if (colon != NULL &&
	    (!span_to_u64(span_of(colon + 1), &port) || port < 1 || port > 65535))
		return err_set(err, "%s has no port from 1 to 65535", quote(word).text);
	return 0;
}

int value_check_host_pattern(const char *word, struct err *err)
{
	const char *star = strchr(word, '*');

	if (star == NULL)
		return value_check_host(word, false, err);
	if (star != word || word[1] != '.' || strchr(word + 1, '*') != NULL)
		return err_set(err,
			       "%s has a \"*\" that is not its first label; expected a "
			       "pattern like *.example.com",
			       quote(word).text);
	return value_check_host(word + 2, false, err);
}
