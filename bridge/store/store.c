/* store.c - opening the store, transactions, locks, dry runs.
 *
 * Owns the order of BEGIN and COMMIT and nothing of what stands between them.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/store/inside.h"
#include "sql.h"

/* Advisory locks: (class, object).  The first class is "ipam" in ASCII. */
enum { LOCK_RUN = 0x6970616d, LOCK_SPACE = LOCK_RUN + 1, LOCK_ZONE = LOCK_RUN + 2,
       LOCK_POLICY = LOCK_RUN + 3, LOCK_SYNC = LOCK_RUN + 4 };

/* Below this no table is worth the time that ANALYZE takes. */
enum { ANALYZE_MIN = 5000 };

static void store_freep(struct store **s)
{
	store_close(*s);
	*s = NULL;
}

static int read_growth(struct store *s, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	int i, r = pg_query(&rows, s->pg, sql_store_open, NULL, e);

	if (r < 0)
		return r;
	if (pg_rows_n(rows) != 1)
		return err_set(e, ERR_PROTO, "the database answered without rows");
	for (i = 0; i < GROWN; i++) {
		int64_t known = pg_i64(rows, 0, i);

		s->analyze_at[i] = known * 2 < ANALYZE_MIN ? ANALYZE_MIN : (uint64_t)known * 2;
	}
	return 0;
}

int store_open(struct store **out, struct pg *pg, struct err *e)
{
	AUTO(store_freep) struct store *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return err_nomem(e);
	s->pg = pg;
	r = db_check(pg, e);
	if (r < 0)
		return r;
	r = read_growth(s, e);
	if (r < 0)
		return r;
	*out = own_take(&s);
	return 0;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (s->dry)
		store_dry_end(s);
	store_stage_forget(s);
	vec_fini(&s->lines);
	vec_fini(&s->zones);
	arena_fini(&s->lines_arena);
	free(s);
}

/* ---- transactions -------------------------------------------------------------------------- */

static int flow_begin(void *ctx, struct err *e)
{
	struct store *s = ctx;
	int r;

	if (s->in_tx)
		return err_set(e, ERR_BUG, "begin inside a transaction");
	r = pg_run_later(s->pg, s->dry ? "savepoint step" : "begin", NULL, e);
	s->in_tx = r == 0;
	return r;
}

static void flow_rollback(void *ctx)
{
	struct store *s = ctx;

	if (!s->in_tx)
		return;
	s->in_tx = s->due = false;
	pg_ahead_forget(s->pg, NULL);
	store_journal_forget(s);
	store_stage_ended(s, false);
	pg_plan_forget(s->pg);
	if (!s->dry) {
		pg_run(s->pg, "rollback", NULL, NULL);
		return;
	}
	if (pg_script(s->pg, "rollback to savepoint step; release savepoint step", NULL) < 0)
		return;
}

static int flow_commit(void *ctx, struct err *e)
{
	struct store *s = ctx;
	int r;

	if (!s->in_tx)
		return err_set(e, ERR_BUG, "commit without begin");
	pg_ahead_forget(s->pg, NULL);
	r = store_journal_flush(s, e);
	if (r == 0 && s->due && !s->dry)
		r = pg_run_later(s->pg, sql_notify_due, NULL, e);
	if (r < 0) {
		flow_rollback(s);
		return r;
	}
	r = pg_run(s->pg, s->dry ? "release savepoint step" : "commit", NULL, e);
	/* What failed before it may have kept it from being run. */
	if (r < 0) {
		flow_rollback(s);
		return r;
	}
	s->in_tx = s->due = false;
	store_stage_ended(s, true);
	return store_settle_growth(s, e);
}

int store_atomic_begin(struct store *s, bool *mine, struct err *e)
{
	*mine = !s->in_tx;
	return *mine ? flow_begin(s, e) : 0;
}

int store_atomic_end(struct store *s, bool mine, int r, struct err *e)
{
	if (!mine)
		return r;
	if (r >= 0) {
		int c = flow_commit(s, e);

		return c < 0 ? c : r;
	}
	flow_rollback(s);
	return r;
}

