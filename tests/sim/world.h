/* world.h - the little network of the simulation: its policy, its clients and people, and what
 * really is the case at any moment.
 *
 * The bridge sees it only through the feed, the manual records it is handed, and the model
 * server.  The oracle sees it directly.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "bridge/flow/flow.h"
#include "tests/sim/d2.h"
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
	uint64_t version;        /* of the source data when it came to be as it is */
	bool ended;              /* released: the row says so */
	bool read;               /* a pass has taken it in as it is */
	bool hidden;             /* the file lost the row although the lease lives */
	struct d2_told told;     /* of it, to D2 */
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

/* A bridge: one process, or what a daemon's processes do in turn. */
struct bridge {
	struct world *w;
	unsigned no;
	struct memstore *ms;     /* its session */
	struct flow_store store;
	struct flow_net net;
	struct flow_feed feed;
	/* what the feed has open */
	int32_t open_src;
	bool open_same, open_done;
	char cursor[24];
	bool shown[SRC_ARP + 1]; /* by source: all of it, in this pass, */
	uint64_t shown_version[SRC_ARP + 1];  /* as it was at that time */
	unsigned net_calls;
	struct flow_gate gates[N_ZONES];  /* of a daemon, as long as it lives */
};

/* Who works on the zones. */
enum company {
	ALONE,                   /* one bridge, run again and again */
	TWO_RUNS,                /* two of them, as two cron jobs on two machines */
	DAEMON,                  /* one looks and plans and is run by hand too, one sends */
};

struct world {
	struct rng rng;
	struct policy policy;
	struct policy_space space;
	struct policy_zone zones[N_ZONES];
	const struct policy_zone *fwd[1];
	struct policy_subnet subnets[3];
	struct policy_source sources[N_SOURCES];
	struct model *model;
	struct truth *truth;     /* the independent model; its owner is who plays the world */
	struct bridge bridge[MEMSTORE_SESSIONS];
	struct bridge *now;      /* the one that works at this moment */
	enum company company, began_as;
	struct rng pair;         /* of what only two bridges have */
	struct rng decider;      /* of the person who decides about conflicts */
	bool decides;            /* there is one in this world */
	struct d2 d2;
	bool has_d2;             /* it may be at rest by now */

	struct client clients[N_CLIENTS];
	struct lease leases[N_LEASES];
	struct neigh neigh[N_NEIGH];
	struct manual manual[N_MANUAL];
	struct removal removals[256];  /* of the bridge's records, by people or a restore */
	size_t n_removals;
	unsigned restores;       /* how often a zone went back to what it had been */

	bool healed;             /* nothing is broken any more, nobody dies */
	uint64_t version;        /* of all source data: the feed's cursor */
	enum feed_mode mode[N_SOURCES + 1];
	bool no_transfers;       /* the server never gives a zone */
	bool replays;            /* somebody between bridge and server keeps messages and sends them again */
	bool gentle;             /* the feed may say delta, and same when nothing changed */

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
/* In a word, who works on the zones from the beginning. */
const char *world_company(const struct world *w);
/* Records the first violation. */
void world_fault(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_say(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool lease_lives(const struct world *w, const struct lease *l);
/* The label that comes of the i-th way of writing a name; false: there are no more. */
bool world_spelling(int i, const char **label);
void name_in_zone(struct dname *out, const char *label);  /* label.lab.example */
bool client_has_v6(int client);
/* Somebody took away what the bridge had written at this owner. */
void world_note_removal(struct world *w, const struct dname *owner);
unsigned world_removals(const struct world *w, const struct dname *owner);
/* So often removed by others, a name is frozen; a restore that brings it back ends that. */
bool world_is_fought_over(const struct world *w, const struct dname *owner);

/* What the bridge believes of the owner; nothing where it has no row. */
struct belief world_belief(const struct world *w, int32_t zone_id, const struct dname *owner);
/* Does the bridge count the record as its own? */
bool world_claimed(const struct world *w, const struct model_rr *r);

/* feed.c */
void feed_bind(struct bridge *b);
void feed_obs_manual(struct obs *o, const struct world *w, const struct manual *m, bool end);
/* people.c: a person changes the zone. */
void people_event(struct world *w);
/* decides.c: a person resolves, adopts or disowns something. */
void decides_event(struct world *w);

#endif
