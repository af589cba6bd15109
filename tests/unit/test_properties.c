/* test_properties.c - what holds for every state of an owner, tried on random ones.
 *
 * Each state is made from a number of its own.  PROPERTY_STATES says how many are tried (default
 * 20000 of each kind), PROPERTY_SEED where the numbers begin; a failure prints the state and the
 * two settings that show it alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/core/plan.h"
#include "bridge/core/push_state.h"
#include "tests/sim/rng.h"
#include "tests/unit/policy_fixture.h"

/* ---- how many, and what is said when one fails ----------------------------------------------- */

static uint64_t number;              /* of the state being tried */
static void (*describe)(void);       /* prints it */

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);

	return s != NULL ? strtoull(s, NULL, 10) : otherwise;
}

#define HOLDS(property, why)                                                                       \
	do {                                                                                       \
		if (!(property)) {                                                                 \
			describe();                                                                \
			fail_msg("%s\nreplay: PROPERTY_SEED=%llu PROPERTY_STATES=1 %s", why,       \
				 (unsigned long long)number, "build/gcc/unit/test_properties");    \
		}                                                                                  \
	} while (0)

static void each_state(void (*try_one)(struct rng *), void (*describe_one)(void), uint64_t share)
{
	uint64_t n = setting("PROPERTY_STATES", 20000) / share, seed = setting("PROPERTY_SEED", 1);
	struct rng r;

	describe = describe_one;
	for (number = seed; number < seed + (n > 0 ? n : 1); number++) {
		r.state = number * 0x9e3779b97f4a7c15ULL;
		try_one(&r);
	}
}

/* ---- a random owner -------------------------------------------------------------------------- */

static struct arena arena;
static struct belief b, made;        /* the state; as it was made */
static enum foreign_policy foreign;
static bool supported;

/* Four values of each type: few, so that sets overlap often. */
static void add(struct rrs *s, uint16_t type, uint32_t which)
{
	static const uint8_t v6[4][16] = {{0x20, 1, [15] = 1}, {0x20, 1, [15] = 2},
					  {0x20, 1, [15] = 3}, {0x20, 1, [15] = 4}};
	static const uint8_t v4[4][4] = {{192, 0, 2, 1}, {192, 0, 2, 2}, {192, 0, 2, 3},
					 {192, 0, 2, 4}};
	static const uint8_t names[4][5] = {"\3pc1", "\3pc2", "\3pc3", "\3pc4"};
	static const uint8_t dhcids[4][DHCID_LEN] = {{0, 1, 1, 1}, {0, 1, 1, 2}, {0, 2, 1, 3},
						     {0, 0, 1, 4}};
	const void *rdata = type == RR_A ? (const void *)v4[which]
			  : type == RR_AAAA ? (const void *)v6[which]
			  : type == RR_DHCID ? (const void *)dhcids[which] : (const void *)names[which];
	size_t len = type == RR_A ? 4 : type == RR_AAAA ? 16 : type == RR_DHCID ? DHCID_LEN
		   : type == RR_TXT ? 0 : 5;

	assert_int_equal(rrs_add(s, &arena, type, rdata, len), 0);
}

static void some(struct rrs *s, struct rng *r, uint16_t type, uint32_t permille)
{
	uint32_t n;

	if (!rng_permille(r, permille))
		return;
	for (n = 1 + rng_below(r, 8) / 5; n > 0; n--)
		add(s, type, rng_below(r, 4));
}

/* A set as the bridge makes them: addresses or PTRs, at most one DHCID beside them. */
static void a_set(struct rrs *s, struct rng *r, bool reverse)
{
	if (reverse) {
		some(s, r, RR_PTR, 750);
	} else {
		some(s, r, RR_A, 650);
		some(s, r, RR_AAAA, 400);
	}
	if (s->n > 0 && rng_permille(r, 500))
		add(s, RR_DHCID, rng_below(r, 3));
}

static void copy(struct rrs *to, const struct rrs *from, struct rng *r, uint32_t permille)
{
	size_t i;

	for (i = 0; i < from->n; i++) {
		if (rng_permille(r, permille))
			assert_int_equal(rrs_add(to, &arena, from->v[i].type, from->v[i].rdata,
						 from->v[i].rdlen), 0);
	}
}

/* What is there: what we published or offered, whole or in part, what we want by chance, and
 * what others put there. */
