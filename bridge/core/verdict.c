/* verdict.c - the table of verdict.h, type by type, then put together for the owner. */
#include <string.h>

#include "bridge/core/verdict.h"

/* The record types that carry addresses and names; DHCID follows them. */
static const uint16_t address_types[] = {RR_A, RR_AAAA, RR_PTR};
enum { N_ADDRESS_TYPES = sizeof(address_types) / sizeof(address_types[0]) };

/* One type of one owner, taken apart. */
struct facet {
	uint16_t type;
	struct rrs want, published, seen;
	struct rrs claim;      /* what is seen and was published or offered by us */
	bool dhcid_ours;       /* the owner carries the DHCID that want carries */
	bool owner_ours;       /* something at the owner is ours */
	bool gone_by_us;       /* an offered change removed the type */
};

/* What the table says of one type. */
struct ruling {
	uint8_t row;
	uint8_t state;
	bool edit, revert;
	struct rrs published, target, ours;
	const char *why;
};

/* A set comes whole: without the DHCID that was offered with it, what is seen came from elsewhere. */
static bool is_offered(const struct rrs *offered, const struct rrs *seen, const struct rr *r)
{
	const struct rr *dhcid;
	size_t n = rrs_of(offered, RR_DHCID, &dhcid);

	return rrs_has(offered, r) && (n == 0 || rrs_has(seen, dhcid));
}

static bool is_claimed(const struct belief *b, const struct rrs *seen, const struct rr *r)
{
	int i;

	if (rrs_has(&b->published, r))
		return true;
	for (i = 0; i < b->n_offered; i++) {
		if (is_offered(&b->offered[i], seen, r))
			return true;
	}
	return false;
}

static int facet_take(struct facet *f, struct arena *a, const struct belief *b,
		      const struct rrs *seen, uint16_t type)
{
	const struct rr *v;
	size_t j;
	int r, i;

	memset(f, 0, sizeof(*f));
	f->type = type;
	r = rrs_take_of(&f->want, a, &b->want, type);
	r = r < 0 ? r : rrs_take_of(&f->published, a, &b->published, type);
	r = r < 0 ? r : rrs_take_of(&f->seen, a, seen, type);
	for (j = 0; r == 0 && j < f->seen.n; j++) {
		if (is_claimed(b, seen, &f->seen.v[j]))
			r = rrs_add(&f->claim, a, type, f->seen.v[j].rdata, f->seen.v[j].rdlen);
	}
	for (i = 0; i < b->n_offered; i++)
		f->gone_by_us = f->gone_by_us || rrs_of(&b->offered[i], type, &v) == 0;
	return r;
}

/* a without b, or a with b. */
static int without(struct rrs *out, struct arena *a, const struct rrs *x, const struct rrs *y)
{
	size_t i;
	int r = 0;

	for (i = 0; i < x->n && r == 0; i++) {
		if (!rrs_has(y, &x->v[i]))
			r = rrs_add(out, a, x->v[i].type, x->v[i].rdata, x->v[i].rdlen);
	}
	return r;
}

static int join(struct rrs *out, struct arena *a, const struct rrs *x)
{
	size_t i;
	int r = 0;

	for (i = 0; i < x->n && r == 0; i++)
		r = rrs_add(out, a, x->v[i].type, x->v[i].rdata, x->v[i].rdlen);
	return r;
}

static void rule(struct ruling *u, uint8_t row, uint8_t state, const char *why)
{
	u->row = row;
	u->state = state;
	u->why = why;
}

/* Rows 1 and 3: everything seen is ours. */
static int all_ours(struct ruling *u, const struct facet *f)
{
	u->published = f->seen;
	u->target = f->want;
	u->ours = f->want;
	if (rrs_equal(&f->want, &f->seen))
		rule(u, 1, BELIEF_STEP, "in step");
	else
		rule(u, 3, BELIEF_DUE, f->want.n > 0 ? "ours, to be changed" : "ours, to be removed");
	return 0;
}

/* The same by DHCID alone: a value that is to make way for another may be written over, but it is not
 * known as ours before that, and stays should nothing be wanted in its place any more. */
