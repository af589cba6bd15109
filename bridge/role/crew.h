/* crew.h - a configuration with the processes it asks for. */
#ifndef BRIDGE_ROLE_CREW_H
#define BRIDGE_ROLE_CREW_H

#include <poll.h>

#include "bridge/base/vec.h"
#include "bridge/role/child.h"
#include "bridge/role/roles.h"

struct crew {
	struct conf *conf;
	VEC(struct child) kids;
	struct pollfd *polls;  /* room for one more than there are kids */
};

/* Loads the configuration and lists its processes; none is started.  only: the name of the one
 * role wanted, NULL: all.  ERR_CONF: the file is bad, or asks for no process. */
int crew_load(struct crew *c, const char *conf_path, const struct role *table, const char *only,
	      struct err *e);
/* All must have ended.  A crew of zeros is fine. */
void crew_fini(struct crew *c);
void crew_stop(struct crew *c, int64_t now_ms, int64_t patience_ms);
bool crew_ended(const struct crew *c);
bool crew_reported(const struct crew *c);
/* The child that is this process; NULL: none. */
struct child *crew_find(struct crew *c, pid_t pid);
/* One line for people, at most about 1,500 bytes: how many run, which are down and why, what
 * the others do.  Trouble stands first, because a reader may cut the line off.  before: goes in
 * front of the troubles, "" for nothing. */
void crew_print(struct buf *out, const struct crew *c, const char *before);
/* Waits until fd or a child has something to read, at most ms. */
void crew_poll(struct crew *c, int fd, int64_t ms);

#endif
