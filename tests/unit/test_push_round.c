/* test_push_round.c - which due rows are sent, and what becomes of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/flow/flow.h"
#include "tests/sim/memstore.h"
#include "tests/sim/model.h"
#include "tests/unit/policy_fixture.h"

static const uint8_t dhcid[35] = {0, 1, 1, 9};

struct fix {
	struct memstore *m;
	struct model *model;
	struct flow_store store;
	struct flow_net net;
	struct flow flow;
	struct arena a;
};

static int open_fix(void **state)
{
	static struct fix f;

	fx_setup();
	memset(&f, 0, sizeof(f));
	f.m = memstore_new(&fx_policy);
	f.model = model_new(1, 1700000000);
	f.store = memstore_flow(f.m);
	f.net = model_net(f.model, 0);
	f.flow = (struct flow){.policy = &fx_policy, .store = &f.store, .net = &f.net,
			       .full_every_s = 86400};
	*state = &f;
	for (int i = 0; i < 3; i++)
		if (model_serve(f.model, &fx_zones[i]) < 0)
			return -1;
	return flow_pull(&f.flow, NULL, NULL);
}

static int close_fix(void **state)
{
	struct fix *f = *state;

	memstore_free(f->m);
	model_free(f->model);
	arena_fini(&f->a);
	return 0;
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
