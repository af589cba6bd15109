/* test_storm.c - when reading rests for a DHCP server in a storm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/core/storm.h"

static void many_new_leases_in_a_short_time_are_a_storm(void **state)
{
	struct storm s = {.since_ms = 5000};

	(void)state;
	assert_false(storm_rises(&s, 150, 5100));  /* too early to tell */
	assert_true(storm_rises(&s, 50, 5200));    /* 200 in 200 ms */
	assert_false(storm_rises(&s, 199, 5400));
	assert_true(storm_rises(&s, 500, 5900));
	assert_false(storm_rises(&s, 499, 6400));
}

static void a_burst_after_a_quiet_time_is_none_yet(void **state)
{
	struct storm s = {.since_ms = 5000};

	(void)state;
	assert_false(storm_rises(&s, 900, 6000));
	assert_true(storm_rises(&s, 900, 6300));
}

static void where_there_was_none_reading_does_not_rest_again_soon(void **state)
{
	struct storm s = {.since_ms = 5000};

	(void)state;
	storm_was_none(&s, 5000);
	assert_false(storm_rises(&s, 20000, 5000 + STORM_REST_MS - 1));
	assert_true(storm_rises(&s, 20000, 5000 + STORM_REST_MS + 300));
}

static void it_goes_on_while_as_much_is_written(void **state)
{
	(void)state;
	assert_true(storm_goes_on(2500, 50));
	assert_false(storm_goes_on(2499, 50));
	assert_false(storm_goes_on(0, 50));
	assert_false(storm_goes_on(-4096, 50));  /* another file by now */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_new_leases_in_a_short_time_are_a_storm),
		cmocka_unit_test(a_burst_after_a_quiet_time_is_none_yet),
		cmocka_unit_test(where_there_was_none_reading_does_not_rest_again_soon),
		cmocka_unit_test(it_goes_on_while_as_much_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
