/* memhosts.c - hosts and beliefs of the store in memory. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/memtables.h"

/* ---- hosts ------------------------------------------------------------------------------ */

/* Which of the rows are meant, for the two ways of asking. */
struct host_query {
	int32_t space_id;
	const struct ipaddr *addrs;
	const struct dname *names;  /* NULL: by address */
	size_t n;
};

static bool host_matches(const struct host_query *q, const struct host_row *row)
{
	if (row->space_id != q->space_id)
		return false;
	if (q->names == NULL)
		return memstore_has_addr(q->addrs, q->n, &row->h.addr);
	for (size_t i = 0; i < q->n; i++)
		if (row->h.name.len > 0 && dname_equal(&row->h.name, &q->names[i]))
			return true;
	return false;
}

static int get_hosts(struct memstore *m, struct host **out, size_t *n, const struct host_query *q,
		     struct arena *a, struct err *e)
{
	const struct table *t = &m->now.t[T_HOST];
	size_t k = 0;
	int r = memstore_enter(m, e);

	*out = NULL;
	*n = 0;
	if (r < 0)
		return r;
	for (size_t i = 0; i < t->n; i++)
		k += host_matches(q, t->v[i]);
	if (k == 0)
		return 0;
	*out = arena_array(a, k, sizeof(**out));
	if (*out == NULL)
		return memstore_nomem(m, e);
	for (size_t i = 0; i < t->n; i++) {
		const struct host_row *row = t->v[i];

		if (host_matches(q, row) && !dup_host(a, &(*out)[(*n)++], &row->h))
			return memstore_nomem(m, e);
	}
	return 0;
}

static int mem_hosts_of_addrs(void *ctx, struct host **out, size_t *n, int32_t space_id,
			      const struct ipaddr *addrs, size_t n_addrs, struct arena *a,
			      struct err *e)
{
	struct host_query q = {.space_id = space_id, .addrs = addrs, .n = n_addrs};

	return get_hosts(ctx, out, n, &q, a, e);
}

/* The order of lists is that of the text, as a database keeps it. */
static int cmp_name_text(const struct dname *a, const struct dname *b)
{
	char x[DNAME_TEXT], y[DNAME_TEXT];

	return strcmp(dname_print(x, a), dname_print(y, b));
}

static int by_name_since_addr(const void *pa, const void *pb)
{
	const struct host *a = pa, *b = pb;
	int r = cmp_name_text(&a->name, &b->name);

	if (r == 0)
		r = cmp_i64(a->since_s, b->since_s);
	return r != 0 ? r : ipaddr_cmp(&a->addr, &b->addr);
}

/* What is asked for later is asked for again: the differences of the two stores show here. */
static int mem_hosts_of_names_soon(void *ctx, int32_t space_id, const struct dname *names, size_t n,
				   struct err *e)
{
	(void)space_id;
	(void)names;
	(void)n;
	return memstore_enter(ctx, e);
}

static int mem_hosts_of_names(void *ctx, struct host **out, size_t *n, int32_t space_id,
			      const struct dname *names, size_t n_names, struct arena *a,
			      struct err *e)
{
	static const struct dname none;
	struct host_query q = {.space_id = space_id, .names = names == NULL ? &none : names,
			       .n = n_names};
	int r = get_hosts(ctx, out, n, &q, a, e);

	if (*n > 1)
		qsort(*out, *n, sizeof(**out), by_name_since_addr);
	return r;
}

static bool waits_for(const struct host_row *row, const struct dname *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (row->h.name.len == 0 && row->h.asked.len > 0 &&
		    dname_equal(&row->h.asked, &names[i]))
			return true;
	return false;
}

static int mem_hosts_waiting(void *ctx, struct ipaddr **out, size_t *n, int32_t space_id,
			     const struct dname *names, size_t n_names, struct arena *a,
			     struct err *e)
{
	struct memstore *m = ctx;
	const struct table *t = &m->now.t[T_HOST];
	int r = memstore_enter(m, e);

