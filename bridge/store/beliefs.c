/* beliefs.c - what is believed about owners: read by key and by due time, written in bulk.
 *
 * A set is kept as its text (value/rr.h).  seen is kept only where it differs from published,
 * so a zone that is in step costs nothing extra and the walk over it reads one text a row.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/store/inside.h"
#include "sql.h"

static int read_set(struct rrs *out, struct arena *a, const char *text, size_t len, struct err *e)
{
	*out = (struct rrs){NULL, 0};
	return len == 0 ? 0 : rrs_parse(out, a, text, len, e);
}

/* Columns of the four sets of a row: 2 want, 3 published, 4 offered, 5 seen, 6 seen known. */
static int read_sets(struct belief *b, const struct pg_rows *r, size_t row, struct arena *a,
		     struct err *e)
{
	struct pg_field f[BELIEF_OFFERED_MAX];
	const char *want = pg_text(r, row, 2), *published = pg_text(r, row, 3);
	const char *seen = pg_text(r, row, 5);
	size_t n = pg_texts(r, row, 4, f, BELIEF_OFFERED_MAX), i;

	if (n > BELIEF_OFFERED_MAX)
		return err_set(e, ERR_PROTO, "more than %d sets are offered", BELIEF_OFFERED_MAX);
	if (read_set(&b->want, a, want, strlen(want), e) < 0 ||
	    read_set(&b->published, a, published, strlen(published), e) < 0)
		return ERR_PROTO;
	for (i = 0; i < n; i++)
		if (belief_parse_offer(b, a, (const char *)f[i].p, f[i].len, e) < 0)
			return ERR_PROTO;
	b->seen_known = pg_bool(r, row, 6);
	if (!b->seen_known)
		return 0;
	if (pg_is_null(r, row, 5)) {
		b->seen = b->published;
		return 0;
	}
	return read_set(&b->seen, a, seen, strlen(seen), e);
}

static int read_decision(struct belief *b, const struct pg_rows *r, size_t row, struct err *e)
{
	enum belief_decision d;

	if (pg_is_null(r, row, 19))
		return 0;
	if (!belief_decision_parse(&d, pg_text(r, row, 19), strlen(pg_text(r, row, 19))))
		return err_set(e, ERR_PROTO, "the database holds an unknown decision \"%s\"",
			       pg_text(r, row, 19));
	b->decided = (uint8_t)d;
	return 0;
}

/* Columns: zone_id, owner, the sets, then kind, ttl, sent_ttl, removed_at, reverts, state,
 * due_at, attempts, why, settled_at, source_id, version, decided, place. */
static int read_belief(struct belief *b, const struct pg_rows *r, size_t row, struct arena *a,
		       struct err *e)
{
	const char *state = pg_text(r, row, 12);
	enum belief_state st;
	int rc;

	memset(b, 0, sizeof(*b));
	b->zone_id = pg_i32(r, row, 0);
	if (store_read_name(&b->owner, pg_text(r, row, 1), e) < 0)
		return ERR_PROTO;
	rc = read_sets(b, r, row, a, e);
	if (rc < 0)
		return err_in(e, rc, "owner \"%s\" in the database", pg_text(r, row, 1));
	if (store_read_kind(&b->want_kind, pg_text(r, row, 7), e) < 0)
		return ERR_PROTO;
	b->want_ttl_s = store_u32(r, row, 8);
	b->sent_ttl_s = store_u32(r, row, 9);
	b->removed_at_s = pg_time(r, row, 10);
	b->reverts = store_u32(r, row, 11);
	if (!belief_state_parse(&st, state, strlen(state)))
		return err_set(e, ERR_PROTO, "the database holds an unknown state \"%s\"", state);
	b->state = (uint8_t)st;
	b->due_at_s = pg_time(r, row, 13);
	b->attempts = store_u32(r, row, 14);
	b->settled_at_s = pg_time(r, row, 16);
	b->want_source = pg_i32(r, row, 17);
	b->version = (uint32_t)pg_i32(r, row, 18);
	b->place = (uint64_t)pg_i64(r, row, 20);
	if (read_decision(b, r, row, e) < 0)
		return ERR_PROTO;
	return store_keep_text(&b->why, a, r, row, 15) ? 0 : err_nomem(e);
}

