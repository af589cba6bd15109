/* test_gate.c - a gate closes on trouble, lets one try through in time, and opens on an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/core/gate.h"

static void an_open_gate_lets_everything_through(void **state)
{
	struct gate g = {0};

	(void)state;
	assert_true(gate_lets(&g, 0));
	assert_true(gate_lets(&g, 1000));
	assert_false(gate_passed(&g));
}

static void trouble_closes_it_for_longer_each_time(void **state)
{
	struct gate g = {0};
	int64_t now_s = 1000, last_s = 0;
	int i;

	(void)state;
	assert_true(gate_failed(&g, true, now_s, 0));
	assert_int_equal(g.state, GATE_UNREACHABLE);
	assert_false(gate_lets(&g, now_s));
	assert_true(gate_lets(&g, g.next_s));
	for (i = 0; i < 12; i++) {
		now_s = g.next_s;
		assert_false(gate_failed(&g, true, now_s, UINT64_MAX));
		assert_true(g.next_s - now_s >= 1 && g.next_s - now_s <= GATE_MAX_S);
		assert_true(i == 0 || g.next_s - now_s >= last_s / 2);
		last_s = g.next_s - now_s;
	}
	assert_int_equal(last_s, GATE_MAX_S);
}

static void a_refusal_is_other_news_than_silence(void **state)
{
	struct gate g = {0};

	(void)state;
	assert_true(gate_failed(&g, true, 1000, 1));
	assert_true(gate_failed(&g, false, 1010, 1));
	assert_int_equal(g.state, GATE_PARKED);
	assert_false(gate_failed(&g, false, 1020, 1));
}

static void an_answer_opens_it_and_begins_anew(void **state)
{
	struct gate g = {0};
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		gate_failed(&g, true, 1000 + i * 100, 7);
	assert_true(gate_passed(&g));
	assert_false(gate_passed(&g));
	assert_true(gate_lets(&g, 0));
	gate_failed(&g, true, 5000, 0);
	assert_true(g.next_s - 5000 <= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_open_gate_lets_everything_through),
	    cmocka_unit_test(trouble_closes_it_for_longer_each_time),
	    cmocka_unit_test(a_refusal_is_other_news_than_silence),
	    cmocka_unit_test(an_answer_opens_it_and_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
