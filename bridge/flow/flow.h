/* flow.h - the order of things: pull, observe, expire, push, reconcile.
 *
 * Acts only through struct flow_store and struct flow_net, so the same lines run on PostgreSQL
 * and real servers and in the simulation.  Every sequence may die at any call and be run again.
 */
#ifndef BRIDGE_FLOW_FLOW_H
#define BRIDGE_FLOW_FLOW_H

#include "bridge/base/message.h"
#include "bridge/core/gate.h"
#include "bridge/flow/net.h"
#include "bridge/flow/store.h"

/* How a pass reads its sources: adapters, bound by role/.  One source is open at a time. */
enum { FEED_MORE = 0, FEED_IDLE = 1, FEED_COMPLETE = 2, FEED_SAME = 3, FEED_DELTA = 4 };

struct flow_feed {
	void *ctx;
	int (*open)(void *ctx, const struct policy_space *space, const struct policy_source *src,
		    const char *cursor, struct err *e);
	/* The answers are those of adapters/adapter.h (FEED_IDLE: the source was there and had
	 * nothing new); negative: the source failed. */
	int (*read)(void *ctx, struct obs_batch *into, struct err *e);
	const char *(*cursor)(void *ctx);
	void (*close)(void *ctx);
};

/* What a pass did; the fields are those of "reconcile --json". */
struct flow_counts {
	uint64_t changed;    /* RRset changes proven in DNS (or planned, in a dry run) */
	uint64_t refused;    /* owners newly refused */
	uint64_t pending;    /* owners still due, and zones or sources that could not be reached */
	uint64_t held;       /* rows held by the brake */
	uint64_t conflicts;  /* owners in conflict now */
	uint64_t pulled;     /* differences the transfers brought */
	uint64_t news;       /* observations that said something new, or that something ended */
	bool closed;         /* nothing was sent at all; what is due counts as held */
};

struct flow_zones;

enum { FLOW_DOWN_MAX = 256 };  /* beyond that a dead server is only asked once more */

struct flow {
	const struct policy *policy;
	struct flow_store *store;
	struct flow_net *net;
	struct flow_counts counts;
	bool dry_run;                 /* plan everything, send nothing; the store rolls back */
	const struct policy_zone *force;  /* zone whose held rows go; NULL: none */
	bool pulled;                  /* this run has tried every zone */
	/* Zones that could not be looked at in this run: nothing is sent there any more. */
	struct flow_down {
		const struct policy_zone *zone;
		bool silent;          /* its servers let us wait in vain */
	} down[FLOW_DOWN_MAX];
	size_t n_down;
	bool said_late;
	int64_t said_held_s;
	/* Told to stop: nothing new is begun.  May be NULL. */
	bool (*stop)(void *arg);
	void *stop_arg;
	/* A daemon sends to the zones of one server, again and again. */
	const char *server;           /* NULL: all zones, once */
	struct flow_gate {
		const struct policy_zone *zone;
		struct gate gate;
		bool known;           /* its row says so; read again now and then */
		bool looked;          /* its SOA has been seen there */
		int64_t read_s;       /* when its row was; 0: never */
	} *gates;                     /* of these zones, kept from push to push */
	size_t n_gates;
	bool only_looks;              /* another process of the daemon sends */
	/* Why nothing may be sent at all, a sentence and a hint; NULL: it may.  Borrowed. */
	const struct err *closed;
	bool said_closed;
	struct flow_zones *zones;     /* see flow_zones_new */
	bool retry_refused;           /* in a daemon: try once more what servers refused */
	bool left_out;                /* set by flow_pull: owners that differ and were just written
				       * were left to another look */
	bool others_send;             /* set by flow_push: another process sends to some zone */
	/* How a run waits for that process to send what is due.  NULL: it does not wait. */
	void (*wait)(void *arg, int64_t ms);
	void *wait_arg;
	int64_t next_due_s;           /* set by flow_push in a daemon: when to come back; 0: no need */
	int64_t full_every_s;         /* a full compare at least this often */
	int64_t started_s;
	int64_t deadline_s;           /* wall clock; 0: none */
	/* Progress and warnings for people; may be NULL. */
	void (*say)(void *arg, enum message id, const char *subject, const char *sentence);
	void *say_arg;
};

/* What transactions of one process know of zones is kept for a second or so: cuts, targets, when
 * they were last looked at.  For processes that make many small ones: f->zones; NULL: nothing is
 * kept. */
struct flow_zones *flow_zones_new(void);
void flow_zones_free(struct flow_zones *z);

/* The reverse pass of every zone (or the one given): SOA first, what changed when it moved (all of
 * it where that cannot be followed, or once in full_every_s), differences into seen, PTRs into
 * dns and edit evidence, affected owners planned again. */
int flow_pull(struct flow *f, const struct policy_zone *only, struct err *e);

/* The reverse pass of single owners, to which nobody has sent yet: before the first change of owners
 * of a zone that is not known.  A server that does not answer is said and is no error. */
int flow_ask(struct flow *f, const struct policy_space *space, const struct policy_zone *zone,
	     const struct dname *owners, size_t n, struct err *e);

/* Plans every address anew when the configuration is not the one the names were planned with:
 * TTLs, ranks, zones, subnets, protection. */
int flow_policy(struct flow *f, struct err *e);

/* Reads one source into evidence and plans what it touches.  A source that fails ends nothing;
 * its error is kept in its row and the return is 0 with counts.pending raised. */
int flow_read_source(struct flow *f, const struct policy_space *space,
		     const struct policy_source *src, struct flow_feed *feed, struct err *e);

/* The source of a daemon is there and had nothing to say: what its evidence says still holds. */
int flow_heard(struct flow *f, const struct policy_space *space, const struct policy_source *src,
	       struct err *e);

/* Evidence handed over directly (add-host, del-host, import): a delta of one source. */
int flow_observe(struct flow *f, const struct policy_space *space,
		 const struct policy_source *src, const struct obs *v, size_t n, struct err *e);

/* After sources were read: what somebody removed is due again where its source confirms it. */
int flow_wake_waits(struct flow *f, const struct policy_space *space, struct err *e);

/* Ends evidence whose clock has run out, or whose source is no longer configured. */
int flow_expire(struct flow *f, struct err *e);

/* Sends everything due until nothing is, or the deadline.  Only to zones that no other process
 * has the right to send to; in a daemon only through open gates, and backoffs hold. */
int flow_push(struct flow *f, struct err *e);

/* policy, pull, every source, expire, push, once. */
int flow_reconcile(struct flow *f, struct flow_feed *feed, struct err *e);

#endif
