/* pull.c - the reverse pass alone: what DNS shows, back into IPAM. */

#include "bridge/cli/pass.h"

#include "bridge/base/own.h"

int verb_pull(struct cli *c)
{
	struct err e = {0};
	AUTO(pass_end) struct pass p;
	int code = pass_begin(&p, c, cli_val(c, "dry-run") != NULL);
	if (code >= 0)
		return code;
	struct flow_store *store = p.flow->store;
	struct store_totals t;
	if (flow_pull(p.flow, NULL, &e) < 0 || store->totals(store->ctx, &t, &e) < 0)
		return pass_fail(&p, &e);
	p.flow->counts.held = t.held;
	p.flow->counts.conflicts = t.owners[BELIEF_CONFLICT] + t.owners[BELIEF_FROZEN];
	return pass_result(&p);
}
