/* test_push_round.c - which due rows are sent, and what becomes of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/core/push_state.h"
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

/* A change of ours had no answer; what is there beside the client's DHCID may be what somebody made
 * of it, or what another updater wrote before. */
static void what_an_unanswered_change_leaves_in_doubt_is_asked_about_when_it_is_late(void **state)
{
	struct fix *f = *state;
	struct belief b = {.zone_id = 1, .owner = fx_name("pc.lab.example"), .state = BELIEF_DUE,
			   .want_kind = OBS_LEASE, .want_ttl_s = 300, .seen_known = true, .why = "",
			   .n_offered = 1, .offered_at_s = {model_now_s(f->model)}};
	uint64_t sent = model_updates(f->model);

	rrs_add(&b.want, &f->a, RR_A, "\300\0\2\7", 4);
	rrs_add(&b.want, &f->a, RR_DHCID, dhcid, sizeof(dhcid));
	rrs_add(&b.seen, &f->a, RR_A, "\300\0\2\11", 4);
	rrs_add(&b.seen, &f->a, RR_DHCID, dhcid, sizeof(dhcid));
	b.offered[0] = b.want;
	model_person_add(f->model, 1, &b.owner, RR_A, 300, "\300\0\2\11", 4);
	model_person_add(f->model, 1, &b.owner, RR_DHCID, 300, dhcid, sizeof(dhcid));
	assert_int_equal(f->store.beliefs_put(f->m, &b, 1, NULL), 0);
	assert_int_equal(flow_push(&f->flow, NULL), 0);
	memstore_belief(f->m, &b, 1, &b.owner);
	assert_int_equal(b.state, BELIEF_DUE);
	assert_int_equal(b.due_at_s, push_late_s(&b));
	assert_int_equal(model_updates(f->model), sent);
	model_advance(f->model, b.due_at_s - model_now_s(f->model));
	assert_int_equal(flow_push(&f->flow, NULL), 0);
	memstore_belief(f->m, &b, 1, &b.owner);
	assert_int_equal(b.state, BELIEF_STEP);
	assert_true(rrs_equal(&b.published, &b.want));
	assert_int_equal(b.n_offered, 0);
	assert_int_equal(model_updates(f->model), sent + 1);
}

/* Its row counted as sent once it was taken up, though the server was down: what it is to replace was
 * in doubt from then on, which its PTR was not planned by. */
static void a_ptr_goes_with_a_name_that_was_in_doubt_when_it_was_refused(void **state)
{
	static const struct ipaddr addr = {4, {192, 0, 2, 7}};
	struct fix *f = *state;
	struct obs o = {.addr = addr, .kind = OBS_LEASE, .valid_until_s = OBS_FOREVER,
			.name = {(const uint8_t *)"pc", 2}, .mac = {.known = true, .b = {2, 1}}};
	struct dname owner = fx_name("pc.lab.example"), reverse;
	struct belief b;
	struct err e = {0};
	const struct rr *of_client;

	ipaddr_reverse(&reverse, &addr);
	assert_int_equal(flow_observe(&f->flow, &fx_space, &fx_sources[0], &o, 1, NULL), 0);
	memstore_belief(f->m, &b, 1, &owner);
	/* Another updater was there before, for the same client; then a person. */
	assert_int_equal(rrs_of(&b.want, RR_DHCID, &of_client), 1);
	rrs_add(&b.seen, &f->a, RR_A, "\300\0\2\11", 4);
	rrs_add(&b.seen, &f->a, RR_DHCID, of_client->rdata, of_client->rdlen);
	assert_int_equal(f->store.beliefs_put(f->m, &b, 1, NULL), 0);
	model_person_add(f->model, 1, &owner, RR_A, 300, "\300\0\2\11", 4);
	model_faults(f->model)->down = true;
	flow_push(&f->flow, &e);
	model_faults(f->model)->down = false;
	f->flow.n_down = 0;  /* another run */
	for (int i = 0; i < 3; i++) {
		model_advance(f->model, 3600);
		assert_int_equal(flow_push(&f->flow, NULL), 0);
	}
	memstore_belief(f->m, &b, 1, &owner);
	assert_int_equal(b.state, BELIEF_CONFLICT);
	b = (struct belief){.zone_id = 2};
	memstore_belief(f->m, &b, 2, &reverse);
	assert_int_equal(b.want.n, 0);
	assert_int_equal(b.seen.n, 0);
}

/* The connections, with another process that looks at the zone while ours reads an owner back. */
static struct beside {
	struct fix *f;
	struct flow_net net;
} beside;

static int reads_beside(void *ctx, const struct policy_zone *z, struct net_look *v, size_t n,
			struct arena *a, struct err *e)
{
	struct fix *f = beside.f;
	int r = beside.net.query(ctx, z, v, n, a, e);
	struct dname owner = *v[0].owner;
	struct belief b;

