/* pass.h - what reconcile, plan and pull share: the lock, the flow, its limits and its counts. */
#ifndef BRIDGE_CLI_PASS_H
#define BRIDGE_CLI_PASS_H

#include "bridge/cli/cli.h"
#include "bridge/cli/progress.h"

struct pass {
	struct session s;
	struct flow *flow;
	struct flow_feed *feed;
	struct progress progress;
	const char *verb;
	bool json;
	bool dry;
	bool locked;
};

/* Opens everything, without the lock.  As pass_begin. */
int pass_open(struct pass *p, const struct cli *c, bool dry);
/* Opens everything, takes the run lock, and with dry opens the transaction that is rolled back.
 * -1: go on; otherwise the exit code, with the message printed. */
int pass_begin(struct pass *p, const struct cli *c, bool dry);
/* Rolls back, unlocks, closes. */
void pass_end(struct pass *p);
/* Prints the error and returns the exit code. */
int pass_fail(struct pass *p, const struct err *e);
/* Prints the counts and returns their exit code. */
int pass_result(struct pass *p);
/* The zone of that name, for --force. */
int pass_zone(const struct policy_zone **out, const struct pass *p, const struct cli *c,
	      const char *name, struct err *e);

#endif
