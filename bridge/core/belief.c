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

void belief_print_offer(struct buf *out, const struct belief *b, int i)
{
	buf_printf(out, "%lld ", (long long)b->offered_at_s[i]);
	rrs_print(out, &b->offered[i]);
}

enum { TIME_DIGITS = 18 };

/* How many digits the text begins with; *out is their number. */
static size_t read_time(int64_t *out, const char *s, size_t len)
{
	size_t n = 0;

	*out = 0;
	for (; n < len && n < TIME_DIGITS && s[n] >= '0' && s[n] <= '9'; n++)
		*out = *out * 10 + (s[n] - '0');
	return n;
}

int belief_parse_offer(struct belief *b, struct arena *a, const char *s, size_t len, struct err *e)
{
	struct rrs x = {NULL, 0};
	int64_t at_s;
	size_t n = read_time(&at_s, s, len);
	int r = 0;

	if (n == 0 || n == len || s[n] != ' ')
		return err_set(e, ERR_PROTO, "an offered set is without its time");
	if (b->n_offered == BELIEF_OFFERED_MAX)
		return err_set(e, ERR_PROTO, "more than %d sets are offered", BELIEF_OFFERED_MAX);
	if (++n < len)
		r = rrs_parse(&x, a, s + n, len - n, e);
	if (r < 0)
		return r;
	b->offered_at_s[b->n_offered] = at_s;
	b->offered[b->n_offered++] = x;
	return 0;
}

void belief_drop_offer(struct belief *b, int i)
{
	b->n_offered--;
	b->offered[i] = b->offered[b->n_offered];
	b->offered_at_s[i] = b->offered_at_s[b->n_offered];
}

bool belief_offers(const struct belief *b, const struct rr *r)
{
	int i = 0;

	while (i < b->n_offered && !rrs_has(&b->offered[i], r))
		i++;
	return i < b->n_offered;
}

/* Did an address or PTR come that is of nobody we know? */
static bool is_edited(const struct belief *b, const struct rrs *seen)
{
	const struct rrs *had = b->seen_known ? &b->seen : &b->published;
	size_t i;

	for (i = 0; i < seen->n; i++) {
		const struct rr *r = &seen->v[i];

		if (rrtype_has(r->type, RRTYPE_MANAGED) && r->type != RR_DHCID &&
		    !rrs_has(had, r) && !belief_offers(b, r))
			return true;
	}
	return false;
}

static int keep_dhcid(struct belief *b, struct arena *a, const struct rrs *seen)
{
	struct rrs published = {NULL, 0};
	const struct rr *v;
	size_t n = rrs_of(seen, RR_DHCID, &v), i;
	int r = rrs_dup(&published, a, &b->published);

	for (i = 0; i < n && r == 0; i++) {
		if (belief_offers(b, &v[i]))
			r = rrs_add(&published, a, RR_DHCID, v[i].rdata, v[i].rdlen);
	}
	if (r == 0)
		b->published = published;
	return r;
}

int belief_see(struct belief *b, struct arena *a, const struct rrs *seen)
{
	if (b->n_offered > 0 && is_edited(b, seen) && keep_dhcid(b, a, seen) < 0)
		return ERR_NOMEM;
	if (b->decided == DECIDED_IPAM && !(b->seen_known && rrs_equal(&b->seen, seen)))
		b->decided = DECIDED_NOTHING;
	b->seen = *seen;
	b->seen_known = true;
	return 0;
}

int belief_roll_back(struct belief *b, struct arena *a, const struct rrs *recalled)
{
	struct rrs kept = {NULL, 0};
	size_t i;
	int r = 0;

	for (i = 0; i < b->seen.n && r == 0; i++) {
		const struct rr *v = &b->seen.v[i];

		if (rrs_has(&b->published, v) || rrs_has(recalled, v))
			r = rrs_add(&kept, a, v->type, v->rdata, v->rdlen);
	}
	b->published = kept;
	return r;
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
