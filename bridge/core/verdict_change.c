/* verdict_change.c - a verdict as prerequisites and updates: compare and set.
 *
 * The server itself checks the base, so an edit that came between is never lost:
 *
 *   first add, lease       name not in use
 *   first add, person      no A, AAAA, CNAME, DHCID, and no NS unless apex
 *   change                 each changed RRset = base; DHCID = base or absent
 *   second family          DHCID = base (or the other family = base); this family absent
 *   another DHCID          each family = base or absent
 *   delete, one stays      RRset = base; DHCID = base; the other family exists
 *   delete the last        RRset = base; DHCID = base; the other family absent
 *   TTL only               RRset = base
 *   DHCID only             addresses = base; DHCID = base or absent; where it stands alone, no PTR
 *   PTR first add          no PTR, CNAME, NS, DHCID
 */
#include <string.h>

#include "bridge/base/err.h"
#include "bridge/core/verdict.h"

struct build {
	struct change *c;
	const struct rrs *base, *target;
	uint32_t ttl_s;
	bool ttl_only;
};

static void put(struct change_rr **v, size_t *n, uint16_t type, uint16_t class_, uint32_t ttl_s,
		const struct rr *rr)
{
	struct change_rr *x = &(*v)[*n];

	x->type = type;
	x->class_ = class_;
	x->ttl_s = ttl_s;
	x->rdlen = rr == NULL ? 0 : rr->rdlen;
	x->rdata = rr == NULL ? NULL : rr->rdata;
	(*n)++;
}

static void need(struct build *w, uint16_t type, uint16_t class_, const struct rr *rr)
{
	put(&w->c->pre, &w->c->n_pre, type, class_, 0, rr);
}

/* RRset does not exist (2.4.3). */
static void need_none(struct build *w, uint16_t type)
{
	need(w, type, RR_CLASS_NONE, NULL);
}

/* RRset exists with exactly these values (2.4.2), or does not exist. */
static void need_base(struct build *w, uint16_t type)
{
	const struct rr *v;
	size_t n = rrs_of(w->base, type, &v), i;

	if (n == 0)
		need_none(w, type);
	for (i = 0; i < n; i++)
		need(w, type, RR_CLASS_IN, &v[i]);
}

static size_t count(const struct rrs *s, uint16_t type)
{
	const struct rr *v;

	return rrs_of(s, type, &v);
}

static bool changes(const struct build *w, uint16_t type)
{
	return !rrs_equal_of(w->base, w->target, type) ||
	       (w->ttl_only && count(w->base, type) > 0);
}

static void need_first(struct build *w, const struct belief *b, bool reverse)
{
	/* Name is not in use (2.4.5); one that was ours once may keep other data. */
	if (!reverse && b->want_kind > OBS_IPAM && b->published.n == 0 && b->seen.n == 0) {
		need_none(w, RR_ANY);
		return;
	}
	if (reverse) {
		need_none(w, RR_PTR);
	} else {
		need_none(w, RR_A);
		need_none(w, RR_AAAA);
	}
	need_none(w, RR_CNAME);
	need_none(w, RR_DHCID);
	if (!b->apex)
		need_none(w, RR_NS);
}

/* The family that does not change must still be as the change assumes. */
static void need_other(struct build *w, uint16_t type, uint16_t other, bool dhcid_changes)
{
	if (count(w->base, other) == 0) {
		/* Nothing may have come that would be left without its DHCID. */
		if (count(w->target, type) == 0 || (dhcid_changes && count(w->base, RR_DHCID) > 0))
			need_none(w, other);
	} else if (dhcid_changes || count(w->base, RR_DHCID) == 0) {
		need_base(w, other);
	} else if (count(w->target, type) == 0) {
		need(w, other, RR_CLASS_ANY, NULL);  /* RRset exists, whatever it holds (2.4.1) */
	}
}

static void need_change(struct build *w, bool reverse)
{
	bool dhcid = changes(w, RR_DHCID);
	bool a = changes(w, RR_A), aaaa = changes(w, RR_AAAA);

	if (reverse) {
		need_base(w, RR_PTR);
	} else {
		if (a)
			need_base(w, RR_A);
		if (aaaa)
			need_base(w, RR_AAAA);
		if (a && !aaaa)
			need_other(w, RR_A, RR_AAAA, dhcid);
		else if (aaaa && !a)
			need_other(w, RR_AAAA, RR_A, dhcid);
		else if (!a) {
			need_base(w, RR_A);
			need_base(w, RR_AAAA);
			/* A DHCID alone does not say what it stood beside. */
			if (count(w->base, RR_A) + count(w->base, RR_AAAA) == 0)
				need_none(w, RR_PTR);
		}
	}
	need_base(w, RR_DHCID);
}

static void update_type(struct build *w, uint16_t type)
{
	const struct rr *b, *t;
	size_t nb = rrs_of(w->base, type, &b), nt = rrs_of(w->target, type, &t), i;

	if (!changes(w, type))
		return;
	if (w->ttl_only)
		put(&w->c->upd, &w->c->n_upd, type, RR_CLASS_ANY, 0, NULL);
	for (i = 0; !w->ttl_only && i < nb; i++) {
		if (!rrs_has(w->target, &b[i]))
			put(&w->c->upd, &w->c->n_upd, type, RR_CLASS_NONE, 0, &b[i]);
	}
	for (i = 0; i < nt; i++) {
		if (w->ttl_only || !rrs_has(w->base, &t[i]))
			put(&w->c->upd, &w->c->n_upd, type, RR_CLASS_IN, w->ttl_s, &t[i]);
	}
}

int verdict_change(struct change *out, struct arena *a, const struct belief *b,
		   const struct verdict *v)
{
	struct build w = {out, &v->base, &v->target, b->want_ttl_s, v->ttl_only};
	/* A first add names at most five types; a change each record of the base and, where a type
	 * has none, the type. */
	size_t room = v->base.n == 0 ? 5 : v->base.n + 5;
	bool reverse = count(&v->base, RR_PTR) + count(&v->target, RR_PTR) > 0;

	memset(out, 0, sizeof(*out));
	if (v->state != BELIEF_DUE || (rrs_equal(&v->base, &v->target) && !v->ttl_only))
		return 1;
	out->owner = b->owner;
	out->pre = arena_array(a, room, sizeof(*out->pre));
	out->upd = arena_array(a, v->base.n + v->target.n + 4, sizeof(*out->upd));
	if (out->pre == NULL || out->upd == NULL)
		return ERR_NOMEM;
	if (v->base.n == 0)
		need_first(&w, b, reverse);
	else
		need_change(&w, reverse);
	update_type(&w, RR_A);
	update_type(&w, RR_AAAA);
	update_type(&w, RR_PTR);
	update_type(&w, RR_DHCID);
	return 0;
}
