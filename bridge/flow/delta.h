/* delta.h - what changed in a zone since a serial, against what is kept: only the differences stay.
 *
 * Private to flow/.  Of each record the last word counts: it says whether the record is there now,
 * whatever we have written ourselves since that serial.  What is kept says about a record that
 * nobody mentions.  A history that contradicts itself or what is kept is of no use, and nothing of
 * it is taken.
 */
#ifndef BRIDGE_FLOW_DELTA_H
#define BRIDGE_FLOW_DELTA_H

#include "bridge/flow/compare.h"

/* More records than that, and the whole zone is compared: that needs less memory. */
enum { DELTA_MAX = 50000 };

struct delta_rr {
	struct delta_rr *next;       /* of the same owner */
	uint16_t owner_len, type, rdlen;
	bool came_first;             /* the first word about it: it was not there before */
	bool there;                  /* the last one */
	uint8_t bytes[];             /* owner, type, RDATA: its name in the map */
};

struct delta_owner {
	struct delta_rr *rrs;        /* at least one */
	const struct belief *had;    /* while it is compared: its row; NULL: it has none */
};

struct delta {
	struct map records;          /* bytes -> struct delta_rr */
	struct map owners;           /* owner's bytes -> struct delta_owner */
	struct arena arena;
	const char *why;             /* of NET_WHOLE: a sentence */
};

void delta_init(struct delta *d, const struct hash_key *key);
void delta_fini(struct delta *d);
/* A change_sink. */
int delta_take(void *arg, bool added, const struct dname *owner, uint16_t type,
	       const uint8_t *rdata, size_t rdlen, struct err *e);
/* The records at the owner as they are now.  had: as they are kept; written: they may be as we
 * wrote them since.  0, NET_WHOLE with d->why, or ERR_NOMEM. */
int delta_apply(struct rrs *out, struct arena *a, struct delta *d, const struct delta_owner *o,
		const struct rrs *had, bool written);

/* As compare_run, from what changed since row->serial.  NET_WHOLE: only the whole zone tells, for
 * the reason in *why. */
int delta_run(struct compare *c, const struct zone_row *row, const char **why, bool *stored,
	      struct err *e);

#endif
