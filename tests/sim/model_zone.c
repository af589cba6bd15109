/* model_zone.c - the UPDATE of RFC 2136 on a sorted set of records, with the order of checks and
 * the silences of BIND 9.18: prerequisites, then a look at the update section, then the grants,
 * then the changes; CNAMEs beside other data vanish without a word.
 */
#include "tests/sim/model_zone.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/base/vec.h"

int mset_copy(struct mset *out, const struct mset *in)
{
	out->n = 0;
	if (vec_reserve(out, in->n + 1) < 0)
		return ERR_NOMEM;
	if (in->n > 0)
		memcpy(out->v, in->v, in->n * sizeof(*in->v));
	out->n = in->n;
	return 0;
}

void mset_fini(struct mset *s)
{
	vec_fini(s);
}

static int cmp_rec(const struct mrec *r, const struct dname *owner, uint16_t type,
		   const void *rdata, size_t rdlen)
{
	size_t n = r->rdlen < rdlen ? r->rdlen : rdlen;
	int c = dname_cmp(&r->owner, owner);

	if (c == 0)
		c = (int)r->type - (int)type;
	if (c == 0 && n > 0)
		c = memcmp(r->rdata, rdata, n);
	return c != 0 ? c : (int)r->rdlen - (int)rdlen;
}

size_t mset_find(const struct mset *s, const struct dname *owner, uint16_t type,
		 const void *rdata, size_t rdlen, bool *found)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (cmp_rec(s->v[mid], owner, type, rdata, rdlen) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*found = lo < s->n && cmp_rec(s->v[lo], owner, type, rdata, rdlen) == 0;
	return lo;
}

bool mset_equal(const struct mset *a, const struct mset *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct mrec *x = a->v[i], *y = b->v[i];

		if (x->ttl_s != y->ttl_s || cmp_rec(x, &y->owner, y->type, y->rdata, y->rdlen) != 0)
			return false;
	}
	return true;
}

/* Records of one owner and type; RR_ANY: of one owner. */
static size_t count(const struct mset *s, const struct dname *owner, uint16_t type)
{
	size_t n = 0;
	bool found;
	size_t i = mset_find(s, owner, type == RR_ANY ? 0 : type, NULL, 0, &found);

	for (; i < s->n && dname_equal(&s->v[i]->owner, owner); i++) {
		if (type != RR_ANY && s->v[i]->type != type)
			break;
		n++;
	}
	return n;
}

struct mrec *mrec_new(struct arena *a, const struct dname *owner, uint16_t type, uint32_t ttl_s,
		      enum model_author author, const void *rdata, size_t rdlen)
{
	struct mrec *r = arena_alloc(a, sizeof(*r) + rdlen);

	if (r == NULL)
		return NULL;
	r->owner = *owner;
	r->type = type;
	r->ttl_s = ttl_s;
	r->author = author;
	r->rdlen = (uint16_t)rdlen;
	if (rdlen > 0)
		memcpy(r->rdata, rdata, rdlen);
	return r;
}

/* The whole set takes the TTL of the last addition.  1 when it had it already. */
static int set_ttl(struct mset *s, struct arena *a, const struct mrec *rec)
{
	bool found;
	size_t i = mset_find(s, &rec->owner, rec->type, NULL, 0, &found);
	int r = 1;

	for (; i < s->n && s->v[i]->type == rec->type &&
	       dname_equal(&s->v[i]->owner, &rec->owner); i++) {
		struct mrec *o = s->v[i];

		if (o->ttl_s == rec->ttl_s)
			continue;
		s->v[i] = mrec_new(a, &o->owner, o->type, rec->ttl_s, o->author, o->rdata, o->rdlen);
		if (s->v[i] == NULL)
			return ERR_NOMEM;
		r = 0;
	}
	return r;
}

int mset_add(struct mset *s, struct arena *a, const struct mrec *rec)
{
	size_t cnames = count(s, &rec->owner, RR_CNAME);
	bool found;

	if (rec->type == RR_CNAME ? count(s, &rec->owner, RR_ANY) > cnames : cnames > 0)
		return 1;
	if (rec->type == RR_CNAME && cnames > 0)  /* the second replaces the first */
		mset_remove(s, &rec->owner, &rec->owner, RR_CNAME, NULL, 0);
	size_t at = mset_find(s, &rec->owner, rec->type, rec->rdata, rec->rdlen, &found);
	if (!found) {
		if (count(s, &rec->owner, rec->type) >= MODEL_TYPE_MAX)
			return ERR_BUSY;
		if (vec_reserve(s, 1) < 0)
			return ERR_NOMEM;
		memmove(s->v + at + 1, s->v + at, (s->n - at) * sizeof(*s->v));
		s->n++;
		s->v[at] = (struct mrec *)(uintptr_t)rec;
	}
	int r = set_ttl(s, a, rec);
	return r < 0 ? r : found ? r : 0;
}

