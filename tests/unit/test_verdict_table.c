/* test_verdict_table.c - every combination of the verdict table against a second statement of it.
 *
 * The second statement knows no records: a type has at most three values, w (wanted), p (ours from
 * before) and f (somebody's), and a set of them is three bits.  It is the table of verdict.h and
 * that of the prerequisites, put down once more as rules on such sets.  Each combination is given
 * to both; row, state, sets, prerequisites, updates and the sentence must be the same.
 *
 * With VERDICT_TABLE=FILE each combination is written there, one a line, to be read or compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/core/verdict.h"

enum { A, AAAA, PTR, DHCID, TYPES };                     /* the types that have sets */
enum { w = 1, p = 2, f = 4 };                            /* of DHCID: w the client's, f another's */
enum { NOTHING_ELSE, TEXT, ALIAS, CUT, APEX, ELSE_N };   /* what else is at the name */

static const uint16_t type_of[TYPES] = {RR_A, RR_AAAA, RR_PTR, RR_DHCID};
static const char *const type_text[TYPES] = {"A", "AAAA", "PTR", "DHCID"};

/* One combination. */
struct combi {
	uint8_t want[TYPES], pub[TYPES], seen[TYPES];
	bool offer;                /* one set is offered: off, perhaps empty */
	uint8_t off[TYPES];
	bool unknown;              /* never looked */
	bool person, take, unsupported, client, below, other_ttl;
	uint8_t reverts;           /* 2: the next one freezes */
	uint8_t besides;
};

/* What must come out. */
struct expected {
	int row, state;
	const char *why;
	uint8_t base[TYPES], target[TYPES], ours[TYPES], keep[TYPES];
	bool edit, revert, ttl_only;
	/* prerequisites: of a type none, equal to base, or there at all */
	bool name_free, none[TYPES], equal[TYPES], there[TYPES], no_alias, no_cut;
	bool sends;
};

/* ---- the table once more ------------------------------------------------------------------ */

static bool within(uint8_t x, uint8_t y)
{
	return (x & ~y) == 0;
}

static int size(uint8_t x)
{
	return __builtin_popcount(x);
}

static uint8_t claimed(const struct combi *c, const uint8_t *seen, int t)
{
	bool whole = c->off[DHCID] == 0 || within(c->off[DHCID], seen[DHCID]);

	return seen[t] & (c->pub[t] | (c->offer && whole ? c->off[t] : 0));
}

static bool any(const uint8_t *sets)
{
	return (sets[A] | sets[AAAA] | sets[PTR] | sets[DHCID]) != 0;
}

/* Another updater's word for the client that we name here: of a client that we name nowhere it
 * says nothing. */
static bool client_wants(const struct combi *c)
{
	return c->client && any(c->want);
}

static bool dhcid_proves(const struct combi *c, const uint8_t *seen)
{
	return client_wants(c) || (c->want[DHCID] != 0 && c->want[DHCID] == seen[DHCID]);
}

/* Our own DHCID, written with the other family, says nothing of this one. */
static bool other_familys(const struct combi *c, int t)
{
	return c->pub[DHCID] != 0 && c->pub[t] == 0 && (c->pub[A] | c->pub[AAAA] | c->pub[PTR]) != 0;
}

static bool something_is_ours(const struct combi *c, const uint8_t *seen)
{
	int t;

	for (t = 0; t < TYPES; t++) {
		if (claimed(c, seen, t) != 0)
			return true;
	}
	return dhcid_proves(c, seen);
}

static uint8_t besides(const struct combi *c)
{
	return c->unknown ? NOTHING_ELSE : c->besides;
}

struct says {
	int row, state;
	const char *why;
	uint8_t target, ours, keep;
	bool edit, revert;
};

static struct says says(int row, int state, const char *why, uint8_t target, uint8_t ours,
			uint8_t keep)
{
	return (struct says){row, state, why, target, ours, keep, row == 7, row == 5};
}

