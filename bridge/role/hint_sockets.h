/* hint_sockets.h - where NOTIFY messages come in: UDP, and TCP because Knot sends them by it.
 *
 * One message, one answer, nothing kept.  TCP is for known addresses only, a few connections at a
 * time and HINT_TCP_MS each; when all are taken the oldest goes.
 */
#ifndef BRIDGE_ROLE_HINT_SOCKETS_H
#define BRIDGE_ROLE_HINT_SOCKETS_H

#include "bridge/base/buf.h"
#include "bridge/conf/conf.h"

enum { HINT_TCP_MS = 5000, HINT_TCP_MAX = 8 };

struct hint_handler {
	void *arg;
	/* May this address connect? */
	bool (*knows)(void *arg, const struct ipaddr *from);
	/* A message; what is appended to answer goes back, nothing: silence. */
	void (*take)(void *arg, const struct ipaddr *from, const uint8_t *p, size_t len,
		     struct buf *answer);
};

struct hint_sockets;

int hint_sockets_open(struct hint_sockets **out, const struct conf_endpoint *at,
		      const struct hint_handler *h, struct err *e);
void hint_sockets_close(struct hint_sockets *s);
/* Waits until something comes or fd is readable, at most ms, and hands over what has come, at most
 * some hundred messages. */
void hint_sockets_turn(struct hint_sockets *s, int fd, int64_t ms);

#endif