static int read_beliefs(struct belief **out, size_t *n, const struct pg_rows *rows,
			struct arena *a, struct err *e)
{
	size_t k = pg_rows_n(rows), i;
	struct belief *v;
	int r;

	if (k == 0)
		return 0;
	v = arena_array(a, k, sizeof(*v));
	if (v == NULL)
		return err_nomem(e);
	for (i = 0; i < k; i++) {
		r = read_belief(&v[i], rows, i, a, e);
		if (r < 0)
			return r;
	}
	*out = v;
	*n = k;
	return 0;
}

static int query_beliefs(struct belief **out, size_t *n, struct store *s, const char *sql,
			 const struct pg_args *args, struct arena *a, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	int r = pg_query(&rows, s->pg, sql, args, e);

	return r < 0 ? r : read_beliefs(out, n, rows, a, e);
}

/* By zone, then names in the order of DNS. */
static int by_key(const void *pa, const void *pb)
{
	const struct belief *a = pa, *b = pb;

	if (a->zone_id != b->zone_id)
		return a->zone_id < b->zone_id ? -1 : 1;
	return dname_cmp(&a->owner, &b->owner);
}

/* A key asked for twice is answered once. */
static size_t unique(struct belief *v, size_t n)
{
	size_t k = 0, i;

	for (i = 0; i < n; i++)
		if (k == 0 || by_key(&v[k - 1], &v[i]) != 0)
			v[k++] = v[i];
	return k;
}

static void keys_args(struct pg_args *a, const struct zone_key *keys, size_t n)
{
	size_t i;

	pg_args_init(a);
	PG_COLUMN(a, PG_INT4, i, n, pg_elem_i32(a, keys[i].zone_id));
	PG_COLUMN(a, PG_TEXT, i, n, store_elem_name(a, &keys[i].owner));
}

static int flow_beliefs_soon(void *ctx, const struct zone_key *keys, size_t n, struct err *e)
{
	struct store *s = ctx;
	struct pg_args args;
	int r;

	if (!s->in_tx || n == 0)
		return 0;
	keys_args(&args, keys, n);
	r = pg_plan_for(s->pg, n, e);
	r = r < 0 ? r : pg_query_ahead(s->pg, sql_beliefs_get, &args, e);
	pg_args_fini(&args);
	return r;
}

/* Rows that are not there need no lock: only who has the space makes them. */
static int flow_beliefs_get(void *ctx, struct belief **out, size_t *n, const struct zone_key *keys,
			    size_t n_keys, struct arena *a, struct err *e)
{
	struct store *s = ctx;
	const char *sql = s->in_tx && !s->dry ? sql_beliefs_get_to_write : sql_beliefs_get;
	struct pg_args args;
	int r = 0;

	*out = NULL;
	*n = 0;
	if (n_keys == 0)
		return 0;
	keys_args(&args, keys, n_keys);
	if (!pg_ahead_is_empty(s->pg, sql_beliefs_get, &args)) {
		r = pg_plan_for(s->pg, n_keys, e);
		r = r < 0 ? r : query_beliefs(out, n, s, sql, &args, a, e);
	}
	pg_args_fini(&args);
	if (r == 0 && *n > 1) {
		qsort(*out, *n, sizeof(**out), by_key);
		*n = unique(*out, *n);
	}
	return r;
}

static void elem_after(struct pg_args *args, const struct belief *after)
{
	char owner[DNAME_TEXT] = "";

	if (after != NULL && after->owner.len > 0)
		dname_print(owner, &after->owner);
	pg_elem_text(args, owner, strlen(owner));
}

/* Rows come page after page. */
static void split_pages(struct due_page *pages, size_t n_pages, struct belief *v, size_t n,
			uint64_t before)
{
	size_t i, at = 0, first;

	for (i = 0; i < n_pages; i++) {
		first = at;
		while (at < n && v[at].zone_id == pages[i].zone_id)
			at++;
		pages[i].v = at > first ? v + first : NULL;
		pages[i].n = at - first;
		pages[i].before = before;
	}
}