static int clients(struct ruling *u, const struct belief *b, const struct facet *f)
{
	all_ours(u, f);
	if (!b->same_client && !rrs_equal(&f->want, &f->seen))
		u->published = f->published;
	return 0;
}

/* Row 5 for a part: somebody took records out of a set of ours. */
static bool part_removed(const struct facet *f)
{
	return f->published.n > f->seen.n && rrs_equal(&f->want, &f->published) &&
	       rrs_within_of(&f->seen, &f->published, f->type);
}

/* Row 4: ours and somebody's additions. */
static int ours_and_theirs(struct ruling *u, struct arena *a, const struct facet *f)
{
	struct rrs theirs = {NULL, 0};
	int r = without(&theirs, a, &f->seen, &f->claim);

	r = r < 0 ? r : without(&u->ours, a, &f->want, &theirs);
	r = r < 0 ? r : join(&u->target, a, &u->ours);
	r = r < 0 ? r : join(&u->target, a, &theirs);
	u->published = f->claim;
	if (rrs_equal(&u->target, &f->seen))
		rule(u, 4, BELIEF_STEP, "in step; records added by somebody else are left alone");
	else
		rule(u, 4, BELIEF_DUE, "ours to be changed; records added by somebody else stay");
	return r;
}

/* What at this name forbids any address or PTR beside it, as far as it has been seen. */
static const char *name_closed(const struct belief *b, const struct rrs *seen)
{
	const struct rr *first;

	if (rrs_of(seen, RR_CNAME, &first) > 0)
		return "the name is an alias (CNAME) that is not ours";
	if (!b->apex && rrs_of(seen, RR_NS, &first) > 0)
		return "the name is delegated to other servers";
	return NULL;
}

/* Row 5: somebody removed ours. */
static void removed(struct ruling *u, const struct belief *b, const struct rrs *seen,
		    const struct facet *f, bool supported)
{
	const char *closed = name_closed(b, seen);

	u->published = f->published;
	if (closed != NULL) {
		rule(u, 9, BELIEF_CONFLICT, closed);
		return;
	}
	u->ours = f->want;
	u->revert = b->removed_at_s == 0;
	if (b->reverts + (u->revert ? 1 : 0) >= VERDICT_REVERTS_MAX) {
		rule(u, 5, BELIEF_FROZEN,
		     "somebody keeps removing it: frozen until a person decides");
	} else if (supported) {
		u->target = f->want;
		rule(u, 5, BELIEF_DUE, "somebody removed it, a source still confirms it");
	} else {
		rule(u, 5, BELIEF_WAITS, "somebody removed it; waits for a source to confirm it");
	}
}

static bool person_names(const struct belief *b)
{
	return b->want_kind <= OBS_IPAM;
}

static bool has_address(const struct rrs *seen)
{
	const struct rr *v;

	return rrs_of(seen, RR_A, &v) + rrs_of(seen, RR_AAAA, &v) + rrs_of(seen, RR_DHCID, &v) > 0;
}

/* What at this name forbids a first add, as far as it has been seen. */
static const char *name_taken(const struct belief *b, const struct rrs *seen,
			      const struct facet *f)
{
	const char *closed = name_closed(b, seen);

	if (closed != NULL)
		return closed;
	/* A person has looked at what is there. */
	if (b->decided == DECIDED_IPAM)
		return NULL;
	/* The second family joins a name that is ours already. */
	if (f->type == RR_PTR || f->owner_ours)
		return NULL;
	if (person_names(b))
		return has_address(seen) ? "the name has addresses that are not ours" : NULL;
	return seen->n > 0 ? "the name is in use by records that are not ours" : NULL;
}

static void conflict(struct ruling *u, const struct facet *f, enum foreign_policy foreign,
		     const char *why)
{
	u->published = f->published;
	if (foreign == FOREIGN_TAKE) {
		u->target = f->want;
		u->ours = f->want;
		rule(u, 9, BELIEF_DUE, "not ours, but the zone says foreign = take");
	} else {
		u->target = f->seen;
		rule(u, 9, BELIEF_CONFLICT, why);
	}
}

static void first_add(struct ruling *u, const struct belief *b, const struct rrs *seen,
		      const struct facet *f)
{
	const char *taken = name_taken(b, seen, f);

	if (taken != NULL) {
		rule(u, 9, BELIEF_CONFLICT, taken);
		return;
	}
	u->target = f->want;
	u->ours = f->want;
	rule(u, 6, BELIEF_DUE, "to be added");
}

