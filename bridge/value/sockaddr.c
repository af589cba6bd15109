/* sockaddr.c - see sockaddr.h. */
#include "bridge/value/sockaddr.h"

#include <string.h>

socklen_t sockaddr_put(union sockaddr_any *out, const struct ipaddr *a, uint16_t port)
{
	memset(out, 0, sizeof(*out));
	if (a->family == 4) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
		memcpy(&out->v4.sin_addr, a->b, 4);
		return sizeof(out->v4);
	}
	out->v6.sin6_family = AF_INET6;
	out->v6.sin6_port = htons(port);
	memcpy(&out->v6.sin6_addr, a->b, 16);
	return sizeof(out->v6);
}
