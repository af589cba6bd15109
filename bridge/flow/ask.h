/* ask.h - a zone that its server does not give, against what is kept: the server is asked about owners.
 *
 * Private to flow/.  Names that only DNS has are not found this way; a cut above an owner is, because
 * the answer shows it (flow/net.h).  Cuts are asked about too, so that they get rows of their own and
 * are known as long as they stand.
 */
#ifndef BRIDGE_FLOW_ASK_H
#define BRIDGE_FLOW_ASK_H

#include "bridge/flow/compare.h"

struct asked {
	size_t names;                /* asked about */
	size_t unanswered;           /* that the server tells nothing about: left as they are */
};

/* As compare_run, of all owners that have a row.  anew: also those that are as they are kept count as
 * different. */
int ask_all(struct asked *out, struct compare *c, bool anew, bool *stored, struct err *e);
/* Of these owners. */
int ask_some(struct asked *out, struct compare *c, const struct dname *owners, size_t n,
	     bool *stored, struct err *e);

#endif
