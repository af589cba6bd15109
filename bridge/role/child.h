/* child.h - one process of the daemon as its supervisor sees it: started, heard, stopped, ended.
 *
 * A child is this program again, "ipambridge -c FILE serve --role ROLE:OF".  It dies with its
 * supervisor, whatever kills that.
 */
#ifndef BRIDGE_ROLE_CHILD_H
#define BRIDGE_ROLE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bridge/base/err.h"
#include "bridge/role/backoff.h"
#include "bridge/role/live.h"

enum { CHILD_NEVER = 0 };

struct child {
	char *name;              /* "ingest lab/dhcp"; owned */
	char *role;              /* "ingest:lab/dhcp", the argument; owned */
	pid_t pid;               /* 0: not running */
	int sign_fd;             /* our end of the pipe; -1 when not running */
	int64_t started_ms;      /* monotonic, all of them */
	int64_t start_at_ms;     /* when not running: not before */
	int64_t heard_ms;        /* its last sign, or its start */
	int64_t hung_at_ms;      /* when no sign comes until then */
	int64_t kill_at_ms;      /* told to stop, killed then; CHILD_NEVER: not told */
	bool hung;               /* killed for its silence */
	bool reported;           /* has given a sign or ended, once */
	struct backoff backoff;
	char text[LIVE_TEXT_MAX + 1];  /* its last sign, printable; "" before the first */
};

/* of: "" for a role there is one of. */
int child_init(struct child *c, const char *role, const char *of, struct err *e);
/* The process must have ended. */
void child_fini(struct child *c);

/* verbose: how many -v it is given.  silent_ms: how long it may be silent beyond what it asks
 * for.  A child that could not be started has start_at_ms in the future. */
void child_start(struct child *c, const char *conf_path, unsigned verbose, int64_t now_ms,
		 int64_t silent_ms);
/* Reads what the pipe holds. */
void child_hear(struct child *c, int64_t now_ms, int64_t silent_ms);
/* SIGTERM now, SIGKILL patience_ms later by child_tend.  Once is enough. */
void child_stop(struct child *c, int64_t now_ms, int64_t patience_ms);
/* Kills what is hung or did not stop in time. */
void child_tend(struct child *c, int64_t now_ms);
/* Has ended with this status of waitpid(2): says so, and when it may start again. */
void child_ended(struct child *c, int status, int64_t now_ms);
/* The next instant at which child_tend, or child_start, has something to do. */
int64_t child_next_ms(const struct child *c);

#endif
