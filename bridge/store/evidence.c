/* evidence.c - observations as kept: read by address or by their clock, written in bulk.
 *
 * Bulk values travel as one array a column, which is as quick for one row as for thousands.
 */
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/store/inside.h"
#include "sql.h"

enum { AHEAD_MAX = 16 };  /* addresses: of a few the round trips are what takes time */

/* All rows of a result as evidence in the arena. */
static int read_all(struct evidence **out, size_t *n, const struct pg_rows *rows, struct arena *a,
		    struct err *e)
{
	size_t k = pg_rows_n(rows), i;
	struct evidence *v;
	int r;

	*out = NULL;
	*n = 0;
	if (k == 0)
		return 0;
	v = arena_array(a, k, sizeof(*v));
	if (v == NULL)
		return err_nomem(e);
	for (i = 0; i < k; i++) {
		r = store_read_evidence(&v[i], rows, i, 0, a, e);
		if (r < 0)
			return r;
	}
	*out = v;
	*n = k;
	return 0;
}

static int query_evidence(struct evidence **out, size_t *n, struct store *s, const char *sql,
			  const struct pg_args *args, struct arena *a, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	int r = pg_query(&rows, s->pg, sql, args, e);

	return r < 0 ? r : read_all(out, n, rows, a, e);
}

/* Who plans a lease asks for the hosts of its address next: they come in the same round trip. */
static int hosts_ahead(struct store *s, const struct pg_args *args, size_t n_addrs, struct err *e)
{
	return s->in_tx && n_addrs <= AHEAD_MAX
		       ? pg_query_ahead(s->pg, sql_hosts_of_addrs, args, e) : 0;
}

static int flow_evidence_get(void *ctx, struct evidence **out, size_t *n, int32_t space_id,
			     const struct ipaddr *addrs, size_t n_addrs, struct arena *a,
			     struct err *e)
{
	struct store *s = ctx;
	struct pg_args args;
	int r;

	*out = NULL;
	*n = 0;
	if (n_addrs == 0)
		return 0;
	pg_args_init(&args);
	pg_arg_i32(&args, space_id);
	pg_arg_inets(&args, addrs, n_addrs);
	r = pg_plan_for(s->pg, n_addrs, e);
	r = r < 0 ? r : hosts_ahead(s, &args, n_addrs, e);
	r = r < 0 ? r : query_evidence(out, n, s, sql_evidence_get, &args, a, e);
	pg_args_fini(&args);
	return r;
}

static int flow_evidence_due(void *ctx, struct evidence **out, size_t *n, int32_t source_id,
			     int64_t now_s, int64_t stale_after_s, bool held_too,
			     const struct ipaddr *after, size_t limit, struct arena *a,
			     struct err *e)
{
	static const struct ipaddr none;
	struct pg_args args;
	int r;

	*out = NULL;
	*n = 0;
	pg_args_init(&args);
	pg_arg_i32(&args, source_id);
	pg_arg_time(&args, now_s);
	pg_arg_time(&args, stale_after_s > 0 ? now_s - stale_after_s : 0);
	pg_arg_bool(&args, held_too);
	pg_arg_inet(&args, after == NULL ? &none : after);
	pg_arg_i64(&args, limit > INT32_MAX ? INT32_MAX : (int64_t)limit);
	r = query_evidence(out, n, ctx, sql_evidence_due, &args, a, e);
	pg_args_fini(&args);
	return r;
}

/* The first three columns are the key. */
static void put_key(struct pg_args *a, const struct evidence *v, size_t n)
{
	size_t i;

	PG_COLUMN(a, PG_INT4, i, n, pg_elem_i32(a, v[i].source_id));
	PG_COLUMN(a, PG_INET, i, n, pg_elem_inet(a, &v[i].obs.addr));
	pg_arg_array(a, PG_BYTEA, n);
	for (i = 0; i < n; i++) {
		struct bytes k = store_name_key(&v[i].obs);

		pg_elem_bytes(a, k.len == 0 ? "" : (const void *)k.p, k.len);
	}
}

