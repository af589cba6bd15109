/* world.h - the little network of the simulation: its policy, its clients and people, and what
 * really is the case at any moment.
 *
 * The bridge sees it only through the feed, the manual records it is handed, and the model
 * server.  The oracle sees it directly.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "bridge/flow/flow.h"
#include "tests/sim/memstore.h"
#include "tests/sim/model.h"
#include "tests/sim/rng.h"

enum { N_CLIENTS = 14, N_LEASES4 = 24, N_LEASES6 = 10, N_LEASES = N_LEASES4 + N_LEASES6,
       N_NEIGH = 6, N_MANUAL = 6 };
enum { ZONE_FWD = 1, ZONE_REV4 = 2, ZONE_REV6 = 3, N_ZONES = 3 };
enum { SRC_DHCP4 = 1, SRC_DHCP6, SRC_ARP, SRC_MANUAL, SRC_DNS, N_SOURCES = 5 };

/* A name as a client sends it and the first label that must come of it; NULL: none. */
struct spelling {
	const char *raw;
	const char *label;
};

struct client {
	struct mac mac;
	uint8_t client_id[40];
	uint16_t client_id_len;  /* 0: known by its hardware address alone */
	uint8_t duid[16];
	uint16_t duid_len;
	bool v6_mac;             /* its DHCPv6 server learns the hardware address */
	const struct spelling *name;
};

/* A row of a lease file, as long as the file shows it. */
struct lease {
	struct ipaddr addr;
	int client;              /* -1: no row */
	struct mac mac;          /* the client's when it came */
	const struct spelling *name;
	int64_t until_s, seen_s;
	bool ended;              /* released: the row says so */
	bool read;               /* a pass has taken it in as it is */
	bool hidden;             /* the file lost the row although the lease lives */
};

struct neigh {
	struct ipaddr addr;
	const char *label;       /* NULL: no name */
	bool present;
};

struct manual {
	const char *label;
	struct ipaddr addr;
	bool present;
};

/* How a source behaves in this pass. */
enum feed_mode { FEED_GOOD, FEED_OPEN_FAILS, FEED_BREAKS, FEED_EMPTY };

struct removal {
	struct dname owner;
	unsigned n;
};

struct truth;

struct world {
	struct rng rng;
	struct policy policy;
	struct policy_space space;
	struct policy_zone zones[N_ZONES];
	const struct policy_zone *fwd[1];
	struct policy_subnet subnets[3];
	struct policy_source sources[N_SOURCES];
	struct model *model;
	struct memstore *ms;
	struct truth *truth;     /* the independent model; its owner is who plays the world */
	struct flow_store store;
	struct flow_net net;
	struct flow_feed feed;

	struct client clients[N_CLIENTS];
	struct lease leases[N_LEASES];
	struct neigh neigh[N_NEIGH];
	struct manual manual[N_MANUAL];
	struct removal removals[64];  /* of the bridge's records, by people or a restore */
	size_t n_removals;

	uint64_t version;        /* of all source data: the feed's cursor */
	enum feed_mode mode[N_SOURCES + 1];
	bool shown[SRC_ARP + 1]; /* by source: all of it, in this pass */
	bool no_transfers;       /* the server never gives a zone */
	bool gentle;             /* the feed may say delta, and same when nothing changed */
	/* what the feed has open */
	int32_t open_src;
	bool open_same, open_done;
	char cursor[24];
	unsigned net_calls;

	unsigned verbose;
	size_t journal_shown;
	struct buf fault;        /* the first invariant that broke */
};

/* False: no memory. */
bool world_init(struct world *w, uint64_t seed, unsigned verbose);
void world_fini(struct world *w);
/* One random thing happens, known to the sources or on the server, not yet to the bridge. */
void world_event(struct world *w);
/* One of these that only a lease file tells. */
void world_lease_event(struct world *w);
/* Records the first violation. */
void world_fault(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_say(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool lease_lives(const struct world *w, const struct lease *l);
void name_in_zone(struct dname *out, const char *label);  /* label.lab.example */
bool client_has_v6(int client);
/* Somebody took away what the bridge had written at this owner. */
void world_note_removal(struct world *w, const struct dname *owner);
unsigned world_removals(const struct world *w, const struct dname *owner);

/* feed.c */
void feed_bind(struct world *w);
void feed_obs_manual(struct obs *o, const struct world *w, const struct manual *m, bool end);
/* people.c: a person changes the zone. */
void people_event(struct world *w);

#endif
