/* store.h - what flow needs kept, as a struct of functions.
 *
 * Two implementations: bridge/store (PostgreSQL) and tests/sim (memory).  A differential test
 * runs random operations on both.  Everything between begin and commit is one transaction: all
 * or nothing, also across a crash at any call.  Reads inside see the writes and locks before them.
 * A write or lock may fail as late as the next read, or commit.
 * Results live in the arena the caller gives.  Return 0, or a negative ERR_ code; after one
 * the transaction can only be rolled back.
 */
#ifndef BRIDGE_FLOW_STORE_H
#define BRIDGE_FLOW_STORE_H

#include "bridge/base/arena.h"
#include "bridge/base/err.h"
#include "bridge/core/belief.h"
#include "bridge/core/brake.h"
#include "bridge/core/naming.h"
#include "bridge/core/policy.h"
#include "bridge/core/restored.h"

struct source_row {
	int32_t id;
	const char *cursor;       /* adapter's own text; NULL: never read */
	int64_t last_ok_s;        /* last complete, successful read; 0: never */
	int64_t last_try_s;
	const char *last_error;   /* NULL: the last read was good */
	uint64_t rows;            /* live observations after the last read */
	uint64_t bad;             /* records refused in the last read */
	int32_t whole_wanted;     /* greater than whole_done: the cursor does not count, all of it is */
	int32_t whole_done;       /* to be read; then whole_done becomes what whole_wanted was */
};

/* A source that the configuration no longer names and that still has evidence. */
struct source_gone {
	int32_t id;
	int32_t space_id;
	const char *name;
	int64_t gone_at_s;
};

struct zone_row {
	int32_t id;
	bool known;               /* transferred whole: an owner without row is absent */
	bool asked;               /* its server does not give it: what is seen of an owner is what it
				   * answered about this one.  Until a transfer is kept again */
	bool restored;            /* its serial went back, and it was not read whole since */
	uint32_t serial;          /* of the last transfer kept, whole or of what changed */
	int64_t read_at_s;        /* when that transfer began; 0: there was none */
	int64_t pulled_at_s;      /* last time seen is known to equal the server */
	int64_t full_at_s;        /* last full compare */
	bool sent_known;          /* see zone_sent; zone_put leaves both as they are */
	uint32_t sent_serial;
	const char *last_error;   /* NULL: fine */
};

/* A staged observation that differs from what is kept. */
struct obs_change {
	enum obs_change_kind {
		OBS_NEW,       /* had is empty */
		OBS_CHANGED,   /* name, mac, identity, ttl, kind or validity differ */
		OBS_ENDED,     /* the source said so (obs.end), had is what ends */
		OBS_ABSENT,    /* kept, but a complete read did not show it; got is empty */
		OBS_BACK,      /* was marked absent or held, and is there unchanged */
	} change;
	struct evidence had;
	struct obs got;
};

/* A source, and when what it no longer shows is over (0: never); for sources_due. */
struct source_clock {
	int32_t id;
	int64_t stale_after_s;
	bool due;
};

/* A zone, and the serial that its server showed; for zones_looked. */
struct zone_look {
	int32_t id;
	uint32_t serial;
	bool current;
};

/* One line of the journal. */
struct journal_line {
	int64_t at_s;
	int32_t space_id;          /* 0: none */
	int32_t zone_id;           /* 0: none */
	const struct dname *owner; /* NULL: none */
	const struct ipaddr *addr; /* NULL: none */
	const char *event;         /* "sent", "done", "refused", "observed", "ended", "held", ... */
	const char *before;        /* record set text, or NULL */
	const char *after;
	int rcode;                 /* -1: none */
	const char *why;
};

struct store_totals {
	uint64_t held;                    /* evidence rows held by the brake */
	uint64_t owners[BELIEF_STATES];   /* owners by state; [BELIEF_STEP] stays 0: the many
					   * that need nothing are not counted */
};

struct zone_key {
	int32_t zone_id;
	struct dname owner;
};