static void put_facts(struct pg_args *a, const struct evidence *v, size_t n)
{
	size_t i;

	PG_COLUMN(a, PG_TEXT, i, n, store_elem_kind(a, v[i].obs.kind));
	PG_COLUMN(a, PG_BYTEA, i, n, store_elem_bytes(a, v[i].obs.name));
	PG_COLUMN(a, PG_MACADDR, i, n, pg_elem_mac(a, &v[i].obs.mac));
	PG_COLUMN(a, PG_BYTEA, i, n, store_elem_bytes(a, v[i].obs.client_id));
	PG_COLUMN(a, PG_BYTEA, i, n, store_elem_bytes(a, v[i].obs.duid));
	PG_COLUMN(a, PG_BYTEA, i, n, store_elem_bytes(a, v[i].obs.dhcid));
	PG_COLUMN(a, PG_INT8, i, n, pg_elem_i64(a, v[i].obs.ttl_s));
	PG_COLUMN(a, PG_BOOL, i, n, pg_elem_bool(a, v[i].obs.ptr));
	PG_COLUMN(a, PG_BYTEA, i, n, store_elem_bytes(a, v[i].obs.raw));
}

static void put_times(struct pg_args *a, const struct evidence *v, size_t n)
{
	size_t i;

	PG_COLUMN(a, PG_TIMESTAMPTZ, i, n, pg_elem_time(a, v[i].obs.valid_until_s));
	PG_COLUMN(a, PG_TIMESTAMPTZ, i, n, pg_elem_time(a, v[i].obs.seen_at_s));
	PG_COLUMN(a, PG_TIMESTAMPTZ, i, n, pg_elem_time(a, v[i].first_seen_s));
	PG_COLUMN(a, PG_TIMESTAMPTZ, i, n, pg_elem_time(a, v[i].last_seen_s));
	PG_COLUMN(a, PG_TIMESTAMPTZ, i, n, pg_elem_time(a, v[i].absent_since_s));
	PG_COLUMN(a, PG_BOOL, i, n, pg_elem_bool(a, v[i].held));
}

static int write_rows(struct store *s, const char *sql, const struct evidence *v, size_t n,
		      struct err *e)
{
	struct pg_args a;
	int r;

	if (n == 0)
		return 0;
	pg_args_init(&a);
	put_key(&a, v, n);
	put_facts(&a, v, n);
	put_times(&a, v, n);
	r = pg_plan_for(s->pg, n, e);
	r = r < 0 ? r : pg_run_later(s->pg, sql, &a, e);
	pg_args_fini(&a);
	store_grown(s, GROWN_OBSERVATION, n);
	return r;
}

static int flow_evidence_put(void *ctx, const struct evidence *v, size_t n, struct err *e)
{
	return write_rows(ctx, sql_evidence_put, v, n, e);
}

static int flow_evidence_add(void *ctx, const struct evidence *v, size_t n, struct err *e)
{
	return n >= STORE_MANY ? store_copy_evidence(ctx, v, n, e)
			       : write_rows(ctx, sql_evidence_add, v, n, e);
}

static int flow_evidence_del(void *ctx, const struct evidence *v, size_t n, struct err *e)
{
	struct store *s = ctx;
	struct pg_args a;
	int r;

	if (n == 0)
		return 0;
	pg_args_init(&a);
	put_key(&a, v, n);
	r = pg_run_later(s->pg, sql_evidence_del, &a, e);
	pg_args_fini(&a);
	return r;
}

void store_bind_evidence(struct flow_store *f)
{
	f->evidence_get = flow_evidence_get;
	f->evidence_put = flow_evidence_put;
	f->evidence_add = flow_evidence_add;
	f->evidence_del = flow_evidence_del;
	f->evidence_due = flow_evidence_due;
}