/* Something at the name forbids every address and PTR. */
static const char *closed(const struct combi *c)
{
	return besides(c) == ALIAS ? "the name is an alias (CNAME) that is not ours"
	     : besides(c) == CUT   ? "the name is delegated to other servers"
				   : NULL;
}

static const char *taken(const struct combi *c, const uint8_t *seen, int t)
{
	if (closed(c) != NULL || t == PTR || something_is_ours(c, seen))
		return closed(c);
	if (c->person)
		return seen[A] | seen[AAAA] | seen[DHCID]
			   ? "the name has addresses that are not ours" : NULL;
	return any(seen) || besides(c) != NOTHING_ELSE
		   ? "the name is in use by records that are not ours" : NULL;
}

static struct says row_5(const struct combi *c, int t)
{
	uint8_t want = c->want[t], keep = c->pub[t];

	if (closed(c) != NULL)
		return says(9, BELIEF_CONFLICT, closed(c), 0, 0, keep);
	if (c->reverts == 2)
		return says(5, BELIEF_FROZEN,
			    "somebody keeps removing it: frozen until a person decides", 0, want,
			    keep);
	if (c->unsupported)
		return says(5, BELIEF_WAITS, "somebody removed it; waits for a source to confirm it",
			    0, want, keep);
	return says(5, BELIEF_DUE, "somebody removed it, a source still confirms it", want, want,
		    keep);
}

static struct says row_4(uint8_t want, uint8_t seen, uint8_t ours)
{
	uint8_t theirs = seen & ~ours, target = want | theirs, mine = want & ~theirs;

	if (target == seen)
		return says(4, BELIEF_STEP,
			    "in step; records added by somebody else are left alone", target, mine,
			    ours);
	return says(4, BELIEF_DUE, "ours to be changed; records added by somebody else stay", target,
		    mine, ours);
}

static struct says row_1_or_3(uint8_t want, uint8_t seen)
{
	if (want == seen)
		return says(1, BELIEF_STEP, "in step", want, want, seen);
	return says(3, BELIEF_DUE, want != 0 ? "ours, to be changed" : "ours, to be removed", want,
		    want, seen);
}

/* What another value is to replace is not ours before that is done. */
static struct says by_dhcid(const struct combi *c, int t, uint8_t want, uint8_t seen)
{
	struct says x = row_1_or_3(want, seen);

	if (!c->client && want != seen)
		x.keep = c->pub[t];
	return x;
}

/* Nothing that is seen of the type is ours by memory. */
static struct says not_ours(const struct combi *c, const uint8_t *seen_all, int t)
{
	uint8_t want = c->want[t], pub = c->pub[t], seen = seen_all[t];
	bool memory = any(c->pub) || c->offer;
	bool alone = size(seen) == 1 || within(want, seen);

	if (dhcid_proves(c, seen_all) && (client_wants(c) || !other_familys(c, t)) &&
	    (client_wants(c) || want == seen || (t != PTR && want != 0 && !memory && alone)))
		return within(want, seen) && want != seen ? row_4(want, seen, want)
							  : by_dhcid(c, t, want, seen);
	if (want == seen)
		return says(2, BELIEF_AGREED, "DNS agrees, but the record is not ours", seen,
			    t == PTR ? pub : 0, t == PTR ? pub : 0);
	if (t == PTR && pub != 0 && want != 0)
		return says(7, BELIEF_CONFLICT, "somebody edited the PTR", seen, 0, pub);
	if (want == 0)
		return says(8, BELIEF_STEP, "not ours, left alone", seen, 0, 0);
	if (c->take)
		return says(9, BELIEF_DUE, "not ours, but the zone says foreign = take", want, want,
			    pub);
	return says(9, BELIEF_CONFLICT, "DNS has another value that is not ours", seen, 0, pub);
}

