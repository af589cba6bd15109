/* brakes.c - which brake an address falls under, and its row in the store. */
#include <string.h>

#include "bridge/flow/brakes.h"

void brakes_init(struct brakes *b, struct planner *p)
{
	memset(b, 0, sizeof(*b));
	b->p = p;
}

static int load(struct brakes *b, struct brake_slot *s, int32_t zone_id, int32_t source_id,
		const struct policy_zone *zone, int64_t window_s, struct err *e)
{
	struct flow_store *st = b->p->f->store;
	uint32_t names = 0;
	int r;

	s->zone_id = zone_id;
	s->source_id = source_id;
	r = st->brake_get(st->ctx, &s->brake, zone_id, source_id, e);
	r = r < 0 ? r : st->hosts_count(st->ctx, &names, source_id, &zone->name, e);
	if (r == 0)
		brake_roll(&s->brake, window_s, names, b->p->now_s);
	return r;
}

static int find(struct brakes *b, struct brake_slot **out, int32_t zone_id, int32_t source_id,
		const struct policy_zone *zone, int64_t window_s, struct err *e)
{
	size_t i;
	int r;

	for (i = 0; i < b->n; i++) {
		if (b->slot[i].zone_id == zone_id && b->slot[i].source_id == source_id) {
			*out = &b->slot[i];
			return 0;
		}
	}
	if (b->n == BRAKES_MAX) {
		r = brakes_keep(b, e);
		if (r < 0)
			return r;
		b->n = 0;
	}
	*out = &b->slot[b->n];
	r = load(b, *out, zone_id, source_id, zone, window_s, e);
	if (r == 0)
		b->n++;
	return r;
}

int brakes_admit(struct brakes *b, int32_t source_id, const struct ipaddr *addr, bool explicit_,
		 struct err *e)
{
	const struct policy_subnet *sub = policy_subnet_of(b->p->space, addr);
	const struct policy *policy = b->p->f->policy;
	struct brake_slot *s;
	bool yes;
	int r;

	/* Outside every subnet nothing is named, so nothing is lost. */
	if (sub == NULL || sub->n_zones == 0)
		return 1;
	if (b->p->f->force != NULL &&
	    (b->p->f->force == sub->zones[0] || b->p->f->force == policy_reverse_of(b->p->space, addr)))
		return 1;
	r = find(b, &s, explicit_ ? -sub->id : sub->zones[0]->id, source_id, sub->zones[0],
		 explicit_ ? BRAKE_EXPLICIT_WINDOW_S : BRAKE_WINDOW_S, e);
	if (r < 0)
		return r;
	if (explicit_)
		yes = brake_admit(&s->brake, BRAKE_EXPLICIT_MIN, BRAKE_EXPLICIT_PERCENT);
	else
		yes = brake_admit(&s->brake, policy->brake_min, policy->brake_percent);
	b->held += !yes;
	return yes;
}

int brakes_keep(struct brakes *b, struct err *e)
{
	struct flow_store *st = b->p->f->store;
	size_t i;
	int r = 0;

	for (i = 0; i < b->n && r == 0; i++)
		r = st->brake_put(st->ctx, &b->slot[i].brake, b->slot[i].zone_id,
				  b->slot[i].source_id, e);
	return r;
}
