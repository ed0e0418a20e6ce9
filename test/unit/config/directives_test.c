/* Goal: the table can be trusted: what it allows fits into the field that it names,
 * and the defaults of the model are within its bounds. */
#include "unit/config/read.h"

#include "config/directives.h"
#include "config/fill.h"
#include "config/fresh.h"
#include "config/usage.h"

/* Calls a function for every argument of every directive that can be given. */
static void each(void (*see)(const struct directive *d, const struct argument *a))
{
	const struct directive *d;

	for (uint32_t i = 0; (d = directive_at(i)) != NULL; i++)
		for (uint32_t k = 0; k < directive_argument_count(d); k++)
			see(d, &d->arguments[k]);
}

static bool is_value(const struct argument *a)
{
	enum value_kind kind;

	return fill_value_kind(a, &kind);
}

static void see_size(const struct directive *d, const struct argument *a)
{
	(void)d;
	if (!is_value(a) && a->kind != ARGUMENT_CHOICE && a->kind != ARGUMENT_CHOICES)
		return;
	assert_in_range(a->field.size, 1, 8);
	uint64_t max = UINT64_MAX >> (64 - 8 * a->field.size);
	assert_true(a->min <= a->max);
	assert_true(a->max <= max);
	for (const struct choice *c = a->choices; c != NULL && c->word != NULL; c++)
		assert_true(c->value <= max);
}

static void bounds_fit_into_their_fields(void **unused)
{
	(void)unused;
	each(see_size);
}

static void see_default(const struct directive *d, const struct argument *a)
{
	static const enum context contexts[] = {IN_FILE, IN_HTTP, IN_TCP, IN_UDP,
						IN_KV, IN_POOL, IN_DOCKER, IN_PROCESS};
	struct fresh fresh;

	fresh_init(&fresh);
	for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++) {
		if ((d->in & contexts[i]) == 0 || !is_value(a))
			continue;
		const void *target = fresh_target(&fresh, d, contexts[i], NULL);
		uint64_t value = fill_read_number(a->field, target);
		bool good_value = value >= a->min && value <= a->max;
		for (const struct choice *c = a->choices; c != NULL && c->word != NULL;
		     c++)
			good_value |= value == c->value;
		/* 0 where nothing is meant by saying nothing. */
		assert_true(good_value || (value == 0 && a->keyword != NULL));
	}
	fresh_fini(&fresh);
}

static void defaults_are_within_their_bounds(void **unused)
{
	(void)unused;
	each(see_default);
}

static void see_words(const struct directive *d, const struct argument *a)
{
	/* Only the last one by place may take many words, only keywords come after. */
	bool by_keyword = false;

	for (uint32_t i = 0; i < directive_argument_count(d); i++) {
		by_keyword |= d->arguments[i].keyword != NULL;
		if (by_keyword)
			assert_non_null(d->arguments[i].keyword);
		if (&d->arguments[i] != a && a->keyword != NULL &&
		    d->arguments[i].keyword != NULL)
			assert_string_not_equal(a->keyword, d->arguments[i].keyword);
	}
	if (a->kind != ARGUMENT_FLAG)
		assert_string_not_equal(usage_argument(a).text, "");
}

static void keywords_are_unique_and_behind_places(void **unused)
{
	(void)unused;
	each(see_words);
}

static void rows_of_a_word_can_be_told_apart(void **unused)
{
	(void)unused;
	const struct directive *a, *b;

	for (uint32_t i = 1; (b = directive_at(i)) != NULL; i++)
		for (uint32_t k = 0; k < i; k++) {
			a = directive_at(k);
			if (strcmp(a->word, b->word) != 0 || (a->in & b->in) == 0)
				continue;
			/* The same blocks, side by side, and by something. */
			assert_int_equal(a->in, b->in);
			assert_string_equal(directive_at(i - 1)->word, b->word);
			/* One without a second word comes before those that have one. */
			if (a->second != NULL) {
				assert_non_null(b->second);
				assert_string_not_equal(a->second, b->second);
			} else if (b->second == NULL) {
				assert_non_null(a->begins);
			}
		}
}

