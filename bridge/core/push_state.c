/* push_state.c - the transitions of one owner's change. */
#include <string.h>

#include "bridge/base/err.h"
#include "bridge/core/push_state.h"

enum { FUDGE_S = 300 };  /* a signed message is refused this long after it was made */

bool push_implied(const struct belief *b, const struct verdict *v)
{
	const struct rr *dhcid;
	bool tells = v->ours.n == 0 || rrs_of(&v->ours, RR_DHCID, &dhcid) > 0;

	return b->state == BELIEF_DUE && b->n_offered == 0 && v->state == BELIEF_DUE &&
	       (v->row == 3 || v->row == 6) && !v->contested && tells;
}

int push_keep_implied(struct belief *b, struct arena *a, enum foreign_policy foreign,
		      int64_t now_s)
{
	struct belief open = *b;
	struct verdict v;

	if (b->state != BELIEF_DUE || b->n_offered > 0)
		return 0;
	/* As it was when it became due, and could be sent. */
	open.below_cut = open.same_client = false;
	if (verdict_owner(&v, a, &open, foreign, true) < 0)
		return ERR_NOMEM;
	return push_implied(b, &v) ? push_offer(b, a, &v, now_s) : 0;
}

/* Which offer is equal; n_offered: none. */
static int equal_offer(const struct belief *b, const struct verdict *v)
{
	int i = 0;

	while (i < b->n_offered && !rrs_equal(&b->offered[i], &v->ours))
		i++;
	return i;
}

bool push_offered(const struct belief *b, const struct verdict *v)
{
	return equal_offer(b, v) < b->n_offered;
}

int push_offer(struct belief *b, struct arena *a, const struct verdict *v, int64_t now_s)
{
	int i = equal_offer(b, v);

	if (i == BELIEF_OFFERED_MAX)
		return 1;
	if (i == b->n_offered) {
		if (rrs_dup(&b->offered[i], a, &v->ours) < 0)
			return ERR_NOMEM;
		b->n_offered++;
	}
	b->offered_at_s[i] = now_s;
	return 0;
}

/* seen of the types we write is replaced, what others keep there stays. */
static int seen_becomes(struct belief *b, struct arena *a, const struct rrs *target)
{
	struct rrs seen = {NULL, 0};
	size_t i;
	int r = 0;

	for (i = 0; i < b->seen.n && r == 0; i++) {
		if (!rrtype_has(b->seen.v[i].type, RRTYPE_MANAGED))
			r = rrs_add(&seen, a, b->seen.v[i].type, b->seen.v[i].rdata,
				    b->seen.v[i].rdlen);
	}
	for (i = 0; i < target->n && r == 0; i++)
		r = rrs_add(&seen, a, target->v[i].type, target->v[i].rdata, target->v[i].rdlen);
	b->seen = seen;
	return r;
}

int push_done(struct belief *b, struct arena *a, const struct verdict *v, bool fresh,
	      int64_t now_s)
{
	if (fresh)
		push_withdraw(b, v);
	b->published = v->ours;
	if (b->decided == DECIDED_IPAM)
		b->decided = DECIDED_NOTHING;
	b->sent_ttl_s = v->ours.n > 0 ? b->want_ttl_s : 0;
	b->settled_at_s = now_s;
	/* What somebody took away and this change did not bring back is missed still, once. */
	if (rrs_within(&v->ours, &v->target))
		b->removed_at_s = 0;
	b->attempts = 0;
	b->due_at_s = 0;
	return seen_becomes(b, a, &v->target);
}

bool push_as_wanted(const struct belief *was, const struct belief *is)
{
	return is->state == BELIEF_STEP && is->want.n > 0 && rrs_equal(&is->want, &is->published) &&
	       is->seen_known && rrs_equal(&is->seen, &is->published) && is->n_offered == 0 &&
	       is->due_at_s == 0 && is->removed_at_s == 0 && is->attempts == 0 &&
	       is->sent_ttl_s == is->want_ttl_s &&
	       is->decided == DECIDED_NOTHING && is->reverts == was->reverts &&
	       strcmp(is->why, was->why) == 0;
}

void push_withdraw(struct belief *b, const struct verdict *v)
{
	int i = equal_offer(b, v);

	if (i < b->n_offered)
		belief_drop_offer(b, i);
}

void push_retry(struct belief *b, int64_t now_s, uint64_t random)
{
	b->due_at_s = now_s + outcome_backoff_s(b->attempts, random);
	b->attempts++;
}

void push_refused(struct belief *b, const char *why)
{
	b->state = BELIEF_REFUSED;
	b->why = why;
	b->due_at_s = 0;
}

static int64_t late_s(int64_t offered_at_s)
{
	return offered_at_s + FUDGE_S + 1;
}

int64_t push_late_s(const struct belief *b)
{
	int64_t oldest_s = b->offered_at_s[0];
	int i;

	for (i = 1; i < b->n_offered; i++) {
		if (b->offered_at_s[i] < oldest_s)
			oldest_s = b->offered_at_s[i];
	}
	return late_s(oldest_s);
}

int push_waits(bool *out, struct arena *a, const struct belief *b, const struct verdict *v,
	       enum foreign_policy foreign, bool supported)
{
	struct belief later;
	struct verdict then;

	*out = false;
	if (v->state != BELIEF_CONFLICT || b->n_offered == 0)
		return 0;
	later = *b;
	later.n_offered = 0;
	if (verdict_owner(&then, a, &later, foreign, supported) < 0)
		return ERR_NOMEM;
	*out = then.state == BELIEF_DUE;
	return 0;
}

void push_forget_late(struct belief *b, int64_t looked_s)
{
	int i = 0;

	while (i < b->n_offered) {
		if (late_s(b->offered_at_s[i]) <= looked_s)
			belief_drop_offer(b, i);
		else
			i++;
	}
}
