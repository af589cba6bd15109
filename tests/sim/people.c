/* people.c - what people do to the zones by hand, between two looks of the bridge. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/world.h"

/* Names that clients ask for, and some that only people use. */
static const char *const labels[] = {"web01", "mail", "my-laptop", "host-a", "nas",     "pc1",
				     "pc2",   "phone", "tv",       "man0",   "static0", "static1"};
enum { N_LABELS = sizeof(labels) / sizeof(labels[0]) };

static void say_rr(struct world *w, const char *what, const struct dname *owner, uint16_t type)
{
	char name[DNAME_TEXT], t[12];

	world_say(w, "person %s %s %s", what, dname_print(name, owner), rrtype_name(t, type));
}

static void add(struct world *w, int32_t zone, const struct dname *owner, uint16_t type,
		const void *rdata, size_t rdlen)
{
	if (model_person_add(w->model, zone, owner, type, 3600, rdata, rdlen))
		say_rr(w, "adds", owner, type);
}

static void add_other_type(struct world *w, const struct dname *owner)
{
	static const uint8_t text[] = "\5hello", mx[] = "\0\12\2mx\7example\3net";
	static const uint8_t elsewhere[] = "\3www\7example\3net";
	static const uint8_t six[16] = {0x20, 1, 0xd, 0xb8, 0xff, [15] = 1};

	switch (rng_below(&w->rng, 4)) {
	case 0:
		add(w, ZONE_FWD, owner, RR_TXT, text, sizeof(text) - 1);
		break;
	case 1:
		add(w, ZONE_FWD, owner, RR_MX, mx, sizeof(mx));
		break;
	case 2:
		add(w, ZONE_FWD, owner, RR_CNAME, elsewhere, sizeof(elsewhere));
		break;
	default:
		add(w, ZONE_FWD, owner, RR_AAAA, six, sizeof(six));
	}
}

/* What is known as the bridge's (a restored zone may have lost it), or due with a DHCID: such a row
 * is an offer, a bridge that died may have sent it. */
static bool is_remembered(struct world *w, const struct dname *owner, const struct rr *r)
{
	struct belief b = world_belief(w, ZONE_FWD, owner);
	const struct rr *dhcid;

	return rrs_has(&b.published, r) ||
	       (b.state == BELIEF_DUE && rrs_of(&b.want, RR_DHCID, &dhcid) > 0);
}

/* The client's own address.  Where a DHCID stands, or is about to, the name is a client's
 * (RFC 4703), and nobody can tell who wrote the address that this client has. */
static void add_clients(struct world *w, const struct dname *owner, const struct ipaddr *a)
{
	struct rr r = {.type = a->family == 4 ? RR_A : RR_AAAA, .rdata = a->b,
		       .rdlen = (uint16_t)ipaddr_len(a)};

	add(w, ZONE_FWD, owner, r.type, r.rdata, r.rdlen);
	if (model_has_dhcid(w->model, ZONE_FWD, owner) || is_remembered(w, owner, &r))
		model_share(w->model, ZONE_FWD, owner, r.type, r.rdata, r.rdlen);
}

/* At a name clients ask for: an address of their own, the very address the bridge will want, or
 * something else. */
static void add_forward(struct world *w)
{
	const struct lease *l = &w->leases[rng_below(&w->rng, N_LEASES)];
	uint8_t a[4] = {203, 0, 113, (uint8_t)(1 + rng_below(&w->rng, 4))};
	struct dname owner;

	name_in_zone(&owner, labels[rng_below(&w->rng, N_LABELS)]);
	switch (rng_below(&w->rng, 4)) {
	case 0:
		add(w, ZONE_FWD, &owner, RR_A, a, sizeof(a));
		break;
	case 1:
		if (!lease_lives(w, l) || l->name->label == NULL)
			break;
		name_in_zone(&owner, l->name->label);
		add_clients(w, &owner, &l->addr);
		break;
	default:
		add_other_type(w, &owner);
	}
}

static void edit_ptr(struct world *w)
{
	const struct lease *l = &w->leases[rng_below(&w->rng, N_LEASES)];
	int32_t zone = l->addr.family == 4 ? ZONE_REV4 : ZONE_REV6;
	char text[64];
	struct dname owner, target;

	if (rng_permille(&w->rng, 300))
		snprintf(text, sizeof(text), "host%u.elsewhere.net", rng_below(&w->rng, 4));
	else if (rng_permille(&w->rng, 300))
		snprintf(text, sizeof(text), "%s.lab.example", labels[rng_below(&w->rng, N_LABELS)]);
	else
		snprintf(text, sizeof(text), "edited%u.lab.example", rng_below(&w->rng, 6));
	if (!dname_parse(&target, text, strlen(text)))
		return;
	ipaddr_reverse(&owner, &l->addr);
	if (model_person_del(w->model, zone, &owner, RR_PTR, NULL, 0))
		world_note_removal(w, &owner);
	add(w, zone, &owner, RR_PTR, target.b, target.len);
}

