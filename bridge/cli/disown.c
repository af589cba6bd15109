/* disown.c - records that are ours become somebody else's. */

#include "bridge/cli/decide.h"

int verb_disown(struct cli *c)
{
	return decide_verb(c, DECIDE_DISOWN, true);
}
