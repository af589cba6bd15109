/* reconcile.c - one whole pass: pull, read every source, plan, push. */

#include "bridge/cli/pass.h"

#include "bridge/base/own.h"

int verb_reconcile(struct cli *c)
{
	struct err e = {0};
	AUTO(pass_end) struct pass p;
	int code = pass_begin(&p, c, cli_val(c, "dry-run") != NULL);
	if (code >= 0)
		return code;
	const char *force = cli_val(c, "force");
	if (force != NULL && pass_zone(&p.flow->force, &p, c, force, &e) < 0)
		return pass_fail(&p, &e);
	if (flow_reconcile(p.flow, p.feed, &e) < 0)
		return pass_fail(&p, &e);
	if (!p.dry && store_journal_trim(once_store(p.s.once), p.s.conf->journal_keep_s, &e) < 0)
		return pass_fail(&p, &e);
	return pass_result(&p);
}
