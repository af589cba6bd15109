/* hosts.h - names and addresses: one row per name of an address. */
#ifndef BRIDGE_REPORT_HOSTS_H
#define BRIDGE_REPORT_HOSTS_H

#include "bridge/report/report.h"

struct report_host {
	const char *space;
	const char *name;         /* without final dot; NULL: seen, but nobody names it */
	struct ipaddr addr;
	struct mac mac;
	const char *source;
	const char *kind;
	int64_t expires_at_s;     /* 0: does not end by the clock */
	int64_t last_seen_s;
};

typedef void (*report_host_cb)(void *arg, const struct report_host *row);

/* Ordered by space, address, name. */
int report_hosts(struct pg *pg, const struct report_filter *f, report_host_cb cb, void *arg,
		 struct err *e);

#endif
