/* reconcile.c - one whole pass: pull, read every source, plan, push. */

#include "bridge/cli/pass.h"

#include "bridge/base/clock.h"
#include "bridge/base/own.h"
#include "bridge/cli/metrics_file.h"
#include "bridge/store/live.h"

/* What "status" shows of it.  The pass is over either way: a note that fails changes nothing. */
static void note(struct pass *p, int exit_code, const char *error)
{
	const struct flow_counts *n = &p->flow->counts;
	struct pass_row row = {
	    .verb = p->verb, .began_s = p->flow->started_s, .ended_s = clock_wall_s(),
	    .exit = exit_code, .changed = n->changed, .refused = n->refused,
	    .pending = n->pending, .held = n->held, .conflicts = n->conflicts,
	    .pulled = n->pulled, .error = error,
	};
	if (p->dry)
		return;
	store_pass_note(once_pg(p->s.once), &row, NULL);
	store_fold_tally(once_pg(p->s.once), NULL);
}

static int fail(struct pass *p, const struct err *e)
{
	note(p, cli_exit_of_err(e->code), e->text);
	return pass_fail(p, e);
}

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
		return fail(&p, &e);
	if (!p.dry && store_journal_trim(once_store(p.s.once), p.s.conf->journal_keep_s, &e) < 0)
		return fail(&p, &e);
	if (!p.dry && once_keep_mark(p.s.once, &e) < 0)
		return fail(&p, &e);
	note(&p, cli_exit_of_counts(&p.flow->counts), NULL);
	const char *metrics = cli_val(c, "metrics-file");
	if (metrics != NULL && !p.dry &&
	    metrics_file_write(metrics, once_pg(p.s.once), once_policy(p.s.once), &e) < 0)
		return pass_fail(&p, &e);
	return pass_result(&p);
}
