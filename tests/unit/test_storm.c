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
	assert_false(storm_rises(&s, 80, 9999, 5099));   /* too early to tell */
	assert_true(storm_rises(&s, 20, 9999, 5100));    /* 100 in 100 ms */
	assert_false(storm_rises(&s, 299, 9999, 5400));
	assert_true(storm_rises(&s, 500, 9999, 5900));
	assert_false(storm_rises(&s, 499, 9999, 6400));
}

static void a_burst_that_is_over_is_none(void **state)
{
	struct storm s = {.since_ms = 5000};

	(void)state;
	assert_false(storm_rises(&s, 20000, 499, 6000));
	assert_false(storm_rises(&s, 20000, -1, 7000));
	assert_true(storm_rises(&s, 20000, 500, 8000));
}

static void a_burst_after_a_quiet_time_is_none_yet(void **state)
{
	struct storm s = {.since_ms = 5000};

	(void)state;
	assert_false(storm_rises(&s, 900, 9999, 6000));
	assert_true(storm_rises(&s, 900, 9999, 6300));
}

static void it_goes_on_while_as_much_is_written(void **state)
{
	(void)state;
	assert_true(storm_goes_on(5000, 100));
	assert_false(storm_goes_on(4999, 100));
	assert_false(storm_goes_on(0, 100));
	assert_false(storm_goes_on(-4096, 100));  /* another file by now */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(many_new_leases_in_a_short_time_are_a_storm),
	    cmocka_unit_test(a_burst_that_is_over_is_none),
	    cmocka_unit_test(a_burst_after_a_quiet_time_is_none_yet),
	    cmocka_unit_test(it_goes_on_while_as_much_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