static struct says table(const struct combi *c, const uint8_t *seen_all, int t)
{
	uint8_t want = c->want[t], pub = c->pub[t], seen = seen_all[t];
	uint8_t ours = claimed(c, seen_all, t);
	bool we_removed = c->offer && c->off[t] == 0;

	if (seen == 0 && want == 0)
		return says(1, BELIEF_STEP, "in step", 0, 0, 0);
	if (seen == 0 && pub != 0 && !we_removed)
		return row_5(c, t);
	if (seen == 0 && taken(c, seen_all, t) != NULL)
		return says(9, BELIEF_CONFLICT, taken(c, seen_all, t), 0, 0, 0);
	if (seen == 0)
		return says(6, BELIEF_DUE, "to be added", want, want, 0);
	/* A part of ours is gone, the rest is there. */
	if (ours == seen && want == pub && within(seen, pub) && seen != pub && !we_removed)
		return row_5(c, t);
	if (ours == seen)
		return row_1_or_3(want, seen);
	if (ours != 0)
		return row_4(want, seen, ours);
	return not_ours(c, seen_all, t);
}

/* ---- the owner: the loudest type speaks, the DHCID follows -------------------------------- */

static int loudness(int state)
{
	static const int quiet_to_loud[] = {BELIEF_STEP,  BELIEF_AGREED, BELIEF_DUE,
					    BELIEF_WAITS, BELIEF_FROZEN, BELIEF_CONFLICT};
	int i;

	for (i = 0; quiet_to_loud[i] != state; i++)
		;
	return i;
}

static void speak(struct expected *x, int row, int state, const char *why)
{
	x->row = row;
	x->state = state;
	x->why = why;
}

static void dhcid_follows(struct expected *x, const struct combi *c, const uint8_t *seen,
			  bool beside)
{
	bool wants = any(c->want);
	uint8_t claim = claimed(c, seen, DHCID);
	/* An offer alone proves none that stands beside what is not ours. */
	bool holds = (seen[A] | seen[AAAA] | seen[PTR]) == 0 || within(claim, c->pub[DHCID]);
	bool ours = claim == seen[DHCID] || dhcid_proves(c, seen);
	uint8_t target = beside ? c->want[DHCID] : 0;

	if (!ours && wants && !c->take && x->state != BELIEF_AGREED)
		speak(x, 9, BELIEF_CONFLICT,
		      "the name belongs to another client (its DHCID differs)");
	if (ours) {
		x->target[DHCID] = x->ours[DHCID] = target;
		if ((claim != 0 && holds) || any(x->keep))
			x->keep[DHCID] = seen[DHCID];
	} else if (c->take && wants) {
		x->target[DHCID] = x->ours[DHCID] = target;
	} else {
		x->target[DHCID] = seen[DHCID];
	}
}

/* A type is stopped: what is ours and not wanted any more still goes, nothing else changes. */
static void only_removals(struct expected *x, const struct combi *c)
{
	bool removes = false;
	int t;

	for (t = 0; t < TYPES; t++) {
		uint8_t mine = x->base[t] & x->keep[t];

		x->target[t] = x->base[t] & ~(mine & ~c->want[t]);
		x->ours[t] = mine & c->want[t];
		/* What somebody took away stays known as once ours. */
		if (t != DHCID)
			x->ours[t] |= x->keep[t] & ~x->base[t];
		removes = removes || x->target[t] != x->base[t];
	}
	if (removes)
		x->state = BELIEF_DUE;
}

/* Another client has the name now: what was ours from before is forgotten. */
static bool given_away(const struct combi *c)
{
	return !c->unknown && c->pub[DHCID] != 0 && c->seen[DHCID] != 0 && !client_wants(c) &&
	       (c->seen[DHCID] & (c->pub[DHCID] | c->want[DHCID])) == 0;
}

