/* test_memstore.c - the store in memory keeps its word: transactions, crashes, differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/memstore.h"

enum { LEASES = 1, ARP, MANUAL };

static struct policy_zone zones[] = {{.id = 1, .text = "lab.example"},
				     {.id = 2, .text = "2.0.192.in-addr.arpa"}};
static struct policy_source sources[] = {{.id = LEASES, .name = "dhcp", .kind = OBS_LEASE},
					 {.id = ARP, .name = "arp", .kind = OBS_NEIGHBOUR},
					 {.id = MANUAL, .name = "manual", .kind = OBS_MANUAL}};
static struct policy_subnet subnets[] = {{.id = 1}};
static struct policy_space space = {.id = 1, .name = "default", .zones = zones, .n_zones = 2,
				    .subnets = subnets, .n_subnets = 1, .sources = sources,
				    .n_sources = 3};
static struct policy policy = {.spaces = &space, .n_spaces = 1};

struct fix {
	struct memstore *m;
	struct flow_store st;
	struct arena a;
	struct err e;
};

static int open_store(void **state)
{
	static struct fix f;

	memset(&f, 0, sizeof(f));
	f.m = memstore_new(&policy);
	f.st = memstore_flow(f.m);
	*state = &f;
	return f.m == NULL ? -1 : 0;
}

static int close_store(void **state)
{
	struct fix *f = *state;

	memstore_free(f->m);
	arena_fini(&f->a);
	return 0;
}

static struct dname dn(const char *s)
{
	struct dname n;

	assert_true(dname_parse(&n, s, strlen(s)));
	return n;
}

static struct ipaddr ip(const char *s)
{
	struct ipaddr a;

	assert_true(ipaddr_parse(&a, s, strlen(s)));
	return a;
}

static struct obs lease(const char *addr, const char *name)
{
	return (struct obs){.addr = ip(addr), .kind = OBS_LEASE, .valid_until_s = 5000,
			    .name = {(const uint8_t *)name, (uint16_t)strlen(name)}};
}

static void put(struct fix *f, const struct obs *o, int32_t source)
{
	struct evidence ev = {.obs = *o, .source_id = source, .first_seen_s = 1, .last_seen_s = 1};

	assert_int_equal(f->st.evidence_put(f->m, &ev, 1, &f->e), 0);
}

static size_t n_evidence(struct fix *f, const char *addr)
{
	struct ipaddr a = ip(addr);
	struct evidence *v;
	size_t n;

	assert_int_equal(f->st.evidence_get(f->m, &v, &n, 1, &a, 1, &f->a, &f->e), 0);
	return n;
}

/* ---- transactions and crashes ------------------------------------------------------------- */

static void rollback_restores_everything(void **state)
{
	struct fix *f = *state;
	struct obs o = lease("192.0.2.1", "one"), p = lease("192.0.2.2", "two");
	struct zone_row z = {.id = 1, .known = true, .serial = 7};
	struct source_row s = {.id = LEASES, .cursor = "here", .last_ok_s = 9};
	struct journal_line j = {.at_s = 1, .event = "done", .rcode = -1};

	put(f, &o, LEASES);
	assert_int_equal(f->st.begin(f->m, &f->e), 0);
	put(f, &p, LEASES);
	f->st.evidence_del(f->m, &(struct evidence){.obs = o, .source_id = LEASES}, 1, &f->e);
	f->st.zone_put(f->m, &z, &f->e);
	f->st.source_put(f->m, &s, &f->e);
	f->st.journal(f->m, &j, 1, &f->e);
	assert_int_equal(n_evidence(f, "192.0.2.1"), 0);
	assert_int_equal(n_evidence(f, "192.0.2.2"), 1);
	f->st.rollback(f->m);
	assert_int_equal(n_evidence(f, "192.0.2.1"), 1);
	assert_int_equal(n_evidence(f, "192.0.2.2"), 0);
	f->st.zone_get(f->m, &z, &f->a, 1, &f->e);
	f->st.source_get(f->m, &s, &f->a, LEASES, &f->e);
	assert_false(z.known);
	assert_null(s.cursor);
	assert_int_equal(memstore_journal_n(f->m), 0);
}

static void committed_work_survives_a_restart(void **state)
{
	struct fix *f = *state;
	struct obs o = lease("192.0.2.1", "one"), p = lease("192.0.2.2", "two");

	f->st.begin(f->m, &f->e);
	put(f, &o, LEASES);
	f->st.commit(f->m, &f->e);
	f->st.begin(f->m, &f->e);
	put(f, &p, LEASES);
	memstore_restart(f->m);
	assert_int_equal(n_evidence(f, "192.0.2.1"), 1);
	assert_int_equal(n_evidence(f, "192.0.2.2"), 0);
}

