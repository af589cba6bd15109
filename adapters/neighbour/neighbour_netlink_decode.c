/* neighbour_netlink_decode.c - which entries of the kernel's table are hosts seen. */

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "adapters/neighbour/neighbour_netlink_decode.h"

enum {
	USABLE = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT,
	HEADER = NLMSG_HDRLEN,
	AGE_MAX_S = 10 * 365 * 86400,
};

/* NLA_ALIGN and friends are macros on int; sizes here stay size_t. */
static size_t align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

struct entry {
	struct ndmsg nd;
	struct ipaddr addr;
	struct mac mac;
	bool aged;
	uint32_t confirmed; /* ticks ago */
};

static void attribute(struct entry *n, uint16_t type, const uint8_t *p, size_t len)
{
	struct nda_cacheinfo ci;
	bool v4 = n->nd.ndm_family == AF_INET && len == 4;
	bool v6 = n->nd.ndm_family == AF_INET6 && len == 16;

	if (type == NDA_DST && (v4 || v6)) {
		n->addr.family = v4 ? 4 : 6;
		memcpy(n->addr.b, p, len);
	}
	if (type == NDA_LLADDR && len == 6) {
		memcpy(n->mac.b, p, 6);
		n->mac.known = true;
	}
	if (type == NDA_CACHEINFO && len >= sizeof(ci)) {
		memcpy(&ci, p, sizeof(ci));
		n->aged = true;
		n->confirmed = ci.ndm_confirmed;
	}
}

/* False: the attributes do not fit their message. */
static bool parse_entry(struct entry *n, const uint8_t *p, size_t len)
{
	size_t at = align4(sizeof(n->nd));

	memset(n, 0, sizeof(*n));
	if (len < sizeof(n->nd))
		return false;
	memcpy(&n->nd, p, sizeof(n->nd));
	while (at + sizeof(struct rtattr) <= len) {
		struct rtattr a;

		memcpy(&a, p + at, sizeof(a));
		if (a.rta_len < sizeof(a) || a.rta_len > len - at)
			return false;
		attribute(n, a.rta_type & NLA_TYPE_MASK, p + at + sizeof(a), a.rta_len - sizeof(a));
		at += align4(a.rta_len);
	}
	return true;
}

static const char *state_name(uint16_t state)
{
	switch (state) {
	case NUD_REACHABLE:
		return "REACHABLE";
	case NUD_STALE:
		return "STALE";
	case NUD_DELAY:
		return "DELAY";
	case NUD_PROBE:
		return "PROBE";
	case NUD_PERMANENT:
		return "PERMANENT";
	default:
		return "?";
	}
}

/* A permanent entry is never confirmed by traffic: it holds as long as it is there. */
static int64_t seen_of(const struct entry *n, const struct netlink_rules *r)
{
	int64_t age_s;

	if (!n->aged || r->ticks_per_s <= 0 || r->rules->now_s == 0 ||
	    (n->nd.ndm_state & NUD_PERMANENT) != 0)
		return r->rules->seen_s;
	age_s = (int64_t)n->confirmed / r->ticks_per_s;
	return age_s <= AGE_MAX_S ? r->rules->now_s - age_s : r->rules->seen_s;
}

static int add(struct obs_batch *into, const struct entry *n, const char *dev,
	       const struct netlink_rules *r)
{
	char addr[IPADDR_TEXT], mac[MAC_TEXT], raw[160];
	int len = snprintf(raw, sizeof(raw), "%s dev %s lladdr %s %s", ipaddr_print(addr, &n->addr),
			   dev, mac_print(mac, &n->mac), state_name(n->nd.ndm_state));

	if (len < 0)
		len = 0;
	return neighbour_add(into, &n->addr, &n->mac, seen_of(n, r), raw,
			     (size_t)len < sizeof(raw) ? (size_t)len : sizeof(raw) - 1);
}

static int new_neigh(struct obs_batch *into, const uint8_t *p, size_t len,
		     const struct netlink_rules *r, struct err *e)
{
	char number[16];
	const char *dev = NULL;
	struct entry n;

	if (!parse_entry(&n, p, len))
		return err_set(e, ERR_PROTO, "the kernel's answer is malformed");
	if ((n.nd.ndm_state & USABLE) == 0 || (n.nd.ndm_flags & NTF_PROXY) != 0 ||
	    n.nd.ndm_type != RTN_UNICAST || n.addr.family == 0) {
		into->n_skipped++;
		return 0;
	}
	if (r->ifname != NULL)
		dev = r->ifname(r->ifname_ctx, (uint32_t)n.nd.ndm_ifindex);
	if (dev == NULL) {
		snprintf(number, sizeof(number), "%d", n.nd.ndm_ifindex);
		dev = number;
	}
	if (!neighbour_wanted(r->rules, dev, strlen(dev))) {
		into->n_skipped++;
		return 0;
	}
	return add(into, &n, dev, r) < 0 ? err_nomem(e) : 0;
}

/* NLMSG_ERROR carries a negative errno; 0 is an acknowledgement. */
static int kernel_error(const uint8_t *p, size_t len, struct err *e)
{
	int32_t errnum;

	if (len < sizeof(errnum))
		return err_set(e, ERR_PROTO, "the kernel's answer is malformed");
	memcpy(&errnum, p, sizeof(errnum));
	if (errnum == 0)
		return NETLINK_MORE;
	return err_sys(e, errnum < 0 && errnum > -4096 ? -errnum : 0,
		       "the kernel refused to list its neighbours");
}

static int message(struct obs_batch *into, const struct nlmsghdr *h, const uint8_t *body,
		   const struct netlink_rules *r, struct err *e)
{
	size_t len = h->nlmsg_len - HEADER;

	if (h->nlmsg_seq != r->seq)
		return NETLINK_MORE;
	if ((h->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		return NETLINK_AGAIN;
	switch (h->nlmsg_type) {
	case NLMSG_DONE:
		return NETLINK_DONE;
	case NLMSG_ERROR:
		return kernel_error(body, len, e);
	case NLMSG_OVERRUN:
		return NETLINK_AGAIN;
	case RTM_NEWNEIGH:
		return new_neigh(into, body, len, r, e);
	default:
		return NETLINK_MORE;
	}
}

int neighbour_netlink_decode(struct obs_batch *into, const void *p, size_t len,
			     const struct netlink_rules *rules, struct err *e)
{
	const uint8_t *b = p;
	size_t at = 0;

	while (len - at >= HEADER) {
		struct nlmsghdr h;
		int r;

		memcpy(&h, b + at, sizeof(h));
		if (h.nlmsg_len < HEADER || h.nlmsg_len > len - at)
			return err_set(e, ERR_PROTO, "the kernel's answer is malformed");
		r = message(into, &h, b + at + HEADER, rules, e);
		if (r != NETLINK_MORE)
			return r;
		at += align4(h.nlmsg_len);
		if (at > len)
			break;
	}
	return NETLINK_MORE;
}
