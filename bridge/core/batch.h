/* batch.h - how many changes go into one UPDATE.
 *
 * About 500 changed records or 12 KB is where BIND is fastest (its cost is per message up to
 * there, per record beyond); a message never splits an owner.
 */
#ifndef BRIDGE_CORE_BATCH_H
#define BRIDGE_CORE_BATCH_H

#include "bridge/value/change.h"

enum { BATCH_RRS = 500, BATCH_BYTES = 12000, BATCH_OWNERS = 250 };

/* How many of the n changes form the next message; at least 1 when n > 0. */
size_t batch_take(const struct change *const *c, size_t n);

#endif