	*n = 0;
	*out = arena_array(a, t->n + 1, sizeof(**out));
	if (*out == NULL)
		return memstore_nomem(m, e);
	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct host_row *row = t->v[i];

		if (row->space_id == space_id && waits_for(row, names, n_names) &&
		    (*n == 0 || ipaddr_cmp(&(*out)[*n - 1], &row->h.addr) != 0))
			(*out)[(*n)++] = row->h.addr;
	}
	return r;
}

static int add_host(struct memstore *m, int32_t space_id, const struct host *h, struct err *e)
{
	struct host_row *row = arena_alloc(&m->base->rows, sizeof(*row));
	bool found;

	if (row == NULL || !dup_host(&m->base->rows, &row->h, h))
		return memstore_nomem(m, e);
	row->space_id = space_id;
	table_find(&m->now.t[T_HOST], row, &found);
	if (found)
		return memstore_misuse(m, e, "two hosts with one address and name");
	return memstore_put(m, T_HOST, row, e);
}

static bool has_hosts(const struct memstore *m, int32_t space_id, const struct ipaddr *addr)
{
	const struct table *t = &m->now.t[T_HOST];

	for (size_t i = 0; i < t->n; i++) {
		const struct host_row *row = t->v[i];

		if (row->space_id == space_id && ipaddr_cmp(&row->h.addr, addr) == 0)
			return true;
	}
	return false;
}

static int mem_hosts_add(void *ctx, int32_t space_id, const struct host *v, size_t n, struct err *e)
{
	struct memstore *m = ctx;
	int r = memstore_enter(m, e);

	for (size_t i = 0; i < n && r == 0; i++)
		if (has_hosts(m, space_id, &v[i].addr))
			return memstore_misuse(m, e, "hosts added to an address that has some");
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_host(m, space_id, &v[i], e);
	return r;
}

static int mem_hosts_put(void *ctx, int32_t space_id, const struct ipaddr *addrs, size_t n_addrs,
			 const struct host *v, size_t n, struct err *e)
{
	struct memstore *m = ctx;
	struct table *t = &m->now.t[T_HOST];
	int r = memstore_enter(m, e);

	for (size_t i = t->n; r == 0 && i-- > 0;) {
		const struct host_row *row = t->v[i];

		if (row->space_id == space_id && memstore_has_addr(addrs, n_addrs, &row->h.addr))
			r = memstore_del(m, T_HOST, i, e);
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!memstore_has_addr(addrs, n_addrs, &v[i].addr))
			return memstore_misuse(m, e, "host of an address that is not replaced");
		r = add_host(m, space_id, &v[i], e);
	}
	return r;
}

static int mem_names_of_source(void *ctx, uint32_t *out, int32_t source_id,
			       const struct dname *zone, struct err *e)
{
	struct memstore *m = ctx;
	const struct table *t = &m->now.t[T_HOST];
	int r = memstore_enter(m, e);

	*out = 0;
	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct host *h = &((const struct host_row *)t->v[i])->h;

		*out += h->source_id == source_id && h->name.len > 0 && dname_under(&h->name, zone);
	}
	return r;
}

static int mem_names_within(void *ctx, uint32_t *out, int32_t space_id, const struct prefix *p,
			    struct err *e)
{
	struct memstore *m = ctx;
	const struct table *t = &m->now.t[T_HOST];
	int r = memstore_enter(m, e);

	*out = 0;
	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct host_row *row = t->v[i];

		*out += row->space_id == space_id && row->h.name.len > 0 &&
			prefix_contains(p, &row->h.addr);
	}
	return r;
}

/* ---- beliefs ---------------------------------------------------------------------------- */

static int cmp_key(const void *pa, const void *pb)
{
	const struct belief *const *a = pa, *const *b = pb;
	int r = cmp_i64((*a)->zone_id, (*b)->zone_id);

	return r != 0 ? r : dname_cmp(&(*a)->owner, &(*b)->owner);
}

