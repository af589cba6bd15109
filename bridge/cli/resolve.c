/* resolve.c - settles a conflict or a fight over one name. */

#include "bridge/cli/decide.h"

#include <string.h>

int verb_resolve(struct cli *c)
{
	struct err e = {0};
	const char *take = cli_val(c, "take");
	if (take != NULL && strcmp(take, "dns") == 0)
		return decide_verb(c, DECIDE_TAKE_DNS, false);
	if (take != NULL && strcmp(take, "ipam") == 0)
		return decide_verb(c, DECIDE_TAKE_IPAM, false);
	if (take == NULL)
		err_set(&e, ERR_CONF, "resolve needs to know whose word counts");
	else
		err_set(&e, ERR_CONF, "--take is \"dns\" or \"ipam\", not \"%.64s\"", take);
	err_hint(&e, "usage: ipambridge resolve %s", c->verb->usage);
	return cli_fail(&e);
}
