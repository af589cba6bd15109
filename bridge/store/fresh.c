/* fresh.c - many rows that the tables do not have yet, by COPY: half the work of a statement that
 * looks first whether each is there.
 */
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/store/inside.h"
#include "sql.h"

static void copy_name(struct pg *p, const struct dname *n)
{
	char text[DNAME_TEXT] = "";

	if (n->len > 0)
		dname_print(text, n);
	store_copy_text(p, text);
}

/* No instant is before all others. */
static void copy_instant(struct pg *p, int64_t unix_s)
{
	pg_copy_time(p, unix_s == 0 ? -1 : unix_s);
}

/* ---- evidence --------------------------------------------------------------------------- */

/* In the order of evidence_copy.sql. */
static int copy_evidence(struct pg *p, const void *rows, size_t i)
{
	const struct evidence *v = (const struct evidence *)rows + i;
	const struct obs *o = &v->obs;
	struct bytes key = store_name_key(o);

	pg_copy_row(p, 18);
	pg_copy_i32(p, v->source_id);
	pg_copy_inet(p, &o->addr);
	pg_copy_bytes(p, key.len == 0 ? "" : (const void *)key.p, key.len);
	store_copy_text(p, obs_kind_name(o->kind));
	store_copy_bytes(p, o->name);
	pg_copy_mac(p, &o->mac);
	store_copy_bytes(p, o->client_id);
	store_copy_bytes(p, o->duid);
	store_copy_bytes(p, o->dhcid);
	copy_instant(p, o->valid_until_s);
	pg_copy_time(p, o->seen_at_s);
	pg_copy_time(p, v->first_seen_s);
	pg_copy_time(p, v->last_seen_s);
	pg_copy_time(p, v->absent_since_s);
	pg_copy_bool(p, v->held);
	store_copy_ttl(p, o->ttl_s);
	pg_copy_bool(p, o->ptr);
	store_copy_bytes(p, o->raw);
	return 0;
}

int store_copy_evidence(struct store *s, const struct evidence *v, size_t n, struct err *e)
{
	int r = pg_copy_begin(s->pg, sql_evidence_copy, e);

	if (r < 0)
		return r;
	store_grown(s, GROWN_OBSERVATION, n);
	return store_copy_rows(s, n, copy_evidence, v, e);
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

struct owner_batch {
	const struct belief *const *v;
	const struct zone_facts *facts;
	struct buf *text;
};

static void copy_set(struct pg *p, struct buf *text, const struct rrs *set)
{
	buf_reset(text);
	rrs_print(text, set);
	pg_copy_text(p, buf_text(text), text->len);
}

/* In the order of owner_copy.sql. */
static int copy_owner(struct pg *p, const void *batch, size_t i)
{
	const struct owner_batch *c = batch;
	const struct belief *b = c->v[i];

	pg_copy_row(p, 19);
	pg_copy_i32(p, b->zone_id);
	copy_name(p, &b->owner);
	copy_set(p, c->text, &b->want);
	copy_set(p, c->text, &b->published);
	if (b->seen_known && !rrs_equal(&b->seen, &b->published))
		copy_set(p, c->text, &b->seen);
	else
		pg_copy_null(p);
	pg_copy_bool(p, b->seen_known && fact_of(c->facts, b->zone_id)->looks_alone);
	pg_copy_bool(p, belief_guards(b));
	store_copy_text(p, belief_state_name(b->state));
	copy_instant(p, b->due_at_s);
	store_copy_text(p, obs_kind_name(b->want_kind));
	if (b->want_source != 0)
		pg_copy_i32(p, b->want_source);
	else
		pg_copy_null(p);
	store_copy_text(p, b->why);
	pg_copy_i64(p, b->want_ttl_s);
	pg_copy_i64(p, b->sent_ttl_s);
	pg_copy_time(p, b->settled_at_s);
	pg_copy_time(p, b->removed_at_s);
	pg_copy_i64(p, b->reverts);
	pg_copy_i64(p, b->attempts);
	store_copy_text(p, belief_decision_name(b->decided));
	return c->text->bad ? ERR_NOMEM : 0;
}

int store_copy_owners(struct store *s, const struct belief *const *v, size_t n, struct err *e)
{
	struct zone_facts facts = {.v = {0}};
	struct buf text = BUF_INIT;
	struct owner_batch b = {.v = v, .facts = &facts, .text = &text};
	int r = gather_facts(&facts, s, v, n, e);

	r = r < 0 ? r : pg_copy_begin(s->pg, sql_owner_copy, e);
	if (r == 0) {
		store_grown(s, GROWN_OWNER, n);
		r = store_copy_rows(s, n, copy_owner, &b, e);
	}
	buf_fini(&text);
	vec_fini(&facts.v);
	return r;
}

/* ---- hosts ------------------------------------------------------------------------------ */

struct host_batch {
	int32_t space_id;
	const struct host *v;
};

/* In the order of host_copy.sql. */
static int copy_host(struct pg *p, const void *batch, size_t i)
{
	const struct host_batch *b = batch;
	const struct host *h = &b->v[i];

	pg_copy_row(p, 15);
	pg_copy_i32(p, b->space_id);
	pg_copy_inet(p, &h->addr);
	copy_name(p, &h->name);
	copy_name(p, &h->asked);
	pg_copy_bool(p, h->ptr);
	store_copy_text(p, obs_kind_name(h->kind));
	pg_copy_i32(p, h->source_id);
	pg_copy_mac(p, &h->id.mac);
	store_copy_bytes(p, h->id.client_id);
	store_copy_bytes(p, h->id.duid);
	store_copy_bytes(p, h->id.dhcid);
	pg_copy_time(p, h->since_s);
	copy_instant(p, h->expires_at_s);
	store_copy_ttl(p, h->ttl_s);
	store_copy_text(p, h->why);
	return 0;
}

int store_copy_hosts(struct store *s, int32_t space_id, const struct host *v, size_t n,
		     struct err *e)
{
	struct host_batch b = {.space_id = space_id, .v = v};
	int r = pg_copy_begin(s->pg, sql_host_copy, e);

	if (r < 0)
		return r;
	store_grown(s, GROWN_HOST, n);
	return store_copy_rows(s, n, copy_host, &b, e);
}
