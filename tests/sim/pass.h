/* pass.h - what a bridge does at a time: a run, or a turn of a daemon's processes. */
#ifndef TESTS_SIM_PASS_H
#define TESTS_SIM_PASS_H

#include "tests/sim/world.h"

enum pass_kind {
	PASS_RUN,   /* reconcile */
	PASS_LOOK,  /* a daemon's sync and ingest: reads and plans, sends nothing */
	PASS_SEND,  /* a daemon's push: sends what is due, and keeps the right to */
};

/* Faults, invariants that hold at any moment: w->fault.  What the flow answered. */
int pass_run(struct bridge *b, enum pass_kind kind, struct flow_counts *counts);
/* For one call of flow. */
struct flow pass_flow(struct bridge *b);
/* After a crash: a new process, a new session; what was in flight goes its own way. */
void pass_come_back(struct bridge *b);
/* What happens while a bridge talks to the server. */
void pass_between(void *arg, const char *what);

#endif
