/* stage.c - a read of a source laid beside what is kept of it; only the differences come back.
 *
 * Three temporary tables of the session: stage (the read, filled by binary COPY), stage_found
 * (differences as found), stage_diff (numbered in order of address; what stage_next hands out).
 * Comparing is a join and writes nothing where nothing differs.  That a row was seen again is
 * kept once for the whole source (source.seen_all_at), never by touching every row.
 */
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/store/inside.h"
#include "sql.h"

/* Emptying by DELETE is quicker for few rows, but leaves them behind; TRUNCATE does not. */
enum { STAGE_DELETE_MAX = 2000 };

void store_stage_forget(struct store *s)
{
	s->stage_made = false;
	s->stage_diff_made = false;
	s->stage_source = 0;
	s->stage_rows = 0;
}

static int stage_make(struct store *s, struct err *e)
{
	int r = pg_run(s->pg, sql_stage_make, NULL, e);

	if (r == 0)
		r = pg_run(s->pg, sql_stage_make_found, NULL, e);
	s->stage_made = r == 0;
	s->stage_new = s->in_tx;
	s->stage_rows = 0;
	return r;
}

/* Only when there are differences: each temporary table is a dozen rows of the catalog, in the
 * WAL like any others. */
static int stage_make_diff(struct store *s, struct err *e)
{
	int r;

	if (s->stage_diff_made)
		return 0;
	r = pg_run(s->pg, sql_stage_make_diff, NULL, e);
	s->stage_diff_made = r == 0;
	s->stage_diff_new = s->in_tx;
	return r;
}

void store_stage_ended(struct store *s, bool committed)
{
	if (s->stage_new && !committed)
		store_stage_forget(s);
	if (s->stage_diff_new && !committed)
		s->stage_diff_made = false;
	s->stage_new = s->stage_diff_new = false;
}

static int stage_empty(struct store *s, struct err *e)
{
	int r;

	if (!s->stage_made)
		return stage_make(s, e);
	if (s->stage_rows == 0)
		return 0;
	r = stage_make_diff(s, e);
	if (r < 0)
		return r;
	r = pg_run(s->pg, s->stage_rows > STAGE_DELETE_MAX ? sql_stage_truncate : sql_stage_delete,
		   NULL, e);
	/* Deleted rows still lie in the tables until they are truncated. */
	if (r == 0 && s->stage_rows > STAGE_DELETE_MAX)
		s->stage_rows = 0;
	return r;
}

static int flow_stage_begin(void *ctx, int32_t source_id, struct err *e)
{
	struct store *s = ctx;
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct pg_args a;
	int r = stage_empty(s, e);

	r = r < 0 ? r : pg_plan_for(s->pg, SIZE_MAX, e);
	s->stage_source = 0;
	if (r < 0)
		return r;
	pg_args_init(&a);
	pg_arg_i32(&a, source_id);
	r = pg_query(&rows, s->pg, sql_stage_begin, &a, e);
	pg_args_fini(&a);
	if (r < 0)
		return r;
	if (pg_rows_n(rows) != 1)
		return err_set(e, ERR_BUG, "source %d is not in the database", (int)source_id);
	s->stage_source = source_id;
	s->stage_seen_all_s = pg_time(rows, 0, 0);
	s->stage_seq = 0;
	s->stage_after = 0;
	s->stage_ascending = true;
	memset(&s->stage_last, 0, sizeof(s->stage_last));
	return 0;
}

/* In the order of the columns of stage. */
static void copy_row(struct pg *p, uint32_t seq, const struct obs *o)
{
	struct bytes key = store_name_key(o);

	pg_copy_row(p, 16);
	pg_copy_i32(p, (int32_t)seq);
	pg_copy_inet(p, &o->addr);
	pg_copy_bytes(p, key.len == 0 ? "" : (const void *)key.p, key.len);
	store_copy_text(p, obs_kind_name(o->kind));
	pg_copy_bool(p, o->end);
	store_copy_text(p, o->end_why);
	store_copy_bytes(p, o->name);
	pg_copy_mac(p, &o->mac);
	store_copy_bytes(p, o->client_id);
	store_copy_bytes(p, o->duid);
	store_copy_bytes(p, o->dhcid);
	pg_copy_time(p, o->valid_until_s);
	pg_copy_time(p, o->seen_at_s);
	store_copy_ttl(p, o->ttl_s);
	pg_copy_bool(p, o->ptr);
	store_copy_bytes(p, o->raw);
}

