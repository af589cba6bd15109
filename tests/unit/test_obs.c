/* test_obs.c - value/obs: batches and the names of the kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "bridge/value/obs.h"

static void kinds_have_names_in_rank_order(void **state)
{
	static const char *const names[] = {"manual", "edit", "reservation", "ipam",
					    "lease", "dns", "neighbour"};
	enum obs_kind k = OBS_DNS;
	int i;

	(void)state;
	assert_int_equal(sizeof(names) / sizeof(names[0]), OBS_KINDS);
	for (i = 0; i < OBS_KINDS; i++) {
		assert_string_equal(obs_kind_name((enum obs_kind)i), names[i]);
		assert_true(obs_kind_parse(&k, names[i], strlen(names[i])));
		assert_int_equal(k, i);
	}
	k = OBS_DNS;
	assert_false(obs_kind_parse(&k, "leas", 4));
	assert_false(obs_kind_parse(&k, "leases", 6));
	assert_false(obs_kind_parse(&k, "Lease", 5));
	assert_false(obs_kind_parse(&k, "", 0));
	assert_int_equal(k, OBS_DNS);
	assert_non_null(obs_kind_name(OBS_KINDS));
}

static void batch_grows_with_zeroed_observations(void **state)
{
	static const struct obs zero;
	struct obs_batch b;
	int round, i;

	(void)state;
	obs_batch_init(&b);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 500; i++) {
			struct obs *o = obs_batch_add(&b);

			assert_non_null(o);
			assert_memory_equal(o, &zero, sizeof(zero));
			memset(o, 0xff, sizeof(*o));
		}
		assert_int_equal(b.n, 500);
		obs_batch_reset(&b);
		assert_int_equal(b.n, 0);
	}
	obs_batch_fini(&b);
	assert_null(b.v);
	obs_batch_fini(&b);
}

static void refusals_are_counted_and_the_first_are_kept(void **state)
{
	struct obs_batch b;
	char why[32];
	uint64_t i;

	(void)state;
	obs_batch_init(&b);
	for (i = 1; i <= 1000; i++) {
		snprintf(why, sizeof(why), "reason %d", (int)i);
		obs_batch_refuse(&b, i * 10, why);
	}
	assert_int_equal(b.n_bad, 1000);
	assert_int_equal(b.bad[0].record, 10);
	assert_string_equal(b.bad[0].why, "reason 1");
	assert_string_equal(b.bad[OBS_BAD_KEPT - 1].why, "reason 5");
	obs_batch_reset(&b);
	assert_int_equal(b.n_bad, 0);
	assert_null(b.bad[0].why);
	obs_batch_fini(&b);
}

static void kept_bytes_are_copies_of_any_bytes(void **state)
{
	struct obs_batch b;
	struct bytes x, y = {NULL, 9};
	char text[] = "a\0b\xff";

	(void)state;
	obs_batch_init(&b);
	assert_true(obs_batch_keep(&b, &x, text, 4));
	text[0] = 'Z';
	assert_int_equal(x.len, 4);
	assert_memory_equal(x.p, "a\0b\xff", 4);
	assert_true(obs_batch_keep(&b, &y, NULL, 0));
	assert_int_equal(y.len, 0);
	y.len = 9;
	assert_false(obs_batch_keep(&b, &y, text, 65536));
	assert_int_equal(y.len, 9);
	obs_batch_fini(&b);
}

static void bytes_compare_by_length_and_content(void **state)
{
	const uint8_t p[] = "abc", q[] = "abd";
	struct bytes none = {NULL, 0}, empty = {p, 0}, a = {p, 3}, b = {q, 3};
	struct bytes c = {q, 2}, d = {p, 2};

	(void)state;
	assert_true(bytes_equal(none, empty));
	assert_true(bytes_equal(a, a));
	assert_false(bytes_equal(a, b));
	assert_false(bytes_equal(b, c));
	assert_true(bytes_equal(c, d));
	assert_false(bytes_equal(none, a));
}

static void facts_are_what_is_said_not_how(void **state)
{
	struct obs a = {.kind = OBS_LEASE, .name = {(const uint8_t *)"pc", 2}}, b = a;

	(void)state;
	b.raw = b.name;
	b.seen_at_s = 7;
	assert_false(obs_facts_differ(&a, &b));
	b.dhcid = (struct bytes){(const uint8_t *)"\0\1\1", 3};
	assert_true(obs_facts_differ(&a, &b));
	a.dhcid = b.dhcid;
	assert_false(obs_facts_differ(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds_have_names_in_rank_order),
	    cmocka_unit_test(batch_grows_with_zeroed_observations),
	    cmocka_unit_test(refusals_are_counted_and_the_first_are_kept),
	    cmocka_unit_test(kept_bytes_are_copies_of_any_bytes),
	    cmocka_unit_test(bytes_compare_by_length_and_content),
	    cmocka_unit_test(facts_are_what_is_said_not_how),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