static void owner(struct expected *x, const struct combi *given)
{
	struct combi kept = *given;
	const struct combi *c = &kept;
	const uint8_t *seen = c->unknown ? c->pub : c->seen;
	bool beside = false;
	int t;

	if (given_away(c))
		memset(kept.pub, 0, sizeof(kept.pub));
	memset(x, 0, sizeof(*x));
	memcpy(x->base, seen, TYPES);
	x->why = "nothing is wanted here";
	for (t = A; t <= PTR; t++) {
		struct says s = table(c, seen, t);

		x->target[t] = s.target;
		x->ours[t] = s.ours;
		x->keep[t] = s.keep;
		x->edit = x->edit || s.edit;
		x->revert = x->revert || s.revert;
		beside = beside || (s.ours != 0 && s.state != BELIEF_AGREED);
		if ((c->want[t] | seen[t] | c->pub[t]) != 0 &&
		    (x->row == 0 || loudness(s.state) > loudness(x->state)))
			speak(x, s.row, s.state, s.why);
	}
	dhcid_follows(x, c, seen, beside);
	if (c->below && any(c->want))
		speak(x, 9, BELIEF_CONFLICT,
		      "the name lies below a delegation or DNAME of the zone");
	if (x->state == BELIEF_CONFLICT || x->state == BELIEF_FROZEN) {
		only_removals(x, c);
		return;
	}
	if ((x->state == BELIEF_STEP || x->state == BELIEF_AGREED) &&
	    memcmp(x->target, x->base, TYPES) != 0)
		speak(x, x->row, BELIEF_DUE, "the DHCID is to be changed");
	if (x->state == BELIEF_STEP && any(c->want) && c->other_ttl) {
		speak(x, 3, BELIEF_DUE, "the TTL is to be changed");
		x->ttl_only = true;
	}
}

/* ---- the prerequisites once more ---------------------------------------------------------- */

static bool moves(const struct expected *x, int t)
{
	return x->base[t] != x->target[t] || (x->ttl_only && x->base[t] != 0);
}

static void as_seen(struct expected *x, int t)
{
	*(x->base[t] != 0 ? &x->equal[t] : &x->none[t]) = true;
}

static void need_first(struct expected *x, const struct combi *c)
{
	bool reverse = x->target[PTR] != 0;
	bool unused = !any(c->pub) && (c->unknown || (!any(c->seen) && !c->besides));

	if (!reverse && !c->person && unused) {
		x->name_free = true;
		return;
	}
	if (reverse)
		x->none[PTR] = true;
	else
		x->none[A] = x->none[AAAA] = true;
	x->none[DHCID] = x->no_alias = true;
	x->no_cut = c->besides != APEX;
}

/* One family changes, the other one stays. */
static void need_stays(struct expected *x, int changes, int stays)
{
	bool goes = x->target[changes] == 0;
	bool leans = x->base[DHCID] == 0 || moves(x, DHCID);

	if (x->base[stays] == 0)
		x->none[stays] = goes || (x->base[DHCID] != 0 && moves(x, DHCID));
	else if (leans)
		x->equal[stays] = true;
	else
		x->there[stays] = goes;
}

static void need(struct expected *x, const struct combi *c)
{
	int t;

	x->sends = x->state == BELIEF_DUE && (x->ttl_only || memcmp(x->base, x->target, TYPES) != 0);
	if (!x->sends)
		return;
	if (!any(x->base)) {
		need_first(x, c);
		return;
	}
	as_seen(x, DHCID);
	if (x->base[PTR] != 0 || x->target[PTR] != 0) {
		as_seen(x, PTR);
		return;
	}
	/* The DHCID alone goes, or changes: whatever it stood beside is still gone. */
	x->none[PTR] = x->base[A] + x->base[AAAA] + x->target[A] + x->target[AAAA] == 0;
	for (t = A; t <= AAAA; t++) {
		if (moves(x, t) || !moves(x, A + AAAA - t))
			as_seen(x, t);
		else
			need_stays(x, A + AAAA - t, t);
	}
}

