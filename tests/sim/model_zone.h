/* model_zone.h - one zone of the model server: its records and RFC 2136 on them. */
#ifndef TESTS_SIM_MODEL_ZONE_H
#define TESTS_SIM_MODEL_ZONE_H

#include "bridge/value/change.h"
#include "bridge/base/hash.h"
#include "tests/sim/model.h"

/* Never changed once made: a set of records is an array of pointers. */
struct mrec {
	struct dname owner;
	uint16_t type;
	uint16_t rdlen;
	uint32_t ttl_s;
	enum model_author author;
	uint8_t rdata[];
};

struct mset {
	struct mrec **v;  /* by (owner, type, RDATA) */
	size_t n, cap;
};

/* The zone as it was at a serial. */
struct mversion {
	uint32_t serial;
	struct mset set;
};

enum { MODEL_HISTORY = 12 };  /* versions a zone keeps, the present one among them */

struct mzone {
	const struct policy_zone *zone;
	uint32_t serial;
	struct mset now;
	struct mversion past[MODEL_HISTORY];  /* oldest first; what leads from one to the next is
					       * what a server tells of its history */
	size_t n_past;
	struct mset saved;
	uint32_t saved_serial;
	bool has_saved;
};

int mset_copy(struct mset *out, const struct mset *in);
void mset_fini(struct mset *s);
/* Index of the record with this owner, type and RDATA, or where it would stand. */
size_t mset_find(const struct mset *s, const struct dname *owner, uint16_t type,
		 const void *rdata, size_t rdlen, bool *found);
bool mset_equal(const struct mset *a, const struct mset *b);

/* Adds as a server does: CNAME rules, the TTL of the whole set follows.  0, 1 when it was
 * dropped or changed nothing, ERR_NOMEM, or ERR_BUSY when the set has too many records. */
int mset_add(struct mset *s, struct arena *a, const struct mrec *rec);
/* rdata NULL: the whole set; type RR_ANY: all sets.  The NS at the apex stay.  How many went. */
size_t mset_remove(struct mset *s, const struct dname *apex, const struct dname *owner,
		   uint16_t type, const void *rdata, size_t rdlen);
struct mrec *mrec_new(struct arena *a, const struct dname *owner, uint16_t type, uint32_t ttl_s,
		      enum model_author author, const void *rdata, size_t rdlen);

/* The zone is as now at this serial: one more step of its history, or its beginning (anew).
 * 0 or ERR_NOMEM. */
int mzone_version(struct mzone *z, uint32_t serial, bool anew);
void mzone_fini(struct mzone *z);
/* What led from one set to the next, in the order of RFC 1995 4: what went, then what came; a
 * changed TTL is both.  Ends with what cb answers other than 0. */
int mset_changes(const struct mset *from, const struct mset *to,
		 int (*cb)(void *arg, bool added, const struct mrec *r), void *arg);

/* RFC 2136 3.2 to 3.4 on a copy, what is added as the author's: the rcode, and in *out (dropped first) what the zone is
 * afterwards; equal to now unless 0.  refused is asked about every owner of the update
 * section. */
unsigned mzone_update(struct mset *out, const struct mzone *z, struct arena *a,
		      const struct change *const *c, size_t n, enum model_author author,
		      bool (*refused)(void *arg, const struct dname *owner), void *arg);

#endif
