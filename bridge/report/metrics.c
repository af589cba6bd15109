/* metrics.c - see metrics.h. */

#include "bridge/report/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/base/own.h"
#include "bridge/core/outcome.h"
#include "sql.h"

#define ZONE "space", "view", "zone"

const struct metric metrics[] = {
    {"ipambridge_build_info", METRIC_GAUGE, "Version of the program.",
     "select '" VERSION "', 1::bigint", {"version"}, false},
    {"ipambridge_reconcile_last_success_timestamp_seconds", METRIC_GAUGE,
     "When the last pass came to its end, whether of reconcile or of the daemon.", sql_metric_reconcile_ok, {NULL}, false},
    {"ipambridge_reconcile_last_duration_seconds", METRIC_GAUGE,
     "How long that pass took.", sql_metric_reconcile_seconds, {NULL}, false},
    {"ipambridge_source_last_success_timestamp_seconds", METRIC_GAUGE,
     "When the source was last read without an error.", sql_metric_source_ok,
     {"space", "source"}, false},
    {"ipambridge_source_failing", METRIC_GAUGE, "1: the last read of the source failed.",
     sql_metric_source_failing, {"space", "source"}, false},
    {"ipambridge_source_leases", METRIC_GAUGE,
     "Records of the last read, by state: live ones are kept, refused ones could not be taken.",
     sql_metric_source_leases, {"space", "source", "state"}, false},
    {"ipambridge_zone_last_pull_timestamp_seconds", METRIC_GAUGE,
     "When what is kept of the zone was last known to equal the server.",
     sql_metric_zone_pulled, {ZONE}, true},
    {"ipambridge_zone_asked", METRIC_GAUGE,
     "1: the server does not give the zone, it is asked about single names.",
     sql_metric_zone_asked, {ZONE}, true},
    {"ipambridge_zone_last_notify_timestamp_seconds", METRIC_GAUGE,
     "When the zone was last looked at because its server sent NOTIFY.",
     sql_metric_zone_hinted, {ZONE}, true},
    {"ipambridge_drift_records", METRIC_GAUGE,
     "Owner names that DNS does not show as wanted, or not as ours, by kind; counting ends at "
     "100000.", sql_metric_drift, {ZONE, "kind"}, true},
    {"ipambridge_held_records", METRIC_GAUGE,
     "Observations whose end or change the brake holds; counting ends at 100000.",
     sql_metric_held, {NULL}, false},
    {"ipambridge_queue_depth", METRIC_GAUGE,
     "Owner names that wait to be sent; counting ends at 100000 for each zone.",
     sql_metric_queue, {ZONE}, true},
    {"ipambridge_queue_oldest_timestamp_seconds", METRIC_GAUGE,
     "Since when the first of the names for this server waits.", sql_metric_server_oldest,
     {"server"}, false},
    {"ipambridge_dns_updates_total", METRIC_COUNTER,
     "Changes of one owner name that were sent, by the server's answer; none: there was none.",
     sql_metric_updates, {ZONE, "rcode"}, true},
    {"ipambridge_dns_update_duration_seconds", METRIC_SUMMARY,
     "From sending a message to its answer.", sql_metric_update_duration, {"server"}, false},
    {"ipambridge_dns_messages_in_flight", METRIC_GAUGE,
     "Messages that were sent and not yet answered.", sql_metric_server_in_flight, {"server"},
     false},
    {"ipambridge_server_up", METRIC_GAUGE,
     "1: the server answers and takes updates. 0: unreachable or parked.",
     sql_metric_server_up, {"server"}, false},
    {"ipambridge_journal_lines_total", METRIC_COUNTER, "Lines ever written to the journal.",
     sql_metric_events, {"event"}, false},
    {"ipambridge_role_alive_timestamp_seconds", METRIC_GAUGE,
     "Last sign of life of a process of the daemon.", sql_metric_roles, {"role", "of"}, false},
    {"ipambridge_database_rows", METRIC_GAUGE,
     "Rows of the large tables, as the database's planner believes (approximate).",
     sql_metric_rows, {"table"}, false},
    {NULL, METRIC_GAUGE, NULL, NULL, {NULL}, false},
};

static const char *const type_names[] = {
    [METRIC_GAUGE] = "gauge", [METRIC_COUNTER] = "counter", [METRIC_SUMMARY] = "summary"};

