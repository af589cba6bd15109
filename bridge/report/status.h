/* status.h - the whole in one look: sources, name servers, zones, passes, processes, and the
 * verdict in a sentence.
 *
 * Cheap on a million hosts: counts come from indexes of what is not in step, and end at 100000.
 */
#ifndef BRIDGE_REPORT_STATUS_H
#define BRIDGE_REPORT_STATUS_H

#include "bridge/base/buf.h"
#include "bridge/conf/conf.h"
#include "bridge/report/report.h"
#include "bridge/store/live.h"

enum { STATUS_PASSES = 5, STATUS_FIGHTS = 10 };

struct status_source {
	const char *space, *name, *type;
	uint64_t rows;            /* live after the last read */
	uint64_t bad;             /* refused in it */
	int64_t last_ok_s, last_try_s;
	int64_t late_s;           /* older than this is late; 0: nobody reads it regularly */
	const char *error;
};

struct status_zone {
	const char *space, *view, *name;
	const char *server;       /* its first */
	bool known;
	bool asked;               /* its server does not give it; it is asked about single names */
	uint32_t serial;
	int64_t pulled_at_s;
	uint64_t queue, agreed, conflicts, frozen, refused, waits;
	const char *error;
};

struct status_server {
	const char *name;
	const char *state;        /* "ok", "unreachable", "parked"; without a daemon "ok" or "failing", as
				   * its zones were last; NULL: not known */
	struct server_state live; /* name NULL: no daemon sends to it */
	uint64_t queue;           /* of its zones */
	const char *error;
};

/* A name that somebody keeps undoing. */
struct status_fight {
	const char *space, *view, *zone, *owner;
	const char *wrote;        /* by us, as text of a set (rr.h) */
	const char *seen;         /* what the other writer left */
	uint64_t reverts;
	int64_t removed_at_s;     /* the last time */
	const char *why;          /* both writers, as well as they are known */
};

/* Everything lives in the arena, or in the configuration. */
struct report_status {
	int64_t now_s;
	struct status_source *sources;
	size_t n_sources;
	struct status_server *servers;
	size_t n_servers;
	struct status_zone *zones;
	size_t n_zones;
	struct status_fight *fights;  /* the latest STATUS_FIGHTS, newest first */
	size_t n_fights;
	struct role_state *roles;
	size_t n_roles;
	struct pass_row *passes;  /* newest first */
	size_t n_passes;
	const struct err *closed; /* why nothing is sent to any server; the caller's, NULL: it is */
	uint64_t held;
	int64_t pass_late_s;      /* without a daemon, an older last pass is a trouble */
};

/* The policy has its ids. */
int report_status(struct report_status *out, struct arena *a, struct pg *pg, const struct conf *c,
		  const struct policy *p, const struct report_filter *f, int64_t now_s,
		  struct err *e);

/* "all in step", or the loudest trouble and how many more there are.  Returns how many. */
unsigned status_verdict(struct buf *out, const struct report_status *s);
/* Was its sign of life lately enough? */
bool status_role_silent(const struct report_status *s, const struct role_state *r);

#endif
