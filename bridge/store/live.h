/* live.h - what is going on now, kept in the database: name servers, processes, passes.
 *
 * Roles write it, status, metrics and /readyz read it.  All of it may be lost without harm, so
 * a caller whose write fails goes on.  Texts are borrowed; what is read lives in the arena.
 */
#ifndef BRIDGE_STORE_LIVE_H
#define BRIDGE_STORE_LIVE_H

#include "bridge/base/arena.h"
#include "bridge/pg/pg.h"

/* ---- name servers: written by the process that sends to them ------------------------------- */

enum server_status {
	SERVER_OK,
	SERVER_UNREACHABLE,  /* no connection, or no answer in time */
	SERVER_PARKED,       /* it refuses us: waits until next_try_s */
};

const char *server_status_name(enum server_status s);  /* "ok", "unreachable", "parked" */

struct server_state {
	const char *name;         /* as the configuration calls it */
	enum server_status state;
	int64_t since_s;          /* when the state became this; kept by the database */
	int64_t next_try_s;       /* nothing is sent before; 0: at once */
	const char *last_error;   /* NULL: fine */
	int64_t queue;            /* owners due */
	int64_t oldest_due_s;     /* of the first of them; 0: none */
	int32_t in_flight;        /* messages */
	int64_t messages;         /* answered since the process began */
	int64_t message_ms;       /* from sending to the answer, summed over them */
	int64_t updated_at_s;     /* kept by the database */
};

/* At changes of the state, and every ten seconds or so. */
int store_server_put(struct pg *pg, const struct server_state *v, struct err *e);
/* Ordered by name.  A configured server without a row was never sent to by a daemon. */
int store_servers_get(struct pg *pg, struct server_state **out, size_t *n, struct arena *a,
		      struct err *e);

/* ---- processes of "serve" ------------------------------------------------------------------ */

/* A row not written for so long is of a process that died; after a day it is removed. */
enum { ROLE_SILENT_S = 60 };

struct role_state {
	const char *host;         /* NULL when writing: this machine */
	int32_t pid;              /* 0 when writing: this process */
	const char *role;         /* "push" */
	const char *of;           /* "ns1"; "" when it works for all */
	const char *state;        /* "starting", "running", "failing", "stopping" */
	const char *status;       /* what it does or what is wrong, in a few words; may be NULL */
	int64_t started_at_s;     /* kept by the database, as is */
	int64_t alive_at_s;
};

/* At changes, and at least every twenty seconds. */
int store_role_put(struct pg *pg, const struct role_state *v, struct err *e);
/* This process ends as it should. */
int store_role_gone(struct pg *pg, struct err *e);
/* Ordered by host, role, of, pid. */
int store_roles_get(struct pg *pg, struct role_state **out, size_t *n, struct arena *a,
		    struct err *e);

/* ---- zones --------------------------------------------------------------------------------- */

/* It is looked at because its server sent NOTIFY. */
int store_zone_hinted(struct pg *pg, int32_t zone_id, struct err *e);

/* ---- passes -------------------------------------------------------------------------------- */

struct pass_row {
	const char *verb;         /* "reconcile", "pull", or a role */
	int64_t began_s;
	int64_t ended_s;
	int32_t exit;
	uint64_t changed, refused, pending, held, conflicts, pulled;
	const char *error;        /* NULL: it came to its end */
};

/* Makes few rows of the many that the journal's counters have grown to. */
int store_fold_tally(struct pg *pg, struct err *e);
/* Keeps the last thousand. */
int store_pass_note(struct pg *pg, const struct pass_row *v, struct err *e);
/* The last at most limit, newest first. */
int store_passes_get(struct pg *pg, struct pass_row **out, size_t *n, unsigned limit,
		     struct arena *a, struct err *e);

#endif
