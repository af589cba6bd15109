/* decide.h - what resolve, adopt and disown share: find the owners, show the plan, do it. */
#ifndef BRIDGE_CLI_DECIDE_H
#define BRIDGE_CLI_DECIDE_H

#include "bridge/cli/pass.h"
#include "bridge/core/decide.h"

/* Decides about what was typed (c->arg[0]); with --dry-run only shows it.  patterns: it may match
 * many owners.  The exit code. */
int decide_verb(struct cli *c, enum decide_verb verb, bool patterns);

#endif
