/* neighbour_netlink_decode.h - answers to an RTM_GETNEIGH dump, as bytes. */
#ifndef ADAPTERS_NEIGHBOUR_NEIGHBOUR_NETLINK_DECODE_H
#define ADAPTERS_NEIGHBOUR_NEIGHBOUR_NETLINK_DECODE_H

#include "adapters/neighbour/neighbour_decode.h"

enum {
	NETLINK_MORE = 0,   /* the dump goes on */
	NETLINK_DONE = 1,   /* its end was seen */
	NETLINK_AGAIN = 2,  /* the table changed under the dump: ask again from the start */
};

struct netlink_rules {
	const struct neighbour_rules *rules;
	uint32_t seq;               /* of the request; other messages are passed over */
	long ticks_per_s;           /* unit of the ages, sysconf(_SC_CLK_TCK) */
	/* Name of an interface or NULL; may be NULL, names are then never known. */
	const char *(*ifname)(void *ctx, uint32_t ifindex);
	void *ifname_ctx;
};

/* One datagram.  ERR_PROTO: malformed; ERR_SYS: the kernel answered an error. */
int neighbour_netlink_decode(struct obs_batch *into, const void *p, size_t len,
			     const struct netlink_rules *rules, struct err *e);

#endif
