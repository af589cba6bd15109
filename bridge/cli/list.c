/* list.c - the listings: each is a row of columns and a function that fills them. */

#include "bridge/cli/cli.h"

#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/base/own.h"
#include "bridge/cli/output.h"
#include "bridge/report/addresses.h"
#include "bridge/report/conflicts.h"
#include "bridge/report/hosts.h"
#include "bridge/report/sources.h"
#include "bridge/report/subnets.h"
#include "bridge/report/zones.h"

/* ---- hosts ------------------------------------------------------------------------------ */

static const struct out_col host_cols[] = {
    {"space", "SPACE", 0},   {"name", "NAME", 0}, {"address", "ADDRESS", 0},
    {"mac", "MAC", 0},       {"source", "SOURCE", 0}, {"kind", "KIND", 0},
    {"expires_at", "EXPIRES", 0}, {"last_seen", "LAST SEEN", 0},
};

static void host_row(void *arg, const struct report_host *h)
{
	struct out *o = arg;
	out_cell(o, js_text(h->space));
	out_cell(o, js_text(h->name));
	out_cell(o, js_addr(&h->addr));
	out_cell(o, js_mac(&h->mac));
	out_cell(o, js_text(h->source));
	out_cell(o, js_text(h->kind));
	out_cell(o, js_time(h->expires_at_s));
	out_cell(o, js_time(h->last_seen_s));
}

static int list_hosts(struct session *s, const struct report_filter *f, struct out *o,
		      struct err *e)
{
	return report_hosts(once_pg(s->once), f, host_row, o, e);
}

/* ---- addresses -------------------------------------------------------------------------- */

static const struct out_col address_cols[] = {
    {"space", "SPACE", 0},           {"address", "ADDRESS", 0}, {"subnet", "SUBNET", 0},
    {"names", "NAMES", 0},           {"mac", "MAC", 0},         {"sources", "SOURCES", 0},
    {"first_seen", NULL, 0},         {"last_seen", "LAST SEEN", 0}, {"note", "NOTE", OUT_WRAP},
};

static void address_row(void *arg, const struct report_address *a)
{
	struct out *o = arg;
	out_cell(o, js_text(a->space));
	out_cell(o, js_addr(&a->addr));
	out_cell(o, js_text(a->subnet));
	out_cell(o, js_lines(a->names));
	out_cell(o, js_mac(&a->mac));
	out_cell(o, js_lines(a->sources));
	out_cell(o, js_time(a->first_seen_s));
	out_cell(o, js_time(a->last_seen_s));
	out_cell(o, js_text(a->note));
}

static int list_addresses(struct session *s, const struct report_filter *f, struct out *o,
			  struct err *e)
{
	return report_addresses(once_pg(s->once), f, address_row, o, e);
}

/* ---- subnets ---------------------------------------------------------------------------- */

static const struct out_col subnet_cols[] = {
    {"space", "SPACE", 0},           {"subnet", "SUBNET", 0},
    {"zones", "ZONES", 0},           {"reverse_zone", "REVERSE ZONE", 0},
    {"addresses", "ADDRESSES", OUT_RIGHT}, {"named", "NAMED", OUT_RIGHT},
    {"last_seen", "LAST SEEN", 0},
};

static json_t *zone_names(const struct policy_subnet *n)
{
	json_t *a = json_array();
	for (size_t i = 0; i < n->n_zones; i++)
		json_array_append_new(a, js_text(n->zones[i]->text));
	return a;
}

static void subnet_row(void *arg, const struct report_subnet *r)
{
	struct out *o = arg;
	const struct policy_zone *reverse = r->subnet->reverse;
	out_cell(o, js_text(r->space));
	out_cell(o, js_prefix(&r->subnet->prefix));
	out_cell(o, zone_names(r->subnet));
	out_cell(o, js_text(reverse != NULL ? reverse->text : NULL));
	out_cell(o, js_num((int64_t)r->addresses));
	out_cell(o, js_num((int64_t)r->named));
	out_cell(o, js_time(r->last_seen_s));
}

static int list_subnets(struct session *s, const struct report_filter *f, struct out *o,
			struct err *e)
{
	return report_subnets(once_pg(s->once), once_policy(s->once), f, subnet_row, o, e);
}

/* ---- zones ------------------------------------------------------------------------------ */

static const struct out_col zone_cols[] = {
    {"space", "SPACE", 0},       {"view", NULL, 0},           {"name", "NAME", 0},
    {"servers", "SERVERS", 0},   {"serial", "SERIAL", OUT_RIGHT},
    {"read_by", "READ BY", 0},   {"pulled_at", NULL, 0},      {"age_s", "AGE", OUT_RIGHT}, {"ours", "OURS", OUT_RIGHT},
    {"agreed", NULL, 0},         {"conflicts", "CONFLICTS", OUT_RIGHT},
    {"refused", "REFUSED", OUT_RIGHT}, {"due", "DUE", OUT_RIGHT},
    {"error", "ERROR", OUT_WRAP},
};

static json_t *age(int64_t at_s)
{
	return at_s == 0 ? json_null() : js_num(clock_wall_s() - at_s);
}

static json_t *server_names(const struct policy_zone *z)
{
	json_t *a = json_array();
	for (size_t i = 0; i < z->n_servers; i++)
		json_array_append_new(a, js_text(z->servers[i]));
	return a;
}

