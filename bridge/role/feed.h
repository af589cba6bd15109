/* feed.h - flow_feed on the adapters: opens the source that flow asks for, by its settings. */
#ifndef BRIDGE_ROLE_FEED_H
#define BRIDGE_ROLE_FEED_H

#include "bridge/conf/conf.h"
#include "bridge/flow/flow.h"

struct feed;

/* Borrows the configuration. */
int feed_open(struct feed **out, const struct conf *c, struct err *e);
void feed_close(struct feed *f);
struct flow_feed feed_flow(struct feed *f);

#endif