	/* What was sent came late. */
	memstore_belief(f->m, &b, z->id, &owner);
	b.seen = b.published = b.want;
	assert_int_equal(f->store.beliefs_put(f->m, &b, 1, NULL), 0);
	return r;
}

/* Else ours, of before, would tell that somebody took away what that other saw. */
static void a_look_that_another_overtook_tells_nothing(void **state)
{
	struct fix *f = *state;
	struct belief b = {.zone_id = 1, .owner = fx_name("pc.lab.example"), .state = BELIEF_DUE,
			   .want_kind = OBS_LEASE, .want_ttl_s = 300, .seen_known = true, .why = "",
			   .n_offered = 1, .offered_at_s = {model_now_s(f->model)}};

	rrs_add(&b.want, &f->a, RR_A, "\300\0\2\7", 4);
	rrs_add(&b.seen, &f->a, RR_A, "\300\0\2\11", 4);
	b.published = b.seen;
	b.offered[0] = b.want;
	assert_int_equal(f->store.beliefs_put(f->m, &b, 1, NULL), 0);
	/* The change is refused, for the address is not there: the owner is read back. */
	beside = (struct beside){.f = f, .net = f->net};
	f->net.query = reads_beside;
	assert_int_equal(flow_push(&f->flow, NULL), 0);
	memstore_belief(f->m, &b, 1, &b.owner);
	assert_true(rrs_equal(&b.seen, &b.want));
	assert_int_equal(b.reverts, 0);
}

static int looks_beside(void *ctx, const struct policy_zone *z, uint32_t *serial, struct err *e)
{
	struct fix *f = beside.f;
	struct dname owner = fx_name("pc.lab.example");
	struct belief b;

	memstore_belief(f->m, &b, z->id, &owner);
	b.seen = (struct rrs){NULL, 0};
	rrs_add(&b.seen, &f->a, RR_A, "\300\0\2\7", 4);
	rrs_add(&b.seen, &f->a, RR_A, "\313\0\161\1", 4);
	assert_int_equal(f->store.beliefs_put(f->m, &b, 1, NULL), 0);
	return beside.net.soa(ctx, z, serial, e);
}

/* Nobody would look at it again: the serial is the one that was read. */
static void what_another_saw_beside_a_change_that_is_done_stays_seen(void **state)
{
	struct fix *f = *state;
	struct belief b = {.zone_id = 1, .owner = fx_name("pc.lab.example"), .state = BELIEF_DUE,
			   .want_kind = OBS_MANUAL, .want_ttl_s = 300, .seen_known = true, .why = ""};
	struct rrs both;

	rrs_add(&b.want, &f->a, RR_A, "\300\0\2\7", 4);
	assert_int_equal(f->store.beliefs_put(f->m, &b, 1, NULL), 0);
	beside = (struct beside){.f = f, .net = f->net};
	f->net.soa = looks_beside;
	assert_int_equal(flow_push(&f->flow, NULL), 0);
	memstore_belief(f->m, &b, 1, &b.owner);
	assert_true(rrs_equal(&b.published, &b.want));
	rrs_dup(&both, &f->a, &b.want);
	rrs_add(&both, &f->a, RR_A, "\313\0\161\1", 4);
	assert_true(rrs_equal(&b.seen, &both));
}

/* Restored, and not read yet: a change from what it showed before is refused, and no one's fault. */
static void what_a_restored_zone_lacks_was_removed_by_nobody(void **state)
{
	struct fix *f = *state;
	struct belief b = {.zone_id = 1, .owner = fx_name("pc.lab.example"), .state = BELIEF_DUE,
			   .want_kind = OBS_LEASE, .want_ttl_s = 300, .seen_known = true, .why = ""};
	struct zone_row row;

	rrs_add(&b.want, &f->a, RR_A, "\300\0\2\7", 4);
	rrs_add(&b.published, &f->a, RR_A, "\300\0\2\11", 4);
	b.seen = b.published;
	assert_int_equal(f->store.zone_get(f->m, &row, &f->a, 1, NULL), 0);
	row.restored = true;
	assert_int_equal(f->store.zone_put(f->m, &row, NULL), 0);
	assert_int_equal(f->store.beliefs_put(f->m, &b, 1, NULL), 0);
	assert_int_equal(flow_push(&f->flow, NULL), 0);
	memstore_belief(f->m, &b, 1, &b.owner);
	assert_int_equal(b.state, BELIEF_STEP);
	assert_true(rrs_equal(&b.published, &b.want));
	assert_int_equal(b.reverts, 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, open_fix, close_fix)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_needs_nothing_any_more_is_not_due_for_ever),
		T(what_a_restored_zone_lacks_was_removed_by_nobody),
		T(a_ptr_goes_with_a_name_that_was_in_doubt_when_it_was_refused),
		T(a_look_that_another_overtook_tells_nothing),
		T(what_another_saw_beside_a_change_that_is_done_stays_seen),
		T(what_an_unanswered_change_leaves_in_doubt_is_asked_about_when_it_is_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
