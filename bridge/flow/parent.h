/* parent.h - of a classless zone (RFC 2317): do the CNAMEs of the zone above lead here?
 *
 * Nobody finds its PTRs otherwise, and only whoever keeps the zone above can help.  So what does
 * not lead here is said, and nothing is refused.  Private to flow/.
 */
#ifndef BRIDGE_FLOW_PARENT_H
#define BRIDGE_FLOW_PARENT_H

#include "bridge/flow/flow.h"

/* With the zone's full compare.  row: as it was before the zone was looked at. */
bool parent_is_due(const struct flow *f, const struct policy_zone *z, const struct zone_row *row);
/* Asks for the CNAME of each address of the zone; says what is wrong in one line. */
void parent_look(struct flow *f, const struct policy_zone *z);

#endif