static void a_view(struct rng *r, bool reverse)
{
	b.seen_known = !rng_permille(r, 50);
	if (!b.seen_known)
		return;
	if (rng_permille(r, 600))
		copy(&b.seen, &b.published, r, rng_permille(r, 600) ? 1000 : 600);
	if (b.n_offered > 0 && rng_permille(r, 400))
		copy(&b.seen, &b.offered[rng_below(r, b.n_offered)], r, 900);
	if (rng_permille(r, 250))
		copy(&b.seen, &b.want, r, 900);
	if (rng_permille(r, 350))
		a_set(&b.seen, r, reverse);
	if (rng_permille(r, 50))
		add(&b.seen, rng_permille(r, 500) ? RR_CNAME : RR_NS, rng_below(r, 4));
	if (rng_permille(r, 50))
		add(&b.seen, RR_TXT, 0);
}

static void an_owner(struct rng *r)
{
	bool reverse = rng_permille(r, 300);

	arena_reset(&arena);
	memset(&b, 0, sizeof(b));
	b.owner = fx_name(reverse ? "5.2.0.192.in-addr.arpa" : "pc.lab.example");
	if (rng_permille(r, 850))
		a_set(&b.want, r, reverse);
	if (rng_permille(r, 300))
		copy(&b.published, &b.want, r, 1000);
	else if (rng_permille(r, 500))
		a_set(&b.published, r, reverse);
	while (b.n_offered < BELIEF_OFFERED_MAX && rng_permille(r, 250)) {
		struct rrs *o = &b.offered[b.n_offered++];

		if (rng_permille(r, 300))
			copy(o, &b.want, r, 1000);
		else if (rng_permille(r, 800))
			a_set(o, r, reverse);
	}
	a_view(r, reverse);
	b.same_client = reverse && rng_permille(r, 60);
	b.below_cut = rng_permille(r, 30);
	b.apex = rng_permille(r, 50);
	b.want_kind = rng_permille(r, 600) ? OBS_LEASE : (uint8_t)rng_below(r, OBS_KINDS);
	b.want_ttl_s = 300;
	b.sent_ttl_s = rng_permille(r, 800) ? 300 : rng_permille(r, 500) ? 60 : 0;
	b.removed_at_s = rng_permille(r, 200) ? 40 : 0;
	b.reverts = rng_below(r, 4);
	b.why = "";
	foreign = rng_permille(r, 300) ? FOREIGN_TAKE : FOREIGN_KEEP;
	supported = rng_permille(r, 700);
}

static void print_set(const char *what, const struct rrs *s)
{
	struct buf t = BUF_INIT;
	char *c;

	rrs_print(&t, s);
	for (c = t.bad ? NULL : strchr(buf_text(&t), '\n'); c != NULL; c = strchr(c, '\n'))
		*c = ',';
	fprintf(stderr, "  %s: %s\n", what, buf_text(&t));
	buf_fini(&t);
}

static void describe_owner(void)
{
	char name[DNAME_TEXT];
	int i;

	dname_print(name, &made.owner);
	fprintf(stderr, "%s %s%s%s%s%s%s removed-at %lld reverts %u ttl %u sent %u\n", name,
		obs_kind_name((enum obs_kind)made.want_kind), foreign == FOREIGN_TAKE ? " take" : "",
		supported ? "" : " unsupported", made.same_client ? " client" : "",
		made.below_cut ? " below-cut" : "", made.apex ? " apex" : "", (long long)made.removed_at_s,
		made.reverts, made.want_ttl_s, made.sent_ttl_s);
	print_set("want", &made.want);
	print_set("published", &made.published);
	for (i = 0; i < made.n_offered; i++)
		print_set("offered", &made.offered[i]);
	print_set(made.seen_known ? "seen" : "never looked", &made.seen);
}

/* ---- whose is it, said once more ------------------------------------------------------------- */

static const uint16_t managed[] = {RR_A, RR_AAAA, RR_PTR, RR_DHCID};

static const struct rrs *view(void)
{
	return b.seen_known ? &b.seen : &b.published;
}

static bool carries_our_dhcid(void)
{
	const struct rr *wanted;

	return b.same_client || (rrs_of(&b.want, RR_DHCID, &wanted) > 0 &&
				 rrs_equal_of(&b.want, view(), RR_DHCID));
}

