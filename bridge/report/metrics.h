/* metrics.h - what Prometheus is told: one row a metric, filled by one statement each.
 *
 * Cheap on a million hosts: no statement reads observations, hosts, owners or the journal from
 * end to end.  Labels name what the configuration names, and never a host.
 */
#ifndef BRIDGE_REPORT_METRICS_H
#define BRIDGE_REPORT_METRICS_H

#include "bridge/base/buf.h"
#include "bridge/report/report.h"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_SUMMARY };

enum { METRIC_LABELS_MAX = 5 };

struct metric {
	const char *name;        /* NULL ends the table */
	enum metric_type type;
	const char *help;
	/* Columns: the texts of the labels, then the value as bigint.  A summary gives its count
	 * and then its sum in milliseconds. */
	const char *sql;
	const char *labels[METRIC_LABELS_MAX];  /* in the order of the columns; NULL after the last */
	bool by_server;          /* columns 0 to 2 are space, view, zone: the zone's server is added */
};

extern const struct metric metrics[];

/* Text exposition format 0.0.4, one "# HELP", one "# TYPE" and the samples of each metric.
 * The policy needs no ids.  No statement begins after the monotonic instant; then ERR_BUSY. */
int report_metrics(struct buf *out, struct pg *pg, const struct policy *p, int64_t until_ms,
		   struct err *e);

/* One sample's label, quoted and escaped: after "{" or ",". */
void metric_label(struct buf *out, const char *name, const char *value);

#endif
