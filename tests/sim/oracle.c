/* oracle.c - the invariants, from the event script alone: no line here calls core code.
 *
 * It asks three things of the zones: is every record of the bridge supported by something that
 * is the case; has every named host its records, unless something that is not the bridge's
 * stands in the way; has every name one client.
 */
#include "tests/sim/oracle.h"
#include "tests/sim/truth.h"

#include <string.h>

#define HEX "0123456789abcdef"

static bool is_foreign(const struct model_rr *r)
{
	return r->author != MODEL_BRIDGE;
}

/* The i-th record from *i on at this owner. */
static bool next_at(const struct world *w, size_t *i, int32_t zone, const struct dname *owner,
		    struct model_rr *out)
{
	while (model_rr_at(w->model, (*i)++, out))
		if (out->zone_id == zone && dname_equal(out->owner, owner))
			return true;
	return false;
}

static bool has_foreign(const struct world *w, int32_t zone, const struct dname *owner)
{
	struct model_rr r;

	for (size_t i = 0; next_at(w, &i, zone, owner, &r);)
		if (is_foreign(&r))
			return true;
	return false;
}

static int32_t reverse_zone(const struct ipaddr *a)
{
	return a->family == 4 ? ZONE_REV4 : ZONE_REV6;
}

static uint16_t addr_type(const struct ipaddr *a)
{
	return a->family == 4 ? RR_A : RR_AAAA;
}

static bool has_addr(const struct world *w, const struct dname *name, const struct ipaddr *a)
{
	struct model_rr r;

	for (size_t i = 0; next_at(w, &i, ZONE_FWD, name, &r);)
		if (r.type == addr_type(a) && memcmp(r.rdata.p, a->b, r.rdata.len) == 0)
			return true;
	return false;
}

static bool has_ptr(const struct world *w, const struct ipaddr *a, const struct dname *name)
{
	struct model_rr r;
	struct dname owner;

	ipaddr_reverse(&owner, a);
	for (size_t i = 0; next_at(w, &i, reverse_zone(a), &owner, &r);)
		if (r.type == RR_PTR && r.rdata.len == name->len &&
		    memcmp(r.rdata.p, name->b, name->len) == 0)
			return true;
	return false;
}

/* Is name the label in our zone, or the label (cut to fit) with "-" and 4 hex digits? */
static bool is_name_of(const struct dname *name, const char *label, bool *suffixed)
{
	struct dname plain, zone, rest;
	size_t len = name->b[0], keep;

	name_in_zone(&plain, label);
	*suffixed = false;
	if (dname_equal(name, &plain))
		return true;
	dname_parent(&zone, &plain, 1);
	dname_parent(&rest, name, 1);
	if (!dname_equal(&rest, &zone) || len < 6)
		return false;
	keep = len - 5;
	for (size_t i = 0; i < 4; i++)
		if (strchr(HEX, name->b[1 + keep + 1 + i]) == NULL)
			return false;
	*suffixed = true;
	return name->b[1 + keep] == '-' && keep <= strlen(label) &&
	       memcmp(name->b + 1, label, keep) == 0 &&
	       (strlen(label) == keep || len == 63);
}

/* ---- every record of the bridge has its evidence ------------------------------------------ */

/* Does a PTR that is not the bridge's (an edit, perhaps) give this address the name?  One that a person
 * made the bridge's may have, though it is not there any more. */
static bool ptr_names(const struct world *w, const struct ipaddr *a, const struct dname *name)
{
	struct dname owner, target;
	struct model_rr r;

	ipaddr_reverse(&owner, a);
	if (truth_was_decided(w->truth, reverse_zone(a), &owner))
		return true;
	for (size_t i = 0; next_at(w, &i, reverse_zone(a), &owner, &r);) {
		char text[DNAME_TEXT];
		bool suffixed;
		size_t n;

		if (r.type != RR_PTR || !is_foreign(&r) ||
		    dname_from_wire(&target, r.rdata.p, r.rdata.len) == 0)
			continue;
		if (dname_equal(&target, name))
			return true;
		n = target.b[0];
		memcpy(text, target.b + 1, n);
		text[n] = '\0';
		if (is_name_of(name, text, &suffixed))
			return true;
	}
	return false;
}

