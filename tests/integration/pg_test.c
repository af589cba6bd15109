/* pg_test.c - sessions, values, deadlines and migrations on a real PostgreSQL. */
#include "tests/integration/world.h"

/* ---- the pg room --------------------------------------------------------------------------- */

static void values_of_every_type_come_back(void **state)
{
	static const char sql[] = "select $1::int, $2::bigint, $3::boolean, $4::text, $5::bytea,"
		" $6::inet, $7::timestamptz, $8::timestamptz, $9::timestamptz, $10::inet,"
		" (select max(x) from unnest($11::int[]) x), $12::text[], null::text,"
		" '02:00:00:00:00:07'::macaddr, 7::smallint, '-infinity'::timestamptz";
	static const char *const texts[] = {"", "a,\"b\"\\", NULL};
	static const int32_t numbers[] = {3, 9, -1};
	struct world *w = *state;
	struct ipaddr v4 = addr("192.0.2.7"), v6 = addr("2001:db8::7"), got;
	struct pg_field f[4];
	struct pg_args a;
	struct pg_rows *r;
	struct mac m;
	int i;

	pg_args_init(&a);
	pg_arg_i32(&a, -5);
	pg_arg_i64(&a, INT64_MIN);
	pg_arg_bool(&a, true);
	pg_arg_text(&a, "it's \"quoted\" \\ and \xc3\xa4 \xff\x80");
	pg_arg_bytes(&a, "a\0'\\b", 5);
	pg_arg_inet(&a, &v4);
	pg_arg_time(&a, 1);
	pg_arg_time(&a, OBS_FOREVER);
	pg_arg_time(&a, 0);
	pg_arg_inet(&a, &v6);
	pg_arg_array(&a, PG_INT4, 3);
	for (i = 0; i < 3; i++)
		pg_elem_i32(&a, numbers[i]);
	pg_arg_texts(&a, texts, 3);
	ok(w, pg_query(&r, w->pg, sql, &a, &w->e));
	pg_args_fini(&a);
	assert_int_equal(pg_i32(r, 0, 0), -5);
	assert_true(pg_i64(r, 0, 1) == INT64_MIN);
	assert_true(pg_bool(r, 0, 2));
	assert_string_equal(pg_text(r, 0, 3), "it's \"quoted\" \\ and \xc3\xa4 ??");
	assert_int_equal(pg_bytes(r, 0, 4).len, 5);
	assert_memory_equal(pg_bytes(r, 0, 4).p, "a\0'\\b", 5);
	got = pg_inet(r, 0, 5);
	assert_int_equal(ipaddr_cmp(&got, &v4), 0);
	assert_int_equal(pg_time(r, 0, 6), 1);
	assert_true(pg_time(r, 0, 7) == OBS_FOREVER);
	assert_true(pg_is_null(r, 0, 8));
	got = pg_inet(r, 0, 9);
	assert_int_equal(ipaddr_cmp(&got, &v6), 0);
	assert_int_equal(pg_i32(r, 0, 10), 9);
	assert_int_equal(pg_texts(r, 0, 11, f, 4), 3);
	assert_int_equal(f[0].len, 0);
	assert_non_null(f[0].p);
	assert_memory_equal(f[1].p, "a,\"b\"\\", 6);
	assert_null(f[2].p);
	assert_true(pg_is_null(r, 0, 12));
	assert_string_equal(pg_text(r, 0, 12), "");
	m = pg_mac(r, 0, 13);
	assert_true(m.known);
	assert_int_equal(m.b[5], 7);
	assert_int_equal(pg_i32(r, 0, 14), 7);
	assert_int_equal(pg_time(r, 0, 15), 0);
	pg_rows_free(r);
}

struct copied {
	int rows;
	int stop_at;
};

static int on_copied(void *arg, const struct pg_field *f, int n, struct err *e)
{
	struct copied *c = arg;

	assert_int_equal(n, 3);
	if (c->rows == 0) {
		assert_int_equal(f[0].len, 4);
		assert_memory_equal(f[1].p, "a\0b\n\\.", 6);
		assert_null(f[2].p);
	} else {
		assert_int_equal(f[2].len, 70000);
	}
	c->rows++;
	return c->stop_at == c->rows ? err_set(e, ERR_BUSY, "enough") : 0;
}