/* A row says itself that its owner was queried; a zone says it for all its owners. */
static bool is_seen_known(const struct memstore *m, const struct belief *b)
{
	return b->seen_known || memstore_zone_known(m, b->zone_id);
}

static int copy_beliefs(struct memstore *m, struct belief **out, const struct belief *const *v,
			size_t n, struct arena *a, struct err *e)
{
	if (n == 0)
		return 0;
	*out = arena_array(a, n, sizeof(**out));
	if (*out == NULL)
		return memstore_nomem(m, e);
	for (size_t i = 0; i < n; i++) {
		if (!dup_belief(a, &(*out)[i], v[i]))
			return memstore_nomem(m, e);
		if (is_seen_known(m, v[i]))
			(*out)[i].seen_known = true;
		else
			(*out)[i].seen = (struct rrs){NULL, 0};
	}
	return 0;
}

static int mem_beliefs_get(void *ctx, struct belief **out, size_t *n, const struct zone_key *keys,
			   size_t n_keys, struct arena *a, struct err *e)
{
	struct memstore *m = ctx;
	const struct table *t = &m->now.t[T_BELIEF];
	int r = memstore_enter(m, e);

	*out = NULL;
	*n = 0;
	if (r < 0 || n_keys == 0)
		return r;
	const struct belief **v = arena_array(a, n_keys, sizeof(struct belief *));
	if (v == NULL)
		return memstore_nomem(m, e);
	size_t k = 0;
	for (size_t i = 0; r == 0 && i < n_keys; i++) {
		struct belief key = {.zone_id = keys[i].zone_id, .owner = keys[i].owner};
		bool found;

		r = m->in_tx ? memstore_wait(m, T_BELIEF, &key, e) : 0;
		size_t at = table_find(t, &key, &found);
		if (r < 0 || !found)
			continue;
		v[k++] = t->v[at];
		r = memstore_lock(m, T_BELIEF, t->v[at], e);
	}
	if (r < 0)
		return r;
	qsort(v, k, sizeof(*v), cmp_key);
	for (size_t i = 0; i < k; i++)  /* a key asked for twice is answered once */
		if (i == 0 || v[i] != v[i - 1])
			v[(*n)++] = v[i];
	return copy_beliefs(m, out, v, *n, a, e);
}

void memstore_belief(const struct memstore *m, struct belief *out, int32_t zone_id,
		     const struct dname *owner)
{
	const struct table *t = &m->base->committed[T_BELIEF];
	struct belief key = {.zone_id = zone_id, .owner = *owner};
	bool found;
	size_t at = table_find(t, &key, &found);

	if (!found)
		return;
	*out = *(const struct belief *)t->v[at];
	out->seen_known = is_seen_known(m, out);
	if (!out->seen_known)
		out->seen = (struct rrs){NULL, 0};
}

static int put_belief(struct memstore *m, const struct belief *v, uint64_t version, struct err *e)
{
	bool found, zone_known = memstore_zone_known(m, v->zone_id);
	int r = memstore_wait(m, T_BELIEF, v, e);
	size_t at = table_find(&m->now.t[T_BELIEF], v, &found);

	if (r < 0)
		return r;
	if (!memstore_has_zone(m, v->zone_id))
		return memstore_misuse(m, e, "belief in no zone");
	if (v->n_offered > BELIEF_OFFERED_MAX)
		return memstore_misuse(m, e, "belief with too many offers");
	if (belief_is_empty(v))
		return found ? memstore_del(m, T_BELIEF, at, e) : 0;
	struct belief *b = arena_alloc(&m->base->rows, sizeof(*b));
	if (b == NULL || !dup_belief(&m->base->rows, b, v))
		return memstore_nomem(m, e);
	/* What the planner works out each time is not kept. */
	b->same_client = b->below_cut = b->apex = false;
	b->version = version;
	b->place = (uintptr_t)b;
	/* Where seen is not kept it reads as published, once the zone is known. */
	if (!v->seen_known)
		b->seen = b->published;
	b->seen_known = v->seen_known && (!zone_known || memstore_zone_asked(m, v->zone_id));
	return memstore_put(m, T_BELIEF, b, e);
}

