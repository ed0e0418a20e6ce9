/* Goal: a list holds what was put in, in order, forwards and backwards, and leaving
 * is always allowed.
 */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

enum { LINKS = 32 };

struct item {
	int         number;
	struct link link;
};

static void assert_order(const struct link *list, const int *numbers, size_t count)
{
	const struct link *at = list;

	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(at->next->prev, at);
		at = at->next;
		assert_ptr_not_equal(at, list);
		assert_int_equal(CONTAINER_OF(at, struct item, link)->number, numbers[i]);
	}
	assert_ptr_equal(at->next, list);
	assert_ptr_equal(list->prev, at);
	assert_int_equal(list_empty(list), count == 0);
}

/* Against an array that is moved about by hand. */
static void a_list_is_what_an_array_would_be(void **unused)
{
	struct item items[LINKS];
	struct link list;
	int model[LINKS];
	size_t count = 0;
	uint32_t seed = 1;

	(void)unused;
	list_init(&list);
	for (int i = 0; i < LINKS; i++) {
		items[i].number = i;
		list_init(&items[i].link);
	}
	for (int n = 0; n < 20000; n++) {
		seed = seed * 1664525 + 1013904223;
		int which = (int)(seed >> 27);
		size_t at = 0;
		while (at < count && model[at] != which)
			at++;
		if (at < count) {
			list_remove(&items[which].link);
			count--;
			memmove(model + at, model + at + 1, (count - at) * sizeof *model);
			assert_true(list_empty(&items[which].link));
		} else if (seed >> 20 & 1) {
			list_push_first(&list, &items[which].link);
			memmove(model + 1, model, count++ * sizeof *model);
			model[0] = which;
		} else {
			list_push_last(&list, &items[which].link);
			model[count++] = which;
		}
		assert_order(&list, model, count);
	}
}

static void who_is_in_no_list_may_leave(void **unused)
{
	struct item item;

	(void)unused;
	list_init(&item.link);
	list_remove(&item.link);
	list_remove(&item.link);
	assert_true(list_empty(&item.link));
}

static void an_item_is_inserted_after_another(void **unused)
{
	struct item items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
	struct link list;

	(void)unused;
	list_init(&list);
	list_push_last(&list, &items[0].link);
	list_push_last(&list, &items[2].link);
	list_insert(&items[0].link, &items[1].link);
	assert_order(&list, (const int[]){0, 1, 2}, 3);
}

static void the_one_at_hand_may_leave_while_walking(void **unused)
{
	struct item items[LINKS];
	struct link list;
	int seen = 0;

	(void)unused;
	list_init(&list);
	LIST_EACH(&list, it, next)
		seen++;
	assert_int_equal(seen, 0);
	for (int i = 0; i < LINKS; i++) {
		items[i].number = i;
		list_push_last(&list, &items[i].link);
	}
	LIST_EACH(&list, it, next) {
		assert_int_equal(CONTAINER_OF(it, struct item, link)->number, seen++);
		list_remove(it);
	}
	assert_int_equal(seen, LINKS);
	assert_true(list_empty(&list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_what_an_array_would_be),
		cmocka_unit_test(who_is_in_no_list_may_leave),
		cmocka_unit_test(an_item_is_inserted_after_another),
		cmocka_unit_test(the_one_at_hand_may_leave_while_walking),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