static int flow_beliefs_due(void *ctx, struct due_page *pages, size_t n_pages, int64_t now_s,
			    size_t limit, struct arena *a, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct store *s = ctx;
	struct belief *v = NULL;
	struct pg_args args;
	size_t n = 0, i;
	int r;

	pg_args_init(&args);
	PG_COLUMN(&args, PG_INT4, i, n_pages, pg_elem_i32(&args, pages[i].zone_id));
	pg_arg_time(&args, now_s);
	PG_COLUMN(&args, PG_TIMESTAMPTZ, i, n_pages,
		  pg_elem_time(&args, pages[i].after == NULL ? 0 : pages[i].after->due_at_s));
	PG_COLUMN(&args, PG_TEXT, i, n_pages, elem_after(&args, pages[i].after));
	pg_arg_i64(&args, limit > INT32_MAX ? INT32_MAX : (int64_t)limit);
	r = pg_plan_for(s->pg, n_pages, e);
	r = r < 0 ? r : pg_query(&rows, s->pg, sql_beliefs_due, &args, e);
	pg_args_fini(&args);
	r = r < 0 ? r : read_beliefs(&v, &n, rows, a, e);
	split_pages(pages, n_pages, v, r < 0 ? 0 : n, n > 0 ? (uint64_t)pg_i64(rows, 0, 21) : 0);
	return r;
}

static int flow_beliefs_stopped(void *ctx, struct belief **out, size_t *n, int32_t zone_id,
				enum belief_state state, const struct dname *after, size_t limit,
				struct arena *a, struct err *e)
{
	char owner[DNAME_TEXT] = "";
	struct pg_args args;
	int r;

	*out = NULL;
	*n = 0;
	if (after != NULL)
		dname_print(owner, after);
	pg_args_init(&args);
	pg_arg_i32(&args, zone_id);
	pg_arg_text(&args, belief_state_name(state));
	pg_arg_text(&args, owner);
	pg_arg_i64(&args, limit > INT32_MAX ? INT32_MAX : (int64_t)limit);
	r = query_beliefs(out, n, ctx, sql_beliefs_stopped, &args, a, e);
	pg_args_fini(&args);
	return r;
}

static int flow_beliefs_guarding(void *ctx, struct belief **out, size_t *n, int32_t zone_id,
				 struct arena *a, struct err *e)
{
	struct pg_args args;
	int r;

	*out = NULL;
	*n = 0;
	pg_args_init(&args);
	pg_arg_i32(&args, zone_id);
	r = query_beliefs(out, n, ctx, sql_beliefs_guarding, &args, a, e);
	pg_args_fini(&args);
	if (r == 0 && *n > 1)
		qsort(*out, *n, sizeof(**out), by_key);
	return r;
}

/* ---- writing ------------------------------------------------------------------------------- */

static void put_key(struct pg_args *a, const struct belief *const *v, size_t n)
{
	size_t i;

	PG_COLUMN(a, PG_INT4, i, n, pg_elem_i32(a, v[i]->zone_id));
	PG_COLUMN(a, PG_TEXT, i, n, store_elem_name(a, &v[i]->owner));
}

static void elem_set(struct pg_args *a, struct buf *text, const struct rrs *set)
{
	buf_reset(text);
	rrs_print(text, set);
	a->b.bad |= text->bad;
	pg_elem_text(a, buf_text(text), text->len);
}

static void put_want(struct pg_args *a, const struct belief *const *v, size_t n)
{
	struct buf text = BUF_INIT;
	size_t i;

	PG_COLUMN(a, PG_TEXT, i, n, elem_set(a, &text, &v[i]->want));
	buf_fini(&text);
}

/* All sets of a row are one element, each with a byte before it that no set has in its text. */
static void elem_offered(struct pg_args *a, struct buf *text, const struct belief *b)
{
	int k;

	buf_reset(text);
	for (k = 0; k < b->n_offered; k++) {
		buf_chr(text, '\x1e');
		belief_print_offer(text, b, k);
	}
	a->b.bad |= text->bad;
	if (b->n_offered > 0)
		pg_elem_text(a, buf_text(text), text->len);
	else
		pg_elem_null(a);
}

