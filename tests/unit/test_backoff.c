/* test_backoff.c - the waits of bridge/role/backoff.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bridge/role/backoff.h"

static void waits_double_up_to_half_a_minute(void **state)
{
	struct backoff b = {0};
	static const int64_t want[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(backoff_next(&b, 0, 0), want[i]);
	for (int i = 0; i < 100; i++)
		assert_int_equal(backoff_next(&b, 59999, 0), 30000);
}

static void a_minute_of_life_begins_anew(void **state)
{
	struct backoff b = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		backoff_next(&b, 0, 0);
	assert_int_equal(backoff_next(&b, 60000, 0), 100);
	assert_int_equal(backoff_next(&b, 10, 0), 200);
}

static void jitter_takes_a_quarter_at_most(void **state)
{
	int64_t least = 100, most = 0;

	(void)state;
	for (uint64_t random = 0; random < 1000; random++) {
		struct backoff b = {0};
		int64_t ms = backoff_next(&b, 0, random);

		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	assert_int_equal(least, 75);
	assert_int_equal(most, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(waits_double_up_to_half_a_minute),
	    cmocka_unit_test(a_minute_of_life_begins_anew),
	    cmocka_unit_test(jitter_takes_a_quarter_at_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
