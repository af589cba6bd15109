/* once.h - one command's sessions: configuration, database, servers, adapters, bound to flow.
 *
 * Borrows the configuration, which must outlive it.  Servers and sources are opened when flow
 * first asks for them.
 */
#ifndef BRIDGE_ROLE_ONCE_H
#define BRIDGE_ROLE_ONCE_H

#include "bridge/conf/conf.h"
#include "bridge/flow/flow.h"
#include "bridge/pg/pg.h"
#include "bridge/store/store.h"

struct once; /* one command's sessions: configuration, database, servers, adapters, bound to flow */

/* Connects to the database, syncs policy.  look: inside one transaction that is never committed,
 * for commands that change nothing; the others hold the policy (store_hold_policy) until they
 * close. */
int once_open(struct once **out, const struct conf *c, const char *role, bool look,
	      struct err *e);
/* A new run of a process that makes many: its own time, nothing held against servers that did not
 * answer in the last one. */
void once_begin(struct once *o, int64_t timeout_s);
void once_close(struct once *o);
void once_closep(struct once **o);
/* Has the database lost what the state directory knows of it (mark.h)?  Then nothing is sent:
 * flow->closed.  Done by once_open; again, where a person may have decided meanwhile. */
int once_check_mark(struct once *o, struct err *e);
/* What the database holds now is not to be lost unnoticed.  Nothing happens while it is closed. */
int once_keep_mark(struct once *o, struct err *e);
struct flow *once_flow(struct once *o);
struct flow_feed *once_feed(struct once *o);
struct store *once_store(struct once *o);
struct pg *once_pg(struct once *o);
const struct policy *once_policy(struct once *o);

#endif