size_t mset_remove(struct mset *s, const struct dname *apex, const struct dname *owner,
		   uint16_t type, const void *rdata, size_t rdlen)
{
	bool at_apex = dname_equal(apex, owner);
	size_t ns = at_apex ? count(s, owner, RR_NS) : 0;
	size_t kept = 0, gone;

	for (size_t i = 0; i < s->n; i++) {
		struct mrec *r = s->v[i];
		bool hit = dname_equal(&r->owner, owner) && (type == RR_ANY || r->type == type) &&
			   (rdata == NULL ||
			    (r->rdlen == rdlen && memcmp(r->rdata, rdata, rdlen) == 0));

		/* RFC 2136 3.4.2.3, 3.4.2.4: whole sets leave the apex NS, single ones the last */
		if (hit && at_apex && r->type == RR_NS && (rdata == NULL || ns <= 1))
			hit = false;
		if (!hit)
			s->v[kept++] = r;
	}
	gone = s->n - kept;
	s->n = kept;
	return gone;
}

/* ---- RFC 1995: history -------------------------------------------------------------------- */

int mzone_version(struct mzone *z, uint32_t serial, bool anew)
{
	size_t i, drop = anew ? z->n_past : z->n_past == MODEL_HISTORY;

	for (i = 0; i < drop; i++)
		mset_fini(&z->past[i].set);
	memmove(z->past, z->past + drop, (z->n_past - drop) * sizeof(*z->past));
	z->n_past -= drop;
	z->serial = serial;
	z->past[z->n_past] = (struct mversion){serial, {0}};
	return mset_copy(&z->past[z->n_past++].set, &z->now);
}

void mzone_fini(struct mzone *z)
{
	for (size_t i = 0; i < z->n_past; i++)
		mset_fini(&z->past[i].set);
	mset_fini(&z->now);
	mset_fini(&z->saved);
}

/* Those of a that b has not, or with another TTL. */
static int tell_missing(const struct mset *a, const struct mset *b, bool added,
			int (*cb)(void *arg, bool added, const struct mrec *r), void *arg)
{
	int r = 0;

	for (size_t i = 0; i < a->n && r == 0; i++) {
		const struct mrec *x = a->v[i];
		bool found;
		size_t at = mset_find(b, &x->owner, x->type, x->rdata, x->rdlen, &found);

		if (!found || b->v[at]->ttl_s != x->ttl_s)
			r = cb(arg, added, x);
	}
	return r;
}

int mset_changes(const struct mset *from, const struct mset *to,
		 int (*cb)(void *arg, bool added, const struct mrec *r), void *arg)
{
	int r = tell_missing(from, to, false, cb, arg);

	return r != 0 ? r : tell_missing(to, from, true, cb, arg);
}

/* ---- RFC 2136 3.2: prerequisites ---------------------------------------------------------- */

static unsigned check_exists(const struct mset *s, const struct dname *owner,
			     const struct change_rr *p)
{
	size_t n = count(s, owner, p->type);

	if (p->class_ == RR_CLASS_ANY && n == 0)
		return p->type == RR_ANY ? RCODE_NXDOMAIN : RCODE_NXRRSET;
	if (p->class_ == RR_CLASS_NONE && n > 0)
		return p->type == RR_ANY ? RCODE_YXDOMAIN : RCODE_YXRRSET;
	return RCODE_NOERROR;
}

static bool is_meta(uint16_t type)
{
	return type >= 128 && type <= 255;  /* RFC 6895 3.1 */
}

static bool same_rr(const struct change_rr *a, const struct change_rr *b)
{
	return a->type == b->type && a->class_ == b->class_ && a->rdlen == b->rdlen &&
	       (a->rdlen == 0 || memcmp(a->rdata, b->rdata, a->rdlen) == 0);
}

/* The set that value prerequisites name must be the whole set.  Equal ones count once. */
static bool is_whole_set(const struct mset *s, const struct change *c, uint16_t type)
{
	size_t n = 0;
	bool found;

	for (size_t i = 0; i < c->n_pre; i++) {
		const struct change_rr *p = &c->pre[i];
		bool again = false;

		if (p->class_ != RR_CLASS_IN || p->type != type)
			continue;
		for (size_t k = 0; k < i; k++)
			again = again || same_rr(&c->pre[k], p);
		mset_find(s, &c->owner, type, p->rdata, p->rdlen, &found);
		if (!found)
			return false;
		n += !again;
	}
	return n == count(s, &c->owner, type);
}

