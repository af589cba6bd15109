/* policy_fixture.h - a small policy for tests of the decisions: one space, one forward zone,
 * reverse zones, a v4 and a v6 subnet.
 */
#ifndef TESTS_UNIT_POLICY_FIXTURE_H
#define TESTS_UNIT_POLICY_FIXTURE_H

#include <string.h>

#include "bridge/core/policy.h"

static const char *const fx_servers[] = {"ns1"};
static struct policy_zone fx_zones[] = {
    {.id = 1, .text = "lab.example", .ttl_s = 300, .dhcid = true, .view = ""},
    {.id = 2, .text = "2.0.192.in-addr.arpa", .ttl_s = 300, .dhcid = true, .is_reverse = true,
     .view = ""},
    {.id = 3, .text = "8.b.d.0.1.0.0.2.ip6.arpa", .ttl_s = 300, .dhcid = true,
     .is_reverse = true, .view = ""},
};
static const struct policy_zone *const fx_forward[] = {&fx_zones[0]};
static struct policy_subnet fx_subnets[2];
static struct policy_source fx_sources[] = {
    {.id = 1, .name = "dhcp", .type = "kea-leases", .kind = OBS_LEASE},
    {.id = 2, .name = "arp", .type = "neighbour", .kind = OBS_NEIGHBOUR, .stale_after_s = 3600},
    {.id = 3, .name = "manual", .type = "manual", .kind = OBS_MANUAL},
    {.id = 4, .name = "dns", .type = "dns", .kind = OBS_DNS},
};
static const char *const fx_protect[] = {"secret*"};
static struct policy_space fx_space = {
    .id = 1, .name = "default", .zones = fx_zones, .n_zones = 3, .subnets = fx_subnets,
    .n_subnets = 2, .sources = fx_sources, .n_sources = 4, .protect = fx_protect, .n_protect = 1};
static struct policy fx_policy = {.spaces = &fx_space, .n_spaces = 1, .brake_percent = 30,
				  .brake_min = 10};

static inline struct ipaddr fx_addr(const char *s)
{
	struct ipaddr a = {0, {0}};

	ipaddr_parse(&a, s, strlen(s));
	return a;
}

static inline struct dname fx_name(const char *s)
{
	struct dname n = {0};

	dname_parse(&n, s, strlen(s));
	return n;
}

static inline void fx_setup(void)
{
	static const char *const prefixes[] = {"192.0.2.0/24", "2001:db8::/64"};
	int i, k;

	for (i = 0; i < 3; i++) {
		fx_zones[i].servers = fx_servers;
		fx_zones[i].n_servers = 1;
		fx_zones[i].name = fx_name(fx_zones[i].text);
		if (fx_zones[i].is_reverse)
			prefix_from_reverse_zone(&fx_zones[i].covers, &fx_zones[i].name);
	}
	for (i = 0; i < 2; i++) {
		fx_subnets[i].id = i + 1;
		prefix_parse(&fx_subnets[i].prefix, prefixes[i], strlen(prefixes[i]));
		fx_subnets[i].zones = fx_forward;
		fx_subnets[i].n_zones = 1;
		fx_subnets[i].reverse = &fx_zones[i + 1];
		fx_subnets[i].n_rank = OBS_KINDS;
		for (k = 0; k < OBS_KINDS; k++)
			fx_subnets[i].rank[k] = (uint8_t)k;
	}
	(void)fx_policy;
}

#endif