static void crash_answers_every_call_until_the_restart(void **state)
{
	struct fix *f = *state;
	struct obs o = lease("192.0.2.1", "one");
	struct zone_row z;

	memstore_crash_at(f->m, 3);
	assert_int_equal(f->st.begin(f->m, &f->e), 0);
	put(f, &o, LEASES);
	assert_int_equal(f->st.zone_get(f->m, &z, &f->a, 1, &f->e), ERR_SYS);
	assert_string_equal(f->e.text, "crashed");
	assert_int_equal(f->st.commit(f->m, &f->e), ERR_SYS);
	f->st.rollback(f->m);
	assert_int_equal(f->st.begin(f->m, &f->e), ERR_SYS);
	assert_true(memstore_crashed(f->m));
	memstore_restart(f->m);
	assert_int_equal(n_evidence(f, "192.0.2.1"), 0);
}

static void crash_in_commit_happens_on_the_side_asked_for(void **state)
{
	struct fix *f = *state;
	struct obs o = lease("192.0.2.1", "one");

	for (int applied = 0; applied <= 1; applied++) {
		memstore_crash_commit(f->m, applied);
		memstore_crash_at(f->m, 3);
		f->st.begin(f->m, &f->e);
		put(f, &o, LEASES);
		assert_int_equal(f->st.commit(f->m, &f->e), ERR_SYS);
		memstore_restart(f->m);
		assert_int_equal(n_evidence(f, "192.0.2.1"), applied);
	}
}

static void misuse_spoils_the_transaction(void **state)
{
	struct fix *f = *state;
	struct obs o = lease("192.0.2.1", "one");
	struct evidence ev = {.obs = o, .source_id = 99};

	assert_int_equal(f->st.lock_space(f->m, 1, &f->e), ERR_BUG);
	f->st.begin(f->m, &f->e);
	assert_int_equal(f->st.evidence_put(f->m, &ev, 1, &f->e), ERR_BUG);
	assert_int_equal(f->st.lock_space(f->m, 1, &f->e), ERR_BUG);
	assert_int_equal(f->st.commit(f->m, &f->e), ERR_BUG);
	f->st.rollback(f->m);
	f->st.begin(f->m, &f->e);
	assert_int_equal(f->st.begin(f->m, &f->e), ERR_BUG);
	f->st.rollback(f->m);
	assert_int_equal(f->st.commit(f->m, &f->e), ERR_BUG);
}

static void dry_run_forgets_its_commits(void **state)
{
	struct fix *f = *state;
	struct obs o = lease("192.0.2.1", "one");

	assert_int_equal(memstore_dry_begin(f->m, &f->e), 0);
	f->st.begin(f->m, &f->e);
	put(f, &o, LEASES);
	assert_int_equal(f->st.commit(f->m, &f->e), 0);
	assert_int_equal(n_evidence(f, "192.0.2.1"), 1);
	memstore_dry_end(f->m);
	assert_int_equal(n_evidence(f, "192.0.2.1"), 0);
}

/* ---- the stage ---------------------------------------------------------------------------- */

static struct obs_change *diff(struct fix *f, int32_t source, const struct obs *v, size_t n,
			       bool complete, size_t *n_out)
{
	struct obs_change *c;
	uint64_t total;

	assert_int_equal(f->st.stage_begin(f->m, source, &f->e), 0);
	assert_int_equal(f->st.stage_add(f->m, v, n, &f->e), 0);
	assert_int_equal(f->st.stage_diff(f->m, complete, 1000, &total, &f->e), 0);
	assert_int_equal(f->st.stage_next(f->m, &c, n_out, 100, &f->a, &f->e), 0);
	assert_int_equal(total, *n_out);
	return c;
}

static void stage_tells_each_kind_of_difference(void **state)
{
	struct fix *f = *state;
	struct obs kept[] = {lease("192.0.2.2", "same"), lease("192.0.2.3", "old"),
			     lease("192.0.2.4", "over"), lease("192.0.2.5", "gone")};
	struct obs got[] = {lease("192.0.2.1", "new"), kept[0], lease("192.0.2.3", "new"), kept[2],
			    lease("192.0.2.9", "never")};
	struct evidence back = {.obs = lease("192.0.2.6", "back"), .source_id = LEASES,
				.absent_since_s = 5};
	struct obs_change *c;
	size_t n;

	for (size_t i = 0; i < 4; i++)
		put(f, &kept[i], LEASES);
	f->st.evidence_put(f->m, &back, 1, &f->e);
	got[3].end = got[4].end = true;
	struct obs all[] = {got[0], got[1], got[2], got[3], got[4], back.obs};
	c = diff(f, LEASES, all, 6, true, &n);
	assert_int_equal(n, 5);
	assert_int_equal(c[0].change, OBS_NEW);
	assert_int_equal(c[1].change, OBS_CHANGED);
	assert_memory_equal(c[1].had.obs.name.p, "old", 3);
	assert_memory_equal(c[1].got.name.p, "new", 3);
	assert_int_equal(c[2].change, OBS_ENDED);
	assert_int_equal(c[3].change, OBS_ABSENT);
	assert_int_equal(c[4].change, OBS_BACK);
}

