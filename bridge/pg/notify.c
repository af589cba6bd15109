/* notify.c - what other sessions tell this one (LISTEN), waited for with a deadline. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/pg/session.h"

/* One that has come already. */
static bool next(struct pg *p, char *payload, size_t size)
{
	PGnotify *n = PQnotifies(p->c);

	if (n == NULL)
		return false;
	snprintf(payload, size, "%s", n->extra);
	PQfreemem(n);
	return true;
}

/* Waits for the session or the other descriptor.  1: the session has something to read. */
static int wait_for(struct pg *p, int other_fd, int64_t until_ms)
{
	struct pollfd v[2] = {{.fd = PQsocket(p->c), .events = POLLIN},
			      {.fd = other_fd, .events = POLLIN}};
	int64_t left_ms = until_ms - clock_mono_ms();
	int n;

	if (left_ms > INT32_MAX)
		left_ms = INT32_MAX;
	n = poll(v, other_fd >= 0 ? 2 : 1, left_ms < 0 ? 0 : (int)left_ms);
	return n > 0 && v[0].revents != 0;
}

int pg_wait_notify(struct pg *p, int other_fd, int64_t until_ms, char *payload, size_t size,
		   struct err *e)
{
	if (p->c == NULL)
		return pg_start(p, e);
	if (next(p, payload, size))
		return 1;
	if (!wait_for(p, other_fd, until_ms))
		return 0;
	if (!PQconsumeInput(p->c))
		return pg_lose(p, ERR_SYS, e, "the database closed the session");
	return next(p, payload, size);
}
