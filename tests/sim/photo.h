/* photo.h - what the server holds at one moment, to compare it with another. */
#ifndef TESTS_SIM_PHOTO_H
#define TESTS_SIM_PHOTO_H

#include "bridge/base/vec.h"
#include "tests/sim/world.h"

struct photo {
	VEC(struct model_rr) v;      /* as model_rr_at gives them */
	struct arena arena;
};

/* False: no memory.  *p: new, release with photo_fini. */
bool photo_take(struct photo *p, const struct world *w);
void photo_fini(struct photo *p);
/* A fault where the bridge's records of one are not in the other, whoever is said to have written
 * them there.  Where something that is not the bridge's stood at the owner, or others keep
 * removing what the bridge writes, nothing is asked. */
void photo_compare(struct world *w, const struct photo *before, const struct photo *after);

#endif