/* Another client's DHCID is there in place of the one that we published. */
static bool replaced(void)
{
	const struct rr *is, *was;
	size_t i, n = rrs_of(view(), RR_DHCID, &is);

	for (i = 0; i < n; i++) {
		if (rrs_has(&b.published, &is[i]) || rrs_has(&b.want, &is[i]))
			return false;
	}
	return n > 0 && rrs_of(&b.published, RR_DHCID, &was) > 0;
}

/* In what we published, or in an offered set that came whole with its DHCID. */
static bool remembered(const struct rr *x)
{
	int i;

	for (i = 0; i < b.n_offered; i++) {
		if (rrs_has(&b.offered[i], x) &&
		    rrs_within_of(&b.offered[i], view(), RR_DHCID))
			return true;
	}
	return rrs_has(&b.published, x) && !replaced();
}

static bool may_be_ours(const struct rr *x)
{
	return remembered(x) || carries_our_dhcid();
}

/* ---- an UPDATE as a server takes it ---------------------------------------------------------- */

static bool prerequisites_hold(const struct change *c, const struct rrs *at)
{
	struct rrs values = {NULL, 0};
	const struct rr *v;
	size_t i;

	for (i = 0; i < c->n_pre; i++) {
		const struct change_rr *p = &c->pre[i];
		bool there = p->type == RR_ANY ? at->n > 0 : rrs_of(at, p->type, &v) > 0;

		if (p->class_ == RR_CLASS_IN)
			rrs_add(&values, &arena, p->type, p->rdata, p->rdlen);
		else if (there != (p->class_ == RR_CLASS_ANY))
			return false;
	}
	for (i = 0; i < values.n; i++) {
		if (!rrs_equal_of(&values, at, values.v[i].type))
			return false;
	}
	return true;
}

static void update(struct rrs *out, const struct change *c, const struct rrs *at)
{
	struct rrs now = {NULL, 0};
	size_t i, k;

	for (i = 0; i < at->n; i++) {
		const struct rr *x = &at->v[i];
		bool gone = false;

		for (k = 0; k < c->n_upd; k++) {
			const struct change_rr *u = &c->upd[k];
			struct rr y = {u->type, u->rdlen, u->rdata};

			gone = gone || (u->class_ == RR_CLASS_ANY && u->type == x->type) ||
			       (u->class_ == RR_CLASS_NONE && rr_cmp(&y, x) == 0);
		}
		if (!gone)
			rrs_add(&now, &arena, x->type, x->rdata, x->rdlen);
	}
	for (k = 0; k < c->n_upd; k++) {
		if (c->upd[k].class_ == RR_CLASS_IN)
			rrs_add(&now, &arena, c->upd[k].type, c->upd[k].rdata, c->upd[k].rdlen);
	}
	*out = now;
}

/* at, with one record of the type more or less than there is. */
static void disturb(struct rrs *out, const struct rrs *at, uint16_t type, struct rng *r)
{
	const struct rr *first;
	size_t n = rrs_of(at, type, &first), i, leave = rng_below(r, (uint32_t)n + (n < 4));

	*out = (struct rrs){NULL, 0};
	for (i = 0; i < at->n; i++) {
		if (n == 0 || &at->v[i] != first + leave)
			rrs_add(out, &arena, at->v[i].type, at->v[i].rdata, at->v[i].rdlen);
	}
	while (rrs_equal_of(out, at, type))
		add(out, type, rng_below(r, 4));
}

static bool covers(const struct change *c, uint16_t type)
{
	size_t i;

	for (i = 0; i < c->n_pre; i++) {
		if (c->pre[i].class_ != RR_CLASS_ANY &&
		    (c->pre[i].type == type || c->pre[i].type == RR_ANY))
			return true;
	}
	return false;
}

/* ---- the properties of a verdict ------------------------------------------------------------- */

