/* model.h - model name servers behind struct flow_net: RFC 2136 as BIND does it, a virtual
 * clock, seeded faults and people who edit.
 *
 * One server holds all zones.  A record remembers who made it, so that the model itself sees
 * when the bridge removes what a person wrote and says so (trespass) in that very message.
 */
#ifndef TESTS_SIM_MODEL_H
#define TESTS_SIM_MODEL_H

#include "bridge/flow/net.h"

enum model_author {
	MODEL_PERSON,
	MODEL_BRIDGE,
	/* A person wrote what the bridge had once sent, or a restored zone or a replayed message
	 * brought back what the bridge had removed: by its value nobody can tell whose it is. */
	MODEL_EITHER,
	MODEL_UPDATER,           /* another DHCP updater, for a client of the bridge's */
};

/* Chances in 1000, for each message or call. */
struct model_faults {
	uint32_t lost_request;   /* never arrives; times out */
	uint32_t lost_answer;    /* applied, times out */
	uint32_t late;           /* times out, applied within the TSIG fudge, also after newer */
	uint32_t repeated;       /* of what is applied and never answered a copy comes late */
	uint32_t replayed;       /* of what was answered too: somebody on the way kept it */
	uint32_t reordered;      /* overtakes others of its connection */
	uint32_t broken;         /* the connection breaks under everything in flight */
	uint32_t unsent;         /* no connection */
	uint32_t servfail;
	uint32_t read_fails;     /* soa, transfer and changes (anywhere in them), query */
	uint32_t no_history;     /* asked for changes, the server begins to send the whole zone */
	uint32_t torn_history;   /* one of the changes is told twice */
	bool down;               /* nothing is reachable */
	bool keeps_zones;        /* refuses every transfer; queries are answered */
};

enum { MODEL_TIMEOUT_S = 3, MODEL_FUDGE_S = 300, MODEL_TYPE_MAX = 100,
       MODEL_BRIDGES = 2 };

struct model;

struct model *model_new(uint64_t seed, int64_t now_s);
void model_free(struct model *m);
/* The connections of one of the bridges, from 0. */
struct flow_net model_net(struct model *m, unsigned bridge);
/* Serves the zone, with NS at its apex.  Borrows z.  0 or ERR_NOMEM. */
int model_serve(struct model *m, const struct policy_zone *z);
struct model_faults *model_faults(struct model *m);

int64_t model_now_s(const struct model *m);
/* Moves the clock and applies what comes late. */
void model_advance(struct model *m, int64_t seconds);
/* Messages that touch this owner are REFUSED from now on. */
int model_refuse(struct model *m, const struct dname *owner);
bool model_refuses(const struct model *m, const struct dname *owner);
/* The process died: nobody waits for what it has in flight; it may still arrive. */
void model_disconnect(struct model *m, unsigned bridge);

/* A person's edits, not logged anywhere.  rdata NULL: the whole RRset; type RR_ANY: all of the
 * owner.  True when something changed (a CNAME beside data is dropped in silence). */
bool model_person_add(struct model *m, int32_t zone_id, const struct dname *owner, uint16_t type,
		      uint32_t ttl_s, const void *rdata, size_t rdlen);
bool model_person_del(struct model *m, int32_t zone_id, const struct dname *owner, uint16_t type,
		      const void *rdata, size_t rdlen);
/* Is there a DHCID? */
bool model_has_dhcid(const struct model *m, int32_t zone_id, const struct dname *owner);
/* From now on nobody can tell whose this record is. */
void model_share(struct model *m, int32_t zone_id, const struct dname *owner, uint16_t type,
		 const void *rdata, size_t rdlen);
/* One message of a DHCP updater, not logged anywhere: its rcode.  *took: something that the bridge
 * had written is gone. */
unsigned model_updater(struct model *m, int32_t zone_id, const struct change *c, bool *took);
/* The bridge has heard of this client by this name: what the updater writes for it there, the bridge
 * may take for its own. */
void model_client(struct model *m, const struct dname *owner, const void *dhcid, size_t len);
/* What the updater wrote and the bridge says is its own: from now on the bridge answers for it. */
void model_claim(struct model *m, int32_t zone_id, const struct dname *owner, uint16_t type,
		 const void *rdata, size_t rdlen);
/* The zone as it is now, for model_restore; one per zone, replaced by the next. */
int model_save(struct model *m, int32_t zone_id);
/* The saved state is back, serial included.  False: none saved, or nothing differs. */
bool model_restore(struct model *m, int32_t zone_id);

struct model_rr {
	int32_t zone_id;
	const struct dname *owner;
	uint16_t type;
	uint32_t ttl_s;
	enum model_author author;
	struct bytes rdata;
};

/* i-th record of all zones, in order of (zone, owner, type, RDATA); the apex NS are a person's. */
bool model_rr_at(const struct model *m, size_t i, struct model_rr *out);
uint32_t model_serial(const struct model *m, int32_t zone_id);
/* UPDATE messages that were given to submit and not refused, ever; and records that updates removed, ever. */
uint64_t model_updates(const struct model *m);
uint64_t model_removed(const struct model *m);
/* How often changes were told to the end. */
uint64_t model_told(const struct model *m);
/* The first time the bridge did what it never may; "" when it has not. */
const char *model_trespass(const struct model *m);

/* Applies one message at once as the bridge's: the RFC 2136 server alone, for its unit test. */
unsigned model_apply(struct model *m, int32_t zone_id, const struct change *const *c, size_t n);

/* Called at every call of the net, before it acts: people edit in between, and a test may look
 * whether a transaction is open.  what: "submit", "collect", "soa", "transfer", "changes", "query". */
void model_between(struct model *m, void (*fn)(void *arg, const char *what), void *arg);

/* Called with each owner that a replayed message changed. */
void model_on_replay(struct model *m, void (*fn)(void *arg, const struct dname *owner), void *arg);

#endif
