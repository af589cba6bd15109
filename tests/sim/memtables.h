/* memtables.h - the inside of memstore, shared by its files and by nobody else. */
#ifndef TESTS_SIM_MEMTABLES_H
#define TESTS_SIM_MEMTABLES_H

#include "bridge/base/vec.h"
#include "tests/sim/memrows.h"
#include "tests/sim/memstore.h"

enum { T_EVIDENCE, T_HOST, T_BELIEF, T_SOURCE, T_ZONE, T_BRAKE, T_DIGEST, T_JOURNAL,
       T_STAGE, T_DIFF,  /* of one session alone */
       N_TABLES };

struct ev_row {
	int32_t space_id;
	struct evidence e;
};

struct host_row {
	int32_t space_id;
	struct host h;
};

struct brake_row {
	int32_t zone_id, source_id;
	struct brake b;
};

struct line_row {
	size_t no;
	struct journal_line line;
};

struct diff_row {
	size_t no;
	struct obs_change c;
};

struct digest_row {
	int32_t space_id;
	uint64_t digest;
};

struct tables {
	struct table t[N_TABLES];
	int32_t stage_source;  /* 0: no stage */
	size_t diff_next;
};

/* One change of a transaction, or a row that it only locks. */
struct mem_write {
	uint8_t table;
	enum { MEM_PUT, MEM_DEL, MEM_LOCK } what;
	void *row;
};

enum { MEM_ZONES = 64, MEM_SPACES = 8 };

struct memstore;

/* What the sessions share: what is committed, and who holds which lock. */
struct membase {
	const struct policy *policy;
	struct arena rows;
	struct table committed[N_TABLES];
	struct memstore *session[MEMSTORE_SESSIONS];
	size_t n_sessions;
	uint64_t tx_no;        /* of the youngest transaction that wrote */
	size_t lines;          /* numbers of the journal, ever given out */
	struct memstore *zone_owner[MEM_ZONES], *space_owner[MEM_SPACES];
	int (*wait)(void *arg, struct memstore *m, struct memstore *other);
	void (*pause)(void *arg);
	void *arg;
};

struct memstore {
	struct membase *base;
	struct tables now;     /* as this session sees it: what is committed, and its own */
	struct tables saved;   /* when the transaction began: the stage, in a dry run all of it */
	struct tables outer;   /* when the dry run began */
	VEC(struct mem_write) log;
	bool in_tx, failed, dry;
	bool down, commit_applied;
	uint64_t calls, crash_at;
	uint64_t tx_no;        /* of the transaction that runs; 0: it has not written yet */
	uint64_t zone_since[MEM_ZONES], zone_unsent[MEM_ZONES];
};

/* Opens every call: counts it, crashes when its turn has come. */
int memstore_enter(struct memstore *m, struct err *e);
/* Both answer the code and spoil the transaction. */
int memstore_nomem(struct memstore *m, struct err *e);
int memstore_misuse(struct memstore *m, struct err *e, const char *what);
const struct policy_space *memstore_space_of(const struct memstore *m, int32_t source_id);
bool memstore_has_zone(const struct memstore *m, int32_t zone_id);
/* Was it transferred whole once? */
bool memstore_zone_known(const struct memstore *m, int32_t zone_id);
/* Will it not be, from the end of the transaction on that says so? */
bool memstore_zone_asked(const struct memstore *m, int32_t zone_id);
bool memstore_has_addr(const struct ipaddr *v, size_t n, const struct ipaddr *a);
void memstore_drop_stage(struct memstore *m);

/* All writing goes through these. */
int memstore_put(struct memstore *m, int table, void *row, struct err *e);
int memstore_del(struct memstore *m, int table, size_t at, struct err *e);
/* Waits for the transaction that has written or locked the row with this key, if it is another. */
int memstore_wait(struct memstore *m, int table, const void *key, struct err *e);
/* The row, one of the table, stays as it is until this transaction ends. */
int memstore_lock(struct memstore *m, int table, void *row, struct err *e);
/* Would memstore_wait wait? */
bool memstore_held(const struct memstore *m, int table, const void *key);
/* The number of the transaction that runs, or of the statement that is one by itself. */
uint64_t memstore_tx_no(struct memstore *m);

void memstore_bind_evidence(struct flow_store *f);
void memstore_bind_hosts(struct flow_store *f);

#endif
