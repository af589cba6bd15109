/* roles.h - what the processes of the daemon are, as rows.
 *
 * A role runs until it is told to stop (0) or cannot go on (negative; the supervisor starts it
 * again later).  It opens its own sessions, and on an error of the database closes them, waits
 * longer each time (live_wait) and opens them again.
 */
#ifndef BRIDGE_ROLE_ROLES_H
#define BRIDGE_ROLE_ROLES_H

#include <stdbool.h>
#include <stddef.h>

#include "bridge/base/buf.h"
#include "bridge/role/live.h"

enum role_each { ROLE_ONCE, ROLE_PER_SOURCE, ROLE_PER_SERVER, ROLE_IF_HTTP };

struct role {
	const char *name;     /* NULL ends a table */
	enum role_each each;  /* a process of its own for each of these */
	bool keys;            /* reads key files; the other roles are denied them */
	int (*run)(struct live *l, struct err *e);
};

extern const struct role role_table[];

/* Becomes the process of a role: loads the configuration, confines itself, runs.  of: as role_of
 * prints it.  0 when told to stop.  ERR_CONF: the configuration is bad or has no such place. */
int role_run(const struct role *r, const char *conf_path, const char *of, struct err *e);

/* NULL: no such role. */
const struct role *role_find(const struct role *table, const char *name);

/* How many places the configuration has for processes of this role. */
size_t role_places(const struct role *r, const struct conf *c);
/* What the process at place i is for, as it stands after the colon: "lab/dhcp" for a source,
 * "ns1" for a server, "" for a role there is one of.  False: no process there (a server that
 * no zone names first).  The buffer is emptied first. */
bool role_of(struct buf *of, const struct role *r, const struct conf *c, size_t i);

int role_ingest(struct live *l, struct err *e);  /* of: SPACE/SOURCE */
int role_push(struct live *l, struct err *e);    /* of: a server, with all zones it is first of */
int role_sync(struct live *l, struct err *e);
int role_http(struct live *l, struct err *e);

#endif