static bool is_supported(const struct world *w, const struct dname *name, const struct ipaddr *a)
{
	bool suffixed;

	for (int i = 0; i < N_LEASES; i++) {
		const struct lease *l = &w->leases[i];

		if (lease_lives(w, l) && l->name->label != NULL && ipaddr_cmp(&l->addr, a) == 0 &&
		    is_name_of(name, l->name->label, &suffixed))
			return true;
	}
	for (int i = 0; i < N_MANUAL; i++)
		if (w->manual[i].present && ipaddr_cmp(&w->manual[i].addr, a) == 0 &&
		    is_name_of(name, w->manual[i].label, &suffixed))
			return true;
	for (int i = 0; i < N_NEIGH; i++)
		if (w->neigh[i].present && w->neigh[i].label != NULL &&
		    ipaddr_cmp(&w->neigh[i].addr, a) == 0 &&
		    is_name_of(name, w->neigh[i].label, &suffixed))
			return true;
	return ptr_names(w, a, name);
}

/* A DHCID stands beside a record whose client it names. */
static bool dhcid_stands(const struct world *w, const struct model_rr *d)
{
	struct model_rr r;

	for (size_t i = 0; next_at(w, &i, d->zone_id, d->owner, &r);)
		if (r.type == (d->zone_id == ZONE_FWD ? RR_A : RR_PTR) ||
		    (d->zone_id == ZONE_FWD && r.type == RR_AAAA))
			return true;
	return false;
}

static bool record_stands(const struct world *w, const struct model_rr *r)
{
	struct ipaddr a = {0};
	struct dname name;

	switch (r->type) {
	case RR_A:
	case RR_AAAA:
		a.family = r->type == RR_A ? 4 : 6;
		memcpy(a.b, r->rdata.p, r->rdata.len);
		return r->zone_id == ZONE_FWD && is_supported(w, r->owner, &a);
	case RR_PTR:
		return r->zone_id != ZONE_FWD && ipaddr_from_reverse(&a, r->owner) &&
		       dname_from_wire(&name, r->rdata.p, r->rdata.len) > 0 &&
		       is_supported(w, &name, &a);
	case RR_DHCID:
		return dhcid_stands(w, r);
	default:
		return false;
	}
}

static bool is_fought_over(const struct world *w, const struct dname *owner)
{
	return world_is_fought_over(w, owner) || model_refuses(w->model, owner);
}

static void check_records(struct world *w, struct oracle_counts *counts)
{
	struct model_rr r;
	char name[DNAME_TEXT], type[12];

	for (size_t i = 0; model_rr_at(w->model, i, &r); i++) {
		if (is_foreign(&r) || is_fought_over(w, r.owner))
			continue;
		counts->records++;
		if (!record_stands(w, &r))
			world_fault(w, "a record of ours has no evidence: %s %s",
				    dname_print(name, r.owner), rrtype_name(type, r.type));
	}
}

/* ---- every name that is due is there ------------------------------------------------------ */

struct expect {
	const struct ipaddr *addr;
	const char *label;
	bool manual;
};

/* A PTR that is not the bridge's may name its address as a suffixed form of the label: whose own suffix
 * that is goes without a name, and the list says why. */
static bool names_suffixed(const struct model_rr *r, const char *label)
{
	struct dname target;
	bool suffixed;

	return r->type == RR_PTR && is_foreign(r) &&
	       dname_from_wire(&target, r->rdata.p, r->rdata.len) > 0 &&
	       is_name_of(&target, label, &suffixed) && suffixed;
}

/* Does anything that is not ours stand at the name, its suffixed forms or the PTR? */
static bool is_waived(const struct world *w, const struct expect *x)
{
	struct dname plain, ptr;
	struct model_rr r;
	bool suffixed;

	name_in_zone(&plain, x->label);
	ipaddr_reverse(&ptr, x->addr);
	if (is_fought_over(w, &plain) || is_fought_over(w, &ptr) ||
	    has_foreign(w, reverse_zone(x->addr), &ptr))
		return true;
	for (size_t i = 0; model_rr_at(w->model, i, &r); i++)
		if (names_suffixed(&r, x->label) ||
		    (r.zone_id == ZONE_FWD && is_foreign(&r) &&
		     is_name_of(r.owner, x->label, &suffixed)))
			return true;
	for (size_t i = 0; i < w->n_removals; i++)
		if (w->removals[i].n >= 3 &&
		    is_name_of(&w->removals[i].owner, x->label, &suffixed))
			return true;
	return false;
}

/* A and PTR agree on the label or its suffixed form. */
static bool is_met(const struct world *w, const struct expect *x)
{
	struct model_rr r;
	bool suffixed;

	for (size_t i = 0; model_rr_at(w->model, i, &r); i++)
		if (r.zone_id == ZONE_FWD && r.type == addr_type(x->addr) &&
		    is_name_of(r.owner, x->label, &suffixed) && (!suffixed || !x->manual) &&
		    has_addr(w, r.owner, x->addr) && has_ptr(w, x->addr, r.owner))
			return true;
	return false;
}

