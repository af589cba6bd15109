/* hosts.c - the names of addresses: read by address and by name, replaced by address. */
#include <stdlib.h>
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/store/inside.h"
#include "sql.h"

/* Columns: address, name, asked, ptr, kind, source_id, mac, client_id, duid, dhcid, since,
 * expires_at, ttl, why. */
static int read_host(struct host *h, const struct pg_rows *r, size_t row, struct arena *a,
		     struct err *e)
{
	memset(h, 0, sizeof(*h));
	h->addr = pg_inet(r, row, 0);
	if (store_read_name(&h->name, pg_text(r, row, 1), e) < 0 ||
	    store_read_name(&h->asked, pg_text(r, row, 2), e) < 0 ||
	    store_read_kind(&h->kind, pg_text(r, row, 4), e) < 0)
		return ERR_PROTO;
	h->ptr = pg_bool(r, row, 3);
	h->source_id = pg_i32(r, row, 5);
	h->id.mac = pg_mac(r, row, 6);
	h->since_s = pg_time(r, row, 10);
	h->expires_at_s = pg_time(r, row, 11);
	h->ttl_s = store_u32(r, row, 12);
	if (!store_keep_bytes(&h->id.client_id, a, pg_bytes(r, row, 7)) ||
	    !store_keep_bytes(&h->id.duid, a, pg_bytes(r, row, 8)) ||
	    !store_keep_bytes(&h->id.dhcid, a, pg_bytes(r, row, 9)) ||
	    !store_keep_text(&h->why, a, r, row, 13))
		return err_nomem(e);
	/* It is kept only when it is of the name asked for. */
	if (h->id.dhcid.len > 0 && !store_keep_bytes(&h->id.dhcid_name, a, pg_bytes(r, row, 2)))
		return err_nomem(e);
	return 0;
}

static int query_hosts(struct host **out, size_t *n, struct store *s, const char *sql,
		       const struct pg_args *args, struct arena *a, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct host *v;
	size_t k, i;
	int r = pg_query(&rows, s->pg, sql, args, e);

	if (r < 0)
		return r;
	k = pg_rows_n(rows);
	if (k == 0)
		return 0;
	v = arena_array(a, k, sizeof(*v));
	if (v == NULL)
		return err_nomem(e);
	for (i = 0; i < k; i++) {
		r = read_host(&v[i], rows, i, a, e);
		if (r < 0)
			return r;
	}
	*out = v;
	*n = k;
	return 0;
}

/* Names in the order of DNS (RFC 4034 6.1), which no collation of the server knows. */
static int by_address_name(const void *pa, const void *pb)
{
	const struct host *a = pa, *b = pb;
	int r = ipaddr_cmp(&a->addr, &b->addr);

	return r != 0 ? r : dname_cmp(&a->name, &b->name);
}

static int read_addrs(struct ipaddr **out, size_t *n, struct store *s, const char *sql,
		      const struct pg_args *args, struct arena *a, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	int r = pg_query(&rows, s->pg, sql, args, e);
	size_t i;

	if (r < 0)
		return r;
	*out = arena_array(a, pg_rows_n(rows) + 1, sizeof(**out));
	if (*out == NULL)
		return err_nomem(e);
	*n = pg_rows_n(rows);
	for (i = 0; i < *n; i++)
		(*out)[i] = pg_inet(rows, i, 0);
	return 0;
}

static void names_args(struct pg_args *a, int32_t space_id, const struct dname *names, size_t n)
{
	size_t i;

	pg_args_init(a);
	pg_arg_i32(a, space_id);
	PG_COLUMN(a, PG_TEXT, i, n, store_elem_name(a, &names[i]));
}

static int flow_hosts_waiting(void *ctx, struct ipaddr **out, size_t *n, int32_t space_id,
			      const struct dname *names, size_t n_names, struct arena *a,
			      struct err *e)
{
	struct pg_args args;
	int r;

	*out = NULL;
	*n = 0;
	if (n_names == 0)
		return 0;
	names_args(&args, space_id, names, n_names);
	r = read_addrs(out, n, ctx, sql_hosts_waiting, &args, a, e);
	pg_args_fini(&args);
	return r;
}

