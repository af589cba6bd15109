/* belief.h - what the bridge believes about one owner name in one zone.
 *
 * Four sets of records, TTL apart:
 *   want       what IPAM says it should be (managed types only)
 *   published  what we know to be ours: confirmed by a verified answer or a read-back
 *   offered    sets that left in a message whose answer is not yet known (may be several)
 *   seen       what the server last showed, foreign types included
 * "seen" is known once the zone has been transferred (zone_row.known), or this owner queried.
 */
#ifndef BRIDGE_CORE_BELIEF_H
#define BRIDGE_CORE_BELIEF_H

#include "bridge/core/policy.h"
#include "bridge/value/rr.h"

/* What is the matter with an owner; the names are those the database keeps. */
enum belief_state {
	BELIEF_STEP,      /* in step, or nothing to do */
	BELIEF_DUE,       /* a change waits to be sent (at due_at_s) */
	BELIEF_AGREED,    /* DNS says what we want, but the record is not ours */
	BELIEF_CONFLICT,  /* DNS says something else that is not ours: nothing is written */
	BELIEF_REFUSED,   /* the server refused this change: tried once a run, no news if again */
	BELIEF_FROZEN,    /* somebody keeps undoing it: waits for a person */
	BELIEF_WAITS,     /* somebody removed ours; waits for a source to confirm it */
	BELIEF_STATES,
};

/* What a person has decided about an owner; the names are those the database keeps. */
enum belief_decision {
	DECIDED_NOTHING,
	DECIDED_DNS,       /* IPAM gives way: nothing is wanted here, until decided otherwise */
	DECIDED_IPAM,      /* what is seen now may be written over, once */
	DECIDED_DISOWNED,  /* nothing here is ours, nothing is written, until decided otherwise */
	BELIEF_DECISIONS,
};

const char *belief_decision_name(enum belief_decision d);  /* NULL: nothing */
bool belief_decision_parse(enum belief_decision *out, const char *s, size_t len);

const char *belief_state_name(enum belief_state s);
bool belief_state_parse(enum belief_state *out, const char *s, size_t len);

enum { BELIEF_OFFERED_MAX = 8 };

struct belief {
	int32_t zone_id;
	struct dname owner;
	struct rrs want;
	struct rrs published;
	struct rrs offered[BELIEF_OFFERED_MAX];
	int64_t offered_at_s[BELIEF_OFFERED_MAX];  /* when each was sent last */
	uint8_t n_offered;
	bool seen_known;        /* false: never looked; then seen is empty and prerequisites decide */
	struct rrs seen;
	bool same_client;       /* reverse: seen carries the DHCID of the client that wants it,
				 * over the seen target: another updater's word, no edit */
	bool below_cut;         /* below a delegation or DNAME of this zone: never written */
	bool contested;         /* as last judged: a type is in conflict, whatever is due */
	bool apex;              /* the zone's own name */
	uint8_t want_kind;      /* enum obs_kind behind want: decides the form of a first add */
	int32_t want_source;    /* the source behind it; 0: none */
	uint32_t want_ttl_s;
	uint32_t sent_ttl_s;    /* of the last write; 0: unknown */
	int64_t settled_at_s;   /* when published was last proven; 0: never */
	int64_t removed_at_s;   /* when ours was seen gone; 0: not */
	uint32_t reverts;       /* how often somebody undid us */
	uint8_t state;          /* enum belief_state */
	uint8_t decided;        /* enum belief_decision */
	int64_t due_at_s;       /* not before; 0: at once */
	uint32_t attempts;      /* unanswered or failed in a row */
	uint64_t version;       /* the store's own: the transaction that wrote the row last, as read */
	uint64_t place;         /* the store's own: where that row lies */
	const char *why;        /* a sentence for people: cause of the state or of want */
};

/* An offer as text and back: when it was sent in Unix time, a space, the set (rrs_print).  Read, it is
 * added to those of the owner.  0, ERR_PROTO or ERR_NOMEM. */
void belief_print_offer(struct buf *out, const struct belief *b, int i);
int belief_parse_offer(struct belief *b, struct arena *a, const char *s, size_t len, struct err *e);
/* Is the record in one of them? */
bool belief_offers(const struct belief *b, const struct rr *r);
/* Takes it out; the last one comes to its place. */
void belief_drop_offer(struct belief *b, int i);

/* Was the row as read written by that transaction or a later one?  The numbers wrap, as serials do
 * (RFC 1982 3.2). */
bool belief_written_since(const struct belief *b, uint64_t version);

/* The server shows this there.  What a person allowed to write over is no longer what is there
 * when it differs.  And where an address or PTR came that we did not offer, while offers are out,
 * somebody may have edited one of them: the DHCID that came with it counts as published.  0 or
 * ERR_NOMEM. */
int belief_see(struct belief *b, struct arena *a, const struct rrs *seen);

/* The zone was restored: what it does not show is as if it had never been, so it is added again and
 * nobody has removed it; what came back and had been ours (recalled) is ours again.  0 or ERR_NOMEM. */
int belief_roll_back(struct belief *b, struct arena *a, const struct rrs *recalled);

/* Nothing wanted, published, offered, seen or decided: the row may go. */
bool belief_is_empty(const struct belief *b);

/* Does what is seen there, or a decision, bear on other names: a zone cut, a name that points at
 * others, one that is set aside? */
bool belief_guards(const struct belief *b);

/* Takes from published what was wanted (had) and is not any more, unless another value of the
 * type is wanted in its place: it stays in DNS and is no longer ours.  0 or ERR_NOMEM. */
int belief_spare(struct belief *b, struct arena *a, const struct rrs *had);

#endif