/* What waits to be sent to a zone. */
struct zone_queue {
	uint64_t due;
	int64_t oldest_s;      /* since when the first of them is due; 0: at once, or none */
};

/* Due owners of one zone. */
struct due_page {
	int32_t zone_id;
	const struct belief *after;  /* only those after it in their order; NULL: from the start */
	struct belief *v;            /* out */
	size_t n;
	uint64_t before;             /* out: rows of that version or later are not among them, whatever
				      * they were before they were written; 0: none were read */
};

struct flow_store {
	void *ctx;

	int (*begin)(void *ctx, struct err *e);
	int (*commit)(void *ctx, struct err *e);
	void (*rollback)(void *ctx);

	/* One writer of a space at a time, until the transaction ends. */
	int (*lock_space)(void *ctx, int32_t space_id, struct err *e);

	/* The right to send to a zone, one process at a time.  It stays with us, and asking again
	 * costs nothing, until zones_unlock or the end of the session.  *got false: another has it.
	 * *since: rows of that version or later (belief_written_since) were written while we had it,
	 * so nobody else has sent them. */
	int (*zone_lock)(void *ctx, int32_t zone_id, bool *got, uint64_t *since, struct err *e);
	void (*zones_unlock)(void *ctx);
	/* Is it ours, and from which version on has no row been sent: as above, or as zone_sends moved
	 * it on?  No question to anybody, neither of them. */
	bool (*zone_held)(void *ctx, int32_t zone_id, uint64_t *unsent);
	/* Rows of the zone are sent as they were listed (due_page.before). */
	void (*zone_sends)(void *ctx, int32_t zone_id, uint64_t before);

	int (*source_get)(void *ctx, struct source_row *out, struct arena *a, int32_t id,
			  struct err *e);
	int (*source_put)(void *ctx, const struct source_row *row, struct err *e);
	/* Which sources are due: evidence_due has something of what was over at now_s, or when the
	 * source was last read, if that is earlier.  *gone: sources_gone has something. */
	int (*sources_due)(void *ctx, struct source_clock *v, size_t n, int64_t now_s, bool held_too,
			   bool *gone, struct err *e);
	int (*sources_gone)(void *ctx, struct source_gone **out, size_t *n, struct arena *a,
			    struct err *e);

	/* Staging, outside any transaction of evidence: stage_begin empties the stage; stage_add
	 * appends (the later of two rows with one key (address; for manual address + name) wins);
	 * stage_diff compares with what is kept of the source and remembers the differences:
	 * returns how many in *n.  complete: kept rows not staged are OBS_ABSENT.  Facts compared:
	 * kind, name, mac, client_id, duid, valid_until, ttl, ptr.  A kept row's seen time is
	 * advanced at most hourly and is no difference. */
	int (*stage_begin)(void *ctx, int32_t source_id, struct err *e);
	int (*stage_add)(void *ctx, const struct obs *v, size_t n, struct err *e);
	int (*stage_diff)(void *ctx, bool complete, int64_t now_s, uint64_t *n, struct err *e);
	/* The next at most limit differences in order of address, as they are now: one whose row is
	 * gone or come meanwhile is left out or of another kind.  *n < limit: no more.  Each is
	 * given out once. */
	int (*stage_next)(void *ctx, struct obs_change **out, size_t *n, size_t limit,
			  struct arena *a, struct err *e);