static void binary_copy_carries_any_bytes_both_ways(void **state)
{
	static const char out[] = "copy (select n, b, t from c order by n) to stdout (format binary)";
	struct world *w = *state;
	struct copied c = {0};
	char *big = calloc(1, 70000);
	int i;

	memset(big, 'x', 70000);
	ok(w, pg_script(w->pg, "create temp table c (n int, b bytea, t text, m macaddr,"
			" a inet, s timestamptz, l bigint, o boolean)", &w->e));
	ok(w, pg_copy_begin(w->pg, "copy c from stdin (format binary)", &w->e));
	for (i = 0; i < 20; i++) {
		struct ipaddr ip = addr("2001:db8::1");
		struct mac m = {true, {1, 2, 3, 4, 5, 6}};

		pg_copy_row(w->pg, 8);
		pg_copy_i32(w->pg, i);
		pg_copy_bytes(w->pg, "a\0b\n\\.", 6);
		pg_copy_text(w->pg, i == 0 ? NULL : big, i == 0 ? 0 : 70000);
		pg_copy_mac(w->pg, &m);
		pg_copy_inet(w->pg, &ip);
		pg_copy_time(w->pg, OBS_FOREVER);
		pg_copy_i64(w->pg, 1LL << 40);
		pg_copy_bool(w->pg, true);
		ok(w, pg_copy_flush(w->pg, &w->e));
	}
	ok(w, pg_copy_end(w->pg, &w->e));
	free(big);
	assert_int_equal(count(w, "select count(*) from c where "
				  "m = '01:02:03:04:05:06' and a = '2001:db8::1' and s = 'infinity' "
				  "and l = 1099511627776 and o"), 20);
	ok(w, pg_copy_out(w->pg, out, on_copied, &c, &w->e));
	assert_int_equal(c.rows, 20);
	c = (struct copied){.stop_at = 3};
	assert_int_equal(pg_copy_out(w->pg, out, on_copied, &c, &w->e), ERR_BUSY);
	assert_string_equal(w->e.text, "enough");
	assert_int_equal(count(w, "select 1"), 1);
}

static void a_refused_copy_leaves_the_session_usable(void **state)
{
	struct world *w = *state;

	ok(w, pg_script(w->pg, "create temp table c (n int check (n > 0))", &w->e));
	assert_int_equal(pg_copy_begin(w->pg, "copy missing from stdin (format binary)", &w->e),
			 ERR_BUG);
	ok(w, pg_copy_begin(w->pg, "copy c from stdin (format binary)", &w->e));
	pg_copy_row(w->pg, 1);
	pg_copy_i32(w->pg, -1);
	assert_int_equal(pg_run(w->pg, "select 1", NULL, &w->e), ERR_BUG);
	assert_int_equal(pg_copy_end(w->pg, &w->e), ERR_BUG);
	assert_non_null(strstr(w->e.text, "23514"));
	assert_int_equal(pg_copy_end(w->pg, &w->e), ERR_BUG);
	assert_int_equal(count(w, "select 1"), 1);
}

static void copy_one(struct world *w, int32_t n)
{
	ok(w, pg_copy_begin(w->pg, "copy c from stdin (format binary)", &w->e));
	pg_copy_row(w->pg, 1);
	pg_copy_i32(w->pg, n);
	ok(w, pg_copy_end_later(w->pg, &w->e));
}

static void a_copy_answered_later_fails_the_next_statement(void **state)
{
	struct world *w = *state;

	ok(w, pg_script(w->pg, "create temp table c (n int check (n > 0))", &w->e));
	copy_one(w, 1);
	copy_one(w, 2);
	assert_int_equal(count(w, "select count(*) from c"), 2);
	copy_one(w, -1);
	assert_int_equal(pg_run(w->pg, "delete from c", NULL, &w->e), ERR_BUG);
	assert_non_null(strstr(w->e.text, "23514"));
	assert_int_equal(count(w, "select count(*) from c"), 2);
	copy_one(w, -1);
	assert_int_equal(pg_copy_begin(w->pg, "copy c from stdin (format binary)", &w->e), ERR_BUG);
	assert_int_equal(count(w, "select count(*) from c"), 2);
	copy_one(w, 3);
}

static void a_slow_statement_is_cancelled_by_the_server_and_the_session_lives(void **state)
{
	struct world *w = *state;

	pg_set_timeout(w->pg, 1);
	assert_int_equal(pg_run(w->pg, "select pg_sleep(20)", NULL, &w->e), ERR_BUSY);
	assert_non_null(strstr(w->e.text, "57014"));
	assert_int_equal(count(w, "select 1"), 1);
}