static void check_ownership(const struct verdict *v)
{
	size_t i;

	for (i = 0; i < v->base.n; i++) {
		const struct rr *x = &v->base.v[i];
		const struct rr *wanted;
		bool takes = foreign == FOREIGN_TAKE &&
			     (x->type == RR_DHCID ? b.want.n : rrs_of(&b.want, x->type, &wanted)) > 0;

		HOLDS(rrs_has(&v->target, x) || may_be_ours(x) || takes, "removes what is not ours");
		HOLDS(rrs_has(&v->target, x) || !b.below_cut || may_be_ours(x),
		      "removes below a cut what is not ours");
		HOLDS(!rrs_has(&v->ours, x) || may_be_ours(x) ||
			  (takes && rrs_has(&b.want, x)), "calls ours what is not");
		HOLDS(!rrs_has(&v->published, x) || may_be_ours(x), "believes published what is not");
	}
	for (i = 0; i < v->ours.n; i++)
		HOLDS(rrs_has(&b.want, &v->ours.v[i]) || rrs_has(&b.published, &v->ours.v[i]) ||
			  rrs_has(&v->base, &v->ours.v[i]), "ours is neither wanted nor published");
	for (i = 0; i < v->published.n; i++)
		HOLDS(rrs_has(view(), &v->published.v[i]) || rrs_has(&b.published, &v->published.v[i]),
		      "published holds what was neither seen nor published");
	for (i = 0; i < v->target.n; i++)
		HOLDS(rrs_has(&v->base, &v->target.v[i]) ||
			  (rrs_has(&b.want, &v->target.v[i]) && !v->contested),
		      "adds what is not wanted, or to a contested owner");
}

/* A type of which nothing is ours stays as it is, but where the zone was given to us. */
static void check_foreign_type(const struct verdict *v, uint16_t type)
{
	const struct rr *seen, *wanted;
	size_t n = rrs_of(view(), type, &seen), i;

	for (i = 0; i < n; i++) {
		if (may_be_ours(&seen[i]))
			return;
	}
	if (n == 0 || (foreign == FOREIGN_TAKE && rrs_of(&b.want, type, &wanted) > 0))
		return;
	if (foreign == FOREIGN_TAKE && type == RR_DHCID)
		return;
	HOLDS(rrs_equal_of(&v->base, &v->target, type), "changes a type that is somebody else's");
	HOLDS(!rrs_equal_of(&v->ours, &v->base, type) || type == RR_PTR, "owns what is not ours");
}

static void check_change(const struct verdict *v, const struct change *c, struct rng *r)
{
	struct rrs after, other, sent = {NULL, 0};
	const struct rrs *at = b.seen_known ? &b.seen : &b.published;
	size_t i, values = 0;

	HOLDS(prerequisites_hold(c, at), "the prerequisites do not hold on the base");
	update(&after, c, &v->base);
	HOLDS(rrs_equal(&after, &v->target), "the updates do not make the target");
	for (i = 0; i < c->n_upd; i++)
		HOLDS(rrtype_has(c->upd[i].type, RRTYPE_MANAGED), "writes a type that it does not manage");
	for (i = 0; i < c->n_pre; i++) {
		if (c->pre[i].class_ == RR_CLASS_IN) {
			rrs_add(&sent, &arena, c->pre[i].type, c->pre[i].rdata, c->pre[i].rdlen);
			values++;
		}
	}
	HOLDS(sent.n == values, "a prerequisite is repeated");
	for (i = 0; i < sizeof(managed) / sizeof(managed[0]); i++) {
		bool moves = v->ttl_only ? rrs_of(&v->base, managed[i], &(const struct rr *){NULL}) > 0
					 : !rrs_equal_of(&v->base, &v->target, managed[i]);

		HOLDS(!moves || covers(c, managed[i]), "changes a type without looking at it");
		if (!covers(c, managed[i]))
			continue;
		disturb(&other, at, managed[i], r);
		HOLDS(!prerequisites_hold(c, &other), "the prerequisites hold on another base");
	}
}

/* Of a type that is wanted, nothing is left but what others put there: that is judged anew, as
 * nobody's memory of ours. */
static bool leaves_only_theirs(const struct verdict *v)
{
	const struct rr *x;
	size_t i;

	for (i = 0; i < 3; i++) {
		if (rrs_of(&b.want, managed[i], &x) > 0 && rrs_of(&v->ours, managed[i], &x) == 0 &&
		    rrs_of(&v->target, managed[i], &x) > 0)
			return true;
	}
	return false;
}

/* A record of somebody's that stays has the value of an offer whose packet may still come: once
 * the DHCID of that offer is there too, it cannot be told from ours. */
