/* plan.c - what a pass would change in DNS, and why: the pass itself, rolled back. */

#include "bridge/cli/pass.h"

#include <inttypes.h>

#include "bridge/base/own.h"
#include "bridge/cli/output.h"
#include "bridge/report/plan.h"

static const struct out_col cols[] = {
    {"space", NULL, 0},        {"view", NULL, 0},        {"zone", NULL, 0},
    {"owner", "OWNER", 0},     {"type", "TYPE", 0},      {"action", "ACTION", 0},
    {"from", "FROM", 0},       {"to", "TO", 0},          {"ttl_from", NULL, 0},
    {"ttl_to", "TTL", OUT_RIGHT}, {"why", "WHY", OUT_WRAP},
};

static const char *const action_name[] = {"add", "change", "delete"};

static void row(void *arg, const struct report_change *ch)
{
	struct out *o = arg;
	char type[12];
	out_cell(o, js_text(ch->space));
	out_cell(o, js_text(ch->zone->view));
	out_cell(o, js_text(ch->zone->text));
	out_cell(o, js_name(&ch->owner));
	out_cell(o, js_text(rrtype_name(type, ch->type)));
	out_cell(o, js_text(action_name[ch->action]));
	out_cell(o, js_rrs(&ch->from, ch->type));
	out_cell(o, js_rrs(&ch->to, ch->type));
	out_cell(o, js_num_or_null(ch->ttl_from_s));
	out_cell(o, js_num_or_null(ch->ttl_to_s));
	out_cell(o, js_text(ch->why));
}

/* A plan made without a zone or a source that could not be reached is half a plan. */
static int exit_code(const struct cli *c, const struct pass *p, size_t changes)
{
	if (p->flow->counts.pending > 0)
		return EXIT_PARTLY;
	return changes > 0 && cli_val(c, "exit-code") != NULL ? EXIT_CHANGES : EXIT_DONE;
}

int verb_plan(struct cli *c)
{
	struct err e = {0};
	size_t n = 0;
	AUTO(pass_end) struct pass p;
	AUTO(out_freep) struct out *o = NULL;
	int code = pass_begin(&p, c, true);
	if (code >= 0)
		return code;
	if (flow_reconcile(p.flow, p.feed, &e) < 0)
		return pass_fail(&p, &e);
	progress_clear(&p.progress);
	struct report_filter filter = {c->space, c->view};
	if (out_open(&o, stdout, c->json, cols, sizeof(cols) / sizeof(cols[0]), &e) < 0 ||
	    report_plan(once_pg(p.s.once), once_policy(p.s.once), &filter, row, o, &n, &e) < 0 ||
	    out_end(o, &e) < 0)
		return pass_fail(&p, &e);
	if (!c->json)
		printf("plan: %zu change%s, %" PRIu64 " held, %" PRIu64 " conflicts\n", n,
		       n == 1 ? "" : "s", p.flow->counts.held, p.flow->counts.conflicts);
	return exit_code(c, &p, n);
}