static void a_silent_server_is_given_up_at_the_deadline(void **state)
{
	struct world *w = *state;
	int64_t t0;

	pg_set_timeout(w->pg, 1);
	/* A server that does not know of the deadline behaves like one that is stopped. */
	ok(w, pg_run(w->pg, "set statement_timeout = 0", NULL, &w->e));
	t0 = clock_mono_ms();
	assert_int_equal(pg_run(w->pg, "select pg_sleep(20)", NULL, &w->e), ERR_BUSY);
	assert_true(clock_mono_ms() - t0 < 5000);
	assert_non_null(strstr(w->e.text, "did not answer within 1 s"));
	assert_true(w->e.hint[0] != '\0');
	t0 = clock_mono_ms();
	assert_int_equal(pg_run(w->pg, "select 1", NULL, &w->e), ERR_SYS);
	assert_non_null(strstr(w->e.text, "did not answer within 1 s"));
	assert_int_equal(pg_copy_begin(w->pg, "copy c from stdin", &w->e), ERR_SYS);
	assert_int_equal(pg_copy_flush(w->pg, &w->e), ERR_SYS);
	assert_int_equal(pg_copy_end(w->pg, &w->e), ERR_SYS);
	assert_true(clock_mono_ms() - t0 < 100);
}

static void errors_are_reactions(void **state)
{
	static const struct {
		const char *state;
		int code;
	} t[] = {{"42501", ERR_DENIED}, {"55P03", ERR_BUSY}, {"40001", ERR_BUSY},
		 {"40P01", ERR_BUSY}, {"23503", ERR_BUG}, {"22003", ERR_BUG}, {"53100", ERR_SYS},
		 {"23505", ERR_BUSY}, {"28000", ERR_DENIED}};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct world v = {0};
		char sql[160];

		ok(&v, pg_open(&v.pg, conninfo(), "test", 5, &v.e));
		snprintf(sql, sizeof(sql), "do $$ begin raise exception 'no' using errcode = '%s'; "
			 "end $$", t[i].state);
		assert_int_equal(pg_script(v.pg, sql, &v.e), t[i].code);
		pg_close(v.pg);
	}
	assert_int_equal(pg_run(w->pg, "select pg_terminate_backend(pg_backend_pid())", NULL,
				&w->e), ERR_SYS);
	assert_int_equal(pg_run(w->pg, "select 1", NULL, &w->e), ERR_SYS);
}

static void a_session_that_cannot_be_opened_says_what_to_do(void **state)
{
	struct world *w = *state;
	struct pg *p = NULL;
	char s[512];

	snprintf(s, sizeof(s), "%s dbname=no_such_database", conninfo());
	assert_int_equal(pg_open(&p, s, "test", 5, &w->e), ERR_CONF);
	assert_non_null(strstr(w->e.hint, "createdb"));
	snprintf(s, sizeof(s), "%s user=nobody_at_all", conninfo());
	assert_int_equal(pg_open(&p, s, "test", 5, &w->e), ERR_DENIED);
	assert_int_equal(pg_open(&p, "host=/nonexistent dbname=x", "test", 5, &w->e), ERR_SYS);
	assert_non_null(strstr(w->e.hint, "running"));
	assert_int_equal(pg_open(&p, "host=127.0.0.1 port=1 dbname=x", "test", 5, &w->e), ERR_SYS);
	assert_int_equal(pg_open(&p, "host=/x nonsense", "test", 5, &w->e), ERR_CONF);
	assert_int_equal(pg_open(&p, "colour=blue", "test", 5, &w->e), ERR_CONF);
	assert_null(p);
}

static void a_commit_that_was_a_rollback_is_an_error(void **state)
{
	struct world *w = *state;

	ok(w, pg_run(w->pg, "begin", NULL, &w->e));
	assert_int_equal(pg_run(w->pg, "select 1/0", NULL, &w->e), ERR_BUG);
	assert_int_equal(pg_run(w->pg, "commit", NULL, &w->e), ERR_BUG);
}

