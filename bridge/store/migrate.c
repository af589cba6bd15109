/* migrate.c - the schema: files of schema/ run in order, each once, in a transaction of its own.
 *
 * What was run is kept with its checksum: a file that was edited after its release is refused,
 * because nobody could say any more what a database holds.
 */
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/store/inside.h"
#include "bridge/value/wirelen.h"
#include "sql.h"

/* Statements of a migration may rewrite tables. */
enum { MIGRATE_TIMEOUT_S = 3600, LOCK_MIGRATE = 0x6970616d + 2 };

enum { SHA_TEXT = 2 * SHA256_DIGEST_LENGTH + 1 };

static const char *checksum(char out[SHA_TEXT], const char *text)
{
	unsigned char d[SHA256_DIGEST_LENGTH];
	int i;

	SHA256((const unsigned char *)text, strlen(text), d);
	for (i = 0; i < SHA256_DIGEST_LENGTH; i++)
		snprintf(out + 2 * i, 3, "%02x", d[i]);
	return out;
}

/* What a database holds. */
struct state {
	bool schema;       /* schema "ipambridge" exists */
	bool ours;         /* and has our table of migrations */
	struct pg_rows *applied;  /* version, name, sha256, applied_at; NULL unless ours */
};

static void state_fini(struct state *st)
{
	pg_rows_free(st->applied);
	st->applied = NULL;
}

static int read_state(struct state *st, struct pg *pg, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	int r = pg_query(&rows, pg, sql_migration_state, NULL, e);

	memset(st, 0, sizeof(*st));
	if (r < 0)
		return r;
	st->schema = pg_bool(rows, 0, 0);
	st->ours = pg_bool(rows, 0, 1);
	return st->ours ? pg_query(&st->applied, pg, sql_migration_list, NULL, e) : 0;
}

/* The row of a version, or -1. */
static int find_applied(const struct state *st, int version)
{
	size_t i, n = st->applied == NULL ? 0 : pg_rows_n(st->applied);

	for (i = 0; i < n; i++)
		if (pg_i32(st->applied, i, 0) == version)
			return (int)i;
	return -1;
}

static bool is_changed(const struct state *st, int row, const struct sql_migration *m)
{
	char sum[SHA_TEXT];

	return strcmp(pg_text(st->applied, (size_t)row, 2), checksum(sum, m->text)) != 0;
}

static int newest_known(void)
{
	return sql_n_migrations == 0 ? 0 : sql_migrations[sql_n_migrations - 1].version;
}

static int newest_applied(const struct state *st)
{
	size_t n = st->applied == NULL ? 0 : pg_rows_n(st->applied);

	return n == 0 ? 0 : pg_i32(st->applied, n - 1, 0);
}

static int refuse_newer(const struct state *st, struct err *e)
{
	err_set(e, ERR_CONF, "the database schema has version %d, this program knows %d",
		newest_applied(st), newest_known());
	err_hint(e, "a newer ipambridge has migrated this database: update this one");
	return ERR_CONF;
}

static int refuse_missing(const struct state *st, struct err *e)
{
	if (st->schema) {
		err_set(e, ERR_CONF, "the database has a schema \"ipambridge\" that is not ours");
		err_hint(e, "use another database, or rename that schema");
	} else {
		err_set(e, ERR_CONF, "the database has no ipambridge schema yet");
		err_hint(e, "run: ipambridge db init");
	}
	return ERR_CONF;
}

static int refuse_changed(const struct sql_migration *m, struct err *e)
{
	err_set(e, ERR_CONF, "migration \"%s\" was applied with another content", m->name);
	err_hint(e, "this program was built from edited migrations: build it from a release");
	return ERR_CONF;
}

int db_check(struct pg *pg, struct err *e)
{
	AUTO(state_fini) struct state st;
	size_t i;
	int r = read_state(&st, pg, e);

	if (r < 0)
		return r;
	if (!st.ours)
		return refuse_missing(&st, e);
	if (newest_applied(&st) > newest_known())
		return refuse_newer(&st, e);
	for (i = 0; i < sql_n_migrations; i++) {
		if (find_applied(&st, sql_migrations[i].version) >= 0)
			continue;
		err_set(e, ERR_CONF, "the database schema is older than this program: \"%s\" is missing",
			sql_migrations[i].name);
		err_hint(e, "run: ipambridge db migrate");
		return ERR_CONF;
	}
	return 0;
}

