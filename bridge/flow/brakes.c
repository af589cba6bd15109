/* brakes.c - which brake an address falls under, and its row in the store. */
#include "bridge/flow/planner.h"

/* The brake that counts one loss, and what it is measured against. */
struct lever {
	enum brake_kind kind;
	int32_t key;                     /* zone, or minus the subnet */
	int32_t source_id;
	const struct policy_zone *zone;  /* BRAKE_INFERRED: names of the source there */
	const struct prefix *within;     /* else: names of anybody there */
	int64_t window_s;
};

/* False: outside every subnet nothing is named, so nothing is lost. */
static bool find_lever(struct lever *l, const struct planner *p, int32_t source_id,
		       const struct ipaddr *addr, enum brake_kind kind)
{
	const struct policy_subnet *sub = policy_subnet_of(p->space, addr);
	const struct policy_zone *reverse = policy_reverse_of(p->space, addr);

	if (sub == NULL || sub->n_zones == 0 || (kind == BRAKE_EDIT && reverse == NULL))
		return false;
	*l = (struct lever){.kind = kind, .source_id = source_id, .window_s = BRAKE_WINDOW_S};
	switch (kind) {
	case BRAKE_INFERRED:
		l->zone = sub->zones[0];
		l->key = l->zone->id;
		break;
	case BRAKE_EXPLICIT:
		l->within = &sub->prefix;
		l->key = -sub->id;
		l->window_s = BRAKE_EXPLICIT_WINDOW_S;
		break;
	case BRAKE_EDIT:
		l->within = &reverse->covers;
		l->key = reverse->id;
		break;
	}
	return true;
}

static bool is_forced(const struct planner *p, const struct ipaddr *addr)
{
	const struct policy_zone *force = p->f->force;

	return force != NULL && (force == policy_subnet_of(p->space, addr)->zones[0] ||
				 force == policy_reverse_of(p->space, addr));
}

static int count_names(uint32_t *out, struct planner *p, const struct lever *l, struct err *e)
{
	struct flow_store *st = p->f->store;

	if (l->kind == BRAKE_INFERRED)
		return st->names_of_source(st->ctx, out, l->source_id, &l->zone->name, e);
	return st->names_within(st->ctx, out, p->space->id, l->within, e);
}

static int load(struct planner *p, struct brake_slot *s, const struct lever *l, struct err *e)
{
	struct flow_store *st = p->f->store;
	uint32_t names = 0;
	int r;

	s->zone_id = l->key;
	s->source_id = l->source_id;
	r = st->brake_get(st->ctx, &s->brake, l->key, l->source_id, e);
	if (r == 0 && brake_is_over(&s->brake, l->window_s, p->now_s)) {
		r = count_names(&names, p, l, e);
		brake_start(&s->brake, names, p->now_s);
	}
	return r;
}

static int find_slot(struct planner *p, struct brake_slot **out, const struct lever *l,
		     struct err *e)
{
	struct brakes *b = &p->brakes;
	size_t i;
	int r;

	for (i = 0; i < b->n; i++) {
		if (b->slot[i].zone_id == l->key && b->slot[i].source_id == l->source_id) {
			*out = &b->slot[i];
			return 0;
		}
	}
	if (b->n == BRAKES_MAX) {
		r = brakes_keep(p, e);
		if (r < 0)
			return r;
	}
	*out = &b->slot[b->n];
	r = load(p, *out, l, e);
	if (r == 0)
		b->n++;
	return r;
}

int brakes_admit(struct planner *p, int32_t source_id, const struct ipaddr *addr,
		 enum brake_kind kind, struct err *e)
{
	const struct policy *policy = p->f->policy;
	struct brake_slot *s;
	struct lever l;
	int r;

	if (!find_lever(&l, p, source_id, addr, kind) || is_forced(p, addr))
		return 1;
	r = find_slot(p, &s, &l, e);
	if (r < 0)
		return r;
	if (kind == BRAKE_EXPLICIT)
		return brake_admit(&s->brake, BRAKE_EXPLICIT_MIN, BRAKE_EXPLICIT_PERCENT);
	return brake_admit(&s->brake, policy->brake_min, policy->brake_percent);
}

int brakes_keep(struct planner *p, struct err *e)
{
	struct flow_store *st = p->f->store;
	struct brakes *b = &p->brakes;
	size_t i;
	int r = 0;

	for (i = 0; i < b->n && r == 0; i++)
		r = st->brake_put(st->ctx, &b->slot[i].brake, b->slot[i].zone_id,
				  b->slot[i].source_id, e);
	b->n = 0;
	return r;
}
