/* ipaddr.h - IPv4 and IPv6 addresses and prefixes as values; parse, print, compare, reverse. */
#ifndef BRIDGE_VALUE_IPADDR_H
#define BRIDGE_VALUE_IPADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/value/dname.h"

struct ipaddr {
	uint8_t family; /* 4 or 6; 0: no address */
	uint8_t b[16];  /* network order; IPv4 uses the first 4 bytes, the rest is 0 */
};

struct prefix {
	struct ipaddr addr; /* host bits are 0 */
	uint8_t len;
};

enum { IPADDR_TEXT = 46, PREFIX_TEXT = 50 };  /* longest text with its NUL */

/* Strict: no zone index, no leading zeros in IPv4, no IPv4-mapped IPv6, nothing after.
 * False leaves *out alone. */
bool ipaddr_parse(struct ipaddr *out, const char *s, size_t len);
const char *ipaddr_print(char out[IPADDR_TEXT], const struct ipaddr *a);
/* IPv4 before IPv6, then by bytes: the order of every list we print. */
int ipaddr_cmp(const struct ipaddr *a, const struct ipaddr *b);
/* Length in bytes: 4 or 16. */
size_t ipaddr_len(const struct ipaddr *a);
/* Can this be some host's own unicast address?  Refuses unspecified, loopback, multicast,
 * link-local (fe80::/10 repeats on every link; 169.254/16) and broadcast. */
bool ipaddr_is_host(const struct ipaddr *a);
/* The in-addr.arpa or ip6.arpa owner (RFC 1035 3.5, RFC 3596 2.5). */
void ipaddr_reverse(struct dname *out, const struct ipaddr *a);
/* The address a full-length reverse name stands for; false for any other name. */
bool ipaddr_from_reverse(struct ipaddr *out, const struct dname *name);

/* "192.0.2.0/24"; host bits must be 0. */
bool prefix_parse(struct prefix *out, const char *s, size_t len);
const char *prefix_print(char out[PREFIX_TEXT], const struct prefix *p);
bool prefix_contains(const struct prefix *p, const struct ipaddr *a);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
/* The prefix that a reverse zone name covers ("2.0.192.in-addr.arpa" -> 192.0.2.0/24);
 * false when name is no reverse zone at an octet or nibble cut. */
bool prefix_from_reverse_zone(struct prefix *out, const struct dname *zone);

#endif
