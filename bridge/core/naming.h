/* naming.h - from evidence to names: who names an address, and what exactly the name is.
 *
 * Pure.  One rule for every name: drop one final dot, lower case; a name under a configured zone
 * uses that zone, otherwise its first label goes below the subnet's zone; space and "_" become
 * "-"; any other byte outside a-z 0-9 "-", an empty or over-long label, a leading or trailing
 * "-", or a protected name is refused with its reason, and the host stays without a name.
 */
#ifndef BRIDGE_CORE_NAMING_H
#define BRIDGE_CORE_NAMING_H

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

/* Who stands behind a name.  Two addresses with equal identities are one host. */
struct identity {
	struct mac mac;
	struct bytes client_id;
	struct bytes duid;        /* DHCPv6, or taken out of an RFC 4361 client identifier */
	struct bytes dhcid;       /* given by the source; says who only for the name it is of */
	struct bytes dhcid_name;  /* that name, as text */
};

/* Texts are borrowed from o. */
void identity_of(struct identity *out, const struct obs *o);
/* By what holds for any name: a DHCID alone does not count. */
bool identity_known(const struct identity *id);
/* Did the source give the client's DHCID for exactly this name? */
bool identity_has_dhcid(const struct identity *id, const struct dname *name);
/* 1 same, 0 different, -1 cannot be told (nothing comparable is known of both).  DHCIDs speak where
 * the rest says nothing, and compare only when both are of one name and one type of identifier (a
 * client has another one in each family). */
int identity_compare(const struct identity *a, const struct identity *b);

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

/* Does the claimant belong to the same host as the holder of a name? */
bool naming_same_host(const struct host *a, const struct host *b);
/* Does claimant take the name from holder (a person's name beats a lease's)? */
bool naming_beats(const struct policy_space *space, const struct host *claimant,
		  const struct host *holder);
/* The name with "-" and 4 hex digits of SHA-256(identity, else address); label cut so that it fits. */
bool naming_suffix(struct dname *out, const struct host *h);

/* The name that this one may be the suffixed form of.  False: it is none. */
bool naming_unsuffixed(struct dname *out, const struct dname *name);

#endif
