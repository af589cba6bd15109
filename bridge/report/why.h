/* why.h - everything that led to a name or an address: sightings and decisions. */
#ifndef BRIDGE_REPORT_WHY_H
#define BRIDGE_REPORT_WHY_H

#include "bridge/report/report.h"

/* One source's evidence about an address. */
struct report_sighting {
	const char *space;
	struct ipaddr addr;
	const char *source;
	const char *kind;
	struct bytes name;        /* as received */
	struct mac mac;
	struct bytes client_id;
	struct bytes duid;
	struct bytes dhcid;       /* RDATA, as the source gives it */
	struct bytes raw;         /* the source's own words */
	uint32_t ttl_s;           /* 0: not asked for */
	bool ptr;
	int64_t first_seen_s;
	int64_t last_seen_s;
	int64_t valid_until_s;    /* 0: not by the clock */
	int64_t absent_since_s;
	bool held;
};

/* What was decided for an address: rule and reason. */
struct report_decision {
	const char *space;
	struct ipaddr addr;
	struct dname name;        /* len 0: no name */
	struct dname asked;
	bool ptr;
	const char *kind;
	const char *source;
	int64_t since_s;
	int64_t expires_at_s;
	const char *why;
};

struct report_subject {
	const struct ipaddr *addrs;
	size_t n_addrs;
	const struct dname *names;
	size_t n_names;
};

typedef void (*report_sighting_cb)(void *arg, const struct report_sighting *row);
typedef void (*report_decision_cb)(void *arg, const struct report_decision *row);

/* Ordered by space, address, kind, source. */
int report_sightings(struct pg *pg, const struct report_filter *f, const struct ipaddr *addrs,
		     size_t n, report_sighting_cb cb, void *arg, struct err *e);
/* Decisions about these addresses and names, ordered by space, address, name. */
int report_decisions(struct pg *pg, const struct report_filter *f,
		     const struct report_subject *s, report_decision_cb cb, void *arg,
		     struct err *e);
/* Its three parameters: space, addresses, names. */
int report_subject_args(struct pg_args *a, const struct report_filter *f,
			const struct report_subject *s, struct err *e);

/* Manual records of a space whose name's first label, after the naming rule, is this: whoever
 * asks applies the whole rule. */
int report_manual(struct pg *pg, int32_t source_id, const char *label, report_sighting_cb cb,
		  void *arg, struct err *e);

#endif