static int flow_stage_add(void *ctx, const struct obs *v, size_t n, struct err *e)
{
	struct store *s = ctx;
	size_t i;
	int r;

	if (s->stage_source == 0)
		return err_set(e, ERR_BUG, "rows for a stage that was not begun");
	if (n == 0)
		return 0;
	r = pg_copy_begin(s->pg, sql_stage_add, e);
	if (r < 0)
		return r;
	for (i = 0; i < n; i++) {
		/* Strictly ascending addresses cannot repeat a key. */
		if (ipaddr_cmp(&s->stage_last, &v[i].addr) >= 0)
			s->stage_ascending = false;
		s->stage_last = v[i].addr;
		copy_row(s->pg, s->stage_seq++, &v[i]);
		r = pg_copy_flush(s->pg, e);
		if (r < 0)
			break;
	}
	/* The server takes these rows in while the source is read on. */
	if (r == 0)
		r = s->in_tx || s->dry ? pg_copy_end(s->pg, e) : pg_copy_end_later(s->pg, e);
	else
		pg_copy_end(s->pg, NULL);
	s->stage_rows += n;
	return r;
}

/* ---- the differences ----------------------------------------------------------------------- */

static int count_query(struct store *s, const char *sql, const struct pg_args *a, uint64_t *n,
		       struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	int r = pg_query(&rows, s->pg, sql, a, e);

	if (r < 0)
		return r;
	if (pg_rows_n(rows) != 1)
		return err_set(e, ERR_PROTO, "the database answered without rows");
	*n = (uint64_t)pg_i64(rows, 0, 0);
	return 0;
}

/* A whole read: every kept row has a counterpart or is absent. */
static int diff_complete(struct store *s, int64_t now_s, uint64_t *n, struct err *e)
{
	struct pg_args a;
	int r = pg_run(s->pg, sql_stage_memory, NULL, e);

	if (r < 0)
		return r;
	pg_args_init(&a);
	pg_arg_i32(&a, s->stage_source);
	r = count_query(s, sql_stage_find, &a, n, e);
	if (r == 0 && *n > 0 && !s->stage_ascending)
		r = pg_run(s->pg, sql_stage_latest, NULL, e);
	if (r == 0 && *n > 0)
		r = stage_make_diff(s, e);
	if (r == 0 && *n > 0)
		r = count_query(s, sql_stage_number, NULL, n, e);
	pg_arg_time(&a, now_s);
	if (r == 0)
		r = pg_run(s->pg, sql_stage_seen_all, &a, e);
	pg_args_fini(&a);
	return r;
}

static int diff_delta(struct store *s, uint64_t *n, struct err *e)
{
	struct pg_args a;
	int r = stage_make_diff(s, e);

	if (r < 0)
		return r;
	pg_args_init(&a);
	pg_arg_i32(&a, s->stage_source);
	r = count_query(s, sql_stage_find_delta, &a, n, e);
	pg_args_fini(&a);
	return r;
}

static int flow_stage_diff(void *ctx, bool complete, int64_t now_s, uint64_t *n, struct err *e)
{
	struct store *s = ctx;
	bool mine;
	int r;

	*n = 0;
	if (s->stage_source == 0)
		return err_set(e, ERR_BUG, "differences of a stage that was not begun");
	r = store_atomic_begin(s, &mine, e);
	if (r < 0)
		return r;
	r = complete ? diff_complete(s, now_s, n, e) : diff_delta(s, n, e);
	s->stage_after = 0;
	s->stage_rows += *n;
	return store_atomic_end(s, mine, r, e);
}

/* The columns of evidence, then: number, change, and the staged row. */
enum { COL_NUMBER = EVIDENCE_COLS, COL_CHANGE, COL_KIND, COL_END, COL_END_WHY, COL_NAME, COL_MAC,
       COL_CLIENT_ID, COL_DUID, COL_DHCID, COL_VALID_UNTIL, COL_SEEN_AT, COL_TTL, COL_PTR,
       COL_RAW, COL_ADDRESS };