static unsigned check_form(const struct mzone *z, const struct change *c,
			   const struct change_rr *p)
{
	if (p->ttl_s != 0)
		return RCODE_FORMERR;
	if (!dname_under(&c->owner, &z->zone->name))
		return RCODE_NOTZONE;
	if (p->class_ == RR_CLASS_IN)
		return is_meta(p->type) ? RCODE_FORMERR : RCODE_NOERROR;
	if ((p->class_ != RR_CLASS_ANY && p->class_ != RR_CLASS_NONE) || p->rdlen != 0 ||
	    (is_meta(p->type) && p->type != RR_ANY))
		return RCODE_FORMERR;
	return RCODE_NOERROR;
}

static unsigned check_change(const struct mzone *z, const struct change *c)
{
	unsigned rcode = RCODE_NOERROR;

	for (size_t i = 0; i < c->n_pre && rcode == RCODE_NOERROR; i++) {
		rcode = check_form(z, c, &c->pre[i]);
		if (rcode == RCODE_NOERROR)
			rcode = check_exists(&z->now, &c->owner, &c->pre[i]);
	}
	for (size_t i = 0; i < c->n_pre && rcode == RCODE_NOERROR; i++)
		if (c->pre[i].class_ == RR_CLASS_IN &&
		    !is_whole_set(&z->now, c, c->pre[i].type))
			rcode = RCODE_NXRRSET;
	return rcode;
}

/* ---- RFC 2136 3.4: updates ---------------------------------------------------------------- */

static unsigned prescan(const struct mzone *z, const struct change *c)
{
	if (!dname_under(&c->owner, &z->zone->name))
		return c->n_upd > 0 ? RCODE_NOTZONE : RCODE_NOERROR;
	for (size_t i = 0; i < c->n_upd; i++) {
		const struct change_rr *u = &c->upd[i];
		bool meta = is_meta(u->type);

		switch (u->class_) {
		case RR_CLASS_IN:
			if (meta)
				return RCODE_FORMERR;
			break;
		case RR_CLASS_ANY:
			if (u->ttl_s != 0 || u->rdlen != 0 || (meta && u->type != RR_ANY))
				return RCODE_FORMERR;
			break;
		case RR_CLASS_NONE:
			if (u->ttl_s != 0 || meta)
				return RCODE_FORMERR;
			break;
		default:
			return RCODE_FORMERR;
		}
	}
	return RCODE_NOERROR;
}

static int apply_one(struct mset *s, struct arena *a, const struct dname *apex,
		     const struct dname *owner, const struct change_rr *u,
		     enum model_author author)
{
	if (u->type == RR_SOA)  /* ours never touches it; a lower serial is ignored anyway */
		return 0;
	if (u->class_ == RR_CLASS_ANY) {
		mset_remove(s, apex, owner, u->type, NULL, 0);
		return 0;
	}
	if (u->class_ == RR_CLASS_NONE) {
		/* a pointer even for empty RDATA: NULL would mean the whole set */
		mset_remove(s, apex, owner, u->type, u->rdata == NULL ? (const void *)"" : u->rdata,
			    u->rdlen);
		return 0;
	}
	struct mrec *r = mrec_new(a, owner, u->type, u->ttl_s, author, u->rdata, u->rdlen);
	return r == NULL ? ERR_NOMEM : mset_add(s, a, r);
}

unsigned mzone_update(struct mset *out, const struct mzone *z, struct arena *a,
		      const struct change *const *c, size_t n, enum model_author author,
		      bool (*refused)(void *arg, const struct dname *owner), void *arg)
{
	unsigned rcode = RCODE_NOERROR;

	if (mset_copy(out, &z->now) < 0)
		return RCODE_SERVFAIL;
	for (size_t i = 0; i < n && rcode == RCODE_NOERROR; i++)
		rcode = check_change(z, c[i]);
	for (size_t i = 0; i < n && rcode == RCODE_NOERROR; i++)
		rcode = prescan(z, c[i]);
	for (size_t i = 0; i < n && rcode == RCODE_NOERROR; i++)
		if (c[i]->n_upd > 0 && refused != NULL && refused(arg, &c[i]->owner))
			rcode = RCODE_REFUSED;
	for (size_t i = 0; i < n && rcode == RCODE_NOERROR; i++)
		for (size_t k = 0; k < c[i]->n_upd && rcode == RCODE_NOERROR; k++)
			if (apply_one(out, a, &z->zone->name, &c[i]->owner, &c[i]->upd[k],
				      author) < 0)
				rcode = RCODE_SERVFAIL;
	if (rcode != RCODE_NOERROR && mset_copy(out, &z->now) < 0)
		return RCODE_SERVFAIL;
	return rcode;
}
