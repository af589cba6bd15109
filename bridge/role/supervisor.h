/* supervisor.h - starts the processes of the daemon, keeps them running, stops them.
 *
 * Which processes there are follows from the configuration.  They share nothing with the
 * supervisor but a pipe each for signs of life; the supervisor has no session and no key.
 *
 * SIGTERM, SIGINT: everything stops; whatever does not within stop_ms is killed.
 * SIGHUP: the configuration is loaded anew.  A bad one changes nothing but the status and the
 * log; a good one stops all processes and starts those it asks for.
 * A process that ends unasked is started again, with backoff; one that gives no sign of life
 * is killed first.
 */
#ifndef BRIDGE_ROLE_SUPERVISOR_H
#define BRIDGE_ROLE_SUPERVISOR_H

#include "bridge/role/roles.h"

/* The service manager's own patience is longer; a stop as a whole takes less than 2 s. */
enum { SUPERVISOR_STOP_MS = 1500 };

struct supervisor_opts {
	const char *conf_path;
	const struct role *roles;  /* a row without a name ends it */
	const char *only;          /* the name of the one role wanted; NULL: all */
	unsigned verbose;          /* how many -v the processes are given */
	int64_t silent_ms;         /* LIVE_SILENT_MS */
	int64_t stop_ms;           /* SUPERVISOR_STOP_MS */
};

/* Returns 0 when told to stop and everything has ended.  ERR_CONF: the first configuration is
 * bad, or asks for no process.  Once it has begun it does not fail. */
int supervisor_run(const struct supervisor_opts *o, struct err *e);

#endif