/* ---- a combination as records ------------------------------------------------------------- */

static const uint8_t *value(int t, uint8_t bit, size_t *len)
{
	static uint8_t addr[16] = {0x20, 1, 0x0d, 0xb8}, v4[4] = {192, 0, 2};
	static uint8_t dhcid[DHCID_LEN] = {0, 1, 1};
	static uint8_t name[] = "\1?\7example";

	addr[15] = v4[3] = dhcid[3] = bit;
	name[1] = bit == w ? 'w' : bit == p ? 'p' : 'f';
	*len = t == A ? 4 : t == AAAA ? 16 : t == PTR ? sizeof(name) : DHCID_LEN;
	return t == A ? v4 : t == AAAA ? addr : t == PTR ? name : dhcid;
}

static void records(struct rrs *out, struct arena *a, const uint8_t *sets)
{
	const uint8_t *rdata;
	uint8_t bit;
	size_t len;
	int t;

	for (t = 0; t < TYPES; t++) {
		for (bit = w; bit <= f; bit <<= 1) {
			rdata = value(t, bit, &len);
			if ((sets[t] & bit) != 0 &&
			    rrs_add(out, a, type_of[t], rdata, len) < 0)
				fail();
		}
	}
}

static uint8_t bit_of(int t, const uint8_t *rdata, size_t rdlen)
{
	const uint8_t *v;
	uint8_t bit;
	size_t len;

	for (bit = w; bit <= f; bit <<= 1) {
		v = value(t, bit, &len);
		if (len == rdlen && memcmp(v, rdata, len) == 0)
			return bit;
	}
	return 0x80;
}

static int index_of(uint16_t type)
{
	int t;

	for (t = 0; t < TYPES && type_of[t] != type; t++)
		;
	return t;
}

static void sets_of(uint8_t *out, const struct rrs *s)
{
	size_t i;
	int t;

	memset(out, 0, TYPES);
	for (i = 0; i < s->n; i++) {
		t = index_of(s->v[i].type);
		if (t < TYPES)
			out[t] |= bit_of(t, s->v[i].rdata, s->v[i].rdlen);
	}
}

static void to_belief(struct belief *b, struct arena *a, const struct combi *c)
{
	static const uint16_t else_type[ELSE_N] = {0, RR_TXT, RR_CNAME, RR_NS, RR_NS};
	static const uint8_t target[] = "\1x\7example";

	memset(b, 0, sizeof(*b));
	dname_parse(&b->owner, "h.example", 9);
	records(&b->want, a, c->want);
	records(&b->published, a, c->pub);
	if (c->offer)
		records(&b->offered[b->n_offered++], a, c->off);
	b->seen_known = !c->unknown;
	if (!c->unknown) {
		records(&b->seen, a, c->seen);
		if (c->besides != NOTHING_ELSE)
			rrs_add(&b->seen, a, else_type[c->besides], target,
				c->besides == TEXT ? 0 : sizeof(target));
	}
	b->apex = c->besides == APEX;
	b->same_client = c->client;
	b->below_cut = c->below;
	b->want_kind = c->person ? OBS_MANUAL : OBS_LEASE;
	b->want_ttl_s = 300;
	b->sent_ttl_s = c->other_ttl ? 60 : 300;
	b->reverts = c->reverts;
	b->why = "";
}

/* ---- comparing ---------------------------------------------------------------------------- */

static FILE *listing;
static size_t combinations, sent;

static void put_sets(FILE *to, const char *what, const uint8_t *sets)
{
	int t;

	for (t = 0; t < TYPES; t++) {
		if (sets[t] != 0)
			fprintf(to, " %s.%s=%s%s%s", what, type_text[t], sets[t] & w ? "w" : "",
				sets[t] & p ? "p" : "", sets[t] & f ? "f" : "");
	}
}