static bool leaves_an_offer(const struct verdict *v)
{
	size_t i;
	int k;

	for (i = 0; i < v->target.n; i++) {
		for (k = 0; k < made.n_offered; k++) {
			if (!rrs_has(&v->ours, &v->target.v[i]) &&
			    rrs_has(&made.offered[k], &v->target.v[i]))
				return true;
		}
	}
	return false;
}

static int settle(struct verdict *v, int64_t now_s)
{
	struct change c;

	HOLDS(push_offer(&b, &arena, v, now_s) == 0, "cannot be offered");
	HOLDS(push_done(&b, &arena, v, true, now_s + 1) == 0, "cannot be settled");
	b.seen_known = true;
	HOLDS(verdict_owner(v, &arena, &b, foreign, true) == 0, "no memory");
	return verdict_change(&c, &arena, &b, v);
}

/* Proven, a change leaves nothing to do; where others' records are left beside, after a few more
 * steps (one for each that is told from ours by then). */
static void check_settled(struct verdict *v)
{
	bool theirs = leaves_only_theirs(v) || leaves_an_offer(v), contested = v->contested;
	int left = theirs ? 4 : 1;

	while (settle(v, 100) == 0)
		HOLDS(--left > 0, theirs ? "a change goes on for ever"
					: "a settled change is sent again");
	HOLDS(!v->revert || contested, "our own change looks like somebody's removal");
	HOLDS(v->state == BELIEF_STEP || v->state == BELIEF_AGREED || contested || theirs,
	      "a settled owner is not in step");
}

static void check_offer(const struct verdict *v)
{
	struct belief before = b;

	if (push_offered(&b, v) || b.n_offered == BELIEF_OFFERED_MAX)
		return;
	HOLDS(push_offer(&b, &arena, v, 60) == 0 && b.n_offered == before.n_offered + 1, "no offer");
	push_withdraw(&b, v);
	HOLDS(b.n_offered == before.n_offered, "an offer cannot be withdrawn");
	b = before;
}

static void try_owner(struct rng *r)
{
	struct verdict v;
	struct change c;
	size_t i;
	int sends;

	an_owner(r);
	made = b;
	HOLDS(verdict_owner(&v, &arena, &b, foreign, supported) == 0, "no memory");
	sends = verdict_change(&c, &arena, &b, &v) == 0;
	HOLDS(memcmp(&made, &b, sizeof(b)) == 0, "judging changes the belief");
	HOLDS(sends == (v.state == BELIEF_DUE), "the state says something else than the change");
	HOLDS(v.state != BELIEF_DUE || v.row != 2 || rrs_equal_of(&v.base, &v.target, RR_A), "row 2");
	check_ownership(&v);
	for (i = 0; i < sizeof(managed) / sizeof(managed[0]); i++)
		check_foreign_type(&v, managed[i]);
	check_offer(&v);
	if (!sends)
		return;
	check_change(&v, &c, r);
	if (push_offered(&b, &v) || b.n_offered < BELIEF_OFFERED_MAX)
		check_settled(&v);
}

static void verdicts_keep_what_they_promise(void **state)
{
	(void)state;
	each_state(try_owner, describe_owner, 1);
	arena_fini(&arena);
}

/* ---- names ----------------------------------------------------------------------------------- */

enum { CLAIMS = 8, HOLDERS = 3 };

static struct host claims[CLAIMS], settled[CLAIMS], olds[CLAIMS], holders[HOLDERS];
static size_t n_claims, n_olds, n_holders;
static const uint8_t macs[4][6] = {{2, [5] = 1}, {2, [5] = 2}, {0, [5] = 3}, {0, [5] = 4}};

static struct ipaddr an_address(uint32_t which)
{
	struct ipaddr a = fx_addr(which % 2 ? "2001:db8::1" : "192.0.2.1");

	a.b[ipaddr_len(&a) - 1] = (uint8_t)(10 + which);
	return a;
}

static const char *const contested[] = {"pc.lab.example", "tv.lab.example", "nas.lab.example"};

