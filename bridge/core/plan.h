/* plan.h - from named addresses to wanted records.
 *
 * Pure.  flow/ loads the closed set of rows a change touches, asks here, and keeps the answer;
 * when an answer touches rows that were not loaded it says which, and flow/ asks again.
 */
#ifndef BRIDGE_CORE_PLAN_H
#define BRIDGE_CORE_PLAN_H

#include "bridge/core/belief.h"
#include "bridge/core/naming.h"

/* The rows that compete for names.  claims: freshly named rows of the addresses being planned.
 * olds: what is kept of the same addresses.  holders: kept rows whose assigned name one of the
 * claims asks for, of any address. */
struct plan_names {
	struct host *claims;
	size_t n_claims;
	const struct host *olds;
	size_t n_olds;
	const struct host *holders;
	size_t n_holders;
};

struct plan_answer {
	struct ipaddr *displaced;   /* holders that lost their name: plan these addresses too */
	size_t n_displaced;
	struct dname *load;         /* names whose holders must be known: add them, ask again */
	size_t n_load;
};

/* Settles who gets which name; claims' name, since and why are filled in.  The earlier holder
 * keeps a name, a better rank takes it, the loser gets a suffix that it keeps until its evidence
 * ends.  0 or ERR_NOMEM. */
int plan_settle_names(struct plan_answer *out, struct arena *a, const struct policy_space *space,
		      struct plan_names *in);

/* Two rows of one address: is it still the same client's, so that what it had stays its own? */
bool plan_same_client(const struct host *old, const struct host *h);

/* What a forward owner should hold.  hosts: all rows with this name. Sets want, want_kind,
 * want_ttl_s and why.  0 or ERR_NOMEM. */
int plan_forward(struct belief *b, struct arena *a, const struct policy_zone *zone,
		 const struct host *hosts, size_t n);

/* Is the forward name ours, or seen free?  Only then may its PTR go at the same time. */
bool plan_forward_stands(const struct belief *forward);

/* What a reverse owner should hold.  host: the row that has the address's PTR, NULL: none.
 * forward: the belief at its name, already judged; NULL: none.  0 or ERR_NOMEM. */
int plan_reverse(struct belief *b, struct arena *a, const struct policy_zone *zone,
		 const struct host *host, const struct belief *forward);

#endif
