/* d2.h - Kea's D2 beside the bridge: it carries out what the DHCP servers told it, at its own
 * times, in an order of its own, late or never (RFC 4703, conflict resolution with check).
 */
#ifndef TESTS_SIM_D2_H
#define TESTS_SIM_D2_H

#include "tests/sim/rng.h"
#include "bridge/value/dname.h"
#include "bridge/value/ipaddr.h"

enum { D2_QUEUE = 24, D2_DHCID_LEN = 35 };

struct world;
struct lease;

/* What a DHCP server told of a lease last; name.len 0: nothing that stands. */
struct d2_told {
	struct dname name;
	uint8_t dhcid[D2_DHCID_LEN];
};

struct d2_request {
	struct dname name;
	struct ipaddr addr;
	uint8_t dhcid[D2_DHCID_LEN];
	uint8_t step;              /* the next message */
};

struct d2 {
	struct rng rng;
	bool runs;                 /* there is one in this world */
	struct d2_request queue[D2_QUEUE];
	size_t n;
};

/* RFC 4701: of the lease's client at the name. */
void d2_dhcid(uint8_t out[D2_DHCID_LEN], const struct world *w, const struct lease *l,
	      const struct dname *name);
/* A lease came, changed its name, or is over: the DHCP server tells, or the word is lost. */
void d2_lease(struct world *w, struct lease *l);
/* Sends the next message of some request, if there is one. */
void d2_event(struct world *w);
/* To the end of all requests. */
void d2_drain(struct world *w);
/* What D2 wrote and the bridge takes for its own is the bridge's to keep right. */
void d2_claimed(struct world *w);

#endif