static void put_combi(FILE *to, const struct combi *c)
{
	static const char *const text[ELSE_N] = {"", " +TXT", " +CNAME", " +NS", " +NS(apex)"};

	fprintf(to, "%s %s%s%s%s%s%s", c->person ? "person" : "lease", c->take ? "take" : "keep",
		c->unsupported ? " unsupported" : "", c->client ? " client" : "",
		c->below ? " below-cut" : "", c->other_ttl ? " other-ttl" : "",
		c->reverts ? " reverts=2" : "");
	put_sets(to, "want", c->want);
	put_sets(to, "published", c->pub);
	if (c->offer)
		fprintf(to, " offered");
	put_sets(to, "offered", c->off);
	fprintf(to, "%s", c->unknown ? " seen?" : "");
	put_sets(to, "seen", c->seen);
	fprintf(to, "%s", text[c->besides]);
}

static void put_expected(FILE *to, const struct expected *x)
{
	int t;

	fprintf(to, " => row %d %s", x->row, belief_state_name((enum belief_state)x->state));
	put_sets(to, "target", x->target);
	put_sets(to, "ours", x->ours);
	put_sets(to, "keep", x->keep);
	for (t = 0; t < TYPES; t++) {
		if (x->none[t] || x->equal[t] || x->there[t])
			fprintf(to, " need-%s%s", type_text[t],
				x->none[t] ? "-none" : x->equal[t] ? "=base" : "-any");
	}
	fprintf(to, "%s%s%s%s%s%s \"%s\"\n", x->name_free ? " need-NAME-none" : "",
		x->no_alias ? " need-CNAME-none" : "", x->no_cut ? " need-NS-none" : "",
		x->edit ? " edit" : "", x->revert ? " revert" : "", x->ttl_only ? " ttl-only" : "",
		x->why);
}

static void differs(const struct combi *c, const struct expected *x, const struct expected *got,
		    const char *what)
{
	put_combi(stderr, c);
	fprintf(stderr, "\nexpected");
	put_expected(stderr, x);
	fprintf(stderr, "got     ");
	put_expected(stderr, got);
	fail_msg("%s differs", what);
}

/* The prerequisites as sent; each RR at most once, none that has no place in the table. */
static void read_pre(struct expected *got, const struct change *c)
{
	uint8_t values[TYPES] = {0};
	size_t i;
	int t;

	for (i = 0; i < c->n_pre; i++) {
		const struct change_rr *r = &c->pre[i];

		assert_int_equal(r->ttl_s, 0);
		t = index_of(r->type);
		if (r->class_ == RR_CLASS_NONE && r->type == RR_ANY)
			got->name_free = true;
		else if (r->class_ == RR_CLASS_NONE && r->type == RR_CNAME)
			got->no_alias = true;
		else if (r->class_ == RR_CLASS_NONE && r->type == RR_NS)
			got->no_cut = true;
		else if (t == TYPES)
			fail_msg("a prerequisite on type %u", r->type);
		else if (r->class_ == RR_CLASS_NONE)
			got->none[t] = true;
		else if (r->class_ == RR_CLASS_ANY)
			got->there[t] = true;
		else
			values[t] |= bit_of(t, r->rdata, r->rdlen);
	}
	for (t = 0; t < TYPES; t++) {
		got->equal[t] = values[t] != 0;
		assert_true(values[t] == 0 || values[t] == got->base[t]);
	}
}

/* Applies the updates to the base: deletions of values and sets, additions.  Nothing is deleted
 * that is not there, nothing added that is. */
static void apply(const struct change *c, uint8_t *sets, bool ttl_only)
{
	size_t i;
	int t;

	for (i = 0; i < c->n_upd; i++) {
		const struct change_rr *r = &c->upd[i];
		uint8_t bit;

		t = index_of(r->type);
		assert_in_range(t, 0, TYPES - 1);
		if (r->class_ == RR_CLASS_ANY) {
			assert_true(ttl_only && sets[t] != 0);
			sets[t] = 0;
			continue;
		}
		bit = bit_of(t, r->rdata, r->rdlen);
		assert_int_equal((sets[t] & bit) != 0, r->class_ == RR_CLASS_NONE);
		assert_int_equal(r->ttl_s, r->class_ == RR_CLASS_NONE ? 0 : 300);
		sets[t] ^= bit;
	}
}