static void arguments_stand_where_their_directive_does(void **unused)
{
	(void)unused;
	const struct directive *d;

	for (uint32_t i = 0; (d = directive_at(i)) != NULL; i++)
		for (uint32_t k = 0; k < directive_argument_count(d); k++)
			assert_int_equal(d->arguments[k].in & ~d->in, 0);
}

static void a_place_is_named_by_its_blocks(void **unused)
{
	(void)unused;
	assert_string_equal(context_text(IN_FILE).text, "at the top of the file");
	assert_string_equal(context_text(IN_TCP).text, "in a listen tcp block");
	assert_string_equal(context_text(IN_TCP | IN_UDP).text,
			    "in a listen tcp block or in a listen udp block");
	assert_string_equal(context_text(IN_LISTEN).text, "in a listen block");
	assert_string_equal(context_text(IN_LISTEN | IN_POOL).text,
			    "in a listen block or in a pool block");
	assert_string_equal(context_text(IN_OWN).text, "in an own block");
	assert_string_equal(context_text(IN_PROCESS).text, "in an own process block");
	assert_true(strlen(context_text(IN_ANY & ~IN_UDP).text) <
		    sizeof(struct context_text) - 1);
}

static void every_row_has_help(void **unused)
{
	(void)unused;
	const struct directive *d;

	for (uint32_t i = 0; (d = directive_at(i)) != NULL; i++)
		assert_non_null(d->help);
}

static const char *usage_of(const struct directive *d, unsigned in)
{
	static struct usage usage;

	usage = usage_directive(d, in);
	return usage.text;
}

static void usage_is_what_one_writes(void **unused)
{
	(void)unused;
	const struct directive *check = directive_find(IN_POOL, "check");

	assert_string_equal(usage_of(directive_find(IN_FILE, "listen"), IN_FILE),
			    "listen http ADDRESS { ... }");
	assert_string_equal(usage_of(directive_find(IN_FILE, "log"), IN_FILE),
			    "log error|warn|info|debug [to PLACE] [form logfmt|json] "
			    "[same N|unlimited]");
	assert_string_equal(usage_of(directive_find(IN_LISTEN, "headers"), IN_LISTEN),
			    "headers via|x-forwarded|forwarded|none ...");
	assert_string_equal(usage_of(check, IN_POOL),
			    "check http PATH [expect STATUS|STATUS-STATUS|load] "
			    "[every TIME] [timeout TIME] [rise N] [fall N] [after N "
			    "requests] [host NAME]");
	assert_string_equal(usage_of(directive_find_second(check, "off"), IN_POOL),
			    "check off");
	assert_string_equal(usage_of(directive_find(IN_UDP, "timeout"), IN_UDP),
			    "timeout [idle TIME]");
	assert_string_equal(usage_of(directive_find(IN_TCP, "timeout"), IN_TCP),
			    "timeout [idle TIME] [lifetime TIME|unlimited]");
	assert_string_equal(usage_of(directive_find(IN_KV, "timeout"), IN_KV),
			    "timeout [idle TIME|unlimited]");
	assert_string_equal(usage_of(directive_find(IN_HTTP, "admin"), IN_HTTP),
			    "admin legacy [POOL]");
	assert_string_equal(usage_of(directive_find(IN_POOL, "own"), IN_POOL),
			    "own docker { ... }");
	assert_string_equal(usage_of(directive_find(IN_DOCKER, "command"), IN_DOCKER),
			    "command WORD ...");
	assert_string_equal(usage_of(directive_find(IN_PROCESS, "port"), IN_PROCESS),
			    "port N|any");
	assert_string_equal(usage_of(directive_find(IN_HTTP, "proxy-protocol"), IN_HTTP),
			    "proxy-protocol from ADDRESS[/BITS] ...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_fit_into_their_fields),
		cmocka_unit_test(defaults_are_within_their_bounds),
		cmocka_unit_test(keywords_are_unique_and_behind_places),
		cmocka_unit_test(rows_of_a_word_can_be_told_apart),
		cmocka_unit_test(arguments_stand_where_their_directive_does),
		cmocka_unit_test(a_place_is_named_by_its_blocks),
		cmocka_unit_test(every_row_has_help),
		cmocka_unit_test(usage_is_what_one_writes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