static const struct belief *kept_belief(const struct memstore *m, const struct belief *b)
{
	const struct table *t = &m->now.t[T_BELIEF];

	for (size_t i = 0; i < t->n; i++) {
		const struct belief *x = t->v[i];

		if (x->zone_id == b->zone_id && dname_equal(&x->owner, &b->owner))
			return x;
	}
	return NULL;
}

static int mem_beliefs_put(void *ctx, const struct belief *v, size_t n, struct err *e)
{
	struct memstore *m = ctx;
	int r = memstore_enter(m, e);
	uint64_t version = r == 0 ? memstore_tx_no(m) : 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		/* one statement of a database can't write a row twice */
		for (size_t k = 0; k < i; k++)
			if (v[k].zone_id == v[i].zone_id && dname_equal(&v[k].owner, &v[i].owner))
				return memstore_misuse(m, e, "an owner twice in one put");
		if (v[i].version == 0 && kept_belief(m, &v[i]) != NULL)
			return memstore_misuse(m, e, "an owner that was not read has a row");
		r = put_belief(m, &v[i], version, e);
	}
	return r;
}

static int mem_beliefs_soon(void *ctx, const struct zone_key *keys, size_t n, struct err *e)
{
	(void)keys;
	(void)n;
	return memstore_enter(ctx, e);
}

static int mem_beliefs_settle(void *ctx, struct belief *v, size_t n, bool *done, struct err *e)
{
	struct memstore *m = ctx;
	int r = memstore_enter(m, e);
	uint64_t version = r == 0 ? memstore_tx_no(m) : 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		const struct belief *kept = kept_belief(m, &v[i]);
		done[i] = kept != NULL && kept->version == v[i].version &&
			  !memstore_held(m, T_BELIEF, kept);
		if (!done[i])
			continue;
		struct belief b = v[i];
		b.want = kept->want;
		b.want_kind = kept->want_kind;
		b.want_ttl_s = kept->want_ttl_s;
		r = put_belief(m, &b, version, e);
		v[i].version = version;
		/* A row that came out empty is gone. */
		kept = kept_belief(m, &v[i]);
		v[i].place = kept == NULL ? 0 : kept->place;
	}
	return r;
}

/* The row as the store makes it, from what it keeps itself. */
static int mem_beliefs_proven(void *ctx, struct belief *v, size_t n, int64_t settled_at_s,
			      bool *done, struct err *e)
{
	struct memstore *m = ctx;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		const struct belief *kept = kept_belief(m, &v[i]);
		struct belief b;

		done[i] = false;
		if (kept == NULL || kept->place != v[i].place)
			continue;
		b = *kept;
		b.version = v[i].version;
		b.published = b.seen = b.want;
		b.seen_known = true;
		b.n_offered = 0;
		b.state = BELIEF_STEP;
		b.sent_ttl_s = b.want_ttl_s;
		b.settled_at_s = settled_at_s;
		b.due_at_s = b.removed_at_s = 0;
		b.attempts = 0;
		b.decided = DECIDED_NOTHING;
		r = mem_beliefs_settle(ctx, &b, 1, &done[i], e);
		v[i].version = b.version;
		v[i].place = b.place;
	}
	return r;
}

static int cmp_due(const struct belief *a, const struct belief *b)
{
	int r = cmp_i64(a->due_at_s, b->due_at_s);

	return r != 0 ? r : cmp_name_text(&a->owner, &b->owner);
}

static int by_due(const void *pa, const void *pb)
{
	const struct belief *const *a = pa, *const *b = pb;

	return cmp_due(*a, *b);
}

static int listed_beliefs(struct memstore *m, struct belief **out, size_t *n, int32_t zone_id,
			  uint8_t state, int64_t now_s, const struct belief *after, size_t limit,
			  struct arena *a, struct err *e)
{
	const struct table *t = &m->now.t[T_BELIEF];
	int r = memstore_enter(m, e);