static int flow_hosts_addrs(void *ctx, struct ipaddr *out, size_t *n, size_t cap, int32_t space_id,
			    const struct ipaddr *after, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	static const struct ipaddr none;
	struct store *s = ctx;
	struct pg_args args;
	size_t i;
	int r;

	*n = 0;
	pg_args_init(&args);
	pg_arg_i32(&args, space_id);
	pg_arg_inet(&args, after == NULL ? &none : after);
	pg_arg_i64(&args, (int64_t)cap);
	r = pg_query(&rows, s->pg, sql_hosts_addrs, &args, e);
	pg_args_fini(&args);
	if (r < 0)
		return r;
	*n = pg_rows_n(rows);
	for (i = 0; i < *n; i++)
		out[i] = pg_inet(rows, i, 0);
	return 0;
}

static int flow_digest_get(void *ctx, uint64_t *out, int32_t space_id, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct store *s = ctx;
	struct pg_args args;
	int r;

	pg_args_init(&args);
	pg_arg_i32(&args, space_id);
	r = pg_query(&rows, s->pg, sql_digest_get, &args, e);
	pg_args_fini(&args);
	*out = r == 0 && pg_rows_n(rows) == 1 ? (uint64_t)pg_i64(rows, 0, 0) : 0;
	return r;
}

static int flow_digest_put(void *ctx, uint64_t digest, int32_t space_id, struct err *e)
{
	struct store *s = ctx;
	struct pg_args args;
	int r;

	pg_args_init(&args);
	pg_arg_i32(&args, space_id);
	pg_arg_i64(&args, (int64_t)digest);
	r = pg_run_later(s->pg, sql_digest_put, &args, e);
	pg_args_fini(&args);
	return r;
}

static int flow_hosts_of_addrs(void *ctx, struct host **out, size_t *n, int32_t space_id,
			       const struct ipaddr *addrs, size_t n_addrs, struct arena *a,
			       struct err *e)
{
	struct pg_args args;
	int r;

	*out = NULL;
	*n = 0;
	if (n_addrs == 0)
		return 0;
	pg_args_init(&args);
	pg_arg_i32(&args, space_id);
	pg_arg_inets(&args, addrs, n_addrs);
	r = pg_plan_for(((struct store *)ctx)->pg, n_addrs, e);
	r = r < 0 ? r : query_hosts(out, n, ctx, sql_hosts_of_addrs, &args, a, e);
	pg_args_fini(&args);
	if (r == 0 && *n > 1)
		qsort(*out, *n, sizeof(**out), by_address_name);
	return r;
}

static int flow_hosts_of_names_soon(void *ctx, int32_t space_id, const struct dname *names,
				    size_t n, struct err *e)
{
	struct store *s = ctx;
	struct pg_args args;
	int r;

	if (!s->in_tx || n == 0)
		return 0;
	names_args(&args, space_id, names, n);
	r = pg_plan_for(s->pg, n, e);
	r = r < 0 ? r : pg_query_ahead(s->pg, sql_hosts_of_names, &args, e);
	pg_args_fini(&args);
	return r;
}

static int flow_hosts_of_names(void *ctx, struct host **out, size_t *n, int32_t space_id,
			       const struct dname *names, size_t n_names, struct arena *a,
			       struct err *e)
{
	struct pg_args args;
	int r;

	*out = NULL;
	*n = 0;
	if (n_names == 0)
		return 0;
	names_args(&args, space_id, names, n_names);
	r = pg_plan_for(((struct store *)ctx)->pg, n_names, e);
	r = r < 0 ? r : query_hosts(out, n, ctx, sql_hosts_of_names, &args, a, e);
	pg_args_fini(&args);
	if (r == 0 && *n > 1)
		qsort(*out, *n, sizeof(**out), host_by_name);
	return r;
}

/* ---- writing ------------------------------------------------------------------------------- */

static void put_names(struct pg_args *a, const struct host *v, size_t n)
{
	size_t i;

	PG_COLUMN(a, PG_INET, i, n, pg_elem_inet(a, &v[i].addr));
	PG_COLUMN(a, PG_TEXT, i, n, store_elem_name(a, &v[i].name));
}

