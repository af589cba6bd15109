/* belief.c - small facts about an owner row. */
#include <string.h>

#include "bridge/core/belief.h"

static const char *const names[BELIEF_STATES] = {"in-step",  "due",     "agreed", "conflict",
						 "refused", "frozen", "waits"};

const char *belief_state_name(enum belief_state s)
{
	return (unsigned)s < BELIEF_STATES ? names[s] : "unknown";
}

bool belief_state_parse(enum belief_state *out, const char *s, size_t len)
{
	int i;

	for (i = 0; i < BELIEF_STATES; i++) {
		if (strlen(names[i]) == len && memcmp(names[i], s, len) == 0) {
			*out = (enum belief_state)i;
			return true;
		}
	}
	return false;
}

static const char *const decisions[BELIEF_DECISIONS] = {NULL, "dns", "ipam", "disowned"};

const char *belief_decision_name(enum belief_decision d)
{
	return (unsigned)d < BELIEF_DECISIONS ? decisions[d] : NULL;
}

bool belief_decision_parse(enum belief_decision *out, const char *s, size_t len)
{
	int i;

	for (i = DECIDED_NOTHING + 1; i < BELIEF_DECISIONS; i++) {
		if (strlen(decisions[i]) == len && memcmp(decisions[i], s, len) == 0) {
			*out = (enum belief_decision)i;
			return true;
		}
	}
	return false;
}

bool belief_is_empty(const struct belief *b)
{
	return b->want.n == 0 && b->published.n == 0 && b->n_offered == 0 && b->seen.n == 0 &&
	       b->decided == DECIDED_NOTHING;
}

void belief_see(struct belief *b, const struct rrs *seen)
{
	if (b->decided == DECIDED_IPAM && !(b->seen_known && rrs_equal(&b->seen, seen)))
		b->decided = DECIDED_NOTHING;
	b->seen = *seen;
	b->seen_known = true;
}

/* Is a value of the type wanted that was not before? */
static bool is_replaced(const struct belief *b, const struct rrs *had, uint16_t type)
{
	const struct rr *v;
	size_t n = rrs_of(&b->want, type, &v), i;

	for (i = 0; i < n; i++) {
		if (!rrs_has(had, &v[i]))
			return true;
	}
	return false;
}

int belief_spare(struct belief *b, struct arena *a, const struct rrs *had)
{
	struct rrs kept = {NULL, 0};
	size_t i;
	int r = 0;

	for (i = 0; i < b->published.n && r == 0; i++) {
		const struct rr *v = &b->published.v[i];

		if (rrs_has(had, v) && !rrs_has(&b->want, v) && !is_replaced(b, had, v->type))
			continue;
		r = rrs_add(&kept, a, v->type, v->rdata, v->rdlen);
	}
	b->published = kept;
	return r;
}

bool belief_written_since(const struct belief *b, uint64_t version)
{
	return (int32_t)((uint32_t)b->version - (uint32_t)version) >= 0;
}

bool belief_guards(const struct belief *b)
{
	static const uint16_t types[] = {RR_NS, RR_DNAME, RR_CNAME, RR_MX, RR_SRV};
	const struct rr *first;
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (rrs_of(&b->seen, types[i], &first) > 0)
			return true;
	return b->decided == DECIDED_DNS;
}
