/* truth_zones.c - what the zones must hold in the end, given the names that IPAM gives. */
#include <string.h>

#include "tests/sim/truth_inside.h"

enum { SHOWN_MAX = N_PLACES };

/* What the bridge is to have written at a name. */
struct want {
	const struct seated *v[SHOWN_MAX];  /* whose addresses it shows */
	size_t n;
	uint8_t kind;                       /* the best of theirs */
	uint8_t dhcid[SHOWN_MAX][DHCID_LEN];
	size_t n_dhcid;                     /* any of these; 0: none at all */
};

/* Is the name as it is wanted, so that PTRs may lead to it? */
enum standing { STANDS_NOT, STANDS_OPEN, STANDS };

struct records {
	const struct model_rr *v;           /* of one owner */
	size_t n;
};

static struct records records_at(const struct ending *x, int32_t zone, const struct dname *owner)
{
	const struct photo *p = &x->t->last;
	struct records r = {NULL, 0};

	for (size_t i = 0; i < p->v.n; i++) {
		if (p->v.v[i].zone_id != zone || !dname_equal(p->v.v[i].owner, owner))
			continue;
		if (r.n++ == 0)
			r.v = &p->v.v[i];
	}
	return r;
}

static unsigned count(const struct records *at, enum model_author author)
{
	unsigned k = 0;

	for (size_t i = 0; i < at->n; i++)
		k += at->v[i].author == author;
	return k;
}

static bool has_theirs(const struct records *at, uint16_t type)
{
	for (size_t i = 0; i < at->n; i++)
		if (at->v[i].type == type && at->v[i].author == MODEL_PERSON)
			return true;
	return false;
}

static bool has_others_dhcid(const struct records *at)
{
	for (size_t i = 0; i < at->n; i++)
		if (at->v[i].type == RR_DHCID && at->v[i].author != MODEL_BRIDGE)
			return true;
	return false;
}

static const struct model_rr *record_of(const struct records *at, uint16_t type, const void *rdata,
					size_t len)
{
	for (size_t i = 0; i < at->n; i++)
		if (at->v[i].type == type && at->v[i].rdata.len == len &&
		    memcmp(at->v[i].rdata.p, rdata, len) == 0)
			return &at->v[i];
	return NULL;
}

/* What another updater wrote and the bridge knows as its own, it may not change. */
static bool is_stuck(const struct ending *x, const struct dname *owner)
{
	return model_refuses(x->w->model, owner) && x->w->has_d2;
}

/* Somebody keeps undoing it. */
static bool is_fought_over(const struct ending *x, const struct dname *owner)
{
	return world_is_fought_over(x->w, owner) || is_stuck(x, owner);
}

/* Nothing of the bridge's ever gets there; what another updater wrote for it may be its own. */
static bool is_refused(const struct ending *x, const struct dname *owner)
{
	return model_refuses(x->w->model, owner) && !x->w->has_d2;
}

/* ---- what a name shows -------------------------------------------------------------------- */

static uint16_t addr_type(const struct ipaddr *a)
{
	return a->family == 4 ? RR_A : RR_AAAA;
}

static const struct model_rr *record_of_addr(const struct records *at, const struct ipaddr *a)
{
	return record_of(at, addr_type(a), a->b, ipaddr_len(a));
}

static bool is_named(const struct seated *s, const struct dname *name)
{
	return s->row != NULL && s->row->kind != OBS_DNS && dname_equal(&s->row->name, name);
}

/* Of two leases of one family, has b the name later?  Of two that came at one time either may be
 * shown: what is there counts. */
static bool is_newer(const struct records *at, const struct seated *b, const struct seated *a)
{
	bool has_a = record_of_addr(at, &a->place->addr) != NULL;
	bool has_b = record_of_addr(at, &b->place->addr) != NULL;

	if (b->row->since_s != a->row->since_s)
		return b->row->since_s > a->row->since_s;
	return has_a != has_b ? has_b : ipaddr_cmp(&b->place->addr, &a->place->addr) > 0;
}

static bool is_hidden(const struct ending *x, const struct records *at, const struct seated *s)
{
	if (x->w->zones[ZONE_FWD - 1].addresses != ADDRESSES_NEWEST || s->row->kind != OBS_LEASE)
		return false;
	for (size_t i = 0; i < x->t->n_places; i++) {
		const struct seated *o = &x->v[i];

		if (o != s && is_named(o, &s->row->name) && o->row->kind == OBS_LEASE &&
		    o->place->addr.family == s->place->addr.family && is_newer(at, o, s))
			return true;
	}
	return false;
}