static void put_rest(struct pg_args *a, const struct host *v, size_t n)
{
	size_t i;

	PG_COLUMN(a, PG_TEXT, i, n, store_elem_name(a, &v[i].asked));
	PG_COLUMN(a, PG_BOOL, i, n, pg_elem_bool(a, v[i].ptr));
	PG_COLUMN(a, PG_TEXT, i, n, store_elem_kind(a, v[i].kind));
	PG_COLUMN(a, PG_INT4, i, n, pg_elem_i32(a, v[i].source_id));
	PG_COLUMN(a, PG_MACADDR, i, n, pg_elem_mac(a, &v[i].id.mac));
	PG_COLUMN(a, PG_BYTEA, i, n, store_elem_bytes(a, v[i].id.client_id));
	PG_COLUMN(a, PG_BYTEA, i, n, store_elem_bytes(a, v[i].id.duid));
	PG_COLUMN(a, PG_BYTEA, i, n, store_elem_bytes(a, v[i].id.dhcid));
	PG_COLUMN(a, PG_TIMESTAMPTZ, i, n, pg_elem_time(a, v[i].since_s));
	PG_COLUMN(a, PG_TIMESTAMPTZ, i, n, pg_elem_time(a, v[i].expires_at_s));
	PG_COLUMN(a, PG_INT8, i, n, pg_elem_i64(a, v[i].ttl_s));
	PG_COLUMN(a, PG_TEXT, i, n,
		  pg_elem_text(a, v[i].why, v[i].why == NULL ? 0 : strlen(v[i].why)));
}

/* Rows of the addresses that are not among the new ones. */
static int drop_others(struct store *s, int32_t space_id, const struct ipaddr *addrs,
		       size_t n_addrs, const struct host *v, size_t n, struct err *e)
{
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, space_id);
	pg_arg_inets(&a, addrs, n_addrs);
	put_names(&a, v, n);
	r = pg_run_later(s->pg, sql_hosts_put_drop, &a, e);
	pg_args_fini(&a);
	return r;
}

static int write_rows(struct store *s, const char *sql, int32_t space_id, const struct host *v,
		      size_t n, struct err *e)
{
	struct pg_args a;
	int r;

	pg_args_init(&a);
	pg_arg_i32(&a, space_id);
	put_names(&a, v, n);
	put_rest(&a, v, n);
	r = pg_run_later(s->pg, sql, &a, e);
	pg_args_fini(&a);
	store_grown(s, GROWN_HOST, n);
	return r;
}

static void forget_ahead(struct store *s)
{
	pg_ahead_forget(s->pg, sql_hosts_of_addrs);
	pg_ahead_forget(s->pg, sql_hosts_of_names);
}

static int flow_hosts_add(void *ctx, int32_t space_id, const struct host *v, size_t n,
			  struct err *e)
{
	struct store *s = ctx;
	int r;

	forget_ahead(s);
	if (n >= STORE_MANY)
		return store_copy_hosts(s, space_id, v, n, e);
	r = pg_plan_for(s->pg, n, e);
	return r < 0 || n == 0 ? r : write_rows(s, sql_hosts_add, space_id, v, n, e);
}

static int flow_hosts_put(void *ctx, int32_t space_id, const struct ipaddr *addrs, size_t n_addrs,
			  const struct host *v, size_t n, struct err *e)
{
	struct store *s = ctx;
	int r;

	forget_ahead(s);
	r = pg_plan_for(s->pg, n_addrs, e);
	if (r == 0 && n_addrs > 0)
		r = drop_others(s, space_id, addrs, n_addrs, v, n, e);
	return r < 0 || n == 0 ? r : write_rows(s, sql_hosts_put, space_id, v, n, e);
}

static int count(uint32_t *out, struct store *s, const char *sql, int32_t id, const char *text,
		 struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct pg_args a;
	int r;

	*out = 0;
	pg_args_init(&a);
	pg_arg_i32(&a, id);
	pg_arg_text(&a, text);
	r = pg_query(&rows, s->pg, sql, &a, e);
	pg_args_fini(&a);
	if (r == 0)
		*out = store_u32(rows, 0, 0);
	return r;
}

static int flow_names_of_source(void *ctx, uint32_t *out, int32_t source_id,
				const struct dname *zone, struct err *e)
{
	char text[DNAME_TEXT];

	return count(out, ctx, sql_names_of_source, source_id, dname_print(text, zone), e);
}

static int flow_names_within(void *ctx, uint32_t *out, int32_t space_id, const struct prefix *p,
			     struct err *e)
{
	char text[PREFIX_TEXT];

	return count(out, ctx, sql_names_within, space_id, prefix_print(text, p), e);
}

void store_bind_hosts(struct flow_store *f)
{
	f->hosts_addrs = flow_hosts_addrs;
	f->digest_get = flow_digest_get;
	f->digest_put = flow_digest_put;
	f->hosts_of_addrs = flow_hosts_of_addrs;
	f->hosts_of_names = flow_hosts_of_names;
	f->hosts_of_names_soon = flow_hosts_of_names_soon;
	f->hosts_waiting = flow_hosts_waiting;
	f->hosts_add = flow_hosts_add;
	f->hosts_put = flow_hosts_put;
	f->names_of_source = flow_names_of_source;
	f->names_within = flow_names_within;
}