static void check(struct arena *a, const struct combi *c)
{
	struct expected x, got = {0};
	uint8_t after[TYPES];
	struct belief b;
	struct verdict v;
	struct change ch;

	arena_reset(a);
	to_belief(&b, a, c);
	owner(&x, c);
	need(&x, c);
	assert_int_equal(verdict_owner(&v, a, &b, c->take ? FOREIGN_TAKE : FOREIGN_KEEP,
				       !c->unsupported), 0);
	speak(&got, v.row, v.state, v.why);
	got.edit = v.edit;
	got.revert = v.revert;
	got.ttl_only = v.ttl_only;
	sets_of(got.base, &v.base);
	sets_of(got.target, &v.target);
	sets_of(got.ours, &v.ours);
	sets_of(got.keep, &v.published);
	got.sends = verdict_change(&ch, a, &b, &v) == 0;
	if (got.sends) {
		memcpy(after, got.base, TYPES);
		read_pre(&got, &ch);
		apply(&ch, after, v.ttl_only);
		assert_true(dname_equal(&ch.owner, &b.owner));
		if (memcmp(after, got.target, TYPES) != 0)
			differs(c, &x, &got, "what the updates make of the base");
	}
	if (strcmp(x.why, got.why) != 0)
		differs(c, &x, &got, "the sentence");
	x.why = got.why;
	if (x.row != got.row || x.state != got.state)
		differs(c, &x, &got, "the verdict");
	if (memcmp(&x, &got, offsetof(struct expected, name_free)) != 0)
		differs(c, &x, &got, "a set or flag");
	if (memcmp(&x, &got, sizeof(x)) != 0)
		differs(c, &x, &got, "a prerequisite");
	combinations++;
	sent += x.sends;
	if (listing != NULL) {
		put_combi(listing, c);
		put_expected(listing, &x);
	}
}

/* ---- the enumerations --------------------------------------------------------------------- */

#define EACH(i, of) for (size_t i = 0; i < sizeof(of) / sizeof((of)[0]); i++)

static const uint8_t wants[] = {0, w, w | p}, pubs[] = {0, p, w, w | p};
static const uint8_t seens[] = {0, w, p, f, w | p, w | f, p | f, w | p | f};
static const uint8_t dhcids[] = {0, w, f, w | f}, client[] = {0, w};

/* For every want, published and seen of one type and of the DHCID. */
static void each_of_type(struct arena *a, struct combi *c, int t)
{
	EACH(i, wants) EACH(j, pubs) EACH(k, seens) EACH(d, dhcids) EACH(e, client) EACH(g, client) {
		c->want[t] = wants[i];
		c->pub[t] = pubs[j];
		c->seen[t] = seens[k];
		c->want[DHCID] = wants[i] != 0 ? client[e] : 0;
		c->pub[DHCID] = pubs[j] != 0 ? client[g] : 0;
		c->seen[DHCID] = dhcids[d];
		check(a, c);
	}
}

static void one_type(int t)
{
	struct arena a = ARENA_INIT;
	int flags;

	for (flags = 0; flags < 64; flags++) {
		struct combi c = {.person = flags & 1, .take = flags & 2, .unsupported = flags & 4,
				  .other_ttl = flags & 8, .reverts = flags & 16 ? 2 : 0,
				  .unknown = flags & 32};

		/* Each of these says no whatever the other does. */
		if (c.unsupported + c.other_ttl + (c.reverts != 0) + c.unknown <= 1)
			each_of_type(&a, &c, t);
	}
	arena_fini(&a);
}