	/* Evidence of addresses: all kept observations, ordered by (address, source, name). */
	int (*evidence_get)(void *ctx, struct evidence **out, size_t *n, int32_t space_id,
			    const struct ipaddr *addrs, size_t n_addrs, struct arena *a,
			    struct err *e);
	/* Upsert by key (source, address, name for manual). */
	int (*evidence_put)(void *ctx, const struct evidence *v, size_t n, struct err *e);
	/* Rows of keys that have none. */
	int (*evidence_add)(void *ctx, const struct evidence *v, size_t n, struct err *e);
	int (*evidence_del)(void *ctx, const struct evidence *v, size_t n, struct err *e);
	/* Evidence of a source whose clock has run out at now_s: valid_until <= now_s (OBS_FOREVER:
	 * all), or absent for at least stale_after_s (0: never by absence); held rows only when held_too.
	 * Ordered by address, only addresses greater than after (NULL: from the start). */
	int (*evidence_due)(void *ctx, struct evidence **out, size_t *n, int32_t source_id,
			    int64_t now_s, int64_t stale_after_s, bool held_too,
			    const struct ipaddr *after, size_t limit, struct arena *a,
			    struct err *e);

	int (*hosts_of_addrs)(void *ctx, struct host **out, size_t *n, int32_t space_id,
			      const struct ipaddr *addrs, size_t n_addrs, struct arena *a,
			      struct err *e);
	/* Rows whose assigned name is one of the names; ordered by (name, since, address). */
	int (*hosts_of_names)(void *ctx, struct host **out, size_t *n, int32_t space_id,
			      const struct dname *names, size_t n_names, struct arena *a,
			      struct err *e);
	/* The same will probably be asked for next in this transaction, with these very names: the
	 * store may read ahead.  Writing hosts makes it vain. */
	int (*hosts_of_names_soon)(void *ctx, int32_t space_id, const struct dname *names, size_t n,
				   struct err *e);
	/* Addresses without a name that ask for one of the names, ascending. */
	int (*hosts_waiting)(void *ctx, struct ipaddr **out, size_t *n, int32_t space_id,
			     const struct dname *names, size_t n_names, struct arena *a,
			     struct err *e);
	/* Rows of addresses that have none. */
	int (*hosts_add)(void *ctx, int32_t space_id, const struct host *v, size_t n,
			 struct err *e);
	/* Replaces all rows of the addresses. */
	int (*hosts_put)(void *ctx, int32_t space_id, const struct ipaddr *addrs, size_t n_addrs,
			 const struct host *v, size_t n, struct err *e);
	/* Addresses that have rows, ascending, greater than after (NULL: from the start); at most
	 * cap.  For planning a whole space anew. */
	int (*hosts_addrs)(void *ctx, struct ipaddr *out, size_t *n, size_t cap, int32_t space_id,
			   const struct ipaddr *after, struct err *e);
	/* Digest of the policy that the space's names were last planned with; 0: never. */
	int (*digest_get)(void *ctx, uint64_t *out, int32_t space_id, struct err *e);
	int (*digest_put)(void *ctx, uint64_t digest, int32_t space_id, struct err *e);
	/* For the brake: names that a source gives at or below a forward zone now, and names that
	 * anybody gives to addresses of a prefix. */
	int (*names_of_source)(void *ctx, uint32_t *out, int32_t source_id,
			       const struct dname *zone, struct err *e);
	int (*names_within)(void *ctx, uint32_t *out, int32_t space_id, const struct prefix *p,
			    struct err *e);

