/* model_inside.h - the inside of the model server, shared by its files and by nobody else. */
#ifndef TESTS_SIM_MODEL_INSIDE_H
#define TESTS_SIM_MODEL_INSIDE_H

#include "bridge/base/vec.h"
#include "tests/sim/model_zone.h"
#include "tests/sim/rng.h"

enum { ZONES_MAX = 16 };

/* One UPDATE on its way. */
struct msg {
	struct msg *next;
	uint64_t tag;
	size_t zone;
	int64_t signed_s;
	int64_t apply_s;      /* when it comes late */
	bool lost;            /* its connection broke */
	bool replay;          /* it was answered before */
	struct change *c;
	const struct change **pc;
	size_t n;
};

struct queue {
	struct msg *head, **tail;
	unsigned n;
};

/* What one bridge has under way. */
struct model_conn {
	struct model *m;
	struct queue in_flight[ZONES_MAX];
};

struct model {
	struct rng rng;
	struct arena a;
	int64_t now_s;
	struct model_faults faults;
	struct mzone zones[ZONES_MAX];
	size_t n_zones;
	struct model_conn conn[MODEL_BRIDGES];
	struct msg *late;
	VEC(struct dname) refused;
	struct map sent;      /* every record the bridge ever wanted added, or rightly removed */
	struct map brought;   /* every record an updater ever wanted added */
	struct map clients;   /* names with the DHCID of a client, as the bridge has heard of it */
	uint64_t updates, removed, told;
	struct buf trespass;
	void (*between)(void *arg, const char *what);
	void *between_arg;
	void (*replayed)(void *arg, const struct dname *owner);
	void *replayed_arg;
};

struct mzone *model_zone_of(const struct model *m, int32_t id);
/* The bridge wants this done: from now on a person's record equal to one that is added, or that a
 * DHCID is put beside, can't be told from its own. */
void model_note_sent(struct model *m, struct mzone *z, const struct change *c);
/* One message of the bridge, applied: its rcode. */
unsigned model_update(struct model *m, struct mzone *z, const struct change *const *c, size_t n);
/* The same of one that was answered before. */
void model_replay(struct model *m, struct mzone *z, const struct change *const *c, size_t n);
/* What came late and is due by now. */
void model_apply_late(struct model *m);

#endif