	*out = NULL;
	*n = 0;
	if (r < 0 || t->n == 0)
		return r;
	const struct belief **v = arena_array(a, t->n, sizeof(struct belief *));
	if (v == NULL)
		return memstore_nomem(m, e);
	for (size_t i = 0; i < t->n; i++) {
		const struct belief *b = t->v[i];

		if (b->zone_id == zone_id && b->state == state && b->due_at_s <= now_s &&
		    (after == NULL || cmp_due(b, after) > 0))
			v[(*n)++] = b;
	}
	qsort(v, *n, sizeof(*v), by_due);
	if (*n > limit)
		*n = limit;
	return copy_beliefs(m, out, v, *n, a, e);
}

static int mem_beliefs_due(void *ctx, struct due_page *pages, size_t n_pages, int64_t now_s,
			   size_t limit, struct arena *a, struct err *e)
{
	const struct memstore *m = ctx;
	int r = 0;

	for (size_t i = 0; i < n_pages && r == 0; i++) {
		r = listed_beliefs(ctx, &pages[i].v, &pages[i].n, pages[i].zone_id, BELIEF_DUE, now_s,
				   pages[i].after, limit, a, e);
		pages[i].before = m->base->tx_no + 1;
	}
	return r;
}

/* Rows that are stopped have no due time, so their order is that of owners. */
static int mem_beliefs_stopped(void *ctx, struct belief **out, size_t *n, int32_t zone_id,
			       enum belief_state state, const struct dname *after, size_t limit,
			       struct arena *a, struct err *e)
{
	struct belief last = {.due_at_s = 0};

	if (after != NULL)
		last.owner = *after;
	return listed_beliefs(ctx, out, n, zone_id, (uint8_t)state, INT64_MAX,
			      after == NULL ? NULL : &last, limit, a, e);
}

/* What makes an owner a zone cut, point at other names, or set aside. */
static bool is_guarding(const struct belief *b)
{
	static const uint16_t types[] = {RR_NS, RR_DNAME, RR_CNAME, RR_MX, RR_SRV};
	const struct rr *first;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (rrs_of(&b->seen, types[i], &first) > 0)
			return true;
	return b->decided == DECIDED_DNS;
}

static int mem_beliefs_guarding(void *ctx, struct belief **out, size_t *n, int32_t zone_id,
				struct arena *a, struct err *e)
{
	struct memstore *m = ctx;
	const struct table *t = &m->now.t[T_BELIEF];
	int r = memstore_enter(m, e);

	*out = NULL;
	*n = 0;
	if (r < 0 || t->n == 0)
		return r;
	const struct belief **v = arena_array(a, t->n, sizeof(struct belief *));
	if (v == NULL)
		return memstore_nomem(m, e);
	for (size_t i = 0; i < t->n; i++) {
		const struct belief *b = t->v[i];

		if (b->zone_id == zone_id && is_guarding(b))
			v[(*n)++] = b;
	}
	return copy_beliefs(m, out, v, *n, a, e);
}

static int mem_zone_queue(void *ctx, struct zone_queue *out, int32_t zone_id, struct err *e)
{
	struct memstore *m = ctx;
	const struct table *t = &m->now.t[T_BELIEF];
	int r = memstore_enter(m, e);

	*out = (struct zone_queue){0, 0};
	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct belief *b = t->v[i];

		if (b->zone_id != zone_id || b->state != BELIEF_DUE)
			continue;
		out->due++;
		if (b->due_at_s != 0 && (out->oldest_s == 0 || b->due_at_s < out->oldest_s))
			out->oldest_s = b->due_at_s;
	}
	return r;
}