	/* Beliefs of the keys that have a row; the others are absent from the result.  seen_known
	 * is set when the zone is known or the owner was queried (seen_known given to
	 * beliefs_put for a zone that is not known).  Inside a transaction the rows stay as they
	 * were read until it ends. */
	int (*beliefs_get)(void *ctx, struct belief **out, size_t *n, const struct zone_key *keys,
			   size_t n_keys, struct arena *a, struct err *e);
	/* The same will probably be asked for next in this transaction, with these very keys, and find
	 * nothing: the store may look ahead.  Writing beliefs makes it vain. */
	int (*beliefs_soon)(void *ctx, const struct zone_key *keys, size_t n, struct err *e);
	/* Upsert; an empty belief (belief_is_empty) deletes its row.  Of one that was not read
	 * (version 0) there is no row. */
	int (*beliefs_put)(void *ctx, const struct belief *v, size_t n, struct err *e);
	/* Written beside the one writer of the space, without ever waiting for it: all but want, its
	 * kind and TTL of those rows that nobody has written since they were read (version) or is
	 * writing.  done[i] says which were, and v[i].version is new then.  No row may be empty
	 * (belief_is_empty). */
	int (*beliefs_settle)(void *ctx, struct belief *v, size_t n, bool *done, struct err *e);
	/* The same for rows that become just what was wanted (push_as_wanted): cheap, because only
	 * which they are travels.  All were settled at the same time. */
	int (*beliefs_proven)(void *ctx, struct belief *v, size_t n, int64_t settled_at_s, bool *done,
			      struct err *e);
	/* Due owners of zones (none twice), of each at most so many: state due, due_at_s <= now_s; in order of
	 * (due_at_s, owner text as bytes). */
	int (*beliefs_due)(void *ctx, struct due_page *pages, size_t n_pages, int64_t now_s,
			   size_t limit, struct arena *a, struct err *e);
	/* Owners of a zone in a state that nothing is due in, in order of owner text as bytes, only
	 * those after the name (NULL: from the start).  Inside a transaction as beliefs_take: nothing
	 * is waited for, and the rows stay as they are. */
	int (*beliefs_stopped)(void *ctx, struct belief **out, size_t *n, int32_t zone_id,
			       enum belief_state state, const struct dname *after, size_t limit,
			       struct arena *a, struct err *e);
	/* Owners of a zone whose seen holds NS, DNAME, CNAME, MX or SRV: zone cuts and the names
	 * that others point at; and those where IPAM gives way (DECIDED_DNS).  Few. */
	int (*beliefs_guarding)(void *ctx, struct belief **out, size_t *n, int32_t zone_id,
				struct arena *a, struct err *e);
	/* Walks all owners of a zone: cb gets the owner and what the server should show (seen, or
	 * published where seen is not kept).  cb returns 0 or a negative code that ends the walk.
	 * rrs live until cb returns. */
	int (*seen_walk)(void *ctx, int32_t zone_id,
			 int (*cb)(void *arg, const struct dname *owner, const struct rrs *seen,
				   struct err *e),
			 void *arg, struct err *e);

	int (*zone_get)(void *ctx, struct zone_row *out, struct arena *a, int32_t id, struct err *e);
	int (*zone_put)(void *ctx, const struct zone_row *row, struct err *e);
	/* After a look that began at at_s.  Current are the known zones that show the serial that is
	 * kept, were compared whole after full_s, and of which no later serial is known; theirs is
	 * pulled_at_s, without an error.  The others stay as they are. */
	int (*zones_looked)(void *ctx, struct zone_look *v, size_t n, int64_t at_s, int64_t full_s,
			    struct err *e);
	/* The serial that the server showed after changes of ours were proven; kept where it is newer
	 * (RFC 1982) than the one that is, or in any case (anew).  Waits for nobody: where another
	 * transaction holds the row, nothing is kept. */
	int (*zone_sent)(void *ctx, int32_t id, uint32_t serial, bool anew, struct err *e);

	int (*zone_queue)(void *ctx, struct zone_queue *out, int32_t zone_id, struct err *e);

	/* Standing totals over all spaces. */
	int (*totals)(void *ctx, struct store_totals *out, struct err *e);

	/* Keyed by zone and source; a negative zone_id is minus the id of a subnet. */
	int (*brake_get)(void *ctx, struct brake *out, int32_t zone_id, int32_t source_id,
			 struct err *e);
	int (*brake_put)(void *ctx, const struct brake *b, int32_t zone_id, int32_t source_id,
			 struct err *e);

	int (*journal)(void *ctx, const struct journal_line *v, size_t n, struct err *e);
	/* What the journal says last of each key, at most RESTORED_LINES_MAX lines of it: in order of
	 * keys, and of each the newest first. */
	int (*journal_last)(void *ctx, struct past_line **out, size_t *n,
			    const struct zone_key *keys, size_t n_keys, struct arena *a,
			    struct err *e);
};

#endif
