/* decide.c - the border between ours and theirs, moved by a person. */
#include "bridge/base/err.h"
#include "bridge/core/decide.h"

const char *decide_name(enum decide_verb verb)
{
	static const char *const names[] = {"take-dns", "take-ipam", "adopt", "disown"};

	return names[verb];
}

static int answer(const char **out, int code, const char *why)
{
	*out = why;
	return code;
}

bool decide_is_open(const struct belief *b)
{
	return b->state == BELIEF_CONFLICT || b->state == BELIEF_FROZEN || b->state == BELIEF_WAITS;
}

/* A fight is over: the counters begin anew. */
static void decided(struct belief *b, enum belief_decision d)
{
	b->decided = (uint8_t)d;
	b->reverts = 0;
	b->removed_at_s = 0;
}

/* Also what was sent and is there, though no answer has told.  What may still arrive stays known. */
static void forget_ours(struct belief *b)
{
	int i = 0;

	b->published = (struct rrs){NULL, 0};
	b->sent_ttl_s = 0;
	while (i < b->n_offered) {
		if (rrs_meets(&b->offered[i], &b->seen))
			belief_drop_offer(b, i);
		else
			i++;
	}
}

static int take_dns(struct belief *b, const char **why)
{
	if (b->decided == DECIDED_DNS)
		return answer(why, DECIDE_NOTHING, "it is set aside already");
	if (!decide_is_open(b))
		return answer(why, DECIDE_NOTHING, "there is nothing to settle");
	forget_ours(b);
	decided(b, DECIDED_DNS);
	return DECIDE_DONE;
}

static int take_ipam(struct belief *b, const char **why)
{
	const struct rr *v;

	if (!decide_is_open(b) && b->decided != DECIDED_DNS)
		return answer(why, DECIDE_NOTHING, "there is nothing to settle");
	if (rrs_of(&b->seen, RR_CNAME, &v) > 0)
		return answer(why, DECIDE_IMPOSSIBLE,
			      "an alias (CNAME) stands there, which is not ours to remove");
	if (!b->apex && rrs_of(&b->seen, RR_NS, &v) > 0)
		return answer(why, DECIDE_IMPOSSIBLE, "the name is delegated to other servers");
	decided(b, DECIDED_IPAM);
	return DECIDE_DONE;
}

/* What is seen and wanted.  *fresh: an address or PTR of it is not ours yet. */
static int equal_part(struct rrs *out, struct arena *a, const struct belief *b, bool *any,
		      bool *fresh)
{
	size_t i;
	int r = 0;

	*any = *fresh = false;
	for (i = 0; i < b->seen.n && r == 0; i++) {
		const struct rr *v = &b->seen.v[i];

		if (!rrs_has(&b->want, v))
			continue;
		*any = *any || v->type != RR_DHCID;
		*fresh = *fresh || !rrs_has(&b->published, v);
		r = rrs_add(out, a, v->type, v->rdata, v->rdlen);
	}
	return r;
}

/* Of a PTR that somebody edited the value it replaced is kept as ours until now. */
static int adopt_part(struct belief *b, struct arena *a, struct rrs *equal)
{
	size_t i;
	int r = 0;

	for (i = 0; i < b->published.n && r == 0; i++) {
		const struct rr *v = &b->published.v[i];

		if (v->type != RR_PTR && !rrs_has(equal, v))
			r = rrs_add(equal, a, v->type, v->rdata, v->rdlen);
	}
	b->published = *equal;
	return r;
}

static int adopt(struct belief *b, struct arena *a, const char **why)
{
	struct rrs equal = {NULL, 0};
	bool any, fresh;
	int r = equal_part(&equal, a, b, &any, &fresh);

	if (r < 0)
		return r;
	if (!any)
		return answer(why, DECIDE_NOTHING, "DNS shows nothing there that is wanted");
	if (!fresh && b->decided != DECIDED_DISOWNED)
		return answer(why, DECIDE_NOTHING, "it is ours already");
	decided(b, DECIDED_NOTHING);
	return adopt_part(b, a, &equal);
}

static int disown(struct belief *b, bool edited, const char **why)
{
	if (b->decided == DECIDED_DISOWNED || (b->published.n == 0 && !edited))
		return answer(why, DECIDE_NOTHING, "nothing there is ours");
	forget_ours(b);
	decided(b, DECIDED_DISOWNED);
	return DECIDE_DONE;
}

int decide(struct belief *b, struct arena *a, enum decide_verb verb, bool edited, const char **why)
{
	if (!b->seen_known)
		return answer(why, DECIDE_IMPOSSIBLE,
			      "it was never looked at: \"ipambridge pull\" does");
	if (b->state == BELIEF_DUE)
		return answer(why, DECIDE_IMPOSSIBLE, "a change is on its way there");
	switch (verb) {
	case DECIDE_TAKE_DNS:
		return take_dns(b, why);
	case DECIDE_TAKE_IPAM:
		return take_ipam(b, why);
	case DECIDE_ADOPT:
		return adopt(b, a, why);
	case DECIDE_DISOWN:
		return disown(b, edited, why);
	}
	return answer(why, DECIDE_IMPOSSIBLE, "");
}
