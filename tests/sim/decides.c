/* decides.c - a person at the command line: resolve, adopt, disown, by what a look showed. */
#include <string.h>

#include "bridge/flow/decide.h"
#include "tests/sim/pass.h"
#include "tests/sim/truth.h"

static const char *const labels[] = {"web01", "mail", "my-laptop", "host-a", "nas", "pc1", "pc2",
				     "phone"};
enum { N_LABELS = sizeof(labels) / sizeof(labels[0]), WAIVED = 3 };

static struct zone_key some_owner(struct world *w)
{
	struct zone_key k = {ZONE_FWD, {0}};
	const struct lease *l = &w->leases[rng_below(&w->decider, N_LEASES)];

	if (rng_permille(&w->decider, 500)) {
		name_in_zone(&k.owner, labels[rng_below(&w->decider, N_LABELS)]);
		return k;
	}
	k.zone_id = l->addr.family == 4 ? ZONE_REV4 : ZONE_REV6;
	ipaddr_reverse(&k.owner, &l->addr);
	return k;
}

/* Does an offer make it the bridge's?  A set comes whole: an address beside the DHCID that was offered
 * with it, a DHCID beside the addresses. */
static bool is_offered(const struct belief *b, const struct rrs *offer, const struct rr *v)
{
	static const uint16_t types[] = {RR_A, RR_AAAA, RR_PTR};
	bool yes = rrs_has(offer, v) && rrs_within_of(offer, &b->seen, RR_DHCID);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && v->type == RR_DHCID; i++)
		yes = yes && rrs_within_of(offer, &b->seen, types[i]);
	return yes;
}

/* What the bridge still counts as its own at the owner. */
static bool is_claimed(const struct world *w, const struct model_rr *r)
{
	struct belief b = world_belief(w, r->zone_id, r->owner);
	struct rr v = {.type = r->type, .rdata = r->rdata.p, .rdlen = r->rdata.len};
	bool yes = rrs_has(&b.published, &v);

	for (int i = 0; i < b.n_offered; i++)
		yes = yes || is_offered(&b, &b.offered[i], &v);
	return yes;
}

/* The border has moved: what was the bridge's and is given away may stay for ever, what was somebody's
 * and was looked at may be written over, once. */
static void move_border(struct world *w, const struct decision *d)
{
	struct model_rr r;

	for (size_t i = 0; model_rr_at(w->model, i, &r); i++) {
		struct rr v = {.type = r.type, .rdata = r.rdata.p, .rdlen = r.rdata.len};
		bool here = r.zone_id == d->was.zone_id && dname_equal(r.owner, &d->was.owner);

		if (r.author == MODEL_BRIDGE ? !is_claimed(w, &r)
					     : here && rrs_has(&d->was.seen, &v) &&
						       rrtype_has(r.type, RRTYPE_MANAGED))
			model_share(w->model, r.zone_id, r.owner, r.type, r.rdata.p, r.rdata.len);
	}
	/* Nothing has to be there any more. */
	for (int i = 0; i < WAIVED; i++)
		world_note_removal(w, &d->was.owner);
}

/* Planned and rolled back: nothing may be left of it. */
static int plan(struct world *w, struct flow *f, enum decide_verb verb, const struct zone_key *k,
		struct decision *d, struct arena *a, struct err *e)
{
	struct memstore *ms = w->bridge[0].ms;
	struct buf before = BUF_INIT, after = BUF_INIT;
	int r;

	memstore_dump(ms, &before);
	r = flow_decide(f, &w->space, verb, k, 1, d, false, a, e);
	memstore_dump(ms, &after);
	if (r == 0 && strcmp(buf_text(&before), buf_text(&after)) != 0)
		world_fault(w, "a decision that was only planned left something behind");
	buf_fini(&before);
	buf_fini(&after);
	return r;
}

/* Is it kept as it was planned? */
static void compare(struct world *w, const struct decision *planned, const struct decision *kept)
{
	if (planned->outcome == DECIDE_DONE &&
	    (kept->outcome != DECIDE_DONE || planned->is.decided != kept->is.decided ||
	     planned->is.state != kept->is.state ||
	     !rrs_equal(&planned->is.want, &kept->is.want) ||
	     !rrs_equal(&planned->is.published, &kept->is.published)))
		world_fault(w, "a decision is kept otherwise than it was planned");
}

static int decide_once(struct world *w, enum decide_verb verb, struct zone_key *k,
		       struct decision *planned, struct decision *kept, struct arena *a)
{
	struct flow f = pass_flow(&w->bridge[0]);
	struct err e = {0};
	int r = plan(w, &f, verb, k, planned, a, &e);

	*kept = *planned;
	r = r < 0 ? r : flow_decide(&f, &w->space, verb, k, 1, kept, true, a, &e);
	if (r == ERR_BUG || r == ERR_NOMEM)
		world_fault(w, "a decision ended with: %s", e.text);
	if (r == 0)
		compare(w, planned, kept);
	return r;
}

void decides_event(struct world *w)
{
	enum decide_verb verb = (enum decide_verb)rng_below(&w->decider, DECIDE_DISOWN + 1);
	struct zone_key k = some_owner(w);
	struct decision planned = {0}, kept;
	struct bridge *b = &w->bridge[0];
	struct arena a = ARENA_INIT;
	char name[DNAME_TEXT];
	int r;

	if (rng_permille(&w->decider, 200))
		memstore_crash_at(b->ms, 1 + rng_below(&w->decider, 40));
	r = decide_once(w, verb, &k, &planned, &kept, &a);
	if (memstore_crashed(b->ms))
		pass_come_back(b);
	memstore_crash_at(b->ms, 0);
	world_say(w, "person decides: %s %s: %s", decide_name(verb), dname_print(name, &k.owner),
		  r < 0 ? "crashed" : kept.outcome == DECIDE_DONE ? "done" : kept.why);
	/* One that was cut short may be kept or not. */
	if (r < 0 || kept.outcome == DECIDE_DONE) {
		truth_decided(w->truth, k.zone_id, &k.owner, verb == DECIDE_TAKE_DNS, r == 0);
		planned.was.zone_id = k.zone_id;
		planned.was.owner = k.owner;
		move_border(w, &planned);
	}
	arena_fini(&a);
}
