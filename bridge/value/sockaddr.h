/* sockaddr.h - an address and a port as the socket calls want them.
 */
#ifndef BRIDGE_VALUE_SOCKADDR_H
#define BRIDGE_VALUE_SOCKADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "bridge/value/ipaddr.h"

union sockaddr_any {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Its length. */
socklen_t sockaddr_put(union sockaddr_any *out, const struct ipaddr *a, uint16_t port);

#endif
