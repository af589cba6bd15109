/* sending_test.c - who sends and who plans work on the same owners, on a real PostgreSQL. */
#include "tests/integration/world.h"

/* The session that sends is the world's; this one plans. */
struct planning {
	struct pg *pg;
	struct store *store;
	struct flow_store f;
	struct err e;
};

static void open_planning(struct planning *p)
{
	ok(p, pg_open(&p->pg, conninfo(), "test", 1, &p->e));
	ok(p, store_open(&p->store, p->pg, &p->e));
	p->f = store_flow(p->store);
}

static void close_planning(struct planning *p)
{
	store_close(p->store);
	pg_close(p->pg);
}

static struct belief due(struct world *w, const char *owner, const char *want)
{
	struct belief b = {.zone_id = w->zones[0].id, .owner = name(owner), .state = BELIEF_DUE,
			   .want_kind = OBS_LEASE, .want_ttl_s = 300, .why = "lease"};

	ok(w, rrs_parse(&b.want, &w->a, want, strlen(want), &w->e));
	return b;
}

static struct belief *get(struct flow_store *f, struct world *w, const struct belief *b)
{
	struct zone_key k = {b->zone_id, b->owner};
	struct belief *v;
	size_t n;

	ok(w, f->beliefs_get(f->ctx, &v, &n, &k, 1, &w->a, &w->e));
	assert_int_equal(n, 1);
	return v;
}

/* The rows as who sends lists them. */
static struct belief *listed(struct world *w, size_t n)
{
	struct due_page page = {.zone_id = w->zones[0].id};

	ok(w, w->f.beliefs_due(w->f.ctx, &page, 1, 20, 10, &w->a, &w->e));
	assert_int_equal(page.n, n);
	return page.v;
}

static void put(struct flow_store *f, struct world *w, struct belief *b, size_t n)
{
	ok(w, f->begin(f->ctx, &w->e));
	ok(w, f->beliefs_put(f->ctx, b, n, &w->e));
	ok(w, f->commit(f->ctx, &w->e));
}

static void settle(struct world *w, struct belief *v, size_t n, bool *done)
{
	ok(w, w->f.begin(w->f.ctx, &w->e));
	ok(w, w->f.beliefs_settle(w->f.ctx, v, n, done, &w->e));
	ok(w, w->f.commit(w->f.ctx, &w->e));
}

static void proven(struct belief *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		b[i].published = b[i].want;
		b[i].state = BELIEF_STEP;
	}
}

static void only_rows_as_they_were_read_are_settled(void **state)
{
	struct world *w = *state;
	struct belief b[3] = {due(w, "a.lab.example", "A 192.0.2.1"),
			      due(w, "b.lab.example", "A 192.0.2.2"),
			      due(w, "c.lab.example", "A 192.0.2.3")};
	struct planning p = {.pg = NULL};
	struct belief *v, other;
	bool done[3];

	open_planning(&p);
	put(&w->f, w, b, 3);
	v = listed(w, 3);
	/* One is written meanwhile, one is being planned. */
	other = *get(&p.f, w, &b[1]);
	other.why = "another lease";
	put(&p.f, w, &other, 1);
	ok(&p, p.f.begin(p.f.ctx, &p.e));
	get(&p.f, w, &b[2]);
	proven(v, 3);
	settle(w, v, 3, done);
	assert_true(done[0] && !done[1] && !done[2]);
	ok(&p, p.f.commit(p.f.ctx, &p.e));
	assert_int_equal(get(&w->f, w, &b[0])->published.n, 1);
	assert_int_equal(get(&w->f, w, &b[1])->published.n, 0);
	assert_int_equal(get(&w->f, w, &b[2])->published.n, 0);
	/* Planned and left as it was. */
	settle(w, &v[2], 1, done);
	assert_true(done[0]);
	close_planning(&p);
}

