/* test_push_round.c - which due rows are sent, and what becomes of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/flow_fixture.h"
#include "tests/unit/policy_fixture.h"

static const uint8_t dhcid[35] = {0, 1, 1, 9};

static int open_fix(void **state)
{
	static struct fix f;

	fx_setup();
	*state = &f;
	return open_known(&f, &fx_policy);
}

/* Ours of the other family is gone, what we want stands beside the DHCID: another updater has
 * brought it since the row became due. */
static void what_needs_nothing_any_more_is_not_due_for_ever(void **state)
{
	struct fix *f = *state;
	struct belief b = {.zone_id = 1, .owner = fx_name("pc.lab.example"), .state = BELIEF_DUE,
			   .want_kind = OBS_LEASE, .want_ttl_s = 300, .seen_known = true, .why = ""};
	uint64_t sent = model_updates(f->model);

	rrs_add(&b.want, &f->a, RR_A, "\300\0\2\7", 4);
	rrs_add(&b.want, &f->a, RR_DHCID, dhcid, sizeof(dhcid));
	b.seen = b.want;
	rrs_add(&b.published, &f->a, RR_DHCID, dhcid, sizeof(dhcid));
	assert_int_equal(f->store.beliefs_put(f->m, &b, 1, NULL), 0);
	assert_int_equal(flow_push(&f->flow, NULL), 0);
	memstore_belief(f->m, &b, 1, &b.owner);
	assert_int_equal(b.state, BELIEF_STEP);
	assert_true(rrs_equal(&b.published, &b.want));
	assert_int_equal(model_updates(f->model), sent);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, open_fix, close_fix)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_needs_nothing_any_more_is_not_due_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