static void put_offered(struct pg_args *a, const struct belief *const *v, size_t n)
{
	struct buf text = BUF_INIT;
	size_t i;

	PG_COLUMN(a, PG_TEXT, i, n, elem_offered(a, &text, v[i]));
	buf_fini(&text);
}

/* published, offered, and seen where it is not the same as published. */
static void put_sets(struct pg_args *a, const struct belief *const *v, size_t n)
{
	struct buf text = BUF_INIT;
	size_t i;

	PG_COLUMN(a, PG_TEXT, i, n, elem_set(a, &text, &v[i]->published));
	put_offered(a, v, n);
	pg_arg_array(a, PG_TEXT, n);
	for (i = 0; i < n; i++) {
		if (v[i]->seen_known && !rrs_equal(&v[i]->seen, &v[i]->published))
			elem_set(a, &text, &v[i]->seen);
		else
			pg_elem_null(a);
	}
	buf_fini(&text);
}

static void put_state(struct pg_args *a, const struct belief *const *v, size_t n)
{
	size_t i;

	PG_COLUMN(a, PG_BOOL, i, n, pg_elem_bool(a, v[i]->seen_known));
	PG_COLUMN(a, PG_BOOL, i, n, pg_elem_bool(a, belief_guards(v[i])));
	pg_arg_array(a, PG_TEXT, n);
	for (i = 0; i < n; i++) {
		const char *s = belief_state_name(v[i]->state);

		pg_elem_text(a, s, strlen(s));
	}
	PG_COLUMN(a, PG_TIMESTAMPTZ, i, n, pg_elem_time(a, v[i]->due_at_s));
	PG_COLUMN(a, PG_TEXT, i, n,
		  pg_elem_text(a, v[i]->why, v[i]->why == NULL ? 0 : strlen(v[i]->why)));
}

/* Who wants it, and with which TTL: what a settlement leaves alone. */
static void put_wanted_by(struct pg_args *a, const struct belief *const *v, size_t n)
{
	size_t i;

	pg_arg_array(a, PG_TEXT, n);
	for (i = 0; i < n; i++) {
		const char *s = obs_kind_name(v[i]->want_kind);

		pg_elem_text(a, s, strlen(s));
	}
	PG_COLUMN(a, PG_INT8, i, n, pg_elem_i64(a, v[i]->want_ttl_s));
}

static void put_numbers(struct pg_args *a, const struct belief *const *v, size_t n)
{
	size_t i;

	PG_COLUMN(a, PG_INT8, i, n, pg_elem_i64(a, v[i]->sent_ttl_s));
	PG_COLUMN(a, PG_TIMESTAMPTZ, i, n, pg_elem_time(a, v[i]->settled_at_s));
	PG_COLUMN(a, PG_TIMESTAMPTZ, i, n, pg_elem_time(a, v[i]->removed_at_s));
	PG_COLUMN(a, PG_INT8, i, n, pg_elem_i64(a, v[i]->reverts));
	PG_COLUMN(a, PG_INT8, i, n, pg_elem_i64(a, v[i]->attempts));
}

static void put_decided(struct pg_args *a, const struct belief *const *v, size_t n)
{
	size_t i;

	pg_arg_array(a, PG_TEXT, n);
	for (i = 0; i < n; i++) {
		const char *s = belief_decision_name(v[i]->decided);

		if (s != NULL)
			pg_elem_text(a, s, strlen(s));
		else
			pg_elem_null(a);
	}
}

static void put_source(struct pg_args *a, const struct belief *const *v, size_t n)
{
	size_t i;

	pg_arg_array(a, PG_INT4, n);
	for (i = 0; i < n; i++) {
		if (v[i]->want_source != 0)
			pg_elem_i32(a, v[i]->want_source);
		else
			pg_elem_null(a);
	}
}

