/* fresh.c - many rows that the tables do not have yet, by COPY: half the work of a statement that
 * looks first whether each is there.
 */
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/store/inside.h"
#include "sql.h"

static void copy_string(struct pg *p, const char *s)
{
	pg_copy_text(p, s, s == NULL ? 0 : strlen(s));
}

static void copy_name(struct pg *p, const struct dname *n)
{
	char text[DNAME_TEXT] = "";

	if (n->len > 0)
		dname_print(text, n);
	copy_string(p, text);
}

static void copy_id(struct pg *p, struct bytes b)
{
	pg_copy_bytes(p, b.len == 0 ? NULL : b.p, b.len);
}

/* No instant is before all others. */
static void copy_instant(struct pg *p, int64_t unix_s)
{
	pg_copy_time(p, unix_s == 0 ? -1 : unix_s);
}

static void copy_ttl(struct pg *p, uint32_t ttl_s)
{
	if (ttl_s != 0)
		pg_copy_i64(p, ttl_s);
	else
		pg_copy_null(p);
}

/* A COPY was begun and its rows were given with this result. */
static int copy_close(struct store *s, int r, struct err *e)
{
	if (r == 0)
		return pg_copy_end(s->pg, e);
	pg_copy_end(s->pg, NULL);
	return r;
}

/* ---- evidence --------------------------------------------------------------------------- */

/* In the order of evidence_copy.sql. */
static void copy_evidence(struct pg *p, const struct evidence *v)
{
	const struct obs *o = &v->obs;
	struct bytes key = store_name_key(o);

	pg_copy_row(p, 18);
	pg_copy_i32(p, v->source_id);
	pg_copy_inet(p, &o->addr);
	pg_copy_bytes(p, key.len == 0 ? "" : (const void *)key.p, key.len);
	copy_string(p, obs_kind_name(o->kind));
	copy_id(p, o->name);
	pg_copy_mac(p, &o->mac);
	copy_id(p, o->client_id);
	copy_id(p, o->duid);
	copy_id(p, o->dhcid);
	copy_instant(p, o->valid_until_s);
	pg_copy_time(p, o->seen_at_s);
	pg_copy_time(p, v->first_seen_s);
	pg_copy_time(p, v->last_seen_s);
	pg_copy_time(p, v->absent_since_s);
	pg_copy_bool(p, v->held);
	copy_ttl(p, o->ttl_s);
	pg_copy_bool(p, o->ptr);
	copy_id(p, o->raw);
}

int store_copy_evidence(struct store *s, const struct evidence *v, size_t n, struct err *e)
{
	int r = pg_copy_begin(s->pg, sql_evidence_copy, e);
	size_t i;

	if (r < 0)
		return r;
	for (i = 0; i < n && r == 0; i++) {
		copy_evidence(s->pg, &v[i]);
		r = pg_copy_flush(s->pg, e);
	}
	store_grown(s, GROWN_OBSERVATION, n);
	return copy_close(s, r, e);
}

/* ---- owners ----------------------------------------------------------------------------- */

/* Of the zones of a batch: is an owner known to have been looked at by itself alone? */
struct zone_facts {
	VEC(struct zone_fact {
		int32_t id;
		bool looks_alone;
	}) v;
};

static const struct zone_fact *fact_of(const struct zone_facts *f, int32_t id)
{
	size_t i;

	for (i = 0; i < f->v.n; i++) {
		if (f->v.v[i].id == id)
			return &f->v.v[i];
	}
	return NULL;
}

static int read_facts(struct zone_facts *f, struct store *s, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *rows = NULL;
	struct pg_args a;
	size_t i;
	int r;

	pg_args_init(&a);
	PG_COLUMN(&a, PG_INT4, i, f->v.n, pg_elem_i32(&a, f->v.v[i].id));
	r = pg_query(&rows, s->pg, sql_zone_facts, &a, e);
	pg_args_fini(&a);
	if (r == 0 && pg_rows_n(rows) < f->v.n)
		return err_set(e, ERR_BUG, "an owner of a zone that does not exist");
	for (i = 0; r == 0 && i < f->v.n; i++)
		f->v.v[i] = (struct zone_fact){pg_i32(rows, i, 0), pg_bool(rows, i, 1)};
	return r;
}

