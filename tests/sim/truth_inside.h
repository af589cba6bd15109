/* truth_inside.h - the inside of the independent model, shared by its files and by nobody else. */
#ifndef TESTS_SIM_TRUTH_INSIDE_H
#define TESTS_SIM_TRUTH_INSIDE_H

#include <limits.h>

#include "bridge/base/hash.h"
#include "bridge/base/vec.h"
#include "tests/sim/photo.h"
#include "tests/sim/truth.h"

#define TRUTH_OPEN UINT_MAX

enum { N_PLACES = N_LEASES + N_NEIGH + 2, N_HEARD = 8, N_VOICES = N_HEARD + 3 };

/* ---- who ---------------------------------------------------------------------------------- */

/* Who stands behind an address, as far as its sources tell. */
struct who {
	struct mac mac;
	uint8_t client_id[40], duid[16];
	size_t client_id_len, duid_len;
};

/* Are two who ask for one name one host?  In this order: to share, the greater tie counts. */
enum tie {
	TIE_NONE,      /* two hosts */
	TIE_UNSURE,    /* two, unless one is what the other left behind: the newest-lease policy */
	TIE_NAME,      /* one, by the name alone */
	TIE_SAME,      /* one, by what is known of both */
};

struct who who_of_lease(const struct world *w, const struct lease *l);
struct who who_of_neigh(const struct world *w, const struct neigh *n);
bool who_known(const struct who *x);
bool who_equal(const struct who *a, const struct who *b);
/* 1: proven one, 0: proven two, -1: nothing proves either. */
int who_proof(const struct who *a, const struct who *b);
/* An address that was a's and is b's now: is it still the same client's? */
bool who_keeps(const struct who *a, const struct who *b);
/* RDATA of the DHCID that marks the name as this client's (RFC 4701).  False: it has none. */
bool who_dhcid(uint8_t out[DHCID_LEN], const struct who *x, bool v6, const struct dname *name);
/* "name-" + 4 hex of SHA-256(identity, else address). */
void who_suffixed(struct dname *out, const struct dname *name, const struct who *x,
		  const struct ipaddr *addr);

/* ---- who asks for what, and since when ---------------------------------------------------- */

/* Somebody who may name an address now. */
struct voice {
	uint8_t kind;
	struct dname asked;
	struct who who;
};

/* What the bridge makes of a PTR that is not its own, as far as that is certain. */
struct told {
	bool ours;                   /* a clean pass left nothing there but its own; none ran since */
	bool fresh;                  /* theirs came in place of that: this pass reads it */
	bool edit;                   /* it is known as an edit */
	bool ended;                  /* it was, and the end of the lease behind it ended it */
	unsigned records;            /* at the owner, as last looked at */
	unsigned n;                  /* PTRs of others, as last looked at */
	struct dname target;         /* one of them */
	bool leased;                 /* a lease was known at the last clean pass */
	struct who who;              /* of that client */
	bool moved;                  /* it has not been the same at every look since */
	unsigned restores;           /* how often zones had been restored by then */
};

struct place {
	struct ipaddr addr;
	struct dname reverse;
	int32_t zone;                /* of its PTR */
	const struct lease *lease;   /* NULL: no pool has it */
	const struct neigh *neigh;   /* NULL: no neighbour is there */
	bool keeper;                 /* all sources show it, without a name */
	/* Its leases, and names that PTRs of others gave it, as the bridge may know them: all since
	 * it last knew for certain. */
	struct voice heard[N_HEARD];
	size_t n_heard;
	/* A neighbour stays known for a while, measured from the first whole table without it. */
	bool neigh_known;
	int64_t neigh_gone_s;        /* when that was; 0: it has not been */
	/* A PTR there that is not the bridge's, or perhaps not, as last looked at. */
	unsigned n_theirs;
	struct dname theirs;         /* the last of them */
	bool is_told;                /* it names the address, in its subnet's zone */
	unsigned n_ours;             /* PTRs of the bridge */
	struct told told;
};

/* An address asks for a name, from some pass until another. */
struct claim {
	const struct place *place;
	struct voice voice;
	bool varied;             /* who stands behind it has changed meanwhile */
	bool told_more;          /* its lease has told more, or other things, of the one client since */
	/* Numbers of looks. */
	unsigned may_from;       /* not before */
	unsigned sure_from;      /* then for certain; 0: not yet */
	unsigned sure_until;     /* and still then */
	unsigned may_until;      /* not after; TRUTH_OPEN: it may go on */
	bool away;               /* not heard, or perhaps not, since sure_until */
	int64_t may_from_s, sure_from_s;  /* when those were */
};

/* What stood at an owner, and stands there. */
struct plot {
	bool ours_ever;          /* something that is or may be the bridge's */
	bool foreign;            /* something that certainly is not */
	bool ours_always;        /* records of the bridge, at every look since that came and at the one
				  * before */
	int64_t since_s;         /* when it came */
	unsigned removals;       /* how often the bridge's were removed until then */
	unsigned ours, open, theirs; /* records as last looked at: the bridge's; perhaps; not */
	bool looked;             /* in this look */
	bool decided;            /* a person has decided something about it, once */
	bool aside;              /* the last was, that IPAM gives way */
};

struct truth {
	struct arena arena;
	struct place places[N_PLACES];
	size_t n_places;
	VEC(struct claim) claims;
	struct map plots;        /* (zone, owner) -> struct plot */
	struct photo last;       /* the zones as last looked at */
	int64_t last_s;
	unsigned now;            /* how many looks there were */
	unsigned running;        /* passes */
	unsigned hands;          /* how often others acted since none ran */
	bool bad;                /* no memory */
};

/* The plot of an owner; NULL: nothing ever stood there. */
const struct plot *truth_plot(const struct truth *t, int32_t zone, const struct dname *owner);
/* Who may name the address, as the world is now.  One and !*silent: it does; several: any of them;
 * silent: perhaps nobody. */
size_t truth_voices(const struct truth *t, const struct world *w, const struct place *p,
		    struct voice v[N_VOICES], bool *silent);
/* newest: the zone shows only the newest lease of a host. */
enum tie claim_tie(const struct claim *a, const struct claim *b, bool newest);
bool voice_equal(const struct voice *a, const struct voice *b);

/* The place of an address; made where there is none. */
struct place *truth_place(struct truth *t, const struct ipaddr *a);
/* Takes down what PTRs may be edits; begins: a pass begins. */
void truth_note_edits(struct truth *t, const struct world *w, bool begins);
/* The same once a pass has seen all of it. */
void truth_clean_edit(const struct truth *t, const struct world *w, struct place *p);
/* Takes down who may name what now; passing: a pass may read it. */
void truth_note_voices(struct truth *t, const struct world *w, bool passing);
/* A decision about a PTR: what was last seen there may name the address for a while. */
void truth_unsettle(struct truth *t, int32_t zone, const struct dname *owner);
/* What the bridge did since then. */
void truth_deeds(const struct truth *t, struct world *w, const struct photo *was);

/* ---- IPAM --------------------------------------------------------------------------------- */

/* An address at the end, with the row that IPAM has of it. */
struct seated {
	const struct place *place;
	const struct host *row;      /* NULL: none */
	const struct claim *claim;   /* whose name it is; NULL: nobody claims */
};

struct ending {
	struct truth *t;
	struct world *w;
	struct arena arena;
	struct seated v[N_PLACES];
	struct truth_counts *counts;
};

/* Takes what IPAM has and checks it.  False: a fault. */
bool truth_ipam(struct ending *x);
/* Checks the zones against what IPAM has. */
void truth_zones(struct ending *x);

#endif
