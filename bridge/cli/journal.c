/* journal.c - what happened, newest last: everything, or what is about a name or an address. */

#include "bridge/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bridge/base/clock.h"
#include "bridge/base/own.h"
#include "bridge/base/vec.h"
#include "bridge/cli/output.h"
#include "bridge/core/outcome.h"
#include "bridge/report/journal.h"

enum { LINES = 100, LINES_MAX = 100000 };

static const struct out_col cols[] = {
    {"at", "AT", 0},         {"space", NULL, 0},       {"zone", NULL, 0},
    {"owner", "OWNER", 0},   {"address", "ADDRESS", 0}, {"event", "EVENT", 0},
    {"before", "BEFORE", 0}, {"after", "AFTER", 0},    {"rcode", "RCODE", 0},
    {"why", "WHY", OUT_WRAP},
};

/* What was asked for; the subject's arrays live in the arena. */
struct query {
	struct session s;
	struct arena a;
	struct report_subject subject;
	struct report_journal_filter filter;
	char zone[DNAME_TEXT];
};

static void query_fini(struct query *q)
{
	arena_fini(&q->a);
	session_fini(&q->s);
}

/* ---- words of the command line ------------------------------------------------------------ */

static bool parse_time(int64_t *out, const char *s)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {0};
		const char *end = strptime(s, forms[i], &tm);
		if (end != NULL && *end == '\0') {
			*out = timegm(&tm);
			return true;
		}
	}
	return false;
}

static int take_since(struct query *q, const char *s, struct err *e)
{
	int64_t age_s;
	if (duration_parse(&age_s, s)) {
		q->filter.since_s = clock_wall_s() - age_s;
		return 0;
	}
	if (parse_time(&q->filter.since_s, s))
		return 0;
	err_set(e, ERR_CONF, "--since \"%s\" is neither a time nor an age", s);
	err_hint(e, "such as 2h, 7d, 2026-11-21 or 2026-11-21T14:00:00Z (UTC)");
	return ERR_CONF;
}

static int take_limit(struct query *q, const char *s, struct err *e)
{
	char *end;
	unsigned long n = *s >= '0' && *s <= '9' ? strtoul(s, &end, 10) : 0;
	if (n < 1 || n > LINES_MAX || *end != '\0')
		return err_set(e, ERR_CONF, "--limit \"%s\" is no number from 1 to %d", s, LINES_MAX);
	q->filter.limit = (unsigned)n;
	return 0;
}

static int take_zone(struct query *q, const char *s, struct err *e)
{
	struct dname n;
	if (!dname_parse(&n, s, strlen(s)))
		return err_set(e, ERR_CONF, "\"%s\" is no domain name", s);
	q->filter.zone = dname_print(q->zone, &n);
	return 0;
}

static int take_options(struct query *q, const struct cli *c, struct err *e)
{
	const char *since = cli_val(c, "since"), *limit = cli_val(c, "limit");
	const char *zone = cli_val(c, "zone");
	int r = 0;
	q->filter = (struct report_journal_filter){.space = c->space, .limit = LINES};
	if (since != NULL)
		r = take_since(q, since, e);
	if (r == 0 && limit != NULL)
		r = take_limit(q, limit, e);
	if (r == 0 && zone != NULL)
		r = take_zone(q, zone, e);
	return r;
}

/* ---- the subject -------------------------------------------------------------------------- */

static int about_address(struct query *q, const struct ipaddr *a, struct err *e)
{
	const struct policy *p = once_policy(q->s.once);
	struct ipaddr *addr = arena_dup(&q->a, a, sizeof(*a));
	struct dname *names = arena_array(&q->a, p->n_spaces, sizeof(*names));
	if (addr == NULL || names == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < p->n_spaces; i++)
		policy_ptr_name(&names[i], &p->spaces[i], a);
	q->subject = (struct report_subject){addr, 1, names, p->n_spaces};
	return 0;
}

/* A single label may stand below every forward zone. */
static int about_name(struct query *q, const struct dname *n, struct err *e)
{
	const struct policy *p = once_policy(q->s.once);
	struct dname *names = arena_array(&q->a, policy_n_zones(p) + 1, sizeof(*names));
	size_t k = 0;
	if (names == NULL)
		return err_nomem(e);
	names[k++] = *n;
	for (size_t i = 0; dname_labels(n) == 1 && i < p->n_spaces; i++) {
		for (size_t z = 0; z < p->spaces[i].n_zones; z++) {
			const struct policy_zone *zone = &p->spaces[i].zones[z];
			k += !zone->is_reverse &&
			     dname_prepend(&names[k], n->b + 1, n->b[0], &zone->name);
		}
	}
	q->subject = (struct report_subject){.names = names, .n_names = k};
	return 0;
}

static int take_subject(struct query *q, const char *typed, struct err *e)
{
	struct ipaddr a;
	struct dname n;
	q->filter.about = &q->subject;
	if (ipaddr_parse(&a, typed, strlen(typed)))
		return about_address(q, &a, e);
	if (!dname_parse(&n, typed, strlen(typed)))
		return err_set(e, ERR_CONF, "\"%.255s\" is neither a name nor an address", typed);
	if (policy_named_addr(&a, once_policy(q->s.once), &n))
		return about_address(q, &a, e);
	return about_name(q, &n, e);
}

/* ---- lines -------------------------------------------------------------------------------- */

static void line(void *arg, const struct report_journal *r)
{
	struct out *o = arg;
	out_cell(o, js_time(r->at_s));
	out_cell(o, js_text(r->space));
	out_cell(o, js_text(r->zone));
	out_cell(o, js_text(r->owner));
	out_cell(o, js_addr(&r->addr));
	out_cell(o, js_text(r->event));
	out_cell(o, js_set(r->before));
	out_cell(o, js_set(r->after));
	out_cell(o, r->rcode < 0 ? json_null() : js_text(rcode_name((unsigned)r->rcode)));
	out_cell(o, js_text(r->why));
}

static int print(struct query *q, const struct cli *c, struct err *e)
{
	AUTO(out_freep) struct out *o = NULL;
	int r = out_open(&o, stdout, c->json, cols, sizeof(cols) / sizeof(cols[0]), e);
	r = r < 0 ? r : report_journal(once_pg(q->s.once), &q->filter, line, o, e);
	return r < 0 ? r : out_end(o, e);
}

int verb_journal(struct cli *c)
{
	struct err e = {0};
	AUTO(query_fini) struct query q = {.a = ARENA_INIT};
	if (take_options(&q, c, &e) < 0 || session_open(&q.s, c, "journal", true, &e) < 0 ||
	    (c->n_args > 0 && take_subject(&q, c->arg[0], &e) < 0) || print(&q, c, &e) < 0)
		return cli_fail(&e);
	return EXIT_DONE;
}
