/* obs.h - an observation: one source's evidence about one address.
 *
 * Observations are the only way into IPAM: leases, neighbours, manual records and names read
 * back from DNS all become rows of this shape.  Text from clients is kept as received (any
 * bytes, not NUL-terminated) and judged later by core/naming.
 */
#ifndef BRIDGE_VALUE_OBS_H
#define BRIDGE_VALUE_OBS_H

#include "bridge/base/arena.h"
#include "bridge/value/ipaddr.h"
#include "bridge/value/mac.h"

/* In default rank order: the first that has a name names the address. */
enum obs_kind {
	OBS_MANUAL,      /* a person, by add-host */
	OBS_EDIT,        /* a PTR that somebody put in place of one we published */
	OBS_RESERVATION, /* the DHCP server's configuration */
	OBS_IPAM,        /* another IPAM */
	OBS_LEASE,       /* a DHCP lease */
	OBS_DNS,         /* a PTR that was never ours */
	OBS_NEIGHBOUR,   /* ARP or neighbour discovery */
	OBS_KINDS,
};

const char *obs_kind_name(enum obs_kind k);
/* False when s names no kind. */
bool obs_kind_parse(enum obs_kind *out, const char *s, size_t len);

/* Bytes with a length; p may be NULL when len is 0. */
struct bytes {
	const uint8_t *p;
	uint16_t len;
};

bool bytes_equal(struct bytes a, struct bytes b);
/* By content, the shorter first; as memcmp. */
int bytes_cmp(struct bytes a, struct bytes b);

#define OBS_FOREVER INT64_MAX

/* The RDATA of a DHCID record: type of identifier, type of digest, SHA-256 (RFC 4701 3). */
enum { DHCID_LEN = 35 };

struct obs {
	struct ipaddr addr;
	uint8_t kind;           /* enum obs_kind */
	bool end;               /* the source says that this is over (release, reclaim) */
	const char *end_why;    /* "released", "reclaimed", "declined"; NULL unless end */
	bool end_named;         /* with end: only evidence with this very name ends (messages that
				 * may overtake each other) */
	struct bytes name;      /* as received; empty: no name */
	struct mac mac;
	struct bytes client_id; /* DHCPv4 option 61, whole; at most 255 */
	struct bytes duid;      /* DHCPv6; at most 130 */
	struct bytes dhcid;     /* RDATA that the source gives, made for exactly this name; empty:
				 * none.  With end: evidence that has another one does not end */
	int64_t valid_until_s;  /* Unix; OBS_FOREVER when it does not end by the clock */
	int64_t seen_at_s;      /* Unix; when the source saw it, 0 unknown */
	uint32_t ttl_s;         /* asked for by a person; 0: the zone's */
	bool ptr;               /* manual: this name is the address's PTR */
	struct bytes raw;       /* the source's own words (a CSV line, a neighbour line), for why */
};

/* Do they say different things?  Compared: kind, name, who, until when, TTL and PTR; not when or
 * in which words it was said. */
bool obs_facts_differ(const struct obs *a, const struct obs *b);

/* A record the decoder refused: counted always, the first few kept for the message. */
struct obs_bad {
	uint64_t record;  /* 1-based line or element */
	const char *why;  /* a sentence, in the batch's arena or static */
};

enum { OBS_BAD_KEPT = 5 };

struct obs_batch {
	struct arena arena;
	struct obs *v;          /* grown by obs_batch_add */
	size_t n, cap;
	struct obs_bad bad[OBS_BAD_KEPT];
	uint64_t n_bad;         /* records refused */
	uint64_t n_skipped;     /* records that are honest but say nothing (IA_PD, proxies) */
};

void obs_batch_init(struct obs_batch *b);
void obs_batch_reset(struct obs_batch *b);
void obs_batch_fini(struct obs_batch *b);
/* A zeroed observation at the end of the batch, valid until the next add; NULL: no memory. */
struct obs *obs_batch_add(struct obs_batch *b);
/* Counts a refused record; why is copied. */
void obs_batch_refuse(struct obs_batch *b, uint64_t record, const char *why);
/* A copy of len bytes in the batch's arena.  False: no memory. */
bool obs_batch_keep(struct obs_batch *b, struct bytes *out, const void *p, size_t len);

#endif
