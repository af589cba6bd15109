/* memstore.h - flow_store in memory, with true transactions, several sessions, and a crash at any
 * call.
 *
 * Rows never change once written; a table is a sorted array of pointers to rows.  Each session sees
 * what is committed and its own writes, as a database in READ COMMITTED shows it.  Memory only
 * grows until memstore_free: a store lives for one test.
 *
 * It is strict where a database would be: rows of unknown sources or zones, a begin inside a
 * transaction, any call after one that failed, are ERR_BUG.
 */
#ifndef TESTS_SIM_MEMSTORE_H
#define TESTS_SIM_MEMSTORE_H

#include "bridge/flow/store.h"

enum { MEMSTORE_SESSIONS = 2 };

/* One session. */
struct memstore;

/* Borrows the policy, whose ids must be set: it says which sources and zones exist and which
 * space a source belongs to.  NULL: no memory. */
struct memstore *memstore_new(const struct policy *p);
/* Another session of the same store; NULL: no memory. */
struct memstore *memstore_beside(struct memstore *m);
/* The store goes with its last session. */
void memstore_free(struct memstore *m);
/* pause: called at every call of any session, before it acts.  wait: m needs a lock that other
 * holds; returns 0 once it may try again, negative when that will never be. */
void memstore_together(struct memstore *m, void (*pause)(void *arg),
		       int (*wait)(void *arg, struct memstore *m, struct memstore *other),
		       void *arg);
struct flow_store memstore_flow(struct memstore *m);

/* The n-th call from now (1: the next) of any function of the table, rollback left out, answers
 * ERR_SYS "crashed", and so does every later one until memstore_restart.  0: no crash.
 * When that call is the commit, commit_applied says whether its work was kept. */
void memstore_crash_at(struct memstore *m, uint64_t n);
void memstore_crash_commit(struct memstore *m, bool commit_applied);
bool memstore_crashed(const struct memstore *m);
/* A new session: uncommitted work and the stage are gone, what was committed stays. */
void memstore_restart(struct memstore *m);

bool memstore_in_tx(const struct memstore *m);
uint64_t memstore_calls(const struct memstore *m);

/* Everything between dry_begin and dry_end is forgotten, commits included. */
int memstore_dry_begin(struct memstore *m, struct err *e);
void memstore_dry_end(struct memstore *m);

/* What is kept, as text, for comparing and for people: evidence, hosts and beliefs; times that
 * move with every pass are left out. */
void memstore_dump(const struct memstore *m, struct buf *out);
/* What is committed of an owner, without a call being made.  *out: borrowed, as it was when there is
 * no row. */
void memstore_belief(const struct memstore *m, struct belief *out, int32_t zone_id,
		     const struct dname *owner);
size_t memstore_journal_n(const struct memstore *m);
/* Borrowed until memstore_free. */
const struct journal_line *memstore_journal_at(const struct memstore *m, size_t i);

#endif
