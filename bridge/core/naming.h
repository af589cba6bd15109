/* naming.h - from evidence to names: who names an address, and what exactly the name is.
 *
 * Pure.  One rule for every name: drop one final dot, lower case; a name under a configured zone
 * uses that zone, otherwise its first label goes below the subnet's zone; space and "_" become
 * "-"; any other byte outside a-z 0-9 "-", an empty or over-long label, a leading or trailing
 * "-", or a protected name is refused with its reason, and the host stays without a name.
 */
#ifndef BRIDGE_CORE_NAMING_H
#define BRIDGE_CORE_NAMING_H

#include "bridge/core/identity.h"
#include "bridge/core/policy.h"

/* An observation as kept: with its source and what the bridge has noted about it. */
struct evidence {
	struct obs obs;
	int32_t source_id;
	int64_t first_seen_s;
	int64_t last_seen_s;
	int64_t absent_since_s;   /* complete batches do not show it since then; 0: present */
	bool held;                /* the brake holds its end or its change */
};

/* One name of one address, as kept in table host. */
struct host {
	struct ipaddr addr;
	struct dname name;        /* assigned; len 0: the address has no name */
	struct dname asked;       /* before a collision changed it; equal to name otherwise */
	bool ptr;                 /* the address's PTR points at this name */
	uint8_t kind;             /* enum obs_kind that named it (or that saw it, without a name) */
	int32_t source_id;
	struct identity id;       /* its DHCID is of the name asked for, or there is none */
	int64_t since_s;          /* since when this address has this name */
	int64_t expires_at_s;     /* OBS_FOREVER: not by the clock */
	uint32_t ttl_s;           /* 0: the zone's */
	const char *why;          /* rule and reason in a sentence */
};

/* qsort's order of rows by name, then since, then address. */
int host_by_name(const void *a, const void *b);

/* The rule alone.  0, or 1 with *why the reason of refusal (static text).  A person (kind
 * OBS_MANUAL) may name the apex, a wildcard and the built-in protected names. */
int naming_rule(struct dname *out, const struct policy_space *space,
		const struct policy_subnet *subnet, enum obs_kind kind, struct bytes raw,
		const char **why);

/* All names of one address from its live evidence, before collisions: the best-ranked kind
 * that gives a usable name wins; manual may give several.  At least one row, nameless when
 * nobody gives a name.  Rows and texts are in the arena.  0 or ERR_NOMEM. */
int naming_address(struct host **out, size_t *n_out, struct arena *a,
		   const struct policy_space *space, const struct ipaddr *addr,
		   const struct evidence *ev, size_t n_ev, int64_t now_s);

/* Two rows that ask for one name. */
enum naming_kin {
	KIN_NAME,   /* one host by nothing but its name, and nothing speaks against it */
	KIN_OTHER,  /* two hosts */
	KIN_SAME,   /* one host, proven */
};

/* One host or two?  *why: the evidence in words, static.  A name alone joins the two families; in
 * one family, where the zone wants the newest lease, those of clients that show nothing but
 * hardware addresses which change. */
enum naming_kin naming_kin(const struct host *a, const struct host *b, enum addresses_policy p,
			   const char **why);
/* Does claimant take the name from holder (a person's name beats a lease's)? */
bool naming_beats(const struct policy_space *space, const struct host *claimant,
		  const struct host *holder);
/* The name with "-" and 4 hex digits of SHA-256(identity, else address); label cut so that it fits. */
bool naming_suffix(struct dname *out, const struct host *h);

/* The name that this one may be the suffixed form of.  False: it is none. */
bool naming_unsuffixed(struct dname *out, const struct dname *name);

#endif