static bool proven_at(struct world *w, struct belief *v, int64_t at_s)
{
	bool done;

	ok(w, w->f.begin(w->f.ctx, &w->e));
	ok(w, w->f.beliefs_proven(w->f.ctx, v, 1, at_s, &done, &w->e));
	ok(w, w->f.commit(w->f.ctx, &w->e));
	return done;
}

static void what_was_wanted_stands_where_nobody_wrote_the_row(void **state)
{
	struct world *w = *state;
	struct belief b[2] = {due(w, "a.lab.example", "A 192.0.2.1"),
			      due(w, "b.lab.example", "A 192.0.2.2")};
	struct planning p = {.pg = NULL};
	struct belief *v, *got, other;

	open_planning(&p);
	put(&w->f, w, b, 2);
	v = listed(w, 2);
	other = *get(&p.f, w, &b[1]);
	other.why = "another lease";
	put(&p.f, w, &other, 1);
	assert_true(proven_at(w, &v[0], 55));
	assert_false(proven_at(w, &v[1], 55));
	got = get(&w->f, w, &b[0]);
	assert_true(rrs_equal(&got->published, &b[0].want) && rrs_equal(&got->want, &b[0].want));
	assert_int_equal(got->state, BELIEF_STEP);
	assert_int_equal(got->settled_at_s, 55);
	assert_int_equal(get(&w->f, w, &b[1])->state, BELIEF_DUE);
	/* It lies elsewhere now, and was told where. */
	assert_true(proven_at(w, &v[0], 56));
	/* Being planned. */
	ok(&p, p.f.begin(p.f.ctx, &p.e));
	get(&p.f, w, &b[0]);
	assert_false(proven_at(w, &v[0], 57));
	ok(&p, p.f.commit(p.f.ctx, &p.e));
	close_planning(&p);
}

static void a_settled_row_can_be_settled_again(void **state)
{
	struct world *w = *state;
	struct belief b = due(w, "a.lab.example", "A 192.0.2.1"), *v;
	uint64_t version;
	bool done;

	put(&w->f, w, &b, 1);
	v = listed(w, 1);
	version = v->version;
	v->offered[0] = v->want;
	v->n_offered = 1;
	settle(w, v, 1, &done);
	assert_true(done && v->version != version);
	assert_int_equal(get(&w->f, w, &b)->n_offered, 1);
	v->n_offered = 0;
	settle(w, v, 1, &done);
	assert_true(done);
	assert_int_equal(get(&w->f, w, &b)->n_offered, 0);
	v->version = version;
	settle(w, v, 1, &done);
	assert_false(done);
}

/* Who plans and could not see an offer would forget it. */
static void planning_waits_for_what_is_being_settled(void **state)
{
	struct world *w = *state;
	struct belief b = due(w, "a.lab.example", "A 192.0.2.1"), *v, *got;
	struct zone_key k = {b.zone_id, b.owner};
	struct planning p = {.pg = NULL};
	bool done;
	size_t n;

	open_planning(&p);
	put(&w->f, w, &b, 1);
	v = listed(w, 1);
	v->offered[0] = v->want;
	v->n_offered = 1;
	ok(w, w->f.begin(w->f.ctx, &w->e));
	ok(w, w->f.beliefs_settle(w->f.ctx, v, 1, &done, &w->e));
	ok(&p, p.f.begin(p.f.ctx, &p.e));
	assert_int_equal(p.f.beliefs_get(p.f.ctx, &got, &n, &k, 1, &w->a, &p.e), ERR_BUSY);
	p.f.rollback(p.f.ctx);
	ok(w, w->f.commit(w->f.ctx, &w->e));
	ok(&p, p.f.begin(p.f.ctx, &p.e));
	assert_int_equal(get(&p.f, w, &b)->n_offered, 1);
	ok(&p, p.f.commit(p.f.ctx, &p.e));
	close_planning(&p);
}

