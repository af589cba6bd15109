/* batch.h - how many changes go into one UPDATE.
 *
 * About 500 changed records is where BIND is fastest (its cost is per message up to there, per
 * record beyond): 250 addresses with their DHCIDs, 28 KB.  What names of any length would make of
 * it stays far below the 64 KB of a message.  A message never splits an owner.
 */
#ifndef BRIDGE_CORE_BATCH_H
#define BRIDGE_CORE_BATCH_H

#include "bridge/value/change.h"

enum { BATCH_RRS = 500, BATCH_BYTES = 32000, BATCH_OWNERS = 250 };

/* How many of the n changes form the next message; at least 1 when n > 0. */
size_t batch_take(const struct change *const *c, size_t n);

#endif
