/* wire.h - flow_net on real servers: one connection per server for updates, kept and pipelined;
 * transfers and queries on connections of their own.
 *
 * Key files are read when a server is first used, so that a command which only reads the
 * database needs no right to them.
 */
#ifndef BRIDGE_ROLE_WIRE_H
#define BRIDGE_ROLE_WIRE_H

#include "bridge/conf/conf.h"
#include "bridge/flow/net.h"

struct wire;

/* Borrows the configuration. */
int wire_open(struct wire **out, const struct conf *c, struct err *e);
void wire_close(struct wire *w);
struct flow_net wire_flow(struct wire *w);
/* A run begins: no exchange or transfer waits beyond this monotonic instant, and every server may
 * be asked again. */
void wire_begin(struct wire *w, int64_t deadline_ms);

#endif