/* Names that only leases give carry the DHCID of the client that was there first. */
static void want_dhcid(struct want *want, const struct dname *name)
{
	int64_t first_s = INT64_MAX;

	for (size_t i = 0; i < want->n; i++) {
		if (want->v[i]->row->kind != OBS_LEASE)
			return;
		if (want->v[i]->row->since_s < first_s)
			first_s = want->v[i]->row->since_s;
	}
	for (size_t i = 0; i < want->n; i++) {
		const struct seated *s = want->v[i];

		if (s->row->since_s == first_s && s->claim != NULL &&
		    who_dhcid(want->dhcid[want->n_dhcid], &s->claim->voice.who,
			      s->place->addr.family == 6, name))
			want->n_dhcid++;
	}
}

static struct want want_at(const struct ending *x, const struct records *at,
			   const struct dname *name)
{
	struct want want = {.kind = OBS_KINDS};

	for (size_t i = 0; i < x->t->n_places; i++) {
		if (!is_named(&x->v[i], name) || is_hidden(x, at, &x->v[i]))
			continue;
		want.v[want.n++] = &x->v[i];
		if (x->v[i].row->kind < want.kind)
			want.kind = x->v[i].row->kind;
	}
	want_dhcid(&want, name);
	return want;
}

static const struct model_rr *dhcid_at(const struct records *at, const struct want *want)
{
	for (size_t i = 0; i < want->n_dhcid; i++) {
		const struct model_rr *r = record_of(at, RR_DHCID, want->dhcid[i], DHCID_LEN);

		if (r != NULL)
			return r;
	}
	return NULL;
}

static bool is_wanted(const struct want *want, const struct model_rr *r)
{
	for (size_t i = 0; r->type == RR_DHCID && i < want->n_dhcid; i++)
		if (memcmp(want->dhcid[i], r->rdata.p, DHCID_LEN) == 0)
			return true;
	for (size_t i = 0; i < want->n; i++) {
		const struct ipaddr *a = &want->v[i]->place->addr;

		if (r->type == addr_type(a) && memcmp(r->rdata.p, a->b, r->rdata.len) == 0)
			return true;
	}
	return false;
}

/* ---- names -------------------------------------------------------------------------------- */

static void fault_at(struct ending *x, const char *what, const struct dname *owner, uint16_t type)
{
	char name[DNAME_TEXT], text[12];

	world_fault(x->w, "truth: %s: %s %s", what, dname_print(name, owner),
		    rrtype_name(text, type));
}

/* How much of it is there, whoever wrote it; *theirs: some of it not by the bridge. */
static size_t count_there(const struct want *want, const struct records *at, bool *theirs)
{
	size_t n = 0;

	*theirs = false;
	for (size_t i = 0; i < want->n; i++) {
		const struct model_rr *r = record_of_addr(at, &want->v[i]->place->addr);

		n += r != NULL;
		*theirs = *theirs || (r != NULL && r->author != MODEL_BRIDGE);
	}
	return n;
}

static enum standing standing(const struct ending *x, const struct dname *name)
{
	struct records at = records_at(x, ZONE_FWD, name);
	struct want want = want_at(x, &at, name);
	const struct model_rr *dhcid = dhcid_at(&at, &want);
	bool theirs;
	size_t n = count_there(&want, &at, &theirs);

	/* What somebody else wrote as it is wanted serves as well. */
	if (is_fought_over(x, name) || has_others_dhcid(&at))
		return STANDS_OPEN;
	if (n == want.n && !theirs && !model_refuses(x->w->model, name) &&
	    (want.n_dhcid == 0 || (dhcid != NULL && dhcid->author == MODEL_BRIDGE)))
		return STANDS;
	return n == 0 ? STANDS_NOT : STANDS_OPEN;
}

/* Does what somebody else wrote leave the bridge no say in whether its records are there too? */
static bool is_fixed(const struct ending *x, const struct dname *name, const struct records *at,
		     const struct want *want)
{
	const struct plot *p = truth_plot(x->t, ZONE_FWD, name);
	bool other_types = !has_theirs(at, RR_CNAME) && !has_theirs(at, RR_DHCID);

	if (count(at, MODEL_BRIDGE) + count(at, MODEL_PERSON) < at->n || is_fought_over(x, name))
		return false;
	if (count(at, MODEL_PERSON) == 0)
		return true;
	/* A person's name needs no more than that nobody else's address is there. */
	if (other_types && want->kind <= OBS_IPAM && !has_theirs(at, RR_A) &&
	    !has_theirs(at, RR_AAAA))
		return true;
	for (size_t i = 0; i < want->n; i++)
		other_types = other_types && !has_theirs(at, addr_type(&want->v[i]->place->addr));
	/* A client's name stays where it stood before. */
	return other_types && p != NULL && p->ours_always &&
	       p->removals == world_removals(x->w, name);
}

static void check_whole(struct ending *x, const struct dname *name, const struct records *at,
			const struct want *want)
{
	for (size_t i = 0; i < want->n; i++) {
		const struct ipaddr *a = &want->v[i]->place->addr;

		if (record_of_addr(at, a) == NULL)
			fault_at(x, "lacks an address", name, addr_type(a));
	}
	if (want->n_dhcid > 0 && dhcid_at(at, want) == NULL)
		fault_at(x, "lacks its DHCID", name, RR_DHCID);
}

