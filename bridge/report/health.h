/* health.h - what fails now: sources, zones, name servers, processes of the daemon. */
#ifndef BRIDGE_REPORT_HEALTH_H
#define BRIDGE_REPORT_HEALTH_H

#include "bridge/conf/conf.h"
#include "bridge/report/report.h"

struct report_failing {
	const char *part;    /* "source", "zone", "server", "role" */
	const char *name;    /* "default/dhcp", "ns1", "push:ns1" */
	const char *error;
};

typedef void (*report_failing_cb)(void *arg, const struct report_failing *row);

/* Ordered by part and name; no row: all is well. */
int report_health(struct pg *pg, const struct conf *c, report_failing_cb cb, void *arg,
		  struct err *e);

#endif