static void incomplete_read_makes_nothing_absent(void **state)
{
	struct fix *f = *state;
	struct obs o = lease("192.0.2.1", "one");
	size_t n;

	put(f, &o, LEASES);
	diff(f, LEASES, NULL, 0, false, &n);
	assert_int_equal(n, 0);
	diff(f, LEASES, NULL, 0, true, &n);
	assert_int_equal(n, 1);
	diff(f, ARP, NULL, 0, true, &n);
	assert_int_equal(n, 0);
}

static void later_row_of_a_key_wins(void **state)
{
	struct fix *f = *state;
	struct obs v[] = {lease("192.0.2.1", "one"), lease("192.0.2.1", "two")};
	struct obs m[] = {v[0], v[1]};
	struct obs_change *c;
	size_t n;

	c = diff(f, LEASES, v, 2, true, &n);
	assert_int_equal(n, 1);
	assert_memory_equal(c[0].got.name.p, "two", 3);
	m[0].kind = m[1].kind = OBS_MANUAL;  /* here the name is part of the key */
	diff(f, MANUAL, m, 2, true, &n);
	assert_int_equal(n, 2);
}

static void differences_are_given_out_once_and_again_after_a_rollback(void **state)
{
	struct fix *f = *state;
	struct obs v[] = {lease("192.0.2.2", "two"), lease("192.0.2.1", "one")};
	struct obs_change *c;
	uint64_t total;
	size_t n;

	f->st.stage_begin(f->m, LEASES, &f->e);
	f->st.stage_add(f->m, v, 2, &f->e);
	f->st.stage_diff(f->m, true, 1000, &total, &f->e);
	f->st.begin(f->m, &f->e);
	f->st.stage_next(f->m, &c, &n, 1, &f->a, &f->e);
	assert_int_equal(n, 1);
	assert_memory_equal(c[0].got.name.p, "one", 3);
	f->st.rollback(f->m);
	f->st.stage_next(f->m, &c, &n, 5, &f->a, &f->e);
	assert_int_equal(n, 2);
	f->st.stage_next(f->m, &c, &n, 5, &f->a, &f->e);
	assert_int_equal(n, 0);
}

static void evidence_is_due_in_the_second_its_time_ends(void **state)
{
	struct fix *f = *state;
	struct evidence v[] = {
	    {.obs = lease("192.0.2.1", "a"), .source_id = LEASES},
	    {.obs = lease("192.0.2.2", "b"), .source_id = LEASES, .held = true},
	    {.obs = lease("192.0.2.3", "c"), .source_id = LEASES, .absent_since_s = 100},
	};
	struct ipaddr first = v[0].obs.addr;
	struct evidence *out;
	size_t n;

	v[2].obs.valid_until_s = OBS_FOREVER;
	f->st.evidence_put(f->m, v, 3, &f->e);
#define DUE(now, stale, held, after)                                                               \
	f->st.evidence_due(f->m, &out, &n, LEASES, now, stale, held, after, 9, &f->a, &f->e)
	assert_int_equal(DUE(4999, 0, true, NULL), 0);
	assert_int_equal(n, 0);
	DUE(5000, 0, false, NULL);
	assert_int_equal(n, 1);
	DUE(5000, 0, true, NULL);
	assert_int_equal(n, 2);
	DUE(5000, 0, true, &first);
	assert_int_equal(n, 1);
	DUE(199, 100, false, NULL);
	assert_int_equal(n, 0);
	DUE(200, 100, false, NULL);
	assert_int_equal(n, 1);
}

/* ---- hosts and beliefs -------------------------------------------------------------------- */