/* ---- running ------------------------------------------------------------------------------- */

static int note_applied(struct pg *pg, const struct sql_migration *m, struct err *e)
{
	char sum[SHA_TEXT];
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, m->version);
	pg_arg_text(&a, m->name);
	pg_arg_text(&a, checksum(sum, m->text));
	r = pg_run(pg, sql_migration_add, &a, e);
	pg_args_fini(&a);
	return r;
}

static int lock(struct pg *pg, struct err *e)
{
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, LOCK_MIGRATE);
	pg_arg_i32(&a, 0);
	r = pg_run(pg, sql_lock_space, &a, e);
	pg_args_fini(&a);
	return r < 0 ? err_in(e, r, "another process migrates this database") : 0;
}

/* Inside a transaction that holds the lock: 1 when it was run, 0 when it was there already. */
static int run_one(struct pg *pg, const struct sql_migration *m, bool init, struct err *e)
{
	AUTO(state_fini) struct state st;
	int row, r = read_state(&st, pg, e);

	if (r < 0)
		return r;
	if (!st.ours && (st.schema || !init))
		return refuse_missing(&st, e);
	if (newest_applied(&st) > newest_known())
		return refuse_newer(&st, e);
	row = find_applied(&st, m->version);
	if (row >= 0)
		return is_changed(&st, row, m) ? refuse_changed(m, e) : 0;
	r = pg_script(pg, m->text, e);
	if (r == 0)
		r = note_applied(pg, m, e);
	return r < 0 ? err_in(e, r, "migration \"%s\"", m->name) : 1;
}

static int run_in_transaction(struct pg *pg, const struct sql_migration *m, bool init,
			      struct err *e)
{
	int done, r = pg_run(pg, "begin", NULL, e);

	if (r < 0)
		return r;
	done = lock(pg, e);
	if (done == 0)
		done = run_one(pg, m, init, e);
	if (done < 0) {
		pg_run(pg, "rollback", NULL, NULL);
		return done;
	}
	r = pg_run(pg, "commit", NULL, e);
	return r < 0 ? r : done;
}

static int run_all(struct pg *pg, unsigned *n_run, bool init, struct err *e)
{
	int64_t timeout_s = pg_timeout(pg);
	size_t i;
	int r = 0;

	*n_run = 0;
	pg_set_timeout(pg, MIGRATE_TIMEOUT_S);
	for (i = 0; i < sql_n_migrations && r >= 0; i++) {
		r = run_in_transaction(pg, &sql_migrations[i], init, e);
		*n_run += r > 0;
	}
	pg_set_timeout(pg, timeout_s);
	return r < 0 ? r : 0;
}

int db_init(struct pg *pg, unsigned *n_run, struct err *e)
{
	return run_all(pg, n_run, true, e);
}

int db_migrate(struct pg *pg, unsigned *n_run, struct err *e)
{
	return run_all(pg, n_run, false, e);
}

/* ---- status -------------------------------------------------------------------------------- */

int db_status(struct pg *pg, struct migration_row *out, size_t cap, size_t *n, struct err *e)
{
	AUTO(state_fini) struct state st;
	size_t i;
	int r = read_state(&st, pg, e);

	*n = 0;
	if (r < 0)
		return r;
	if (newest_applied(&st) > newest_known())
		return refuse_newer(&st, e);
	for (i = 0; i < sql_n_migrations && *n < cap; i++) {
		const struct sql_migration *m = &sql_migrations[i];
		struct migration_row *row = &out[(*n)++];
		int at = find_applied(&st, m->version);

		*row = (struct migration_row){.version = m->version, .name = m->name};
		if (at < 0)
			continue;
		time_print(row->applied_at, pg_time(st.applied, (size_t)at, 3));
		row->changed = is_changed(&st, at, m);
	}
	return 0;
}
