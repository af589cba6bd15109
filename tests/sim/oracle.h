/* oracle.h - what must be true once the bridge has converged, judged from the world itself. */
#ifndef TESTS_SIM_ORACLE_H
#define TESTS_SIM_ORACLE_H

#include "tests/sim/world.h"

/* How much the checks had to do, to see that they are not empty. */
struct oracle_counts {
	uint64_t expected;  /* names that had to be there */
	uint64_t waived;    /* names that people, refusals or fights stand against */
	uint64_t records;   /* of the bridge, each traced to its evidence */
};

/* Reports the first violation by world_fault. */
void oracle_check(struct world *w, struct oracle_counts *counts);

#endif