static int write_rows(struct store *s, const char *sql, const struct belief *const *v, size_t n,
		      struct err *e)
{
	struct pg_args a;
	int r;

	pg_args_init(&a);
	put_key(&a, v, n);
	put_want(&a, v, n);
	put_wanted_by(&a, v, n);
	put_sets(&a, v, n);
	put_state(&a, v, n);
	put_numbers(&a, v, n);
	put_decided(&a, v, n);
	put_source(&a, v, n);
	r = pg_plan_for(s->pg, n, e);
	r = r < 0 ? r : pg_run_later(s->pg, sql, &a, e);
	pg_args_fini(&a);
	store_grown(s, GROWN_OWNER, n);
	return r;
}

static int drop_rows(struct store *s, const struct belief *const *v, size_t n, struct err *e)
{
	struct pg_args a;
	int r;

	pg_args_init(&a);
	put_key(&a, v, n);
	r = pg_run_later(s->pg, sql_beliefs_put_drop, &a, e);
	pg_args_fini(&a);
	return r;
}

/* What is to become of the rows of one call. */
struct put_lists {
	const struct belief **keep, **fresh, **drop;
	size_t n_keep, n_fresh, n_drop;
};

/* One that was never read has no row; its offers are more than a COPY carries. */
static bool is_fresh(const struct belief *b)
{
	return b->version == 0 && b->n_offered == 0;
}

static void sort_out(struct put_lists *l, const struct belief *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (belief_is_empty(&v[i]))
			l->drop[l->n_drop++] = &v[i];
		else if (is_fresh(&v[i]))
			l->fresh[l->n_fresh++] = &v[i];
		else
			l->keep[l->n_keep++] = &v[i];
	}
}

static int put_lists(struct store *s, const struct put_lists *l, struct err *e)
{
	int r = 0;

	if (l->n_drop > 0)
		r = drop_rows(s, l->drop, l->n_drop, e);
	if (r == 0 && l->n_keep > 0)
		r = write_rows(s, sql_beliefs_put, l->keep, l->n_keep, e);
	if (r == 0 && l->n_fresh >= STORE_MANY)
		return store_copy_owners(s, l->fresh, l->n_fresh, e);
	if (r == 0 && l->n_fresh > 0)
		r = write_rows(s, sql_beliefs_add, l->fresh, l->n_fresh, e);
	return r;
}

static int flow_beliefs_put(void *ctx, const struct belief *v, size_t n, struct err *e)
{
	AUTO(own_freep) const struct belief **p = NULL;
	struct put_lists l = {.keep = NULL};
	struct store *s = ctx;
	size_t i;

	if (n == 0)
		return 0;
	pg_ahead_forget(s->pg, sql_beliefs_get);
	p = calloc(n * 3, sizeof(*p));
	if (p == NULL)
		return err_nomem(e);
	for (i = 0; i < n; i++) {
		if (v[i].n_offered > BELIEF_OFFERED_MAX)
			return err_set(e, ERR_BUG, "belief with too many offers");
		s->due = s->due || v[i].state == BELIEF_DUE;
	}
	l.keep = p;
	l.fresh = p + n;
	l.drop = p + 2 * n;
	sort_out(&l, v, n);
	return put_lists(s, &l, e);
}

/* ---- settling, beside who plans ------------------------------------------------------------ */

static const struct belief **pointers(const struct belief *v, size_t n)
{
	const struct belief **p = calloc(n + 1, sizeof(*p));
	size_t i;

	for (i = 0; p != NULL && i < n; i++)
		p[i] = &v[i];
	return p;
}

static void put_version(struct pg_args *a, const struct belief *const *v, size_t n)
{
	size_t i;

	PG_COLUMN(a, PG_XID, i, n, pg_elem_i32(a, (int32_t)v[i]->version));
}

/* Answers the number of each row that was written, its version and its place. */
static int run_settle(struct store *s, const char *sql, const struct pg_args *a, struct belief *v,
		      size_t n, bool *done, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	size_t i;
	int r = pg_plan_for(s->pg, n, e);

	r = r < 0 ? r : pg_query(&rows, s->pg, sql, a, e);
	for (i = 0; r == 0 && i < pg_rows_n(rows); i++) {
		size_t at = (size_t)pg_i32(rows, i, 0) - 1;

		done[at] = true;
		v[at].version = (uint32_t)pg_i32(rows, i, 1);
		v[at].place = (uint64_t)pg_i64(rows, i, 2);
	}
	return r;
}