static void settling_does_not_wait_for_the_space(void **state)
{
	struct world *w = *state;
	struct belief b = due(w, "a.lab.example", "A 192.0.2.1"), *v;
	struct planning p = {.pg = NULL};
	bool done;

	open_planning(&p);
	put(&w->f, w, &b, 1);
	v = listed(w, 1);
	ok(&p, p.f.begin(p.f.ctx, &p.e));
	ok(&p, p.f.lock_space(p.f.ctx, w->spaces[0].id, &p.e));
	ok(&p, p.f.beliefs_put(p.f.ctx, &(struct belief){.zone_id = b.zone_id,
							  .owner = name("b.lab.example"),
							  .want = b.want, .why = ""}, 1, &p.e));
	settle(w, v, 1, &done);
	assert_true(done);
	ok(&p, p.f.commit(p.f.ctx, &p.e));
	close_planning(&p);
}

static void rows_tell_whether_they_were_written_since_the_zone_is_ours(void **state)
{
	struct world *w = *state;
	struct belief b[2] = {due(w, "a.lab.example", "A 192.0.2.1"),
			      due(w, "b.lab.example", "A 192.0.2.2")}, *v;
	struct planning p = {.pg = NULL};
	uint64_t since, again;
	bool got;

	open_planning(&p);
	put(&w->f, w, &b[0], 1);
	ok(w, w->f.zone_lock(w->f.ctx, w->zones[0].id, &got, &since, &w->e));
	assert_true(got);
	put(&p.f, w, &b[1], 1);
	v = listed(w, 2);
	assert_false(belief_written_since(&v[0], since));
	assert_true(belief_written_since(&v[1], since));
	ok(w, w->f.zone_lock(w->f.ctx, w->zones[0].id, &got, &again, &w->e));
	assert_true(got && again == since);
	ok(&p, p.f.zone_lock(p.f.ctx, w->zones[0].id, &got, &again, &p.e));
	assert_false(got);
	close_planning(&p);
}

static void rows_written_since_they_were_listed_to_be_sent_are_unsent(void **state)
{
	struct world *w = *state;
	struct belief b[2] = {due(w, "a.lab.example", "A 192.0.2.1"),
			      due(w, "b.lab.example", "A 192.0.2.2")};
	struct due_page page = {.zone_id = w->zones[0].id};
	struct belief other;
	uint64_t since, unsent;
	bool got;

	assert_false(w->f.zone_held(w->f.ctx, w->zones[0].id, &unsent));
	w->f.zone_sends(w->f.ctx, w->zones[0].id, 7);
	ok(w, w->f.zone_lock(w->f.ctx, w->zones[0].id, &got, &since, &w->e));
	assert_true(w->f.zone_held(w->f.ctx, w->zones[0].id, &unsent));
	assert_int_equal(unsent, since);
	put(&w->f, w, b, 2);
	assert_true(belief_written_since(get(&w->f, w, &b[0]), unsent));
	ok(w, w->f.beliefs_due(w->f.ctx, &page, 1, 20, 10, &w->a, &w->e));
	assert_int_equal(page.n, 2);
	w->f.zone_sends(w->f.ctx, w->zones[0].id, page.before);
	other = *get(&w->f, w, &b[1]);
	other.why = "another lease";
	put(&w->f, w, &other, 1);
	assert_true(w->f.zone_held(w->f.ctx, w->zones[0].id, &unsent));
	assert_false(belief_written_since(get(&w->f, w, &b[0]), unsent));
	assert_true(belief_written_since(get(&w->f, w, &b[1]), unsent));
	/* Since when the zone is ours is another question. */
	ok(w, w->f.zone_lock(w->f.ctx, w->zones[0].id, &got, &since, &w->e));
	assert_true(belief_written_since(get(&w->f, w, &b[0]), since));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(only_rows_as_they_were_read_are_settled),
		T(what_was_wanted_stands_where_nobody_wrote_the_row),
		T(a_settled_row_can_be_settled_again),
		T(planning_waits_for_what_is_being_settled),
		T(settling_does_not_wait_for_the_space),
		T(rows_tell_whether_they_were_written_since_the_zone_is_ours),
		T(rows_written_since_they_were_listed_to_be_sent_are_unsent),
	};

	conninfo();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