/* Nothing of the type is in DNS. */
static void type_absent(struct ruling *u, const struct belief *b, const struct rrs *seen,
			const struct facet *f, bool supported)
{
	bool gone = f->published.n > 0 && !f->gone_by_us && b->decided != DECIDED_IPAM;

	if (f->want.n == 0)
		rule(u, 1, BELIEF_STEP, "in step");
	else if (gone)
		removed(u, b, seen, f, supported);
	else
		first_add(u, b, seen, f);
}

/* Records of the type are in DNS and none of ours is among them. */
static void type_foreign(struct ruling *u, const struct belief *b, const struct facet *f,
			 enum foreign_policy foreign)
{
	u->target = f->seen;
	if (rrs_equal(&f->want, &f->seen)) {
		/* A PTR that a person edited stays known as once ours, for the next edit. */
		if (f->type == RR_PTR)
			u->published = u->ours = f->published;
		rule(u, 2, BELIEF_AGREED, "DNS agrees, but the record is not ours");
	} else if (f->type == RR_PTR && f->published.n > 0 && f->want.n > 0 &&
		   b->decided != DECIDED_IPAM) {
		u->published = f->published;
		u->edit = true;
		rule(u, 7, BELIEF_CONFLICT, "somebody edited the PTR");
	} else if (f->want.n == 0) {
		rule(u, 8, BELIEF_STEP, "not ours, left alone");
	} else {
		conflict(u, f, foreign, "DNS has another value that is not ours");
	}
}

/* The client's DHCID makes a value ours when it is what we want anyway, or when we remember
 * nothing of this owner and want some other value of the type (DHCP updaters write one address a
 * family: several are not all theirs).  Beside a memory it proves nothing: a person who edits an
 * address leaves the DHCID where it is.  Over a PTR it covers only the target it was made for. */
static bool ours_by_dhcid(const struct belief *b, const struct facet *f)
{
	if (!f->dhcid_ours)
		return false;
	if (b->same_client || rrs_equal(&f->want, &f->seen))
		return true;
	return f->type != RR_PTR && f->want.n > 0 && b->published.n == 0 && b->n_offered == 0 &&
	       (f->seen.n == 1 || rrs_within_of(&f->want, &f->seen, f->type));
}

/* By DHCID alone, what we want is among what is seen: the rest is somebody else's. */
static bool among_seen(struct facet *f)
{
	if (f->want.n == f->seen.n || !rrs_within_of(&f->want, &f->seen, f->type))
		return false;
	f->claim = f->want;
	return true;
}

static int rule_type(struct ruling *u, struct arena *a, const struct belief *b,
		     const struct rrs *seen, struct facet *f, enum foreign_policy foreign,
		     bool supported)
{
	memset(u, 0, sizeof(*u));
	if (f->seen.n == 0) {
		type_absent(u, b, seen, f, supported);
		return 0;
	}
	if (f->claim.n == f->seen.n && part_removed(f) && !f->gone_by_us &&
	    b->decided != DECIDED_IPAM) {
		removed(u, b, seen, f, supported);
		return 0;
	}
	if (f->claim.n == f->seen.n)
		return all_ours(u, f);
	if (f->claim.n > 0)
		return ours_and_theirs(u, a, f);
	if (ours_by_dhcid(b, f))
		return among_seen(f) ? ours_and_theirs(u, a, f) : clients(u, b, f);
	type_foreign(u, b, f, foreign);
	return 0;
}

/* ---- the owner as a whole --------------------------------------------------------------- */

/* How loud a state is; the loudest type speaks for the owner. */
static int weight(uint8_t state)
{
	static const uint8_t order[BELIEF_STATES] = {
	    [BELIEF_STEP] = 0,     [BELIEF_AGREED] = 1,  [BELIEF_DUE] = 2,     [BELIEF_WAITS] = 3,
	    [BELIEF_REFUSED] = 4,  [BELIEF_FROZEN] = 5,  [BELIEF_CONFLICT] = 6};

	return order[state];
}

