/* delta.c - see delta.h. */
#include "bridge/flow/delta.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/flow/planner.h"

void delta_init(struct delta *d, const struct hash_key *key)
{
	memset(d, 0, sizeof(*d));
	d->records.key = *key;
	d->owners.key = *key;
}

void delta_fini(struct delta *d)
{
	map_fini(&d->records);
	map_fini(&d->owners);
	arena_fini(&d->arena);
}

static int no_use(struct delta *d, const char *why)
{
	d->why = why;
	return NET_WHOLE;
}

/* ---- the words of the server -------------------------------------------------------------- */

static struct delta_rr *make_rr(struct delta *d, const struct dname *owner, uint16_t type,
				const uint8_t *rdata, size_t rdlen)
{
	struct delta_rr *r = arena_alloc(&d->arena, sizeof(*r) + owner->len + 2 + rdlen);

	if (r == NULL)
		return NULL;
	r->owner_len = owner->len;
	r->type = type;
	r->rdlen = (uint16_t)rdlen;
	memcpy(r->bytes, owner->b, owner->len);
	r->bytes[owner->len] = (uint8_t)(type >> 8);
	r->bytes[owner->len + 1] = (uint8_t)type;
	if (rdlen > 0)
		memcpy(r->bytes + owner->len + 2, rdata, rdlen);
	return r;
}

static int join_owner(struct delta *d, struct delta_rr *r)
{
	struct delta_owner *o = map_get(&d->owners, r->bytes, r->owner_len);

	if (o == NULL) {
		o = arena_alloc(&d->arena, sizeof(*o));
		if (o == NULL || map_put(&d->owners, r->bytes, r->owner_len, o) < 0)
			return ERR_NOMEM;
	}
	r->next = o->rrs;
	o->rrs = r;
	return 0;
}

static int first_word(struct delta *d, struct delta_rr *r, bool added, struct err *e)
{
	if (d->records.n >= DELTA_MAX)
		return no_use(d, "too much has changed");
	r->came_first = added;
	r->there = added;
	if (map_put(&d->records, r->bytes, r->owner_len + 2U + r->rdlen, r) < 0 ||
	    join_owner(d, r) < 0)
		return err_nomem(e);
	return 0;
}

int delta_take(void *arg, bool added, const struct dname *owner, uint16_t type,
	       const uint8_t *rdata, size_t rdlen, struct err *e)
{
	struct delta *d = arg;
	struct delta_rr *r, *had;

	if (rrtype_has(type, RRTYPE_SIGNER))
		return 0;
	if (!rrtype_has(type, RRTYPE_VALUE))
		rdlen = 0;
	r = make_rr(d, owner, type, rdata, rdlen);
	if (r == NULL)
		return err_nomem(e);
	had = map_get(&d->records, r->bytes, r->owner_len + 2U + r->rdlen);
	if (had == NULL)
		return first_word(d, r, added, e);
	if (had->there == added && rrtype_has(type, RRTYPE_VALUE))
		return no_use(d, "its history contradicts itself");
	had->there = added;
	return 0;
}

/* ---- against what is kept ----------------------------------------------------------------- */

static struct rr rr_of(const struct delta_rr *r)
{
	return (struct rr){r->type, r->rdlen, r->bytes + r->owner_len + 2};
}

static const struct delta_rr *mentioned(const struct delta *d, const struct delta_rr *at,
					const struct rr *x)
{
	uint8_t key[255 + 2 + UINT16_MAX];

	memcpy(key, at->bytes, at->owner_len);
	key[at->owner_len] = (uint8_t)(x->type >> 8);
	key[at->owner_len + 1] = (uint8_t)x->type;
	if (x->rdlen > 0)
		memcpy(key + at->owner_len + 2, x->rdata, x->rdlen);
	return map_get(&d->records, key, at->owner_len + 2U + x->rdlen);
}

/* Was it, before the first word, as what is kept says?  What we write may have been written since;
 * of an owner that we removed since, nothing is kept. */
static bool contradicts(const struct delta_rr *r, const struct rrs *had, bool written)
{
	struct rr x = rr_of(r);

	if (rrtype_has(r->type, RRTYPE_MANAGED) && (written || had->n == 0))
		return false;
	return rrs_has(had, &x) == r->came_first;
}

