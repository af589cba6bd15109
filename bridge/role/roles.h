/* roles.h - what the processes of the daemon are, as rows.
 *
 * A role runs until it is told to stop (0) or cannot go on (negative; the supervisor starts it
 * again later).  It opens its own sessions, and on an error of the database closes them, waits
 * longer each time (live_wait) and opens them again.
 */
#ifndef BRIDGE_ROLE_ROLES_H
#define BRIDGE_ROLE_ROLES_H

#include "bridge/role/live.h"

int role_ingest(struct live *l, struct err *e);  /* of: SPACE/SOURCE */
int role_push(struct live *l, struct err *e);    /* of: a server, with all zones it is first of */
int role_sync(struct live *l, struct err *e);
int role_http(struct live *l, struct err *e);

#endif