static void hosts_of_the_addresses_are_replaced(void **state)
{
	struct fix *f = *state;
	struct ipaddr a[] = {ip("192.0.2.1"), ip("192.0.2.2")};
	struct host h[] = {{.addr = a[0], .name = dn("x.lab.example"), .since_s = 2},
			   {.addr = a[1], .name = dn("x.lab.example"), .since_s = 1}};
	struct dname x = dn("x.lab.example");
	struct host *out;
	size_t n;

	assert_int_equal(f->st.hosts_put(f->m, 1, a, 2, h, 2, &f->e), 0);
	f->st.hosts_of_names(f->m, &out, &n, 1, &x, 1, &f->a, &f->e);
	assert_int_equal(n, 2);
	assert_int_equal(out[0].since_s, 1);
	assert_int_equal(f->st.hosts_put(f->m, 1, a, 1, NULL, 0, &f->e), 0);
	f->st.hosts_of_addrs(f->m, &out, &n, 1, a, 2, &f->a, &f->e);
	assert_int_equal(n, 1);
	assert_int_equal(f->st.hosts_put(f->m, 1, a, 1, &h[1], 1, &f->e), ERR_BUG);
}

static struct belief belief(struct fix *f, const char *owner, enum belief_state state,
			    int64_t due_at_s)
{
	struct belief b = {.zone_id = 1, .owner = dn(owner), .state = state, .due_at_s = due_at_s};
	struct ipaddr a = ip("192.0.2.1");

	assert_int_equal(rrs_add_addr(&b.want, &f->a, &a), 0);
	return b;
}

static void due_owners_come_by_time_then_name(void **state)
{
	struct fix *f = *state;
	struct belief v[] = {belief(f, "c.lab.example", BELIEF_DUE, 5),
			     belief(f, "a.lab.example", BELIEF_DUE, 10),
			     belief(f, "b.lab.example", BELIEF_DUE, 5),
			     belief(f, "d.lab.example", BELIEF_DUE, 11),
			     belief(f, "e.lab.example", BELIEF_STEP, 0)};
	struct due_page p = {.zone_id = 1};

	assert_int_equal(f->st.beliefs_put(f->m, v, 5, &f->e), 0);
	f->st.beliefs_due(f->m, &p, 1, 10, 9, &f->a, &f->e);
	assert_int_equal(p.n, 3);
	assert_true(dname_equal(&p.v[0].owner, &v[2].owner));
	assert_true(dname_equal(&p.v[1].owner, &v[0].owner));
	assert_true(dname_equal(&p.v[2].owner, &v[1].owner));
	p.after = &v[2];
	f->st.beliefs_due(f->m, &p, 1, 10, 1, &f->a, &f->e);
	assert_int_equal(p.n, 1);
	assert_true(dname_equal(&p.v[0].owner, &v[0].owner));
}

static void empty_belief_deletes_its_row(void **state)
{
	struct fix *f = *state;
	struct belief b = belief(f, "a.lab.example", BELIEF_STEP, 0), *out;
	struct zone_key k = {1, b.owner};
	size_t n;

	f->st.beliefs_put(f->m, &b, 1, &f->e);
	f->st.beliefs_get(f->m, &out, &n, &k, 1, &f->a, &f->e);
	assert_int_equal(n, 1);
	assert_true(rrs_equal(&out[0].want, &b.want));
	b = out[0];
	b.want = (struct rrs){NULL, 0};
	f->st.beliefs_put(f->m, &b, 1, &f->e);
	f->st.beliefs_get(f->m, &out, &n, &k, 1, &f->a, &f->e);
	assert_int_equal(n, 0);
}

static void seen_is_known_with_the_zone(void **state)
{
	struct fix *f = *state;
	struct belief b = belief(f, "a.lab.example", BELIEF_STEP, 0), *out;
	struct zone_row z = {.id = 1, .known = true};
	struct zone_key k = {1, b.owner};
	size_t n;

	b.published = b.want;
	f->st.beliefs_put(f->m, &b, 1, &f->e);
	f->st.beliefs_get(f->m, &out, &n, &k, 1, &f->a, &f->e);
	assert_false(out[0].seen_known);
	assert_int_equal(out[0].seen.n, 0);
	f->st.zone_put(f->m, &z, &f->e);
	f->st.beliefs_get(f->m, &out, &n, &k, 1, &f->a, &f->e);
	assert_true(out[0].seen_known);
	assert_true(rrs_equal(&out[0].seen, &b.published));
}

/* ---- two sessions ------------------------------------------------------------------------- */

/* Another session of the store, until the end of the test. */
static struct fix beside(struct fix *f)
{
	struct fix o = {.m = memstore_beside(f->m)};

	assert_non_null(o.m);
	o.st = memstore_flow(o.m);
	return o;
}