static int put_together(struct verdict *v, struct arena *a, const struct ruling *u)
{
	int r = join(&v->published, a, &u->published);

	r = r < 0 ? r : join(&v->target, a, &u->target);
	r = r < 0 ? r : join(&v->ours, a, &u->ours);
	if (v->why == NULL || weight(u->state) > weight(v->state)) {
		v->state = u->state;
		v->row = u->row;
		v->why = u->why;
	}
	v->edit |= u->edit;
	v->revert |= u->revert;
	return r;
}

/* The DHCID follows our addresses: it is ours to change when it is the one we published, offered or
 * want; it neither comes nor stays where every record it would stand beside is somebody else's
 * (not beside: no address or PTR at the owner is ours).  One that is taken becomes ours. */
static int rule_dhcid(struct verdict *v, struct arena *a, const struct facet *f,
		      enum foreign_policy foreign, bool wants, bool beside)
{
	static const struct rrs none = {NULL, 0};
	bool ours = f->claim.n == f->seen.n || f->dhcid_ours;
	/* Beside what is not ours an offer proves nothing: another updater writes the client's, too. */
	bool proven = f->claim.n > 0 && (v->base.n == f->seen.n ||
					 rrs_within_of(&f->claim, &f->published, RR_DHCID));
	const struct rrs *target = beside ? &f->want : &none;
	int r;

	if (!ours && wants && foreign == FOREIGN_KEEP && v->state != BELIEF_AGREED) {
		v->state = BELIEF_CONFLICT;
		v->row = 9;
		v->why = "the name belongs to another client (its DHCID differs)";
	}
	if (!ours && (foreign == FOREIGN_KEEP || !wants))
		target = &f->seen;
	r = join(&v->target, a, target);
	if (r == 0 && target != &f->seen)
		r = join(&v->ours, a, target);
	if (r == 0 && ours && (proven || v->published.n > 0))
		r = join(&v->published, a, &f->seen);
	return r;
}

/* DNS holds the right records, but they were sent with another TTL. */
static void ttl_differs(struct verdict *v, const struct belief *b)
{
	if (v->state != BELIEF_STEP || b->want.n == 0 || b->sent_ttl_s == 0 ||
	    b->sent_ttl_s == b->want_ttl_s)
		return;
	v->state = BELIEF_DUE;
	v->ttl_only = true;
	v->row = 3;
	v->why = "the TTL is to be changed";
}

/* Where one type is stopped, nothing is added to the owner; what is ours and no longer wanted
 * still goes. */
static int only_removals(struct verdict *v, struct arena *a, const struct belief *b)
{
	struct rrs target = {NULL, 0}, ours = {NULL, 0};
	size_t i;
	int r = 0;

	for (i = 0; i < v->base.n && r == 0; i++) {
		const struct rr *x = &v->base.v[i];
		bool mine = rrs_has(&v->published, x);

		if (mine && !rrs_has(&b->want, x))
			continue;
		r = rrs_add(&target, a, x->type, x->rdata, x->rdlen);
		if (r == 0 && mine)
			r = rrs_add(&ours, a, x->type, x->rdata, x->rdlen);
	}
	/* What somebody took away stays known as once ours: the fight goes on where it stood. */
	for (i = 0; i < v->published.n && r == 0; i++) {
		const struct rr *x = &v->published.v[i];

		if (x->type != RR_DHCID && !rrs_has(&v->base, x))
			r = rrs_add(&ours, a, x->type, x->rdata, x->rdlen);
	}
	v->target = target;
	v->ours = ours;
	v->contested = true;
	if (r == 0 && !rrs_equal(&v->target, &v->base))
		v->state = BELIEF_DUE;
	return r;
}

/* A person has given the owner away: whatever is seen there, nothing is ours or sent. */
static int disowned(struct verdict *v, struct arena *a, const struct belief *b)
{
	bool agrees = true;
	size_t i;
	int r = b->seen_known ? rrs_managed(&v->base, a, &b->seen) : 0;

	v->target = v->base;
	for (i = 0; i < N_ADDRESS_TYPES; i++)
		agrees = agrees && rrs_equal_of(&b->want, &v->base, address_types[i]);
	v->row = b->want.n == 0 ? 8 : agrees ? 2 : 9;
	v->state = b->want.n == 0 ? BELIEF_STEP : agrees ? BELIEF_AGREED : BELIEF_CONFLICT;
	v->contested = v->state == BELIEF_CONFLICT;
	v->why = "disowned by a person: left as it is until it is adopted";
	return r;
}