static void zone_row(void *arg, const struct report_zone *z)
{
	struct out *o = arg;
	out_cell(o, js_text(z->space));
	out_cell(o, js_text(z->zone->view));
	out_cell(o, js_text(z->zone->text));
	out_cell(o, server_names(z->zone));
	out_cell(o, z->known || z->asked ? js_num(z->serial) : json_null());
	out_cell(o, js_text(zone_read_by(z->known, z->asked)));
	out_cell(o, js_time(z->pulled_at_s));
	out_cell(o, age(z->pulled_at_s));
	out_cell(o, js_num((int64_t)z->ours));
	out_cell(o, js_num((int64_t)z->agreed));
	out_cell(o, js_num((int64_t)z->conflicts));
	out_cell(o, js_num((int64_t)z->refused));
	out_cell(o, js_num((int64_t)z->due));
	out_cell(o, js_text(z->error));
}

static int list_zones(struct session *s, const struct report_filter *f, struct out *o,
		      struct err *e)
{
	return report_zones(once_pg(s->once), once_policy(s->once), f, zone_row, o, e);
}

/* ---- sources ---------------------------------------------------------------------------- */

static const struct out_col source_cols[] = {
    {"space", "SPACE", 0},     {"name", "NAME", 0},           {"type", "TYPE", 0},
    {"kind", "KIND", 0},       {"rows", "ROWS", OUT_RIGHT},   {"bad", "BAD", OUT_RIGHT},
    {"last_ok", "LAST OK", 0}, {"last_try", NULL, 0},         {"age_s", "AGE", OUT_RIGHT},
    {"error", "ERROR", OUT_WRAP},
};

static void source_row(void *arg, const struct report_source *r)
{
	struct out *o = arg;
	out_cell(o, js_text(r->space));
	out_cell(o, js_text(r->source->name));
	out_cell(o, js_text(r->source->type));
	out_cell(o, js_text(obs_kind_name(r->source->kind)));
	out_cell(o, js_num((int64_t)r->rows));
	out_cell(o, js_num((int64_t)r->bad));
	out_cell(o, js_time(r->last_ok_s));
	out_cell(o, js_time(r->last_try_s));
	out_cell(o, age(r->last_ok_s));
	out_cell(o, js_text(r->error));
}

static int list_sources(struct session *s, const struct report_filter *f, struct out *o,
			struct err *e)
{
	return report_sources(once_pg(s->once), once_policy(s->once), f, source_row, o, e);
}

/* ---- conflicts -------------------------------------------------------------------------- */

static const struct out_col conflict_cols[] = {
    {"space", NULL, 0},      {"view", NULL, 0},         {"zone", NULL, 0},
    {"owner", "OWNER", 0},   {"type", "TYPE", 0},       {"wanted", "WANTED", 0},
    {"published", "PUBLISHED", 0}, {"seen", "SEEN", 0}, {"why", "WHY", OUT_WRAP},
};

/* A CNAME in the way is shown where the address would stand. */
static json_t *seen_values(const struct report_conflict *r)
{
	const struct rr *first;
	if (!r->seen_known)
		return json_null();
	return rrs_of(&r->seen, r->type, &first) > 0 ? js_rrs(&r->seen, r->type)
						     : js_rrs(&r->seen, 0);
}

static void conflict_row(void *arg, const struct report_conflict *r)
{
	struct out *o = arg;
	char type[12];
	out_cell(o, js_text(r->space));
	out_cell(o, js_text(r->zone->view));
	out_cell(o, js_text(r->zone->text));
	out_cell(o, js_name(&r->owner));
	out_cell(o, js_text(rrtype_name(type, r->type)));
	out_cell(o, js_rrs(&r->wanted, r->type));
	out_cell(o, js_rrs(&r->published, r->type));
	out_cell(o, seen_values(r));
	out_cell(o, js_text(r->why));
}

static int list_conflicts(struct session *s, const struct report_filter *f, struct out *o,
			  struct err *e)
{
	return report_conflicts(once_pg(s->once), once_policy(s->once), f, conflict_row, o, e);
}

/* ---- the verb --------------------------------------------------------------------------- */

#define COLS(c) c, sizeof(c) / sizeof(c[0])

static const struct listing {
	const char *name;
	const struct out_col *cols;
	size_t n_cols;
	int (*print)(struct session *s, const struct report_filter *f, struct out *o,
		     struct err *e);
} listings[] = {
    {"hosts", COLS(host_cols), list_hosts},
    {"addresses", COLS(address_cols), list_addresses},
    {"subnets", COLS(subnet_cols), list_subnets},
    {"zones", COLS(zone_cols), list_zones},
    {"sources", COLS(source_cols), list_sources},
    {"conflicts", COLS(conflict_cols), list_conflicts},
};

enum { N_LISTINGS = sizeof(listings) / sizeof(listings[0]) };

static const struct listing *find(const char *name, struct err *e)
{
	const char *names[N_LISTINGS];
	for (size_t i = 0; i < N_LISTINGS; i++) {
		names[i] = listings[i].name;
		if (strcmp(names[i], name) == 0)
			return &listings[i];
	}
	const char *near = cli_nearest(name, names, N_LISTINGS);
	err_set(e, ERR_CONF, "there is no list of \"%s\"", name);
	if (near != NULL)
		err_hint(e, "did you mean \"list %s\"?", near);
	else
		err_hint(e, "usage: ipambridge list %s", verb_find("list")->usage);
	return NULL;
}

int verb_list(struct cli *c)
{
	struct err e = {0};
	AUTO(session_fini) struct session s = {0};
	AUTO(out_freep) struct out *o = NULL;
	const struct listing *l = find(c->arg[0], &e);
	if (l == NULL)
		return cli_fail(&e);
	struct report_filter f = {c->space, c->view};
	if (session_open(&s, c, "list", true, &e) < 0 ||
	    out_open(&o, stdout, c->json, l->cols, l->n_cols, &e) < 0 ||
	    l->print(&s, &f, o, &e) < 0 || out_end(o, &e) < 0)
		return cli_fail(&e);
	return EXIT_DONE;
}