static void the_session_is_set_up_as_statements_expect(void **state)
{
	struct world *w = *state;

	assert_string_equal(ask(w, "select current_setting('application_name')"),
			    "ipambridge test");
	assert_string_equal(ask(w, "select current_setting('TimeZone')"), "UTC");
	assert_string_equal(ask(w, "select current_setting('search_path')"),
			    "pg_catalog, pg_temp");
	assert_string_equal(ask(w, "select current_setting('client_min_messages')"), "warning");
	assert_string_equal(ask(w, "select current_setting('statement_timeout')"), "10s");
	assert_string_equal(ask(w, "select current_setting('lock_timeout')"), "7500ms");
}

/* ---- roles --------------------------------------------------------------------------------- */

static void a_reader_looks_and_a_writer_works(void **state)
{
	static const char *const writes[] = {
		"insert into ipambridge.space (name) values ('x')",
		"update ipambridge.owner set state = 'due'",
		"delete from ipambridge.host", "truncate ipambridge.host",
		"insert into ipambridge.journal (at, event) values (now(), 'x')",
		"select ipambridge.tally_fold()", "create table ipambridge.x ()",
		"select ipambridge.grant_roles()",
	};
	struct world *w = *state;
	unsigned n;
	size_t i;

	ok(w, db_init(w->pg, &n, &w->e));
	ok(w, pg_script(w->pg, "create table ipambridge.later (n int)", &w->e));
	assert_int_equal(pg_set_role(w->pg, "no such role", &w->e), 0);
	assert_int_equal(pg_set_role(w->pg, "ipambridge_writer", &w->e), 1);
	ok(w, pg_script(w->pg, "insert into ipambridge.space (name) values ('x')", &w->e));
	ok(w, pg_script(w->pg, "insert into ipambridge.journal (at, event) values (now(), 'x')",
			&w->e));
	ok(w, pg_script(w->pg, "insert into ipambridge.later values (1)", &w->e));
	ok(w, pg_script(w->pg, "select ipambridge.tally_fold()", &w->e));
	ok(w, pg_script(w->pg, "select ipambridge.journal_trim(now() + interval '1 h', 10)",
			&w->e));
	assert_int_equal(pg_script(w->pg, "delete from ipambridge.migration", &w->e), ERR_DENIED);
	ok(w, pg_script(w->pg, "reset role", &w->e));
	assert_int_equal(pg_set_role(w->pg, "ipambridge_reader", &w->e), 1);
	assert_int_equal(count(w, "select count(*) from ipambridge.space"), 1);
	assert_int_equal(count(w, "select count(*) from ipambridge.later"), 1);
	for (i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		assert_int_equal(pg_script(w->pg, writes[i], &w->e), ERR_DENIED);
}

/* The cluster's own roles are other tests' too: a user that may not make roles, and whom nobody
 * gave them, is as if they were not there. */
static void without_the_right_to_make_roles_everything_works(void **state)
{
	struct world *w = *state;
	unsigned n;

	ok(w, pg_script(w->pg, "do $$ begin if not exists (select from pg_roles where rolname = "
			"'plain_user') then create role plain_user; end if; "
			"execute format('grant create on database %I to plain_user', "
			"current_database()); end $$", &w->e));
	assert_int_equal(pg_set_role(w->pg, "plain_user", &w->e), 1);
	ok(w, db_init(w->pg, &n, &w->e));
	assert_int_equal(n, sql_n_migrations);
	assert_int_equal(pg_set_role(w->pg, "ipambridge_reader", &w->e), 0);
	ok(w, store_open(&w->store, w->pg, &w->e));
}

/* ---- migrations ---------------------------------------------------------------------------- */

static void the_schema_is_created_once(void **state)
{
	struct world *w = *state;
	struct migration_row rows[64];
	unsigned n_run;
	size_t n;

	assert_int_equal(store_open(&w->store, w->pg, &w->e), ERR_CONF);
	assert_non_null(strstr(w->e.hint, "db init"));
	assert_int_equal(db_migrate(w->pg, &n_run, &w->e), ERR_CONF);
	ok(w, db_status(w->pg, rows, 64, &n, &w->e));
	assert_int_equal(n, sql_n_migrations);
	assert_string_equal(rows[0].applied_at, "");
	ok(w, db_init(w->pg, &n_run, &w->e));
	assert_int_equal(n_run, sql_n_migrations);
	ok(w, db_init(w->pg, &n_run, &w->e));
	assert_int_equal(n_run, 0);
	ok(w, db_migrate(w->pg, &n_run, &w->e));
	assert_int_equal(n_run, 0);
	ok(w, db_status(w->pg, rows, 64, &n, &w->e));
	assert_int_equal(strlen(rows[0].applied_at), 20);
	assert_false(rows[0].changed);
	ok(w, store_open(&w->store, w->pg, &w->e));
	assert_int_equal(pg_timeout(w->pg), 10);
}

static void a_migration_edited_after_its_release_is_refused(void **state)
{
	struct world *w = *state;
	struct migration_row rows[64];
	unsigned n_run;
	size_t n;

	ok(w, db_init(w->pg, &n_run, &w->e));
	ok(w, pg_script(w->pg, "update ipambridge.migration set sha256 = 'other'", &w->e));
	ok(w, db_status(w->pg, rows, 64, &n, &w->e));
	assert_true(rows[0].changed);
	assert_int_equal(db_migrate(w->pg, &n_run, &w->e), ERR_CONF);
}

static void a_newer_schema_is_refused(void **state)
{
	struct world *w = *state;
	struct migration_row rows[64];
	unsigned n_run;
	size_t n;

	ok(w, db_init(w->pg, &n_run, &w->e));
	ok(w, pg_script(w->pg, "insert into ipambridge.migration values (9999, 'x', 'y')", &w->e));
	assert_int_equal(store_open(&w->store, w->pg, &w->e), ERR_CONF);
	assert_non_null(strstr(w->e.text, "9999"));
	assert_int_equal(db_migrate(w->pg, &n_run, &w->e), ERR_CONF);
	assert_int_equal(db_status(w->pg, rows, 64, &n, &w->e), ERR_CONF);
	ok(w, pg_script(w->pg, "delete from ipambridge.migration", &w->e));
	assert_int_equal(store_open(&w->store, w->pg, &w->e), ERR_CONF);
	assert_non_null(strstr(w->e.hint, "db migrate"));
}

static void a_schema_of_somebody_else_is_left_alone(void **state)
{
	struct world *w = *state;
	unsigned n_run;

	ok(w, pg_script(w->pg, "create schema ipambridge", &w->e));
	assert_int_equal(db_init(w->pg, &n_run, &w->e), ERR_CONF);
	assert_int_equal(n_run, 0);
}

static void every_query_can_be_prepared(void **state)
{
	struct world *w = *state;
	size_t i;

	/* Tables of the session that some refer to. */
	ok(w, w->f.stage_begin(w->f.ctx, src(w, DHCP), &w->e));
	ok(w, pg_script(w->pg, sql_stage_make_diff, &w->e));
	for (i = 0; i < sql_n_queries; i++) {
		size_t size = strlen(sql_queries[i].text) + 64;
		char *sql = malloc(size);
		const char *body = sql_queries[i].text;
		bool plain;

		while (strncmp(body, "--", 2) == 0)
			body = strchr(body, '\n') + 1;
		plain = strncmp(body, "select", 6) == 0 || strncmp(body, "with", 4) == 0 ||
			strncmp(body, "merge", 5) == 0 || strncmp(body, "insert", 6) == 0 ||
			strncmp(body, "update", 6) == 0 || strncmp(body, "delete", 6) == 0;
		/* PREPARE refuses commands without a plan; they stand in the tests that use them. */
		if (plain) {
			snprintf(sql, size, "prepare q%zu as %s", i, sql_queries[i].text);
			if (pg_script(w->pg, sql, &w->e) < 0)
				fail_msg("%s: %s", sql_queries[i].name, w->e.text);
		}
		free(sql);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		E(values_of_every_type_come_back),
		E(binary_copy_carries_any_bytes_both_ways),
		E(a_refused_copy_leaves_the_session_usable),
		E(a_copy_answered_later_fails_the_next_statement),
		E(a_slow_statement_is_cancelled_by_the_server_and_the_session_lives),
		E(a_silent_server_is_given_up_at_the_deadline),
		E(errors_are_reactions),
		E(a_session_that_cannot_be_opened_says_what_to_do),
		E(a_commit_that_was_a_rollback_is_an_error),
		E(the_session_is_set_up_as_statements_expect),
		E(a_reader_looks_and_a_writer_works),
		E(without_the_right_to_make_roles_everything_works),
		E(the_schema_is_created_once),
		E(a_migration_edited_after_its_release_is_refused),
		E(a_newer_schema_is_refused),
		E(a_schema_of_somebody_else_is_left_alone),
		T(every_query_can_be_prepared),
	};

	conninfo();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