int store_dry_begin(struct store *s, struct err *e)
{
	int r;

	if (s->dry || s->in_tx)
		return err_set(e, ERR_BUG, "a dry run inside a transaction");
	r = pg_run(s->pg, "begin", NULL, e);
	if (r < 0)
		return r;
	s->dry = true;
	/* The pass talks to name servers meanwhile; that is no idleness. */
	r = pg_run(s->pg, sql_store_dry_begin, NULL, e);
	if (r < 0)
		store_dry_end(s);
	return r;
}

void store_dry_end(struct store *s)
{
	if (!s->dry)
		return;
	pg_run(s->pg, "rollback", NULL, NULL);
	s->dry = false;
	s->in_tx = false;
	store_stage_forget(s);
}

/* ---- statistics ---------------------------------------------------------------------------- */

void store_grown(struct store *s, enum store_growth t, size_t n)
{
	s->grown[t] += n;
}

int store_settle_growth(struct store *s, struct err *e)
{
	static const char *const sql[GROWN] = {
		[GROWN_OBSERVATION] = sql_store_analyze_observation,
		[GROWN_HOST] = sql_store_analyze_host,
		[GROWN_OWNER] = sql_store_analyze_owner,
	};
	int i, r = 0;

	for (i = 0; i < GROWN && r == 0; i++) {
		if (s->in_tx || s->grown[i] < s->analyze_at[i])
			continue;
		s->analyze_at[i] *= 4;
		r = pg_run(s->pg, sql[i], NULL, e);
	}
	return r;
}

/* ---- locks --------------------------------------------------------------------------------- */

static int flow_lock_space(void *ctx, int32_t space_id, struct err *e)
{
	struct store *s = ctx;
	struct pg_args a;
	int r;

	if (!s->in_tx)
		return err_set(e, ERR_BUG, "a space is locked outside a transaction");
	/* What is never committed need not keep others out, for as long as a dry run takes. */
	if (s->dry)
		return 0;
	pg_args_init(&a);
	pg_arg_i32(&a, LOCK_SPACE);
	pg_arg_i32(&a, space_id);
	r = pg_run_later(s->pg, sql_lock_space, &a, e);
	pg_args_fini(&a);
	return r < 0 ? err_in(e, r, "locking the address space") : 0;
}

static int run_lock(struct store *s, const char *sql, bool *got, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, LOCK_RUN);
	r = pg_query(&rows, s->pg, sql, &a, e);
	pg_args_fini(&a);
	if (r < 0)
		return r;
	*got = pg_rows_n(rows) == 1 && pg_bool(rows, 0, 0);
	return 0;
}

int store_run_lock(struct store *s, struct err *e)
{
	bool got;
	int r = run_lock(s, sql_store_run_lock, &got, e);

	if (r < 0)
		return r;
	if (!got) {
		err_set(e, ERR_BUSY, "another run holds the lock");
		err_hint(e, "wait for it; select * from pg_locks where locktype = 'advisory' shows it");
		return ERR_BUSY;
	}
	return 0;
}

void store_run_unlock(struct store *s)
{
	bool got;

	run_lock(s, sql_store_run_unlock, &got, NULL);
}

/* A statement about two numbers that answers one value, or none. */
static int ask(struct pg_rows **rows, struct store *s, const char *sql, int32_t a, int32_t b,
	       struct err *e)
{
	struct pg_args args;
	int r;

	pg_args_init(&args);
	pg_arg_i32(&args, a);
	pg_arg_i32(&args, b);
	r = pg_query(rows, s->pg, sql, &args, e);
	pg_args_fini(&args);
	return r;
}

static struct store_zone *held_zone(const struct store *s, int32_t zone_id)
{
	size_t i;

	for (i = 0; i < s->zones.n; i++) {
		if (s->zones.v[i].id == zone_id)
			return &s->zones.v[i];
	}
	return NULL;
}

/* *out NULL: another process has it. */
static int take_zone(struct store_zone **out, struct store *s, int32_t zone_id, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL, *since = NULL;
	struct store_zone z = {.id = zone_id};
	int r = ask(&rows, s, sql_zone_lock, LOCK_ZONE, zone_id, e);

	*out = NULL;
	if (r < 0 || !pg_bool(rows, 0, 0))
		return r;
	r = pg_query(&since, s->pg, sql_zone_lock_since, NULL, e);
	if (r < 0)
		return r;
	z.since = z.unsent = (uint64_t)pg_i64(since, 0, 0);
	*out = &s->zones.v[s->zones.n++];
	**out = z;
	return 0;
}

