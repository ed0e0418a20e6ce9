/* Goal: over any length of time, retries stay below the share that is allowed, plus the
 * reserve; and what is allowed can be spent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/must.h"
#include "forward/budget.h"

enum { REQUESTS = 100000, RUNS = 40 };

static const uint32_t percents[] = {0, 1, 3, 7, 20, 33, 99, 100};
static const uint32_t reserves[] = {0, 1, 10, 100, 5000};

static uint64_t spend_all(struct budget *b)
{
	uint64_t spent = 0;

	while (budget_spend(b))
		spent++;
	return spent;
}

static void a_quiet_pool_has_its_reserve_and_no_more(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(percents) * COUNT_OF(reserves); i++) {
		struct budget b;
		budget_init(&b, percents[i % COUNT_OF(percents)],
			    reserves[i / COUNT_OF(percents)]);
		assert_int_equal(spend_all(&b), reserves[i / COUNT_OF(percents)]);
		assert_false(budget_spend(&b));
	}
}

static void all_that_fails_is_sent_again_up_to_the_share(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(percents) * COUNT_OF(reserves); i++) {
		uint32_t percent = percents[i % COUNT_OF(percents)];
		uint32_t reserve = reserves[i / COUNT_OF(percents)];
		struct budget b;
		uint64_t spent = 0, refused = 0;

		budget_init(&b, percent, reserve);
		for (uint64_t n = 1; n <= REQUESTS; n++) {
			budget_earn(&b);
			if (budget_spend(&b))
				spent++;
			else
				refused++;
			assert_true(spent * 100 <= n * percent + reserve * 100ull);
		}
		/* Of the share only what the first request earns may be lost: what is
		 * saved may be as much as can be saved then. */
		uint64_t allowed = (REQUESTS - 1ull) * percent / 100 + reserve;
		assert_true(spent >= (allowed < REQUESTS ? allowed : REQUESTS));
		assert_int_equal(spent + refused, REQUESTS);
	}
}

static void a_random_rate_of_failures_keeps_the_share(void **unused)
{
	(void)unused;
	for (uint64_t run = 0; run < RUNS; run++) {
		uint32_t percent = percents[hash_mix(run) % COUNT_OF(percents)];
		uint32_t reserve = reserves[hash_mix(~run) % COUNT_OF(reserves)];
		struct budget b;
		uint64_t spent = 0;

		budget_init(&b, percent, reserve);
		for (uint64_t n = 1; n <= 2000; n++) {
			budget_earn(&b);
			for (uint64_t tries = hash_pair(run, n) % 4; tries > 0; tries--)
				spent += budget_spend(&b);
			assert_true(spent * 100 <= n * percent + reserve * 100ull);
			assert_true(b.hundredths <= b.limit);
		}
	}
}

static void good_times_save_what_a_thousand_requests_earn(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(percents) * COUNT_OF(reserves); i++) {
		uint32_t percent = percents[i % COUNT_OF(percents)];
		uint32_t reserve = reserves[i / COUNT_OF(percents)];
		uint64_t most = percent * 10 > reserve ? percent * 10 : reserve;
		struct budget b;

		budget_init(&b, percent, reserve);
		spend_all(&b);
		for (int n = 0; n < REQUESTS; n++) {
			budget_earn(&b);
			assert_true(b.hundredths <= most * 100);
		}
		uint64_t earned = (uint64_t)REQUESTS * percent / 100;
		assert_int_equal(spend_all(&b), earned < most ? earned : most);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quiet_pool_has_its_reserve_and_no_more),
		cmocka_unit_test(all_that_fails_is_sent_again_up_to_the_share),
		cmocka_unit_test(a_random_rate_of_failures_keeps_the_share),
		cmocka_unit_test(good_times_save_what_a_thousand_requests_earn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
