/* live.h - one long-running process: its configuration, the order to stop, the sign of life.
 *
 * Every role of the daemon is a loop around these calls:
 *
 *	while (!live_stopped(l)) {
 *		live_alive(l, "3 owners waiting");
 *		... a turn, each call with its deadline ...
 *		live_wait(l, 1000);
 *	}
 *
 * SIGTERM and SIGINT are blocked and kept in a descriptor: no call is ever interrupted, and
 * whoever waits for something else too puts live_fd into its poll set.  SIGHUP is ignored: the
 * supervisor starts its roles anew when the configuration changes.
 *
 * The supervisor kills a process that gives no sign of life for LIVE_SILENT_MS.  Without a
 * supervisor the signs go nowhere.
 */
#ifndef BRIDGE_ROLE_LIVE_H
#define BRIDGE_ROLE_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/base/err.h"
#include "bridge/conf/conf.h"

enum {
	LIVE_SILENT_MS = 60000,  /* this long without a sign of life, or what it asked for: hung */
	LIVE_TEXT_MAX = 200,     /* bytes of a status text; more is cut off */
};

/* Names in the environment the descriptor for signs of life: a pipe to the supervisor. */
#define LIVE_ENV "IPAMBRIDGE_ALIVE_FD"

struct live {
	const char *path;        /* of the configuration, as -c gave it; borrowed */
	struct conf *conf;       /* owned */
	const char *role;        /* "ingest"; borrowed */
	const char *of;          /* what stands after the colon, "lab/dhcp"; NULL: nothing; borrowed */
	int stop_fd;             /* signalfd, never read: stays readable once told to stop */
	int alive_fd;            /* -1: no supervisor */
	int64_t said_ms;         /* monotonic, of the last sign; 0: none yet */
	int64_t busy_ms;         /* what the last sign asked for */
	char said[LIVE_TEXT_MAX + 1];
};

/* Loads the configuration and takes the signals.  ERR_CONF: text starts with "FILE:LINE: ". */
int live_open(struct live *l, const char *path, const char *role, const char *of, struct err *e);
void live_close(struct live *l);

/* Told to stop: finish the turn and return 0.  Stays true. */
bool live_stopped(const struct live *l);
/* A descriptor that becomes readable when told to stop, for poll sets.  Do not read it. */
int live_fd(const struct live *l);
/* Waits ms, or less when told to stop.  Answers live_stopped.  Any length is a proper wait:
 * signs of life are given meanwhile. */
bool live_wait(struct live *l, int64_t ms);

/* The loop turns, and this is what it does, in a few words for people ("idle", "pulling
 * lab.example").  Text may come from outside.  Cheap when the text is as before: it is sent
 * once a second at most. */
void live_alive(struct live *l, const char *text);
/* As live_alive, before a call with a deadline of its own: the loop may stand still for up to
 * ms (plus LIVE_SILENT_MS) before it counts as hung. */
void live_busy(struct live *l, int64_t ms, const char *text);

/* One sign of life as the pipe carries it: "MS TEXT\n", MS as live_busy takes it, at most a day.
 * Reads the last whole one of the n bytes; text has LIVE_TEXT_MAX + 1 bytes, printable ones.
 * False: none, or the last makes no sense. */
bool live_sign_read(const char *p, size_t n, int64_t *busy_ms, char *text);

#endif
