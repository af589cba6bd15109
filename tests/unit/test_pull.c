/* test_pull.c - what a look at a zone keeps, and from where the next one goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/flow/planner.h"
#include "tests/unit/flow_fixture.h"
#include "tests/unit/policy_fixture.h"

enum { ZONE_FORWARD = 1 };

static int open_fix(void **state)
{
	static struct fix f;

	fx_setup();
	*state = &f;
	return open_known(&f, &fx_policy);
}

static void person_adds(struct fix *f, const char *owner)
{
	struct dname name = fx_name(owner);

	assert_true(model_person_add(f->model, ZONE_FORWARD, &name, RR_A, 300, "\300\0\2\1", 4));
}

static size_t seen_at(struct fix *f, const char *owner)
{
	struct dname name = fx_name(owner);
	struct belief b = {.zone_id = ZONE_FORWARD};

	memstore_belief(f->m, &b, ZONE_FORWARD, &name);
	return b.seen.n;
}

/* Something of ours is under way to the owner: the next look leaves it out. */
static void send_to(struct fix *f, const char *owner)
{
	struct belief b = {.zone_id = ZONE_FORWARD, .owner = fx_name(owner), .version = 1,
			   .seen_known = true,
			   .state = BELIEF_STEP, .n_offered = 1, .why = "",
			   .offered_at_s = {model_now_s(f->model) + 60}};

	rrs_add(&b.offered[0], &f->a, RR_A, "\300\0\2\2", 4);
	assert_int_equal(f->store.beliefs_put(f->m, &b, 1, NULL), 0);
}

static void pull(struct fix *f)
{
	model_advance(f->model, 10);
	assert_int_equal(flow_pull(&f->flow, &fx_zones[ZONE_FORWARD - 1], NULL), 0);
}

static void what_changed_is_told_from_the_last_look(void **state)
{
	struct fix *f = *state;
	uint64_t told = model_told(f->model);

	person_adds(f, "one.lab.example");
	pull(f);
	assert_int_equal(seen_at(f, "one.lab.example"), 1);
	assert_int_equal(model_told(f->model), told + 1);
}

/* The number of before the restore stands for something else in the history that follows it. */
static void serial_of_before_a_restore_tells_nothing(void **state)
{
	struct fix *f = *state;

	person_adds(f, "left-out.lab.example");
	model_save(f->model, ZONE_FORWARD);
	person_adds(f, "one.lab.example");
	pull(f);
	assert_true(model_restore(f->model, ZONE_FORWARD));
	send_to(f, "left-out.lab.example");
	pull(f);
	person_adds(f, "two.lab.example");
	person_adds(f, "three.lab.example");
	pull(f);
	assert_int_equal(seen_at(f, "two.lab.example"), 1);
	assert_int_equal(seen_at(f, "three.lab.example"), 1);
}

static int breaks_off(void *ctx, const struct policy_zone *zone, transfer_sink sink, void *arg,
		      uint32_t *serial, struct err *e)
{
	(void)ctx;
	(void)zone;
	(void)sink;
	(void)arg;
	(void)serial;
	return err_set(e, ERR_BUSY, "connection reset");
}

static bool is_restored(struct fix *f)
{
	struct zone_row row;

	assert_int_equal(f->store.zone_get(f->m, &row, &f->a, ZONE_FORWARD, NULL), 0);
	return row.restored;
}

/* Also where others write to it until it can be read. */
static void a_restore_is_remembered_until_the_zone_is_read(void **state)
{
	struct fix *f = *state;
	struct flow_net whole = f->net;
	uint64_t told;

	model_save(f->model, ZONE_FORWARD);
	person_adds(f, "gone.lab.example");
	pull(f);
	assert_true(model_restore(f->model, ZONE_FORWARD));
	f->net.transfer = breaks_off;
	pull(f);
	assert_true(is_restored(f));
	f->net = whole;
	f->flow.n_down = 0;  /* another run */
	person_adds(f, "one.lab.example");
	person_adds(f, "two.lab.example");
	told = model_told(f->model);
	pull(f);
	assert_int_equal(model_told(f->model), told);  /* all of it is read */
	assert_int_equal(seen_at(f, "gone.lab.example"), 0);
	assert_false(is_restored(f));
	pull(f);
	assert_false(is_restored(f));
}

/* Another process beside it, which looks at the zone once the first has read what changed. */
static struct other {
	struct fix *first;
	struct flow_net net;
	struct memstore *m;
	struct flow_store store;
	struct flow flow;
	bool restores;
} other;

static int changes_and_another_looks(void *ctx, const struct policy_zone *zone, uint32_t since,
				     change_sink sink, void *arg, uint32_t *serial, struct err *e)
{
	struct dname one = fx_name("one.lab.example");
	int r = other.net.changes(ctx, zone, since, sink, arg, serial, e);

	assert_true(model_person_del(other.first->model, ZONE_FORWARD, &one, RR_A, NULL, 0));
	if (other.restores)
		assert_true(model_restore(other.first->model, ZONE_FORWARD));
	assert_int_equal(flow_pull(&other.flow, &fx_zones[ZONE_FORWARD - 1], NULL), 0);
	return r;
}

