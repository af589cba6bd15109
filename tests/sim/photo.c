/* photo.c - copies of all records, and their differences. */
#include "tests/sim/photo.h"

#include <string.h>

static bool keep(struct photo *p, const struct model_rr *r)
{
	struct model_rr copy = *r;

	copy.owner = arena_dup(&p->arena, r->owner, sizeof(*r->owner));
	copy.rdata.p = arena_dup(&p->arena, r->rdata.p, r->rdata.len);
	return copy.owner != NULL && copy.rdata.p != NULL && vec_push(&p->v, copy) == 0;
}

bool photo_take(struct photo *p, const struct world *w)
{
	struct model_rr r;
	bool ok = true;

	memset(p, 0, sizeof(*p));
	for (size_t i = 0; ok && model_rr_at(w->model, i, &r); i++)
		ok = keep(p, &r);
	return ok;
}

void photo_fini(struct photo *p)
{
	vec_fini(&p->v);
	arena_fini(&p->arena);
}

static bool same_owner(const struct model_rr *a, const struct model_rr *b)
{
	return a->zone_id == b->zone_id && dname_equal(a->owner, b->owner);
}

static bool has_record(const struct photo *p, const struct model_rr *r)
{
	for (size_t i = 0; i < p->v.n; i++)
		if (same_owner(&p->v.v[i], r) && p->v.v[i].type == r->type &&
		    bytes_equal(p->v.v[i].rdata, r->rdata))
			return true;
	return false;
}

static bool has_foreign(const struct photo *p, const struct model_rr *at)
{
	for (size_t i = 0; i < p->v.n; i++)
		if (same_owner(&p->v.v[i], at) && p->v.v[i].author != MODEL_BRIDGE)
			return true;
	return false;
}

/* Does a PTR at this owner point at a name where something is not the bridge's, or that is fought over?
 * It is not written for such a name, but stays where it is. */
static bool points_at_foreign(const struct world *w, const struct photo *p,
			      const struct model_rr *at, const struct photo *before)
{
	struct model_rr forward = {.zone_id = ZONE_FWD};
	struct dname target;

	for (size_t i = 0; i < p->v.n; i++) {
		const struct model_rr *r = &p->v.v[i];

		if (r->type != RR_PTR || !same_owner(r, at) ||
		    dname_from_wire(&target, r->rdata.p, r->rdata.len) == 0)
			continue;
		forward.owner = &target;
		if (has_foreign(before, &forward) || world_is_fought_over(w, &target))
			return true;
	}
	return false;
}

static void look(struct world *w, const struct photo *a, const struct photo *b,
		 const struct photo *before, const char *what)
{
	char name[DNAME_TEXT], type[12];

	for (size_t i = 0; i < a->v.n; i++) {
		const struct model_rr *r = &a->v.v[i];

		if (!has_record(b, r) && !has_foreign(before, r) &&
		    !world_is_fought_over(w, r->owner) && !points_at_foreign(w, a, r, before))
			world_fault(w, "%s: %s %s", what, dname_print(name, r->owner),
				    rrtype_name(type, r->type));
	}
}

void photo_compare(struct world *w, const struct photo *before, const struct photo *after)
{
	look(w, after, before, before, "a restored zone keeps what had ended");
	look(w, before, after, before, "a restored zone lacks what there was");
}