static void what_is_not_committed_the_other_session_does_not_see(void **state)
{
	struct fix *f = *state, o = beside(f);
	struct obs one = lease("192.0.2.1", "one"), two = lease("192.0.2.2", "two");

	f->st.begin(f->m, &f->e);
	put(f, &one, LEASES);
	assert_int_equal(n_evidence(&o, "192.0.2.1"), 0);
	f->st.commit(f->m, &f->e);
	assert_int_equal(n_evidence(&o, "192.0.2.1"), 1);
	f->st.begin(f->m, &f->e);
	put(f, &two, LEASES);
	f->st.rollback(f->m);
	assert_int_equal(n_evidence(&o, "192.0.2.2"), 0);
	arena_fini(&o.a);
	memstore_free(o.m);
}

static void rollback_keeps_what_the_other_session_committed(void **state)
{
	struct fix *f = *state, o = beside(f);
	struct obs one = lease("192.0.2.1", "one"), two = lease("192.0.2.2", "two");

	f->st.begin(f->m, &f->e);
	put(f, &one, LEASES);
	put(&o, &two, LEASES);
	f->st.rollback(f->m);
	assert_int_equal(n_evidence(f, "192.0.2.1"), 0);
	assert_int_equal(n_evidence(f, "192.0.2.2"), 1);
	arena_fini(&o.a);
	memstore_free(o.m);
}

static void a_space_has_one_writer_at_a_time(void **state)
{
	struct fix *f = *state, o = beside(f);

	f->st.begin(f->m, &f->e);
	assert_int_equal(f->st.lock_space(f->m, 1, &f->e), 0);
	o.st.begin(o.m, &o.e);
	assert_int_equal(o.st.lock_space(o.m, 1, &o.e), ERR_BUG);  /* nobody to wait for */
	o.st.rollback(o.m);
	f->st.commit(f->m, &f->e);
	o.st.begin(o.m, &o.e);
	assert_int_equal(o.st.lock_space(o.m, 1, &o.e), 0);
	memstore_free(o.m);
}

static void settling_leaves_out_what_the_other_session_reads_to_write(void **state)
{
	struct fix *f = *state, o = beside(f);
	struct belief b = belief(f, "a.lab.example", BELIEF_DUE, 5), *v;
	struct zone_key k = {1, b.owner};
	bool done;
	size_t n;

	f->st.beliefs_put(f->m, &b, 1, &f->e);
	o.st.beliefs_get(o.m, &v, &n, &k, 1, &o.a, &o.e);
	f->st.begin(f->m, &f->e);
	f->st.beliefs_get(f->m, &v, &n, &k, 1, &f->a, &f->e);
	assert_int_equal(o.st.beliefs_settle(o.m, v, 1, &done, &o.e), 0);
	assert_false(done);
	f->st.commit(f->m, &f->e);
	assert_int_equal(o.st.beliefs_settle(o.m, v, 1, &done, &o.e), 0);
	assert_true(done);
	arena_fini(&o.a);
	memstore_free(o.m);
}

static void a_zone_is_one_sessions_until_that_ends(void **state)
{
	struct fix *f = *state, o = beside(f);
	uint64_t since;
	bool got;

	f->st.zone_lock(f->m, 1, &got, &since, &f->e);
	assert_true(got);
	o.st.zone_lock(o.m, 1, &got, &since, &o.e);
	assert_false(got);
	o.st.zone_lock(o.m, 2, &got, &since, &o.e);
	assert_true(got);
	memstore_restart(f->m);
	o.st.zone_lock(o.m, 1, &got, &since, &o.e);
	assert_true(got);
	memstore_free(o.m);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, open_store, close_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(rollback_restores_everything),
		T(committed_work_survives_a_restart),
		T(crash_answers_every_call_until_the_restart),
		T(crash_in_commit_happens_on_the_side_asked_for),
		T(misuse_spoils_the_transaction),
		T(dry_run_forgets_its_commits),
		T(stage_tells_each_kind_of_difference),
		T(incomplete_read_makes_nothing_absent),
		T(later_row_of_a_key_wins),
		T(differences_are_given_out_once_and_again_after_a_rollback),
		T(evidence_is_due_in_the_second_its_time_ends),
		T(hosts_of_the_addresses_are_replaced),
		T(due_owners_come_by_time_then_name),
		T(empty_belief_deletes_its_row),
		T(seen_is_known_with_the_zone),
		T(what_is_not_committed_the_other_session_does_not_see),
		T(rollback_keeps_what_the_other_session_committed),
		T(a_space_has_one_writer_at_a_time),
		T(settling_leaves_out_what_the_other_session_reads_to_write),
		T(a_zone_is_one_sessions_until_that_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