static void look_beside_another(struct fix *f, bool restores)
{
	other = (struct other){.first = f, .net = f->net, .m = memstore_beside(f->m),
			       .restores = restores};
	other.store = memstore_flow(other.m);
	other.flow = f->flow;
	other.flow.store = &other.store;
	other.flow.net = &other.net;
	f->net.changes = changes_and_another_looks;
	person_adds(f, "one.lab.example");
	pull(f);
	f->net = other.net;
	assert_int_equal(seen_at(f, "one.lab.example"), 0);
	memstore_free(other.m);
}

static void a_look_that_was_overtaken_changes_nothing(void **state)
{
	struct fix *f = *state;

	look_beside_another(f, false);
	person_adds(f, "two.lab.example");
	pull(f);
	assert_int_equal(seen_at(f, "two.lab.example"), 1);
}

static void a_look_of_before_a_restore_changes_nothing(void **state)
{
	struct fix *f = *state;

	model_save(f->model, ZONE_FORWARD);
	person_adds(f, "gone.lab.example");
	pull(f);
	look_beside_another(f, true);
	assert_int_equal(seen_at(f, "gone.lab.example"), 0);
}

static void put_due(struct fix *f, const char *owner, bool wanted)
{
	struct dname name = fx_name(owner);
	struct belief b;

	memstore_belief(f->m, &b, ZONE_FORWARD, &name);
	if (b.owner.len == 0)
		b = (struct belief){.zone_id = ZONE_FORWARD, .owner = name, .seen_known = true,
				    .want_kind = OBS_MANUAL, .want_ttl_s = 300, .why = ""};
	b.state = BELIEF_DUE;
	b.want = (struct rrs){NULL, 0};
	if (wanted)
		rrs_add(&b.want, &f->a, RR_A, "\300\0\2\1", 4);
	assert_int_equal(f->store.beliefs_put(f->m, &b, 1, NULL), 0);
}

static int changes_and_ours_goes(void *ctx, const struct policy_zone *zone, uint32_t since,
				 change_sink sink, void *arg, uint32_t *serial, struct err *e)
{
	int r = other.net.changes(ctx, zone, since, sink, arg, serial, e);

	put_due(other.first, "one.lab.example", false);
	assert_int_equal(flow_push(&other.first->flow, NULL), 0);
	return r;
}

/* Its row went with it: nothing but the journal tells that it is no news. */
static void what_we_removed_since_a_look_is_not_seen_by_it(void **state)
{
	struct fix *f = *state;

	put_due(f, "one.lab.example", true);
	assert_int_equal(flow_push(&f->flow, NULL), 0);
	other = (struct other){.first = f, .net = f->net};
	f->net.changes = changes_and_ours_goes;
	person_adds(f, "two.lab.example");
	pull(f);
	f->net = other.net;
	assert_int_equal(seen_at(f, "one.lab.example"), 0);
	assert_int_equal(seen_at(f, "two.lab.example"), 1);
	pull(f);
	assert_int_equal(seen_at(f, "one.lab.example"), 0);
}

/* When it was missed, as judged now. */
struct judged {
	struct planner p;
	struct belief b;
	int64_t removed_at_s;
};

static int judge_inside(void *arg, struct err *e)
{
	struct judged *j = arg;
	struct planner_zone *z;
	struct belief b = j->b;

	assert_int_equal(planner_zone(&z, &j->p, &fx_zones[ZONE_FORWARD - 1], e), 0);
	assert_int_equal(planner_judge(&j->p, &j->p.arena, &b, NULL, z, NULL, e), 0);
	assert_int_equal(b.state, BELIEF_STEP);
	j->removed_at_s = b.removed_at_s;
	return 0;
}

/* The server gives the zone no more, and the owner was not asked about yet: taken for there, it would
 * be missed anew at the next look, and count twice in a fight. */
static void what_was_taken_away_stays_so_until_it_is_seen(void **state)
{
	struct fix *f = *state;
	struct judged j = {.b = {.zone_id = ZONE_FORWARD, .owner = fx_name("pc.lab.example"),
				 .state = BELIEF_DUE, .removed_at_s = 50, .why = ""}};

	rrs_add(&j.b.want, &f->a, RR_A, "\300\0\2\7", 4);
	j.b.published = j.b.want;
	assert_int_equal(planner_transaction(&j.p, &f->flow, &fx_space, judge_inside, &j, NULL), 0);
	assert_int_equal(j.removed_at_s, 50);
	j.b.seen = j.b.want;
	j.b.seen_known = true;
	assert_int_equal(planner_transaction(&j.p, &f->flow, &fx_space, judge_inside, &j, NULL), 0);
	assert_int_equal(j.removed_at_s, 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, open_fix, close_fix)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_taken_away_stays_so_until_it_is_seen),
		T(what_changed_is_told_from_the_last_look),
		T(serial_of_before_a_restore_tells_nothing),
		T(a_look_that_was_overtaken_changes_nothing),
		T(a_look_of_before_a_restore_changes_nothing),
		T(what_we_removed_since_a_look_is_not_seen_by_it),
		T(a_restore_is_remembered_until_the_zone_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