static void every_combination_of_a(void **state) { (void)state; one_type(A); }
static void every_combination_of_aaaa(void **state) { (void)state; one_type(AAAA); }
static void every_combination_of_ptr(void **state) { (void)state; one_type(PTR); }

/* An offer is open: of the new value, of the old one, of another with a DHCID, of nothing. */
static void every_combination_with_an_offer(void **state)
{
	static const uint8_t offers[] = {0, w, p, w | p};
	struct arena a = ARENA_INIT;
	int t;

	(void)state;
	for (t = A; t <= PTR; t++) {
		EACH(o, offers) EACH(d, client) for (int flags = 0; flags < 4; flags++) {
			struct combi c = {.offer = true, .person = flags & 1, .take = flags & 2};

			c.off[t] = offers[o];
			c.off[DHCID] = offers[o] != 0 ? client[d] : 0;
			each_of_type(&a, &c, t);
		}
	}
	arena_fini(&a);
}

/* Beside other data, below a cut, and over a PTR of the same client. */
static void every_combination_beside_other_data(void **state)
{
	struct arena a = ARENA_INIT;
	int t;

	(void)state;
	for (t = A; t <= PTR; t++) {
		for (int flags = 0; flags < 12; flags++) {
			for (uint8_t besides_ = 1; besides_ < ELSE_N; besides_++) {
				struct combi c = {.person = flags & 1, .take = flags & 2,
						  .besides = besides_, .unsupported = flags >= 8,
						  .reverts = flags >= 4 && flags < 8 ? 2 : 0};

				each_of_type(&a, &c, t);
			}
		}
		for (int flags = 0; flags < 4; flags++) {
			struct combi c = {.person = flags & 1, .take = flags & 2, .below = true};

			each_of_type(&a, &c, t);
			c.below = false;
			c.client = t == PTR;
			each_of_type(&a, &c, t);
		}
	}
	arena_fini(&a);
}

static void both_families(struct arena *a, struct combi *c)
{
	static const uint8_t pub2[] = {0, p, w}, seen2[] = {0, w, p, f, p | f, w | f};

	EACH(i, client) EACH(j, pub2) EACH(k, seen2) EACH(l, client) EACH(m, pub2) EACH(n, seen2) {
		c->want[A] = client[i];
		c->pub[A] = pub2[j];
		c->seen[A] = seen2[k];
		c->want[AAAA] = client[l];
		c->pub[AAAA] = pub2[m];
		c->seen[AAAA] = seen2[n];
		check(a, c);
	}
}

static void every_combination_of_both_families(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	for (int flags = 0; flags < 12; flags++) {
		EACH(d, dhcids) EACH(e, client) EACH(g, client) {
			struct combi c = {.person = flags & 1, .take = flags & 2,
					  .other_ttl = flags >= 4 && flags < 8,
					  .unsupported = flags >= 8};

			c.want[DHCID] = client[e];
			c.pub[DHCID] = client[g];
			c.seen[DHCID] = dhcids[d];
			both_families(&a, &c);
		}
	}
	arena_fini(&a);
}

static int open_listing(void **state)
{
	const char *path = getenv("VERDICT_TABLE");

	(void)state;
	listing = path != NULL ? fopen(path, "w") : NULL;
	return path != NULL && listing == NULL ? -1 : 0;
}

static int close_listing(void **state)
{
	(void)state;
	printf("%zu combinations, %zu of them send a change\n", combinations, sent);
	return listing != NULL ? fclose(listing) : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_combination_of_a),
	    cmocka_unit_test(every_combination_of_aaaa),
	    cmocka_unit_test(every_combination_of_ptr),
	    cmocka_unit_test(every_combination_with_an_offer),
	    cmocka_unit_test(every_combination_beside_other_data),
	    cmocka_unit_test(every_combination_of_both_families),
	};

	return cmocka_run_group_tests(tests, open_listing, close_listing);
}
