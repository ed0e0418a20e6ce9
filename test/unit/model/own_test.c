/* Goal: a copy is whole and its own, and a recipe tells what servers are made by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/own.h"

static char **words(const char *first, const char *second)
{
	char **all = memory_new(2, sizeof *all);

	all[0] = memory_text(first);
	all[1] = memory_text(second);
	return all;
}

static struct model_own *sample(void)
{
	struct model_own *own = memory_new(1, sizeof *own);

	model_own_defaults(own, OWN_DOCKER);
	own->image = memory_text("balancerd-sample");
	own->command = words("/server", "--quiet");
	own->command_count = 2;
	own->environment = words("A=1", "B=2");
	own->environment_count = 2;
	return own;
}

static void a_copy_is_whole_and_its_own(void **unused)
{
	struct model_own *own = sample();
	struct model_own *copy = model_own_copy(own);
	uint64_t recipe = model_own_recipe(own);

	(void)unused;
	own->command[1][2] = 'Q';
	own->image[0] = 'B';
	assert_true(model_own_recipe(copy) == recipe);
	assert_false(model_own_recipe(own) == recipe);
	model_own_destroy(own);
	assert_string_equal(copy->command[1], "--quiet");
	assert_string_equal(copy->image, "balancerd-sample");
	model_own_destroy(copy);
	assert_null(model_own_copy(NULL));
	model_own_destroy(NULL);
}

static void what_servers_are_made_by_is_in_the_recipe(void **unused)
{
	struct model_own *own = sample();
	uint64_t recipe = model_own_recipe(own);

	(void)unused;
	own->port++;
	assert_false(model_own_recipe(own) == recipe);
	own->port--;
	own->memory_max = 1;
	assert_false(model_own_recipe(own) == recipe);
	own->memory_max = 0;
	own->environment_count = 1;
	assert_false(model_own_recipe(own) == recipe);
	own->environment_count = 2;
	assert_true(model_own_recipe(own) == recipe);
	model_own_destroy(own);
}

static void words_do_not_run_into_one(void **unused)
{
	struct model_own *one = sample(), *other = sample();

	(void)unused;
	free(one->command[0]);
	free(one->command[1]);
	one->command[0] = memory_text("/serve");
	one->command[1] = memory_text("r--quiet");
	assert_false(model_own_recipe(one) == model_own_recipe(other));
	model_own_destroy(one);
	model_own_destroy(other);
}

static void how_many_there_are_is_not(void **unused)
{
	struct model_own *own = sample();
	uint64_t recipe = model_own_recipe(own);

	(void)unused;
	own->min = 7;
	own->max = 99;
	own->start_ms = own->stop_ms = own->drain_ms = 1;
	own->scale_up = 5;
	assert_true(model_own_recipe(own) == recipe);
	model_own_destroy(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_whole_and_its_own),
		cmocka_unit_test(what_servers_are_made_by_is_in_the_recipe),
		cmocka_unit_test(words_do_not_run_into_one),
		cmocka_unit_test(how_many_there_are_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
