/* memtables.h - the inside of memstore, shared by its three files and by nobody else. */
#ifndef TESTS_SIM_MEMTABLES_H
#define TESTS_SIM_MEMTABLES_H

#include "tests/sim/memrows.h"
#include "tests/sim/memstore.h"

enum { T_EVIDENCE, T_HOST, T_BELIEF, T_SOURCE, T_ZONE, T_BRAKE, T_JOURNAL, T_STAGE, T_DIFF,
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

struct tables {
	struct table t[N_TABLES];
	int32_t stage_source;  /* 0: no stage */
	size_t diff_next;
	uint64_t digest[8];    /* by space id */
};

struct memstore {
	const struct policy *policy;
	struct arena rows;
	struct tables now, saved, outer;
	bool in_tx, failed, dry;
	bool down, commit_applied;
	uint64_t calls, crash_at;
	uint64_t tx_no;        /* of the transaction that runs or ran last */
	uint64_t zones_since;  /* zones are ours since before that one; 0: they are not */
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

void memstore_bind_evidence(struct flow_store *f);
void memstore_bind_hosts(struct flow_store *f);

#endif