static int gather_facts(struct zone_facts *f, struct store *s, const struct belief *const *v,
			size_t n, struct err *e)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct zone_fact z = {.id = v[i]->zone_id};

		if (fact_of(f, z.id) == NULL && vec_push(&f->v, z) < 0)
			return err_nomem(e);
	}
	return read_facts(f, s, e);
}

static void copy_set(struct pg *p, struct buf *text, const struct rrs *set)
{
	buf_reset(text);
	rrs_print(text, set);
	pg_copy_text(p, buf_text(text), text->len);
}

/* In the order of owner_copy.sql. */
static void copy_owner(struct pg *p, struct buf *text, const struct belief *b, bool looks_alone)
{
	pg_copy_row(p, 20);
	pg_copy_i32(p, b->zone_id);
	copy_name(p, &b->owner);
	copy_set(p, text, &b->want);
	copy_set(p, text, &b->published);
	if (b->seen_known && !rrs_equal(&b->seen, &b->published))
		copy_set(p, text, &b->seen);
	else
		pg_copy_null(p);
	pg_copy_bool(p, b->seen_known && looks_alone);
	pg_copy_bool(p, belief_guards(b));
	copy_string(p, belief_state_name(b->state));
	copy_instant(p, b->due_at_s);
	copy_string(p, obs_kind_name(b->want_kind));
	if (b->want_source != 0)
		pg_copy_i32(p, b->want_source);
	else
		pg_copy_null(p);
	copy_string(p, b->why);
	pg_copy_i64(p, b->want_ttl_s);
	pg_copy_i64(p, b->sent_ttl_s);
	pg_copy_time(p, b->offered_at_s);
	pg_copy_time(p, b->settled_at_s);
	pg_copy_time(p, b->removed_at_s);
	pg_copy_i64(p, b->reverts);
	pg_copy_i64(p, b->attempts);
	copy_string(p, belief_decision_name(b->decided));
}

int store_copy_owners(struct store *s, const struct belief *const *v, size_t n, struct err *e)
{
	struct zone_facts f = {.v = {0}};
	struct buf text = BUF_INIT;
	int r = gather_facts(&f, s, v, n, e);
	size_t i;

	r = r < 0 ? r : pg_copy_begin(s->pg, sql_owner_copy, e);
	if (r == 0) {
		for (i = 0; i < n && r == 0; i++) {
			copy_owner(s->pg, &text, v[i], fact_of(&f, v[i]->zone_id)->looks_alone);
			r = text.bad ? err_nomem(e) : pg_copy_flush(s->pg, e);
		}
		r = copy_close(s, r, e);
		store_grown(s, GROWN_OWNER, n);
	}
	buf_fini(&text);
	vec_fini(&f.v);
	return r;
}

/* ---- hosts ------------------------------------------------------------------------------ */

/* In the order of host_copy.sql. */
static void copy_host(struct pg *p, int32_t space_id, const struct host *h)
{
	pg_copy_row(p, 15);
	pg_copy_i32(p, space_id);
	pg_copy_inet(p, &h->addr);
	copy_name(p, &h->name);
	copy_name(p, &h->asked);
	pg_copy_bool(p, h->ptr);
	copy_string(p, obs_kind_name(h->kind));
	pg_copy_i32(p, h->source_id);
	pg_copy_mac(p, &h->id.mac);
	copy_id(p, h->id.client_id);
	copy_id(p, h->id.duid);
	copy_id(p, h->id.dhcid);
	pg_copy_time(p, h->since_s);
	copy_instant(p, h->expires_at_s);
	copy_ttl(p, h->ttl_s);
	copy_string(p, h->why);
}

int store_copy_hosts(struct store *s, int32_t space_id, const struct host *v, size_t n,
		     struct err *e)
{
	int r = pg_copy_begin(s->pg, sql_host_copy, e);
	size_t i;

	if (r < 0)
		return r;
	for (i = 0; i < n && r == 0; i++) {
		copy_host(s->pg, space_id, &v[i]);
		r = pg_copy_flush(s->pg, e);
	}
	store_grown(s, GROWN_HOST, n);
	return copy_close(s, r, e);
}