/* Does another client's DHCID stand where ours was, or where somebody took ours away?  The name was
 * given to that client: what it has of ours by chance is its own. */
static bool is_given_away(const struct belief *b)
{
	const struct rr *dhcid, *ours;

	return b->seen_known && rrs_of(&b->seen, RR_DHCID, &dhcid) > 0 &&
	       (rrs_of(&b->published, RR_DHCID, &ours) > 0 || b->removed_at_s != 0) &&
	       !rrs_meets_of(&b->seen, &b->published, RR_DHCID) &&
	       !rrs_meets_of(&b->seen, &b->want, RR_DHCID) &&
	       !(b->same_client && b->want.n > 0);
}

/* As verdict_owner, of an owner that nobody has given away. */
static int judge(struct verdict *out, struct arena *a, const struct belief *b,
		 enum foreign_policy foreign, bool supported)
{
	/* Never looked at: take what we know of our own; prerequisites decide the rest. */
	const struct rrs *seen = b->seen_known ? &b->seen : &b->published;
	struct facet f, d;
	struct ruling u;
	bool owner_ours, beside = false, client;
	size_t i;
	int r;

	memset(out, 0, sizeof(*out));
	if (b->decided == DECIDED_DISOWNED)
		return disowned(out, a, b);
	if (b->decided == DECIDED_IPAM)
		foreign = FOREIGN_TAKE;
	r = rrs_managed(&out->base, a, seen);
	r = r < 0 ? r : facet_take(&d, a, b, seen, RR_DHCID);
	if (r < 0)
		return r;
	/* Of a client that is named nowhere, what another updater wrote is not ours to touch. */
	client = b->same_client && b->want.n > 0;
	d.dhcid_ours = (d.want.n > 0 && rrs_equal(&d.want, &d.seen)) || client;
	owner_ours = d.dhcid_ours;
	for (i = 0; i < seen->n; i++)
		owner_ours = owner_ours || is_claimed(b, seen, &seen->v[i]);
	for (i = 0; i < N_ADDRESS_TYPES && r == 0; i++) {
		r = facet_take(&f, a, b, seen, address_types[i]);
		/* One that we wrote ourselves says nothing of a family that we did not write. */
		f.dhcid_ours = d.dhcid_ours && (client || d.published.n == 0 ||
						f.published.n > 0 ||
						b->published.n == d.published.n);
		f.owner_ours = owner_ours;
		r = r < 0 ? r : rule_type(&u, a, b, seen, &f, foreign, supported);
		beside = beside || (u.ours.n > 0 && u.state != BELIEF_AGREED);
		/* A type that is nowhere has no say. */
		if (r == 0 && (f.want.n > 0 || f.seen.n > 0 || f.published.n > 0))
			r = put_together(out, a, &u);
	}
	if (out->why == NULL)
		out->why = "nothing is wanted here";
	r = r < 0 ? r : rule_dhcid(out, a, &d, foreign, b->want.n > 0, beside);
	if (r < 0)
		return r;
	if (b->below_cut && b->want.n > 0) {
		out->state = BELIEF_CONFLICT;
		out->row = 9;
		out->why = "the name lies below a delegation or DNAME of the zone";
	}
	if (out->state == BELIEF_CONFLICT || out->state == BELIEF_FROZEN)
		return only_removals(out, a, b);
	if ((out->state == BELIEF_STEP || out->state == BELIEF_AGREED) &&
	    !rrs_equal(&out->target, &out->base)) {
		out->state = BELIEF_DUE;
		out->why = "the DHCID is to be changed";
	}
	ttl_differs(out, b);
	return 0;
}

int verdict_owner(struct verdict *out, struct arena *a, const struct belief *b,
		  enum foreign_policy foreign, bool supported)
{
	struct belief forgotten;

	if (!is_given_away(b))
		return judge(out, a, b, foreign, supported);
	forgotten = *b;
	forgotten.published = (struct rrs){NULL, 0};
	return judge(out, a, &forgotten, foreign, supported);
}