static int flow_beliefs_settle(void *ctx, struct belief *v, size_t n, bool *done, struct err *e)
{
	AUTO(own_freep) const struct belief **p = pointers(v, n);
	struct pg_args a;
	int r;

	if (p == NULL)
		return err_nomem(e);
	memset(done, 0, n * sizeof(*done));
	if (n == 0)
		return 0;
	pg_args_init(&a);
	put_version(&a, p, n);
	put_key(&a, p, n);
	put_sets(&a, p, n);
	put_state(&a, p, n);
	put_numbers(&a, p, n);
	put_decided(&a, p, n);
	r = run_settle(ctx, sql_beliefs_settle, &a, v, n, done, e);
	pg_args_fini(&a);
	return r;
}

static int flow_beliefs_proven(void *ctx, struct belief *v, size_t n, int64_t settled_at_s,
			       bool *done, struct err *e)
{
	struct pg_args a;
	size_t i;
	int r;

	memset(done, 0, n * sizeof(*done));
	if (n == 0)
		return 0;
	pg_args_init(&a);
	PG_COLUMN(&a, PG_TID, i, n, pg_elem_tid(&a, v[i].place));
	PG_COLUMN(&a, PG_XID, i, n, pg_elem_i32(&a, (int32_t)v[i].version));
	pg_arg_time(&a, settled_at_s);
	r = run_settle(ctx, sql_beliefs_proven, &a, v, n, done, e);
	pg_args_fini(&a);
	return r;
}

/* ---- the walk ------------------------------------------------------------------------------ */

struct walk {
	int (*cb)(void *arg, const struct dname *owner, const struct rrs *seen, struct err *e);
	void *arg;
	struct arena a;
};

static int walk_row(void *arg, const struct pg_field *f, int n, struct err *e)
{
	struct walk *w = arg;
	struct dname owner;
	struct rrs seen;
	int r;

	if (n != 2 || f[0].p == NULL || f[1].p == NULL)
		return err_set(e, ERR_PROTO, "the database sent an owner of another shape");
	if (!dname_parse(&owner, (const char *)f[0].p, f[0].len))
		return err_set(e, ERR_PROTO, "the database holds a malformed owner name");
	arena_reset(&w->a);
	r = read_set(&seen, &w->a, (const char *)f[1].p, f[1].len, e);
	return r < 0 ? r : w->cb(w->arg, &owner, &seen, e);
}

static int flow_seen_walk(void *ctx, int32_t zone_id,
			  int (*cb)(void *arg, const struct dname *owner, const struct rrs *seen,
				    struct err *e),
			  void *arg, struct err *e)
{
	struct store *s = ctx;
	struct walk w = {.cb = cb, .arg = arg, .a = ARENA_INIT};
	struct pg_args a;
	int r;

	/* COPY takes no parameters: the zone travels as a setting of the session. */
	pg_args_init(&a);
	pg_arg_i32(&a, zone_id);
	r = pg_run(s->pg, sql_seen_walk_zone, &a, e);
	pg_args_fini(&a);
	if (r == 0)
		r = pg_copy_out(s->pg, sql_seen_walk, walk_row, &w, e);
	arena_fini(&w.a);
	return r;
}

void store_bind_beliefs(struct flow_store *f)
{
	f->beliefs_get = flow_beliefs_get;
	f->beliefs_soon = flow_beliefs_soon;
	f->beliefs_put = flow_beliefs_put;
	f->beliefs_due = flow_beliefs_due;
	f->beliefs_settle = flow_beliefs_settle;
	f->beliefs_proven = flow_beliefs_proven;
	f->beliefs_stopped = flow_beliefs_stopped;
	f->beliefs_guarding = flow_beliefs_guarding;
	f->seen_walk = flow_seen_walk;
}
