/* live_test.c - servers, processes, passes and counters on a real PostgreSQL. */
#include <unistd.h>

#include "bridge/store/live.h"
#include "tests/integration/world.h"

/* ---- what is going on now ------------------------------------------------------------------ */

static void a_server_keeps_since_when_it_is_so(void **state)
{
	struct world *w = *state;
	struct server_state v = {.name = "ns1", .state = SERVER_UNREACHABLE, .next_try_s = 2000,
				 .last_error = "refused; it's \"down\"", .queue = 7,
				 .oldest_due_s = 1000, .in_flight = 2, .messages = 1LL << 40,
				 .message_ms = 9};
	struct server_state *got;
	int64_t since;
	size_t n;

	ok(w, store_server_put(w->pg, &v, &w->e));
	ok(w, pg_script(w->pg, "update ipambridge.server_state set since = since - interval '1 h'",
			&w->e));
	ok(w, store_servers_get(w->pg, &got, &n, &w->a, &w->e));
	assert_int_equal(n, 1);
	assert_string_equal(got[0].name, "ns1");
	assert_int_equal(got[0].state, SERVER_UNREACHABLE);
	assert_string_equal(got[0].last_error, v.last_error);
	assert_int_equal(got[0].next_try_s, 2000);
	assert_int_equal(got[0].queue, 7);
	assert_int_equal(got[0].oldest_due_s, 1000);
	assert_int_equal(got[0].in_flight, 2);
	assert_true(got[0].messages == 1LL << 40 && got[0].message_ms == 9);
	since = got[0].since_s;
	ok(w, store_server_put(w->pg, &v, &w->e));
	ok(w, store_servers_get(w->pg, &got, &n, &w->a, &w->e));
	assert_int_equal(got[0].since_s, since);
	v.state = SERVER_OK;
	v.last_error = NULL;
	ok(w, store_server_put(w->pg, &v, &w->e));
	ok(w, store_servers_get(w->pg, &got, &n, &w->a, &w->e));
	assert_int_equal(n, 1);
	assert_true(got[0].since_s > since);
	assert_null(got[0].last_error);
}

static void a_process_keeps_its_row_until_it_ends(void **state)
{
	struct world *w = *state;
	struct role_state mine = {.role = "push", .of = "ns1", .state = "running"};
	struct role_state other = {.host = "elsewhere", .pid = 7, .role = "sync", .state = "failing",
				   .status = "the database is away"};
	struct role_state *got;
	size_t n;

	ok(w, store_role_put(w->pg, &mine, &w->e));
	ok(w, store_role_put(w->pg, &other, &w->e));
	ok(w, pg_script(w->pg, "update ipambridge.role_state set started_at = started_at - "
			"interval '1 h', alive_at = alive_at - interval '2 days'", &w->e));
	ok(w, store_role_put(w->pg, &mine, &w->e));
	ok(w, store_roles_get(w->pg, &got, &n, &w->a, &w->e));
	assert_int_equal(n, 1);   /* the other one has been silent for two days */
	assert_int_equal(got[0].pid, getpid());
	assert_string_equal(got[0].of, "ns1");
	assert_true(got[0].alive_at_s - got[0].started_at_s >= 3600);
	assert_null(got[0].status);
	mine.role = "http";
	ok(w, store_role_put(w->pg, &mine, &w->e));
	ok(w, store_roles_get(w->pg, &got, &n, &w->a, &w->e));
	assert_true(got[0].alive_at_s - got[0].started_at_s < 60);
	ok(w, store_role_put(w->pg, &other, &w->e));
	ok(w, store_role_gone(w->pg, &w->e));
	ok(w, store_roles_get(w->pg, &got, &n, &w->a, &w->e));
	assert_int_equal(n, 1);
	assert_string_equal(got[0].host, "elsewhere");
	assert_string_equal(got[0].status, other.status);
}

static void the_last_thousand_passes_are_kept(void **state)
{
	struct world *w = *state;
	struct pass_row v = {.verb = "reconcile", .began_s = 1000, .ended_s = 1010, .exit = 4,
			     .changed = 1, .refused = 2, .pending = 3, .held = 4, .conflicts = 5,
			     .pulled = 6};
	struct pass_row *got;
	size_t n;

	ok(w, pg_script(w->pg, "insert into ipambridge.pass (verb, began_at, ended_at, exit) "
			"select 'old', now(), now(), 0 from generate_series(1, 1000)", &w->e));
	ok(w, store_pass_note(w->pg, &v, &w->e));
	v.error = "no more";
	ok(w, store_pass_note(w->pg, &v, &w->e));
	ok(w, store_passes_get(w->pg, &got, &n, 3, &w->a, &w->e));
	assert_int_equal(n, 3);
	assert_string_equal(got[0].error, "no more");
	assert_string_equal(got[1].verb, "reconcile");
	assert_int_equal(got[1].began_s, 1000);
	assert_int_equal(got[1].ended_s, 1010);
	assert_int_equal(got[1].exit, 4);
	assert_true(got[1].changed == 1 && got[1].refused == 2 && got[1].pending == 3);
	assert_true(got[1].held == 4 && got[1].conflicts == 5 && got[1].pulled == 6);
	assert_null(got[1].error);
	assert_int_equal(count(w, "select count(*) from ipambridge.pass"), 1000);
}

static void journal_lines_are_counted_for_ever(void **state)
{
	struct world *w = *state;
	struct journal_line l[3] = {
		{.at_s = 1, .zone_id = 1, .event = "done", .rcode = 0},
		{.at_s = 1, .zone_id = 1, .event = "done", .rcode = 0},
		{.at_s = 1, .event = "observed", .rcode = -1},
	};
	int i;

	for (i = 0; i < 3; i++)
		ok(w, w->f.journal(w->f.ctx, l, 3, &w->e));
	ok(w, w->f.begin(w->f.ctx, &w->e));
	ok(w, w->f.journal(w->f.ctx, l, 3, &w->e));
	w->f.rollback(w->f.ctx);
	assert_int_equal(count(w, "select count(*) from ipambridge.tally"), 6);
	ok(w, store_journal_trim(w->store, 3600, &w->e));
	ok(w, store_fold_tally(w->pg, &w->e));
	assert_int_equal(count(w, "select count(*) from ipambridge.tally"), 2);
	assert_int_equal(count(w, "select n from ipambridge.tally where event = 'done' and "
				  "zone_id = 1 and rcode = 0"), 6);
	assert_int_equal(count(w, "select n from ipambridge.tally where event = 'observed' and "
				  "zone_id is null and rcode is null"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_server_keeps_since_when_it_is_so),
		T(a_process_keeps_its_row_until_it_ends),
		T(the_last_thousand_passes_are_kept),
		T(journal_lines_are_counted_for_ever),
	};

	conninfo();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
