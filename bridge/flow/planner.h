/* planner.h - plans addresses and owners inside one transaction of the store.
 *
 * Loads the closed set of rows, asks core, keeps what differs.  Private to flow/.
 */
#ifndef BRIDGE_FLOW_PLANNER_H
#define BRIDGE_FLOW_PLANNER_H

#include "bridge/base/hash.h"
#include "bridge/flow/brakes.h"
#include "bridge/flow/flow.h"
#include "bridge/flow/known.h"

enum {
	PLANNER_CHUNK = 2000,      /* addresses or owners handled at once: about 8 MB */
	PLANNER_CLOSED_MAX = 10000 /* addresses a closed set may grow to before we refuse */
};

/* One zone as this transaction knows it. */
struct planner_zone {
	int32_t id;
	const struct policy_zone *zone;
	struct zone_row row;
	struct map cuts;           /* owners with NS or DNAME below the apex */
	struct map targets;        /* in-zone names that CNAME, NS, MX or SRV point at */
	struct map aside;          /* owners where IPAM gives way to what DNS shows */
	struct planner_zone *next;
};

/* What one transaction of flow works with. */
struct planner {
	struct flow *f;
	const struct policy_space *space;
	struct arena arena;        /* lives until planner_fini */
	struct planner_zone *zones;
	struct brakes brakes;
	struct known known;        /* evidence that need not be read again */
	int64_t now_s;
	bool spare;                /* what is no longer wanted stays in DNS, as somebody else's */
};

void planner_init(struct planner *p, struct flow *f, const struct policy_space *space);
void planner_fini(struct planner *p);

/* One transaction: everything inside does is kept, brakes too, or nothing.  p is made before and
 * gone afterwards. */
int planner_transaction(struct planner *p, struct flow *f, const struct policy_space *space,
			int (*inside)(void *arg, struct err *e), void *arg, struct err *e);

/* Row, cuts and targets of a zone, loaded once. */
int planner_zone(struct planner_zone **out, struct planner *p, const struct policy_zone *z,
		 struct err *e);

/* Locks every space that has zones, in the order of the configuration: for steps that write owners
 * of several. */
int planner_lock_spaces(struct flow *f, struct err *e);

/* What was loaded of zones is loaded again: a transfer has changed it. */
void planner_forget_zones(struct planner *p);

/* These observations are likely to be all that is known of their addresses, and to be planned next:
 * the hosts with their names, and the owners, are read along with the next statement. */
int planner_foresee(struct planner *p, const struct evidence *ev, size_t n, struct err *e);

/* Names the addresses anew and judges every owner that this touches. */
int planner_addresses(struct planner *p, const struct ipaddr *addrs, size_t n, struct err *e);

/* Rows of all hosts of some addresses, which are in order, each once. */
struct planner_hosts {
	const struct ipaddr *addrs;
	size_t n_addrs;
	struct host *rows;         /* in order of address */
	size_t n_rows;
	struct host *named;        /* all that have one of the names, in the order of host_by_name; */
	size_t n_named;
	bool knows_named;          /* false: they are to be read */
};

/* Judges the owners of the names, and the PTRs of the addresses and of all that share a name. */
int planner_owners(struct planner *p, const struct dname *names, size_t n_names,
		   const struct planner_hosts *set, struct err *e);

/* Those owners are likely to be judged next, and to be new. */
int planner_owners_soon(struct planner *p, const struct dname *names, size_t n_names,
			const struct ipaddr *addrs, size_t n_addrs, struct err *e);

/* Does the owner lie below a delegation or DNAME of its zone? */
bool planner_below_cut(const struct planner_zone *z, const struct dname *owner);

/* Judges one belief: state, published, reverts, why, due time.  was: the row as it is kept, for
 * what stands refused or frozen until an input changes.  host: who wants it (reverse owners),
 * or NULL. */
int planner_judge(struct planner *p, struct arena *a, struct belief *b, const struct belief *was,
		  const struct planner_zone *z, const struct host *host, struct err *e);

/* Has the source behind want been read since ours was seen gone? */
int planner_supported(struct planner *p, const struct belief *b, bool *out, struct err *e);

/* Before a row as it was read is rewritten: what it implied becomes an offer
 * (core/push_state.h). */
int planner_keep_implied(struct planner *p, struct arena *a, struct belief *b,
			 const struct planner_zone *z, struct err *e);

/* Loads the beliefs of keys to be judged anew; keys without a row get a fresh one.  (*out)[i]
 * belongs to keys[i]. */
int planner_beliefs(struct planner *p, struct belief **out, struct arena *a,
		    const struct zone_key *keys, size_t n, struct err *e);

/* Edits end with the lease they replaced the name of. */
int planner_end_edits(struct planner *p, const struct ipaddr *addrs, size_t n, struct err *e);

/* One line of the journal. */
int planner_note(struct planner *p, const struct belief *b, const struct ipaddr *addr,
		 const char *event, const struct rrs *before, const struct rrs *after, int rcode,
		 const char *why, struct err *e);
/* A line of the journal where the owner came to a state that stops something or is at its end. */
int planner_note_state(struct planner *p, const struct belief *was, const struct belief *b,
		       struct err *e);

/* qsort's order of addresses. */
int addr_order(const void *a, const void *b);
/* In order, each once: n becomes the number that stays. */
void addrs_unique(struct ipaddr *v, size_t *n);

#endif
