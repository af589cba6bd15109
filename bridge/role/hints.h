/* hints.h - NOTIFY messages (RFC 1996) of our name servers, as hints which zones to look at.
 *
 * A hint makes a look come early and says nothing else: whoever forges one costs us a look.  Taken are
 * messages from addresses of the configured servers, unsigned, or signed with one of the server's
 * keys.  A zone is looked at for hints at most once a second, and never more than a tenth of the
 * time, however many come.
 */
#ifndef BRIDGE_ROLE_HINTS_H
#define BRIDGE_ROLE_HINTS_H

#include "bridge/role/live.h"

struct hints;

/* Listens where the configuration says, which is borrowed; *out NULL: nowhere. */
int hints_open(struct hints **out, const struct conf *c, struct err *e);
void hints_close(struct hints *h);
/* Waits until told to stop or until a zone is to be looked at, at most ms.  Messages are answered
 * meanwhile.  h NULL: waits. */
void hints_wait(struct hints *h, struct live *l, int64_t ms);
/* The look at this zone did not show all: it is looked at again. */
void hints_again(struct hints *h, int zone);
/* The next zone to be looked at now, as its place among the zones of the policy, space by space; -1:
 * none.  It has been looked at when this is called again. */
int hints_next(struct hints *h);

#endif