/* A random record of the authors asked for, never the apex NS. */
static bool pick_record(struct world *w, bool of_bridge, struct model_rr *out)
{
	size_t n = 0, i;

	while (model_rr_at(w->model, n, out))
		n++;
	for (int tries = 0; tries < 20; tries++) {
		i = rng_below(&w->rng, (uint32_t)n);
		if (model_rr_at(w->model, i, out) && out->type != RR_NS &&
		    (out->author == MODEL_BRIDGE) == of_bridge)
			return true;
	}
	return false;
}

/* What the bridge does not know yet to have arrived it knows again by the DHCID that came with it:
 * without that nobody can tell who wrote the rest. */
static void share_unproven(struct world *w, int32_t zone_id, const struct dname *owner)
{
	struct belief b = world_belief(w, zone_id, owner);
	struct model_rr r;

	for (size_t i = 0; model_rr_at(w->model, i, &r); i++) {
		struct rr x = {.type = r.type, .rdata = r.rdata.p, .rdlen = r.rdata.len};

		if (r.zone_id == zone_id && r.author == MODEL_BRIDGE &&
		    dname_equal(r.owner, owner) &&
		    !(rrs_has(&b.published, &x) && rrs_has(&b.seen, &x)))
			model_share(w->model, zone_id, owner, r.type, r.rdata.p, r.rdata.len);
	}
}

static void remove_ours(struct world *w)
{
	struct model_rr r;

	if (!pick_record(w, true, &r))
		return;
	struct dname owner = *r.owner;
	uint16_t type = rng_permille(&w->rng, 400) ? RR_ANY : r.type;
	if (!model_person_del(w->model, r.zone_id, &owner, type, NULL, 0))
		return;
	if (type == RR_DHCID)
		share_unproven(w, r.zone_id, &owner);
	world_note_removal(w, &owner);
	say_rr(w, "removes what the bridge wrote:", &owner, type);
}

/* Does the bridge know one of its own of that type there? */
static bool had_ours(const struct world *w, int32_t zone_id, const struct dname *owner, uint16_t type)
{
	struct belief b = world_belief(w, zone_id, owner);
	const struct rr *v;

	return rrs_of(&b.published, type, &v) > 0;
}

static void remove_own(struct world *w)
{
	struct model_rr r;

	if (!pick_record(w, false, &r))
		return;
	struct dname owner = *r.owner;
	if (!model_person_del(w->model, r.zone_id, &owner, r.type, r.rdata.p, r.rdata.len))
		return;
	if (r.type == RR_DHCID)
		share_unproven(w, r.zone_id, &owner);
	/* An edit that goes leaves the owner without what it replaced, too. */
	if (r.author != MODEL_PERSON || r.type == RR_PTR || had_ours(w, r.zone_id, &owner, r.type))
		world_note_removal(w, &owner);
	say_rr(w, "removes", &owner, r.type);
}

/* A name of some client without its address. */
static bool is_dhcid_alone(const struct world *w, const struct dname *owner)
{
	struct model_rr r;

	for (size_t i = 0; model_rr_at(w->model, i, &r); i++)
		if (r.zone_id == ZONE_FWD && r.type == RR_A && dname_equal(r.owner, owner))
			return false;
	return model_has_dhcid(w->model, ZONE_FWD, owner);
}

/* One more address at a name the bridge holds.  A single one beside a DHCID may be the client's. */
static void add_beside(struct world *w)
{
	uint8_t a[4] = {203, 0, 113, (uint8_t)(100 + rng_below(&w->rng, 4))};
	struct model_rr r;

	if (pick_record(w, true, &r) && r.zone_id == ZONE_FWD) {
		struct dname owner = *r.owner;
		bool single = is_dhcid_alone(w, &owner);

		add(w, ZONE_FWD, &owner, RR_A, a, sizeof(a));
		if (single)
			model_share(w->model, ZONE_FWD, &owner, RR_A, a, sizeof(a));
	}
}

void people_event(struct world *w)
{
	switch (rng_below(&w->rng, 8)) {
	case 0:
	case 1:
		add_forward(w);
		break;
	case 2:
		edit_ptr(w);
		break;
	case 3:
		remove_ours(w);
		break;
	case 4:
		add_beside(w);
		break;
	default:
		remove_own(w);
	}
}
