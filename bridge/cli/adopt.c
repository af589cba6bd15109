/* adopt.c - records that DNS shows as they are wanted become ours. */

#include "bridge/cli/decide.h"

int verb_adopt(struct cli *c)
{
	return decide_verb(c, DECIDE_ADOPT, true);
}
