/* Goal: the table can be trusted: what it allows fits into the field that it names,
 * and the defaults of the model are within its bounds. */
#include "unit/config/read.h"

#include "config/directives.h"
#include "config/fill.h"
#include "config/usage.h"

/* Calls a function for every argument of every directive that can be given. */
static void each(void (*see)(const struct directive *d, const struct argument *a))
{
	for (uint32_t i = 0; i < directive_count; i++)
		for (uint32_t k = 0; k < directive_argument_count(&directives[i]); k++)
			see(&directives[i], &directives[i].arguments[k]);
}

static bool is_value(const struct argument *a)
{
	return a->kind >= ARGUMENT_NUMBER && a->kind <= ARGUMENT_PERCENT;
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

static struct model_listener listener;
static struct model_pool pool;
static struct model_server server;
static struct model *model;

static const void *fresh(const struct directive *d)
{
	if (d->makes == MAKES_SERVER)
		return &server;
	if (d->in == IN_LISTEN)
		return &listener;
	return d->in == IN_POOL ? (const void *)&pool : model;
}

static void see_default(const struct directive *d, const struct argument *a)
{
	if (!is_value(a))
		return;
	uint64_t value = fill_read_number(a->field, fresh(d));
	bool good_value = value >= a->min && value <= a->max;
	for (const struct choice *c = a->choices; c != NULL && c->word != NULL; c++)
		good_value |= value == c->value;
	/* 0 where nothing is meant by saying nothing. */
	assert_true(good_value || (value == 0 && a->keyword != NULL));
}

static void defaults_are_within_their_bounds(void **unused)
{
	(void)unused;
	model = model_create();
	model_listener_defaults(&listener);
	model_pool_defaults(&pool);
	model_server_defaults(&server);
	each(see_default);
	model_put(model);
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

static void rows_of_a_word_stand_together_and_have_a_second(void **unused)
{
	(void)unused;
	for (uint32_t i = 1; i < directive_count; i++)
		for (uint32_t k = 0; k < i; k++) {
			const struct directive *a = &directives[k], *b = &directives[i];
			if (a->in != b->in || strcmp(a->word, b->word) != 0)
				continue;
			assert_string_equal(directives[i - 1].word, b->word);
			assert_string_not_equal(a->second, b->second);
		}
}

static void every_row_has_help_or_a_reason(void **unused)
{
	(void)unused;
	for (uint32_t i = 0; i < directive_count; i++)
		assert_true((directives[i].help != NULL) !=
			    (directives[i].refused != NULL));
}

static void usage_is_what_one_writes(void **unused)
{
	(void)unused;
	const struct directive *check = directive_find(IN_POOL, "check");

	assert_string_equal(usage_directive(directive_find(IN_FILE, "listen")).text,
			    "listen http ADDRESS { ... }");
	assert_string_equal(usage_directive(directive_find(IN_FILE, "log")).text,
			    "log error|warn|info|debug [to PATH]");
	assert_string_equal(usage_directive(directive_find(IN_LISTEN, "headers")).text,
			    "headers via|x-forwarded|forwarded|none ...");
	assert_string_equal(usage_directive(check).text,
			    "check http PATH [expect STATUS|STATUS-STATUS|load] "
			    "[every TIME] [timeout TIME] [rise N] [fall N] [after N "
			    "requests] [host NAME]");
	assert_string_equal(usage_directive(directive_find_second(check, "off")).text,
			    "check off");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_fit_into_their_fields),
		cmocka_unit_test(defaults_are_within_their_bounds),
		cmocka_unit_test(keywords_are_unique_and_behind_places),
		cmocka_unit_test(rows_of_a_word_stand_together_and_have_a_second),
		cmocka_unit_test(every_row_has_help_or_a_reason),
		cmocka_unit_test(usage_is_what_one_writes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