static bool shows_newest(const struct world *w)
{
	return w->zones[ZONE_FWD - 1].addresses == ADDRESSES_NEWEST;
}

/* May another lease of the family be shown in place of this one? */
static bool is_behind(const struct world *w, const struct lease *l)
{
	for (int i = 0; shows_newest(w) && i < N_LEASES; i++) {
		const struct lease *o = &w->leases[i];

		if (o != l && lease_lives(w, o) && o->addr.family == l->addr.family &&
		    o->name->label != NULL && strcmp(o->name->label, l->name->label) == 0)
			return true;
	}
	return false;
}

static void check_one(struct world *w, const struct expect *x, struct oracle_counts *counts)
{
	char ip[IPADDR_TEXT];

	if (is_waived(w, x)) {
		counts->waived++;
		return;
	}
	counts->expected++;
	if (!is_met(w, x))
		world_fault(w, "%s has no agreeing pair of records for \"%s\"",
			    ipaddr_print(ip, x->addr), x->label);
}

static bool manual_at(const struct world *w, const struct ipaddr *a)
{
	for (int i = 0; i < N_MANUAL; i++)
		if (w->manual[i].present && ipaddr_cmp(&w->manual[i].addr, a) == 0)
			return true;
	return false;
}

static bool named_lease_at(const struct world *w, const struct ipaddr *a)
{
	for (int i = 0; i < N_LEASES; i++)
		if (lease_lives(w, &w->leases[i]) && w->leases[i].name->label != NULL &&
		    ipaddr_cmp(&w->leases[i].addr, a) == 0)
			return true;
	return false;
}

static void check_names(struct world *w, struct oracle_counts *counts)
{
	for (int i = 0; i < N_MANUAL; i++) {
		struct expect x = {&w->manual[i].addr, w->manual[i].label, true};

		if (w->manual[i].present)
			check_one(w, &x, counts);
	}
	for (int i = 0; i < N_LEASES; i++) {
		const struct lease *l = &w->leases[i];
		struct expect x = {&l->addr, l->name == NULL ? NULL : l->name->label, false};

		if (lease_lives(w, l) && x.label != NULL && !manual_at(w, &l->addr) &&
		    !is_behind(w, l))
			check_one(w, &x, counts);
	}
	for (int i = 0; i < N_NEIGH; i++) {
		const struct neigh *n = &w->neigh[i];
		struct expect x = {&n->addr, n->label, false};

		if (n->present && n->label != NULL && !manual_at(w, &n->addr) &&
		    !named_lease_at(w, &n->addr))
			check_one(w, &x, counts);
	}
}

/* ---- one name, one client ----------------------------------------------------------------- */

/* The client behind a lease of this address; -1: none, or somebody else names the address. */
static int client_at(const struct world *w, const struct ipaddr *a)
{
	struct dname ptr;

	ipaddr_reverse(&ptr, a);
	if (manual_at(w, a) || has_foreign(w, reverse_zone(a), &ptr))
		return -1;
	for (int i = 0; i < N_LEASES; i++)
		if (lease_lives(w, &w->leases[i]) && w->leases[i].name->label != NULL &&
		    ipaddr_cmp(&w->leases[i].addr, a) == 0)
			return w->leases[i].client;
	return -1;
}

static void check_sharing(struct world *w)
{
	struct model_rr a, b;
	char name[DNAME_TEXT];

	for (size_t i = 0; model_rr_at(w->model, i, &a); i++) {
		struct ipaddr ia = {.family = 4}, ib = {.family = 4};

		if (a.zone_id != ZONE_FWD || a.type != RR_A || is_foreign(&a) ||
		    !model_rr_at(w->model, i + 1, &b) || b.type != RR_A || is_foreign(&b) ||
		    !dname_equal(a.owner, b.owner))
			continue;
		memcpy(ia.b, a.rdata.p, 4);
		memcpy(ib.b, b.rdata.p, 4);
		int ca = client_at(w, &ia), cb = client_at(w, &ib);
		if (ca >= 0 && cb >= 0 && ca != cb)
			world_fault(w, "two clients share the name %s", dname_print(name, a.owner));
		if (ca >= 0 && cb >= 0 && shows_newest(w))
			world_fault(w, "two leases are shown of %s", dname_print(name, a.owner));
	}
}

void oracle_check(struct world *w, struct oracle_counts *counts)
{
	if (model_trespass(w->model)[0] != '\0')
		world_fault(w, "%s", model_trespass(w->model));
	check_records(w, counts);
	check_names(w, counts);
	check_sharing(w);
}