static int mem_totals(void *ctx, struct store_totals *out, struct err *e)
{
	struct memstore *m = ctx;
	const struct table *ev = &m->now.t[T_EVIDENCE], *bl = &m->now.t[T_BELIEF];
	int r = memstore_enter(m, e);

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; r == 0 && i < ev->n; i++)
		out->held += ((const struct ev_row *)ev->v[i])->e.held;
	for (size_t i = 0; r == 0 && i < bl->n; i++)
		if (((const struct belief *)bl->v[i])->state != BELIEF_STEP)
			out->owners[((const struct belief *)bl->v[i])->state]++;
	return r;
}

static int mem_seen_walk(void *ctx, int32_t zone_id,
			 int (*cb)(void *arg, const struct dname *owner, const struct rrs *seen,
				   struct err *e),
			 void *arg, struct err *e)
{
	struct memstore *m = ctx;
	const struct table *t = &m->now.t[T_BELIEF];
	int r = memstore_enter(m, e);

	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct belief *b = t->v[i];

		if (b->zone_id == zone_id)
			r = cb(arg, &b->owner, &b->seen, e);
	}
	return r;
}

static int mem_hosts_addrs(void *ctx, struct ipaddr *out, size_t *n, size_t cap, int32_t space_id,
			   const struct ipaddr *after, struct err *e)
{
	struct memstore *m = ctx;
	const struct table *t = &m->now.t[T_HOST];
	int r = memstore_enter(m, e);

	*n = 0;
	for (size_t i = 0; r == 0 && i < t->n && *n < cap; i++) {
		const struct host_row *row = t->v[i];

		/* Rows are kept in order of space and address. */
		if (row->space_id != space_id ||
		    (after != NULL && ipaddr_cmp(&row->h.addr, after) <= 0) ||
		    (*n > 0 && ipaddr_cmp(&row->h.addr, &out[*n - 1]) == 0))
			continue;
		out[(*n)++] = row->h.addr;
	}
	return r;
}

static int mem_digest_get(void *ctx, uint64_t *out, int32_t space_id, struct err *e)
{
	struct memstore *m = ctx;
	struct digest_row key = {.space_id = space_id};
	int r = memstore_enter(m, e);
	bool found;
	size_t at = table_find(&m->now.t[T_DIGEST], &key, &found);

	*out = r == 0 && found ? ((const struct digest_row *)m->now.t[T_DIGEST].v[at])->digest : 0;
	return r;
}

static int mem_digest_put(void *ctx, uint64_t digest, int32_t space_id, struct err *e)
{
	struct memstore *m = ctx;
	struct digest_row *row = arena_alloc(&m->base->rows, sizeof(*row));
	int r = memstore_enter(m, e);

	if (r < 0)
		return r;
	if (row == NULL)
		return memstore_nomem(m, e);
	*row = (struct digest_row){space_id, digest};
	return memstore_put(m, T_DIGEST, row, e);
}

void memstore_bind_hosts(struct flow_store *f)
{
	f->hosts_addrs = mem_hosts_addrs;
	f->digest_get = mem_digest_get;
	f->digest_put = mem_digest_put;
	f->hosts_of_addrs = mem_hosts_of_addrs;
	f->hosts_of_names = mem_hosts_of_names;
	f->hosts_of_names_soon = mem_hosts_of_names_soon;
	f->hosts_waiting = mem_hosts_waiting;
	f->hosts_add = mem_hosts_add;
	f->hosts_put = mem_hosts_put;
	f->names_of_source = mem_names_of_source;
	f->names_within = mem_names_within;
	f->beliefs_get = mem_beliefs_get;
	f->beliefs_soon = mem_beliefs_soon;
	f->beliefs_put = mem_beliefs_put;
	f->beliefs_settle = mem_beliefs_settle;
	f->beliefs_proven = mem_beliefs_proven;
	f->beliefs_due = mem_beliefs_due;
	f->beliefs_stopped = mem_beliefs_stopped;
	f->beliefs_guarding = mem_beliefs_guarding;
	f->seen_walk = mem_seen_walk;
	f->zone_queue = mem_zone_queue;
	f->totals = mem_totals;
}