static int check(struct delta *d, const struct delta_owner *o, const struct rrs *had, bool written)
{
	const struct delta_rr *r;

	for (r = o->rrs; r != NULL; r = r->next) {
		if (rrtype_has(r->type, RRTYPE_VALUE)) {
			if (contradicts(r, had, written))
				return no_use(d, "its history is not that of what is known");
		} else if (!r->there) {
			return no_use(d, "a record went of a type that may have others there");
		}
	}
	return 0;
}

int delta_apply(struct rrs *out, struct arena *a, struct delta *d, const struct delta_owner *o,
		const struct rrs *had, bool written)
{
	const struct delta_rr *r;
	size_t i;
	int code = check(d, o, had, written);

	*out = (struct rrs){NULL, 0};
	for (i = 0; i < had->n && code == 0; i++) {
		if (mentioned(d, o->rrs, &had->v[i]) == NULL)
			code = rrs_add(out, a, had->v[i].type, had->v[i].rdata, had->v[i].rdlen);
	}
	for (r = o->rrs; r != NULL && code == 0; r = r->next) {
		struct rr x = rr_of(r);

		if (r->there)
			code = rrs_add(out, a, x.type, x.rdata, x.rdlen);
	}
	return code;
}

/* ---- a zone ------------------------------------------------------------------------------- */

struct run {
	struct compare *c;
	const struct zone_row *row;
	struct delta delta;
	struct arena scratch;        /* of a chunk */
};

static int differ(struct run *u, const struct dname *owner, const struct delta_owner *o,
		  struct err *e)
{
	static const struct belief none;
	const struct belief *b = o->had != NULL ? o->had : &none;
	bool written = b->settled_at_s >= u->row->read_at_s || b->n_offered > 0 ||
		       b->state == BELIEF_DUE;
	struct rrs now;
	int r = delta_apply(&now, &u->scratch, &u->delta, o, &b->seen, written);

	if (r == ERR_NOMEM)
		return err_nomem(e);
	if (r != 0 || rrs_equal(&now, &b->seen))
		return r;
	return compare_add(u->c, owner, &now, e);
}

static int differ_chunk(struct run *u, const struct zone_key *keys, size_t n, bool *stored,
			struct err *e)
{
	struct flow_store *st = u->c->f->store;
	struct delta_owner *o;
	struct belief *b;
	size_t n_rows, i;
	int r = st->beliefs_get(st->ctx, &b, &n_rows, keys, n, &u->scratch, e);

	*stored = r == 0;
	for (i = 0; r == 0 && i < n_rows; i++) {
		o = map_get(&u->delta.owners, b[i].owner.b, b[i].owner.len);
		if (o != NULL)
			o->had = &b[i];
	}
	for (i = 0; r == 0 && i < n; i++) {
		o = map_get(&u->delta.owners, keys[i].owner.b, keys[i].owner.len);
		r = differ(u, &keys[i].owner, o, e);
	}
	arena_reset(&u->scratch);
	return r;
}

static int differ_all(struct run *u, bool *stored, struct err *e)
{
	struct zone_key *keys = calloc(PLANNER_CHUNK, sizeof(*keys));
	const struct delta_owner *o;
	size_t i = 0, n = 0;
	int r = keys == NULL ? err_nomem(e) : 0;

	while (r == 0 && (o = map_next(&u->delta.owners, &i)) != NULL) {
		keys[n].zone_id = u->c->zone->id;
		dname_from_wire(&keys[n++].owner, o->rrs->bytes, o->rrs->owner_len);
		if (n == PLANNER_CHUNK) {
			r = differ_chunk(u, keys, n, stored, e);
			n = 0;
		}
	}
	if (r == 0 && n > 0)
		r = differ_chunk(u, keys, n, stored, e);
	free(keys);
	return r;
}

int delta_run(struct compare *c, const struct zone_row *row, const char **why, bool *stored,
	      struct err *e)
{
	struct run u = {.c = c, .row = row};
	struct flow_net *net = c->f->net;
	int r;

	*stored = true;
	delta_init(&u.delta, &c->expected.key);
	r = net->changes(net->ctx, c->zone, row->serial, delta_take, &u.delta, &c->serial, e);
	r = r != 0 ? r : differ_all(&u, stored, e);
	*why = u.delta.why != NULL ? u.delta.why : "the server does not tell what changed";
	delta_fini(&u.delta);
	arena_fini(&u.scratch);
	return r;
}