static void a_host(struct host *h, struct rng *r, uint32_t address)
{
	static const uint8_t kinds[] = {OBS_MANUAL, OBS_LEASE, OBS_LEASE, OBS_LEASE, OBS_RESERVATION,
					OBS_NEIGHBOUR, OBS_DNS, OBS_EDIT};

	memset(h, 0, sizeof(*h));
	h->addr = an_address(address);
	h->asked = h->name = fx_name(contested[rng_below(r, 3)]);
	h->kind = kinds[rng_below(r, 8)];
	h->since_s = 100 + rng_below(r, 5);
	h->expires_at_s = OBS_FOREVER;
	h->ttl_s = rng_permille(r, 200) ? 60 + rng_below(r, 3) : 0;
	h->source_id = 1 + (int32_t)rng_below(r, 3);
	h->why = "named";
	h->ptr = true;
	if (rng_permille(r, 700)) {
		h->id.mac.known = true;
		memcpy(h->id.mac.b, macs[rng_below(r, 4)], 6);
	}
}

static int by_address(const void *x, const void *y)
{
	return ipaddr_cmp(&((const struct host *)x)->addr, &((const struct host *)y)->addr);
}

static void some_hosts(struct rng *r)
{
	uint32_t i;

	arena_reset(&arena);
	n_claims = n_olds = n_holders = 0;
	for (i = 0; i < CLAIMS; i++) {
		if (rng_permille(r, 600))
			a_host(&claims[n_claims++], r, i);
		if (rng_permille(r, 300))
			a_host(&olds[n_olds++], r, i);
	}
	for (i = 0; i < HOLDERS; i++) {
		if (!rng_permille(r, 300))
			continue;
		a_host(&holders[n_holders], r, CLAIMS + i);
		/* What is kept is settled: one host has a name. */
		holders[n_holders].asked = holders[n_holders].name = fx_name(contested[i]);
		n_holders++;
	}
	qsort(olds, n_olds, sizeof(*olds), by_address);
	memcpy(settled, claims, sizeof(claims));
}

static void print_host(const char *what, const struct host *h)
{
	char addr[IPADDR_TEXT], asked[DNAME_TEXT], name[DNAME_TEXT];

	dname_print(asked, &h->asked);
	dname_print(name, &h->name);
	fprintf(stderr, "%s %s asked %s has %s %s since %lld mac %d\n", what,
		ipaddr_print(addr, &h->addr), asked, h->name.len > 0 ? name : "-",
		obs_kind_name((enum obs_kind)h->kind), (long long)h->since_s,
		h->id.mac.known ? h->id.mac.b[5] : 0);
}

static void describe_hosts(void)
{
	size_t i;

	for (i = 0; i < n_olds; i++)
		print_host("kept   ", &olds[i]);
	for (i = 0; i < n_holders; i++)
		print_host("holder ", &holders[i]);
	for (i = 0; i < n_claims; i++)
		print_host("claim  ", &claims[i]);
	for (i = 0; i < n_claims; i++)
		print_host("settled", &settled[i]);
}

static bool names(const struct host *h)
{
	return h->kind != OBS_DNS && h->name.len > 0;
}

/* Does anything about the name go on among these holders after the answer? */
static bool holds(const struct plan_answer *out, const struct host *h)
{
	size_t i;

	for (i = 0; i < out->n_displaced; i++) {
		if (ipaddr_cmp(&out->displaced[i], &h->addr) == 0)
			return false;
	}
	return names(h);
}

static enum naming_kin kin(const struct host *x, const struct host *y)
{
	const char *why;

	return naming_kin(x, y, ADDRESSES_ALL, &why);
}

/* Two of one name are told apart by nothing, or others of the name prove that they are one host. */
static void check_sharing(const struct host *const *v, size_t n)
{
	bool proven[CLAIMS + HOLDERS][CLAIMS + HOLDERS];
	size_t i, j, k;

	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++)
			proven[i][j] = i == j || kin(v[i], v[j]) == KIN_SAME;
	}
	for (k = 0; k < n; k++) {
		for (i = 0; i < n; i++) {
			for (j = 0; j < n; j++)
				proven[i][j] = proven[i][j] || (proven[i][k] && proven[k][j]);
		}
	}
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++)
			HOLDS(proven[i][j] || kin(v[i], v[j]) != KIN_OTHER, "two hosts have one name");
	}
}

static void check_one_host_a_name(const struct plan_answer *out)
{
	const struct host *v[CLAIMS + HOLDERS];
	size_t i, j, n;

	for (i = 0; i < n_claims; i++) {
		const struct host *h = &settled[i];

		n = 0;
		for (j = 0; names(h) && j < n_claims; j++) {
			if (names(&settled[j]) && dname_equal(&h->name, &settled[j].name))
				v[n++] = &settled[j];
		}
		for (j = 0; names(h) && j < n_holders; j++) {
			if (holds(out, &holders[j]) && dname_equal(&h->name, &holders[j].name))
				v[n++] = &holders[j];
		}
		check_sharing(v, n);
	}
}

