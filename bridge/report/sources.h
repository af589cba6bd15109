/* sources.h - the sources: their age, their size, their last error. */
#ifndef BRIDGE_REPORT_SOURCES_H
#define BRIDGE_REPORT_SOURCES_H

#include "bridge/report/report.h"

struct report_source {
	const char *space;
	const struct policy_source *source;
	uint64_t rows;            /* live observations */
	uint64_t bad;             /* records refused in the last read */
	int64_t last_ok_s;
	int64_t last_try_s;
	const char *error;
};

typedef void (*report_source_cb)(void *arg, const struct report_source *row);

/* In the order of the configuration, space by space, then "manual" and "dns". */
int report_sources(struct pg *pg, const struct policy *p, const struct report_filter *f,
		   report_source_cb cb, void *arg, struct err *e);

#endif
