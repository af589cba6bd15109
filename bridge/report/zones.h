/* zones.h - the configured zones: what we know of them and how old that is. */
#ifndef BRIDGE_REPORT_ZONES_H
#define BRIDGE_REPORT_ZONES_H

#include "bridge/report/report.h"

struct report_zone {
	const char *space;
	const struct policy_zone *zone;
	bool known;               /* transferred whole */
	bool asked;               /* its server does not give it; it is asked about single names */
	uint32_t serial;          /* when it was last read */
	int64_t pulled_at_s;
	int64_t full_at_s;
	uint64_t ours;            /* owners with something of ours in DNS */
	uint64_t agreed;
	uint64_t conflicts;       /* frozen ones too */
	uint64_t refused;
	uint64_t due;             /* waiting ones too */
	const char *error;
};

typedef void (*report_zone_cb)(void *arg, const struct report_zone *row);

/* "transfer", "queries", or NULL: not at all yet. */
const char *zone_read_by(bool known, bool asked);

/* In the order of the configuration, space by space. */
int report_zones(struct pg *pg, const struct policy *p, const struct report_filter *f,
		 report_zone_cb cb, void *arg, struct err *e);

#endif