static void check_names(const struct plan_answer *out)
{
	struct dname suffixed;
	size_t i, j;

	for (i = 0; i < n_claims; i++) {
		const struct host *h = &settled[i];

		HOLDS(naming_suffix(&suffixed, h), "no suffix");
		HOLDS(h->name.len == 0 || dname_equal(&h->name, &h->asked) ||
			  dname_equal(&h->name, &suffixed), "a name that nobody asked for");
		HOLDS(names(&claims[i]) || dname_equal(&h->name, &claims[i].name), "DNS claims a name");
		HOLDS(h->why != NULL, "a host without a reason");
	}
	for (i = 0; i < out->n_displaced; i++) {
		bool beaten = false;

		for (j = 0; j < n_holders; j++) {
			for (size_t k = 0; k < n_claims; k++)
				beaten = beaten ||
					 (ipaddr_cmp(&out->displaced[i], &holders[j].addr) == 0 &&
					  names(&settled[k]) &&
					  dname_equal(&settled[k].name, &holders[j].name) &&
					  !naming_beats(&fx_space, &holders[j], &settled[k]));
		}
		HOLDS(beaten, "a holder lost its name to nobody");
	}
}

/* The same evidence once more: everybody keeps what he has. */
static void check_steady(const struct plan_answer *out)
{
	static struct host again[CLAIMS], kept[CLAIMS];
	struct plan_names in = {again, n_claims, kept, n_claims, holders, n_holders};
	struct plan_answer answer;
	size_t i;

	if (out->n_displaced > 0)
		return;  /* they are planned too, in the same transaction */
	memcpy(again, claims, sizeof(claims));
	memcpy(kept, settled, sizeof(settled));
	qsort(kept, n_claims, sizeof(*kept), by_address);
	for (i = 0; i < n_claims; i++)
		again[i].since_s += 1000;
	HOLDS(plan_settle_names(&answer, &arena, &fx_space, &in) == 0, "no memory");
	for (i = 0; i < n_claims; i++) {
		HOLDS(again[i].kind == OBS_DNS || claims[i].name.len == 0 ||
			  dname_equal(&again[i].name, &settled[i].name),
		      "a name changes though nothing has");
	}
	HOLDS(answer.n_displaced == 0, "somebody is displaced though nothing has changed");
}

static void check_order(const struct plan_answer *out, struct rng *r)
{
	static struct host other[CLAIMS];
	struct plan_names in = {other, n_claims, olds, n_olds, holders, n_holders};
	struct plan_answer answer;
	size_t i, j;

	memcpy(other, claims, sizeof(claims));
	for (i = n_claims; i > 1; i--) {
		struct host h = other[i - 1];

		j = rng_below(r, (uint32_t)i);
		other[i - 1] = other[j];
		other[j] = h;
	}
	HOLDS(plan_settle_names(&answer, &arena, &fx_space, &in) == 0, "no memory");
	HOLDS(answer.n_displaced == out->n_displaced, "the order decides who is displaced");
	for (i = 0; i < n_claims; i++) {
		for (j = 0; j < n_claims; j++)
			HOLDS(ipaddr_cmp(&other[i].addr, &settled[j].addr) != 0 ||
				  dname_equal(&other[i].name, &settled[j].name), "the order decides");
	}
}