static void check_name(struct ending *x, const struct dname *name)
{
	struct records at = records_at(x, ZONE_FWD, name);
	struct want want = want_at(x, &at, name);
	bool closed = has_theirs(&at, RR_CNAME) || is_refused(x, name);
	bool fixed = closed || is_fixed(x, name, &at, &want);

	for (size_t i = 0; i < at.n; i++) {
		if (at.v[i].author != MODEL_BRIDGE)
			continue;
		if (closed || (!is_wanted(&want, &at.v[i]) && !is_stuck(x, name)))
			fault_at(x, "not to be there", name, at.v[i].type);
	}
	if (fixed && !closed)
		check_whole(x, name, &at, &want);
	x->counts->owners += fixed;
	x->counts->open += !fixed;
}

/* ---- PTRs --------------------------------------------------------------------------------- */

/* The PTR that the bridge is to have written, if it is to write any. */
struct want_ptr {
	const struct dname *name;           /* NULL: none */
	enum standing forward;
	struct want at;                     /* what is wanted at that name */
};

static struct want_ptr want_ptr(const struct ending *x, const struct seated *s)
{
	struct want_ptr w = {.forward = STANDS_NOT};
	struct records at;

	if (s->row == NULL || s->row->name.len == 0 || s->row->kind == OBS_DNS)
		return w;
	at = records_at(x, ZONE_FWD, &s->row->name);
	if (is_hidden(x, &at, s))
		return w;
	w.forward = standing(x, &s->row->name);
	w.at = want_at(x, &at, &s->row->name);
	/* What a person wrote over a PTR of ours stays, whatever becomes of its name. */
	if (w.forward != STANDS_NOT || s->row->kind == OBS_EDIT)
		w.name = &s->row->name;
	return w;
}

static bool is_wanted_ptr(const struct want_ptr *want, const struct model_rr *r)
{
	if (want->name == NULL)
		return false;
	if (r->type == RR_PTR)
		return r->rdata.len == want->name->len &&
		       memcmp(r->rdata.p, want->name->b, r->rdata.len) == 0;
	return r->type == RR_DHCID && is_wanted(&want->at, r);
}

static void check_ptr(struct ending *x, const struct seated *s)
{
	const struct place *p = s->place;
	struct records at = records_at(x, p->zone, &p->reverse);
	struct want_ptr want = want_ptr(x, s);
	bool refused = is_refused(x, &p->reverse), fixed;

	for (size_t i = 0; i < at.n; i++) {
		if (at.v[i].author != MODEL_BRIDGE)
			continue;
		if (refused || (!is_wanted_ptr(&want, &at.v[i]) && !is_stuck(x, &p->reverse)))
			fault_at(x, "not to be there", &p->reverse, at.v[i].type);
	}
	fixed = refused || (count(&at, MODEL_BRIDGE) == at.n && want.forward != STANDS_OPEN &&
			    !is_fought_over(x, &p->reverse));
	x->counts->owners += fixed;
	x->counts->open += !fixed;
	if (refused || !fixed || want.forward != STANDS)
		return;
	if (record_of(&at, RR_PTR, want.name->b, want.name->len) == NULL)
		fault_at(x, "lacks its PTR", &p->reverse, RR_PTR);
	if (want.at.n_dhcid > 0 && dhcid_at(&at, &want.at) == NULL)
		fault_at(x, "lacks its DHCID", &p->reverse, RR_DHCID);
}

/* ---- all of them -------------------------------------------------------------------------- */

static bool is_place(const struct ending *x, const struct model_rr *r)
{
	for (size_t i = 0; i < x->t->n_places; i++)
		if (x->t->places[i].zone == r->zone_id &&
		    dname_equal(&x->t->places[i].reverse, r->owner))
			return true;
	return false;
}

/* Names that hold something; those that IPAM gives and that hold nothing. */
static void check_names(struct ending *x)
{
	const struct photo *p = &x->t->last;

	for (size_t i = 0; i < p->v.n; i++) {
		const struct model_rr *r = &p->v.v[i];

		if (r->zone_id != ZONE_FWD && r->author == MODEL_BRIDGE && !is_place(x, r))
			fault_at(x, "not to be there", r->owner, r->type);
		if (r->zone_id == ZONE_FWD && r->type != RR_NS &&
		    (i == 0 || !dname_equal(p->v.v[i - 1].owner, r->owner)))
			check_name(x, r->owner);
	}
	for (size_t i = 0; i < x->t->n_places; i++) {
		const struct host *h = x->v[i].row;

		if (h != NULL && h->name.len > 0 &&
		    records_at(x, ZONE_FWD, &h->name).n == 0)
			check_name(x, &h->name);
	}
}

void truth_zones(struct ending *x)
{
	check_names(x);
	for (size_t i = 0; i < x->t->n_places; i++)
		check_ptr(x, &x->v[i]);
}
