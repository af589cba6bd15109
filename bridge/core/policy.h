/* policy.h - what the operator decided: the configuration as typed facts for pure decisions.
 *
 * conf/ builds it, store/ fills in the ids, core/ and flow/ read it.  All pointers live in the
 * configuration's arena.  The order of arrays is the order in the file.
 */
#ifndef BRIDGE_CORE_POLICY_H
#define BRIDGE_CORE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/value/dname.h"
#include "bridge/value/ipaddr.h"
#include "bridge/value/obs.h"

enum foreign_policy {
	FOREIGN_KEEP,  /* a record that is not ours is never written over: listed as a conflict */
	FOREIGN_TAKE,  /* the operator gives this zone to the bridge: conflicts are written */
};

enum addresses_policy {
	ADDRESSES_ALL,     /* a name has every address of its host */
	ADDRESSES_NEWEST,  /* of its leases the newest of each family; the others have no PTR */
};

enum duplicates_policy {
	DUPLICATES_SUFFIX,  /* the earlier holder keeps the name, the later gets one with a suffix */
	DUPLICATES_FIRST,   /* the earlier holder keeps it, the later gets none */
	DUPLICATES_REFUSE,  /* who has it keeps it; of those who ask for a free one nobody gets it */
};

struct policy_zone {
	int32_t id;                 /* database id, 0 until the store has synced */
	const char *text;           /* as people write it, without the final dot */
	struct dname name;
	bool is_reverse;
	struct prefix covers;       /* when is_reverse */
	bool classless;             /* a part of a /24 (RFC 2317): its owners are last octets, and
				     * CNAMEs of the zone above lead to them */
	const char *parent_server;  /* classless: who serves the zone above; NULL: its own server */
	const char *const *servers; /* names of servers, in order of preference */
	size_t n_servers;
	uint32_t ttl_s;
	enum foreign_policy foreign;
	enum addresses_policy addresses;
	enum duplicates_policy duplicates;  /* of hosts that ask for one name */
	bool dhcid;                 /* names from leases carry a DHCID */
	const char *view;           /* "" unless named */
	int line;
};

struct policy_subnet {
	int32_t id;
	struct prefix prefix;
	const struct policy_zone *const *zones;  /* forward; the first is the subnet's zone */
	size_t n_zones;
	const struct policy_zone *reverse;       /* longest that covers it all, or the first that
						  * covers a part; NULL: no PTR here.  For one
						  * address: policy_reverse_of */
	uint8_t rank[OBS_KINDS];                 /* kinds that may name, best first */
	size_t n_rank;
	int line;
};

struct policy_source {
	int32_t id;
	const char *name;
	const char *type;           /* adapter */
	enum obs_kind kind;         /* what its observations are */
	bool events;                /* it speaks when something happens, to a daemon only */
	int64_t stale_after_s;      /* neighbours: end this long after they were last there */
	int64_t timeout_s;          /* deadline of one read */
};

struct arena;
struct policy_index;

struct policy_space {
	int32_t id;
	const char *name;           /* "default" at top level */
	struct policy_zone *zones;
	size_t n_zones;
	struct policy_subnet *subnets;  /* sorted: longest prefix first within a family */
	size_t n_subnets;
	struct policy_source *sources;  /* the configured ones, then "manual" and "dns" */
	size_t n_sources;
	const char *const *protect;     /* patterns (fnmatch) on the first label or the whole name */
	size_t n_protect;
	struct policy_index *index;     /* policy_index() made it; NULL: lookups walk */
};

struct policy {
	struct policy_space *spaces;
	size_t n_spaces;
	/* Brake (see brake.h). */
	uint32_t brake_percent;
	uint32_t brake_min;
};

/* The sources every space has beside the configured ones. */
#define SOURCE_MANUAL "manual"
#define SOURCE_DNS "dns"

/* Sorts the subnets of every space and makes its lookups fast; once, before the first lookup.
 * Lookups are right without it too.  0 or ERR_NOMEM. */
int policy_index(struct policy *p, struct arena *a);
const struct policy_subnet *policy_subnet_of(const struct policy_space *s, const struct ipaddr *a);
/* Longest configured zone at or above the name; forward or reverse as the flag says. */
const struct policy_zone *policy_zone_of(const struct policy_space *s, const struct dname *name,
					 bool reverse);
/* The next configured zone above a zone, of the same direction; NULL: none. */
const struct policy_zone *policy_zone_above(const struct policy_space *s,
					    const struct policy_zone *z);
/* Where the address's PTR stands; NULL: nowhere, or it lies outside every subnet.  Zones can be
 * narrower than the subnet, so its field "reverse" alone does not tell. */
const struct policy_zone *policy_reverse_of(const struct policy_space *s, const struct ipaddr *a);
/* Where in a reverse zone that covers it the address's PTR stands: at its reverse name, in a
 * classless zone at its last octet. */
void policy_ptr_owner(struct dname *out, const struct policy_zone *z, const struct ipaddr *a);
/* The address whose PTR stands at this owner of a reverse zone; false: none does. */
bool policy_ptr_addr(struct ipaddr *out, const struct policy_zone *z, const struct dname *owner);
/* For people who ask: the owner of the address's PTR, its reverse name where it has no zone; and
 * the address that a name stands for, in any space. */
void policy_ptr_name(struct dname *out, const struct policy_space *s, const struct ipaddr *a);
bool policy_named_addr(struct ipaddr *out, const struct policy *p, const struct dname *name);
/* What becomes of hosts that ask for one name: as its zone says, suffixes where it has none. */
enum duplicates_policy policy_duplicates(const struct policy_space *s, const struct dname *name);
/* Of all spaces. */
size_t policy_n_zones(const struct policy *p);

const struct policy_zone *policy_zone_by_id(const struct policy *p, int32_t id,
					    const struct policy_space **space);
/* Does a pass read it?  Others are written to (manual, dns), or speak to a daemon. */
bool policy_source_is_read(const struct policy_source *s);
const struct policy_source *policy_source_by_id(const struct policy_space *s, int32_t id);
const struct policy_source *policy_source_by_name(const struct policy_space *s, const char *name);
const struct policy_space *policy_space_by_name(const struct policy *p, const char *name);
/* Rank of a kind in this subnet: 0 best; -1: the kind never names here. */
int policy_rank(const struct policy_subnet *s, enum obs_kind k);
/* 64-bit digest of all that decides names and records, in hex: two bridges on one database
 * must agree. */
uint64_t policy_digest(const struct policy *p);

#endif
