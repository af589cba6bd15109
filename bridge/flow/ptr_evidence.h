/* ptr_evidence.h - what PTRs in DNS say about addresses: a person's edit, a name that was never
 * ours, or nothing (what the bridge wrote is never evidence).  Private to flow/.
 *
 *	ptr_words_open(&w, p, zone, addrs, n, e);
 *	ptr_word(&w, &was, &is, rollback, e);        for each reverse owner
 *	ptr_words_keep(&w, e);                       writes what was learned and forgotten
 *	ptr_words_fini(&w);
 */
#ifndef BRIDGE_FLOW_PTR_EVIDENCE_H
#define BRIDGE_FLOW_PTR_EVIDENCE_H

#include "bridge/base/vec.h"
#include "bridge/flow/planner.h"

struct ptr_words {
	struct planner *p;
	const struct policy_zone *zone;
	const struct policy_source *src;
	struct arena arena;
	struct evidence *ev;         /* of all addresses, ordered by address */
	size_t n_ev;
	struct host *hosts;          /* likewise */
	size_t n_hosts;
	VEC(struct evidence) put;
	VEC(struct evidence) del;
};

/* Loads what is known of the addresses, whose PTRs stand in the zone. */
int ptr_words_open(struct ptr_words *w, struct planner *p, const struct policy_zone *zone,
		   const struct ipaddr *addrs, size_t n, struct err *e);
/* was: the belief before it was looked at, is: after it was judged.  rollback: an old zone came
 * back; what it shows again is no news, what it lacks is gone if it rested on DNS. */
int ptr_word(struct ptr_words *w, const struct belief *was, const struct belief *is, bool rollback,
	     struct err *e);
int ptr_words_keep(struct ptr_words *w, struct err *e);
void ptr_words_fini(struct ptr_words *w);

#endif