void metric_label(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s=\"", name);
	for (const char *s = value; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_printf(out, "\\%c", *s);
		else if (*s >= 0x20 && *s < 0x7f)
			buf_chr(out, *s);
		else  /* the format itself knows no \x */
			buf_printf(out, "\\\\x%02x", (unsigned char)*s);
	}
	buf_chr(out, '"');
}

static bool is_zone(const struct policy_zone *z, const struct dname *name, const char *view)
{
	return z != NULL && dname_equal(&z->name, name) && strcmp(z->view, view) == 0;
}

static const struct policy_zone *find_zone(const struct policy_space *s, const struct dname *name,
					   const char *view)
{
	/* The index knows one view of each. */
	for (int reverse = 0; reverse < 2; reverse++) {
		const struct policy_zone *z = policy_zone_of(s, name, reverse == 1);
		if (is_zone(z, name, view))
			return z;
	}
	for (size_t i = 0; i < s->n_zones; i++) {
		if (is_zone(&s->zones[i], name, view))
			return &s->zones[i];
	}
	return NULL;
}

static const char *server_of(const struct policy *p, const struct pg_rows *r, size_t row)
{
	const struct policy_space *s = policy_space_by_name(p, pg_text(r, row, 0));
	const char *text = pg_text(r, row, 2);
	struct dname name;
	if (s == NULL || !dname_parse(&name, text, strlen(text)))
		return NULL;
	const struct policy_zone *z = find_zone(s, &name, pg_text(r, row, 1));
	return z != NULL && z->n_servers > 0 ? z->servers[0] : NULL;
}

static const char *label_text(const char *name, const char *value)
{
	if (strcmp(name, "rcode") != 0 || *value < '0' || *value > '9')
		return value;
	unsigned long rcode = strtoul(value, NULL, 10);
	return rcode <= RCODE_NOTZONE ? rcode_name((unsigned)rcode) : value;
}

static int put_labels(struct buf *out, const struct metric *m, const struct policy *p,
		      const struct pg_rows *r, size_t row)
{
	const char *server = m->by_server ? server_of(p, r, row) : NULL;
	int n = 0;
	char before = '{';
	if (server != NULL) {
		buf_chr(out, before);
		metric_label(out, "server", server);
		before = ',';
	}
	for (; n < METRIC_LABELS_MAX && m->labels[n] != NULL; n++) {
		buf_chr(out, before);
		metric_label(out, m->labels[n], label_text(m->labels[n], pg_text(r, row, n)));
		before = ',';
	}
	if (before == ',')
		buf_chr(out, '}');
	return n;
}

static void put_sample(struct buf *out, const struct metric *m, const struct policy *p,
		       const struct pg_rows *r, size_t row)
{
	const char *suffix = m->type == METRIC_SUMMARY ? "_count" : "";
	buf_printf(out, "%s%s", m->name, suffix);
	int at = put_labels(out, m, p, r, row);
	buf_printf(out, " %" PRId64 "\n", pg_i64(r, row, at));
	if (m->type != METRIC_SUMMARY)
		return;
	int64_t ms = pg_i64(r, row, at + 1);
	buf_printf(out, "%s_sum", m->name);
	put_labels(out, m, p, r, row);
	buf_printf(out, " %" PRId64 ".%03d\n", ms / 1000, (int)(ms % 1000));
}

static int put_metric(struct buf *out, const struct metric *m, struct pg *pg,
		      const struct policy *p, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	int rc = pg_query(&r, pg, m->sql, NULL, e);
	if (rc < 0)
		return err_in(e, rc, "metric \"%s\"", m->name);
	if (pg_rows_n(r) == 0)
		return 0;
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name,
		   type_names[m->type]);
	for (size_t i = 0; i < pg_rows_n(r); i++)
		put_sample(out, m, p, r, i);
	return 0;
}

int report_metrics(struct buf *out, struct pg *pg, const struct policy *p, int64_t until_ms,
		   struct err *e)
{
	for (const struct metric *m = metrics; m->name != NULL; m++) {
		if (clock_mono_ms() >= until_ms)
			return err_set(e, ERR_BUSY, "the database is too slow for metrics");
		int rc = put_metric(out, m, pg, p, e);
		if (rc < 0)
			return rc;
	}
	return out->bad ? err_nomem(e) : 0;
}
