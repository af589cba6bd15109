/* addresses.h - every address with evidence, those outside every subnet too. */
#ifndef BRIDGE_REPORT_ADDRESSES_H
#define BRIDGE_REPORT_ADDRESSES_H

#include "bridge/report/report.h"

struct report_address {
	const char *space;
	struct ipaddr addr;
	const char *subnet;       /* NULL: outside every subnet */
	const char *names;        /* one a line, the PTR's first; NULL: none */
	struct mac mac;           /* as the latest sighting has it */
	const char *sources;      /* one a line, best kind first */
	int64_t first_seen_s;
	int64_t last_seen_s;
	const char *note;         /* why it has no name, or what holds it; NULL: nothing to say */
};

typedef void (*report_address_cb)(void *arg, const struct report_address *row);

/* Ordered by space, address. */
int report_addresses(struct pg *pg, const struct report_filter *f, report_address_cb cb,
		     void *arg, struct err *e);

#endif
