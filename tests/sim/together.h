/* together.h - two bridges at work at once: each on a stack of its own, in turns that chance
 * deals out at the calls they make, of the store and of the net.
 */
#ifndef TESTS_SIM_TOGETHER_H
#define TESTS_SIM_TOGETHER_H

#include "tests/sim/world.h"

/* Runs work for both bridges of w to their ends. */
void together_run(struct world *w, void (*work)(struct bridge *b));
/* Perhaps it is the other's turn.  Nothing where only one bridge works. */
void together_pause(struct world *w);
/* Of the stores: pauses at their calls, waits for their locks. */
void together_bind(struct world *w);

#endif
