/* push_look.h - owners that are looked at before the first word to them.
 *
 * Below a cut some servers take a change and hide it.  Where the zone is not known, owners are asked
 * about first as far as names between them and the zone can be cuts.  Private to flow/.
 */
#ifndef BRIDGE_FLOW_PUSH_LOOK_H
#define BRIDGE_FLOW_PUSH_LOOK_H

#include "bridge/flow/push_round.h"

/* May it lie below a cut that nobody has looked for? */
bool push_needs_look(const struct push_zone *z, const struct belief *b);

/* Asks for those of the page that need it.  *asked becomes true where there were any: what was seen is
 * planned for, any row that was listed before may be another now.  What could not be looked at stays
 * as it was.  No transaction is open. */
int push_look(bool *asked, struct planner *p, const struct push_zone *z,
	      const struct due_page *page, struct arena *a, struct err *e);

#endif
