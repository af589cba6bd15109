/* truth_deeds.c - what the bridge did between two looks, and may never do. */
#include "tests/sim/truth_inside.h"

#include <string.h>

static const struct model_rr *record_in(const struct photo *p, const struct model_rr *r)
{
	for (size_t i = 0; i < p->v.n; i++)
		if (p->v.v[i].zone_id == r->zone_id && p->v.v[i].type == r->type &&
		    dname_equal(p->v.v[i].owner, r->owner) &&
		    bytes_equal(p->v.v[i].rdata, r->rdata))
			return &p->v.v[i];
	return NULL;
}

static bool has_at(const struct photo *p, const struct model_rr *at, uint16_t type,
		   bool (*is)(enum model_author a))
{
	for (size_t i = 0; i < p->v.n; i++)
		if (p->v.v[i].zone_id == at->zone_id && p->v.v[i].type == type &&
		    dname_equal(p->v.v[i].owner, at->owner) && is(p->v.v[i].author))
			return true;
	return false;
}

static bool is_anybodys(enum model_author a)
{
	(void)a;
	return true;
}

static bool is_ours(enum model_author a)
{
	return a == MODEL_BRIDGE;
}

static bool is_not_ours(enum model_author a)
{
	return a != MODEL_BRIDGE;
}

static bool is_theirs(enum model_author a)
{
	return a == MODEL_PERSON;
}

/* Who holds the DHCID of a name holds its addresses (RFC 4703): the one in place of the client's,
 * beside a DHCID that was left, is the client's too; likewise the very PTR that an updater
 * wrote. */
static bool is_clients(const struct world *w, const struct photo *was, const struct model_rr *r)
{
	if (r->type == RR_PTR)
		return w->has_d2 && has_at(was, r, RR_DHCID, is_anybodys);
	return (r->type == RR_A || r->type == RR_AAAA) &&
	       has_at(was, r, RR_DHCID, is_anybodys) && !has_at(was, r, r->type, is_ours);
}

static void ask_kept(struct world *w, const struct photo *was, const struct photo *now)
{
	char name[DNAME_TEXT], type[12];

	for (size_t i = 0; i < was->v.n; i++) {
		const struct model_rr *r = &was->v.v[i];

		if (r->author == MODEL_PERSON && record_in(now, r) == NULL && !is_clients(w, was, r))
			world_fault(w, "truth: what a person wrote is gone: %s %s",
				    dname_print(name, r->owner), rrtype_name(type, r->type));
	}
}

/* Does something at the owner forbid that a name begins there? */
static bool is_in_use(const struct photo *was, const struct model_rr *r, bool client)
{
	static const uint16_t types[] = {RR_A, RR_AAAA, RR_DHCID, RR_CNAME, RR_TXT, RR_MX};
	size_t n = client ? 6 : 4;

	for (size_t i = 0; i < n; i++)
		if (has_at(was, r, types[i], is_theirs))
			return true;
	return false;
}

/* A name begins where nothing stands: a client's, where nothing stands at all. */
static void ask_begun(const struct truth *t, struct world *w, const struct photo *was,
		      const struct photo *now)
{
	char name[DNAME_TEXT];

	for (size_t i = 0; i < now->v.n; i++) {
		const struct model_rr *r = &now->v.v[i];
		const struct plot *p;

		if (r->zone_id != ZONE_FWD || r->author != MODEL_BRIDGE || record_in(was, r) != NULL)
			continue;
		p = truth_plot(t, r->zone_id, r->owner);
		if (p != NULL && !p->ours_ever && world_removals(w, r->owner) == 0 &&
		    is_in_use(was, r, has_at(now, r, RR_DHCID, is_ours)))
			world_fault(w, "truth: a name was begun beside what somebody wrote: %s",
				    dname_print(name, r->owner));
	}
}

/* What the bridge writes has the zone's TTL.  A set has one: where somebody else is in it, it may
 * be theirs, and it stays when they go, for TTLs are not looked at. */
static void ask_ttl(struct world *w, const struct photo *was, const struct photo *now)
{
	char name[DNAME_TEXT], type[12];

	for (size_t i = 0; i < now->v.n; i++) {
		const struct model_rr *r = &now->v.v[i], *before;

		if (r->author != MODEL_BRIDGE || r->ttl_s == w->zones[r->zone_id - 1].ttl_s)
			continue;
		before = record_in(was, r);
		if ((before == NULL || before->ttl_s != r->ttl_s) &&
		    !has_at(was, r, r->type, is_not_ours) &&
		    !has_at(now, r, r->type, is_not_ours))
			world_fault(w, "truth: written with another TTL: %s %s",
				    dname_print(name, r->owner), rrtype_name(type, r->type));
	}
}

void truth_deeds(const struct truth *t, struct world *w, const struct photo *was)
{
	ask_kept(w, was, &t->last);
	ask_begun(t, w, was, &t->last);
	ask_ttl(w, was, &t->last);
}