static void check_forward(const struct dname *name)
{
	struct host here[CLAIMS];
	struct belief fwd = {.owner = *name};
	uint32_t ttl_s = 0;
	uint8_t kind = OBS_KINDS - 1;
	bool leases = true;
	const struct rr *dhcid;
	size_t n = 0, i;

	for (i = 0; i < n_claims; i++) {
		if (settled[i].kind == OBS_DNS || !dname_equal(&settled[i].name, name))
			continue;
		here[n++] = settled[i];
		leases = leases && settled[i].kind == OBS_LEASE;
		kind = settled[i].kind < kind ? settled[i].kind : kind;
		if (settled[i].ttl_s != 0 && (ttl_s == 0 || settled[i].ttl_s < ttl_s))
			ttl_s = settled[i].ttl_s;
	}
	HOLDS(plan_forward(&fwd, &arena, &fx_zones[0], here, n) == 0, "no memory");
	HOLDS(rrs_of(&fwd.want, RR_PTR, &dhcid) == 0, "a PTR at a forward name");
	HOLDS(rrs_of(&fwd.want, RR_DHCID, &dhcid) <= (n > 0 && leases), "a DHCID for no lease");
	HOLDS(fwd.want.n - rrs_of(&fwd.want, RR_DHCID, &dhcid) == n, "an address too many or few");
	HOLDS(fwd.want_ttl_s == (ttl_s != 0 ? ttl_s : 300), "another TTL");
	HOLDS(n == 0 || fwd.want_kind == kind, "another kind");
	HOLDS(fwd.why != NULL, "no reason");
}

static void try_names(struct rng *r)
{
	struct plan_names in = {settled, 0, olds, 0, holders, 0};
	struct plan_answer out;
	size_t i;

	some_hosts(r);
	in.n_claims = n_claims;
	in.n_olds = n_olds;
	in.n_holders = n_holders;
	HOLDS(plan_settle_names(&out, &arena, &fx_space, &in) == 0, "no memory");
	check_one_host_a_name(&out);
	check_names(&out);
	check_steady(&out);
	check_order(&out, r);
	for (i = 0; i < n_claims; i++) {
		if (settled[i].name.len > 0)
			check_forward(&settled[i].name);
	}
}

static void names_are_settled_as_promised(void **state)
{
	(void)state;
	fx_setup();
	each_state(try_names, describe_hosts, 10);
	arena_fini(&arena);
}

/* ---- the reverse follows the forward --------------------------------------------------------- */

static struct host one;
static struct belief forward;

static void describe_reverse(void)
{
	print_host("host", &one);
	fprintf(stderr, "forward %s%s%s\n", belief_state_name((enum belief_state)forward.state),
		forward.contested ? " contested" : "", forward.seen_known ? " known" : "");
}

static void try_reverse(struct rng *r)
{
	bool none = rng_permille(r, 100), no_forward = rng_permille(r, 100), stands, shown;
	struct belief rev = {.owner = fx_name("10.2.0.192.in-addr.arpa")};
	const struct rr *x;

	arena_reset(&arena);
	a_host(&one, r, 0);
	memset(&forward, 0, sizeof(forward));
	forward.state = (uint8_t)rng_below(r, BELIEF_STATES);
	forward.contested = rng_permille(r, 200);
	forward.seen_known = rng_permille(r, 700);
	some(&forward.published, r, RR_A, 500);
	if (rng_permille(r, 500))
		add(&forward.want, RR_DHCID, rng_below(r, 3));
	shown = rng_permille(r, 800);
	if (shown)
		HOLDS(rrs_add_addr(&forward.want, &arena, &one.addr) == 0, "no memory");
	stands = !no_forward && !forward.contested && (forward.seen_known || forward.published.n > 0) &&
		 (forward.state == BELIEF_STEP || forward.state == BELIEF_DUE ||
		  forward.state == BELIEF_AGREED || forward.state == BELIEF_WAITS);
	HOLDS(plan_forward_stands(no_forward ? NULL : &forward) == stands, "stands");
	HOLDS(plan_reverse(&rev, &arena, &fx_zones[1], none ? NULL : &one,
			   no_forward ? NULL : &forward) == 0, "no memory");
	stands = !none && one.kind != OBS_DNS && (stands || one.kind == OBS_EDIT) &&
		 (one.kind != OBS_LEASE || shown);
	HOLDS(rrs_of(&rev.want, RR_PTR, &x) == stands, "a PTR without its name, or the reverse");
	HOLDS(rrs_of(&rev.want, RR_DHCID, &x) ==
		  (stands && !no_forward ? rrs_of(&forward.want, RR_DHCID, &x) : 0), "another DHCID");
	HOLDS(rev.want_ttl_s == (stands && one.ttl_s != 0 ? one.ttl_s : 300), "another TTL");
}

static void the_reverse_follows_the_forward(void **state)
{
	(void)state;
	each_state(try_reverse, describe_reverse, 10);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verdicts_keep_what_they_promise),
	    cmocka_unit_test(names_are_settled_as_promised),
	    cmocka_unit_test(the_reverse_follows_the_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
