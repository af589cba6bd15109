/* memrows.h - copies of rows and sorted tables of them, for memstore alone. */
#ifndef TESTS_SIM_MEMROWS_H
#define TESTS_SIM_MEMROWS_H

#include "bridge/flow/store.h"

/* Deep copies into the arena.  False: no memory. */
bool dup_bytes(struct arena *a, struct bytes *out, struct bytes in);
bool dup_text(struct arena *a, const char **out, const char *in);
bool dup_obs(struct arena *a, struct obs *out, const struct obs *in);
bool dup_evidence(struct arena *a, struct evidence *out, const struct evidence *in);
bool dup_host(struct arena *a, struct host *out, const struct host *in);
bool dup_belief(struct arena *a, struct belief *out, const struct belief *in);
bool dup_source(struct arena *a, struct source_row *out, const struct source_row *in);
bool dup_zone(struct arena *a, struct zone_row *out, const struct zone_row *in);
bool dup_line(struct arena *a, struct journal_line *out, const struct journal_line *in);

int cmp_i64(int64_t a, int64_t b);
/* The part of an observation's key that its name is: only manual ones have it. */
struct bytes obs_key_name(const struct obs *o);

/* Pointers to rows, sorted by cmp; rows are never changed. */
struct table {
	void **v;
	size_t n, cap;
	int (*cmp)(const void *a, const void *b);
};

/* Index of the first row not before key; *found when it equals. */
size_t table_find(const struct table *t, const void *key, bool *found);
/* Inserts or replaces.  0 or ERR_NOMEM. */
int table_put(struct table *t, void *row);
void table_del(struct table *t, size_t at);
/* out: its arrays are dropped first.  0 or ERR_NOMEM. */
int table_copy(struct table *out, const struct table *in);
void table_fini(struct table *t);

#endif
