/* manual.h - the records that people gave by hand, for add-host and del-host. */
#ifndef BRIDGE_CLI_MANUAL_H
#define BRIDGE_CLI_MANUAL_H

#include <jansson.h>

#include "bridge/cli/pass.h"
#include "bridge/value/obs.h"

struct manual {
	const struct policy_space *space;
	const struct policy_source *source;  /* SOURCE_MANUAL of the space */
	struct obs_batch batch;              /* the records, copied */
};

int manual_init(struct manual *m, const struct policy_space *space, struct err *e);
void manual_fini(struct manual *m);
/* Adds the manual records of the addresses, or those of the name: all whose text becomes this
 * name by the naming rule at their address. */
int manual_load_at(struct manual *m, struct pass *p, const struct ipaddr *a, size_t n,
		   struct err *e);
int manual_load_named(struct manual *m, struct pass *p, struct bytes name, struct err *e);
/* The name that text stands for at an address; false when the rule refuses it. */
bool manual_name(struct dname *out, const struct policy_space *space, const struct ipaddr *a,
		 struct bytes text);
/* Replaces a record's note (raw), which is no fact that observing would compare. */
int manual_keep_note(struct manual *m, struct pass *p, const struct obs *o, struct err *e);
/* Marks a record as ended by a person. */
void manual_end(struct obs *o);
/* Addresses that lose their PTR name with the ended records of m get it from another manual
 * record they keep: appends those records to m.  all: every record of these addresses. */
int manual_pass_ptr(struct manual *m, const struct manual *all, struct err *e);
/* {"name", "address"} */
json_t *manual_json(const struct policy_space *space, const struct obs *o);

/* What became of the owners of these names and addresses: an array of {zone, owner, state, why}
 * of those that are not in step; also on stderr for people. */
int manual_outcome(json_t *into, struct pass *p, const struct cli *c, const struct dname *names,
		   size_t n_names, struct err *e);

#endif