static int read_got(struct obs *o, const struct pg_rows *rows, size_t i, struct arena *a,
		    struct err *e)
{
	if (store_read_kind(&o->kind, pg_text(rows, i, COL_KIND), e) < 0)
		return ERR_PROTO;
	o->addr = pg_inet(rows, i, COL_ADDRESS);
	o->end = pg_bool(rows, i, COL_END);
	o->mac = pg_mac(rows, i, COL_MAC);
	o->valid_until_s = pg_time(rows, i, COL_VALID_UNTIL);
	o->seen_at_s = pg_time(rows, i, COL_SEEN_AT);
	o->ttl_s = store_u32(rows, i, COL_TTL);
	o->ptr = pg_bool(rows, i, COL_PTR);
	if (!store_keep_bytes(&o->name, a, pg_bytes(rows, i, COL_NAME)) ||
	    !store_keep_bytes(&o->client_id, a, pg_bytes(rows, i, COL_CLIENT_ID)) ||
	    !store_keep_bytes(&o->duid, a, pg_bytes(rows, i, COL_DUID)) ||
	    !store_keep_bytes(&o->dhcid, a, pg_bytes(rows, i, COL_DHCID)) ||
	    !store_keep_bytes(&o->raw, a, pg_bytes(rows, i, COL_RAW)) ||
	    !store_keep_text(&o->end_why, a, rows, i, COL_END_WHY))
		return err_nomem(e);
	return 0;
}

/* 0, or 1 when the row no longer stands for a difference: what it would end is gone. */
static int read_change(struct obs_change *c, const struct pg_rows *rows, size_t i, struct arena *a,
		       struct err *e)
{
	bool kept = !pg_is_null(rows, i, 0), staged = !pg_is_null(rows, i, COL_KIND);
	int r;

	memset(c, 0, sizeof(*c));
	c->change = (enum obs_change_kind)pg_i32(rows, i, COL_CHANGE);
	if (!kept && c->change != OBS_NEW) {
		if (c->change == OBS_ENDED || c->change == OBS_ABSENT)
			return 1;
		c->change = OBS_NEW;
	}
	if (kept) {
		r = store_read_evidence(&c->had, rows, i, 0, a, e);
		if (r < 0)
			return r;
		if (c->change == OBS_NEW)
			c->change = OBS_CHANGED;
	}
	return staged ? read_got(&c->got, rows, i, a, e) : 0;
}

static int query_next(struct pg_rows **out, struct store *s, size_t limit, struct err *e)
{
	struct pg_args args;
	int r;

	pg_args_init(&args);
	pg_arg_i32(&args, s->stage_source);
	pg_arg_i64(&args, s->stage_after);
	pg_arg_i64(&args, limit > INT32_MAX ? INT32_MAX : (int64_t)limit);
	pg_arg_time(&args, s->stage_seen_all_s);
	r = pg_query(out, s->pg, sql_stage_next, &args, e);
	pg_args_fini(&args);
	return r;
}

/* Appends at most so many; *more: there may be others. */
static int read_next(struct store *s, struct obs_change **out, size_t *n, size_t limit, bool *more,
		     struct arena *a, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct obs_change *v;
	size_t k, i;
	int r = query_next(&rows, s, limit, e);

	if (r < 0)
		return r;
	k = pg_rows_n(rows);
	*more = k == limit;
	if (k == 0)
		return 0;
	v = arena_array(a, *n + k, sizeof(*v));
	if (v == NULL)
		return err_nomem(e);
	if (*n > 0)
		memcpy(v, *out, *n * sizeof(*v));
	*out = v;
	for (i = 0; i < k; i++) {
		r = read_change(&v[*n], rows, i, a, e);
		if (r < 0)
			return r;
		*n += r == 0;
	}
	s->stage_after = pg_i64(rows, k - 1, COL_NUMBER);
	return 0;
}

static int flow_stage_next(void *ctx, struct obs_change **out, size_t *n, size_t limit,
			   struct arena *a, struct err *e)
{
	struct store *s = ctx;
	bool more = s->stage_diff_made;
	int r = 0;

	*out = NULL;
	*n = 0;
	if (s->stage_source == 0)
		return err_set(e, ERR_BUG, "differences of a stage that was not begun");
	while (r == 0 && more && *n < limit)
		r = read_next(s, out, n, limit - *n, &more, a, e);
	return r;
}

void store_bind_stage(struct flow_store *f)
{
	f->stage_begin = flow_stage_begin;
	f->stage_add = flow_stage_add;
	f->stage_diff = flow_stage_diff;
	f->stage_next = flow_stage_next;
}