static int flow_zone_lock(void *ctx, int32_t zone_id, bool *got, uint64_t *since, struct err *e)
{
	struct store *s = ctx;
	struct store_zone *z = held_zone(s, zone_id);
	int r = 0;

	if (z == NULL && vec_reserve(&s->zones, 1) < 0)
		return err_nomem(e);
	if (z == NULL)
		r = take_zone(&z, s, zone_id, e);
	*got = z != NULL;
	*since = z == NULL ? 0 : z->since;
	return r;
}

static bool flow_zone_held(void *ctx, int32_t zone_id, uint64_t *unsent)
{
	const struct store_zone *z = held_zone(ctx, zone_id);

	*unsent = z == NULL ? 0 : z->unsent;
	return z != NULL;
}

static void flow_zone_sends(void *ctx, int32_t zone_id, uint64_t before)
{
	struct store_zone *z = held_zone(ctx, zone_id);

	if (z != NULL)
		z->unsent = before;
}

static void flow_zones_unlock(void *ctx)
{
	struct store *s = ctx;

	while (s->zones.n > 0) {
		AUTO(pg_rows_freep) struct pg_rows *rows = NULL;

		ask(&rows, s, sql_zone_unlock, LOCK_ZONE, s->zones.v[--s->zones.n].id, NULL);
	}
}

int store_lock_sync(struct store *s, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;

	return ask(&rows, s, sql_sync_lock, LOCK_SYNC, 0, e);
}

void store_unlock_sync(struct store *s)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;

	ask(&rows, s, sql_zone_unlock, LOCK_SYNC, 0, NULL);
}

int store_hold_policy(struct store *s, const struct policy *p, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *held = NULL, *others = NULL, *gone = NULL;
	int32_t digest = (int32_t)policy_digest(p);
	int r;

	r = ask(&held, s, sql_policy_hold, LOCK_POLICY, digest, e);
	r = r < 0 ? r : ask(&others, s, sql_policy_others, LOCK_POLICY, digest, e);
	if (r < 0 || pg_i64(others, 0, 0) == 0)
		return r;
	ask(&gone, s, sql_policy_let_go, LOCK_POLICY, digest, NULL);
	err_set(e, ERR_CONF, "another daemon on this database has another configuration");
	err_hint(e, "give both the same zones, subnets and sources, or stop one of them");
	return ERR_CONF;
}

int store_ask_to_look(struct store *s, int32_t source_id, struct err *e)
{
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, source_id);
	r = pg_run(s->pg, sql_notify_look, &a, e);
	pg_args_fini(&a);
	return r;
}

int store_want_whole(struct store *s, int32_t source_id, struct err *e)
{
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, source_id);
	r = pg_run(s->pg, sql_want_whole, &a, e);
	pg_args_fini(&a);
	return r;
}

int store_journal_trim(struct store *s, int64_t keep_s, struct err *e)
{
	int64_t n = 1;
	int r = 0;

	/* In steps, so that none meets its deadline. */
	while (n > 0 && r == 0) {
		AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
		struct pg_args a;

		pg_args_init(&a);
		pg_arg_i64(&a, keep_s);
		r = pg_query(&rows, s->pg, sql_store_journal_trim, &a, e);
		pg_args_fini(&a);
		if (r == 0)
			n = pg_i64(rows, 0, 0);
	}
	return r;
}

struct flow_store store_flow(struct store *s)
{
	struct flow_store f = {
		.ctx = s,
		.begin = flow_begin,
		.commit = flow_commit,
		.rollback = flow_rollback,
		.lock_space = flow_lock_space,
		.zone_lock = flow_zone_lock,
		.zones_unlock = flow_zones_unlock,
		.zone_held = flow_zone_held,
		.zone_sends = flow_zone_sends,
	};

	store_bind_stage(&f);
	store_bind_evidence(&f);
	store_bind_hosts(&f);
	store_bind_beliefs(&f);
	store_bind_misc(&f);
	store_bind_journal(&f);
	return f;
}
