/* kea_ncr.c - a UDP socket with a large buffer, emptied in batches. */

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "adapters/kea/kea_ncr.h"
#include "adapters/kea/kea_ncr_decode.h"
#include "bridge/base/clock.h"
#include "bridge/base/log.h"
#include "bridge/base/own.h"
#include "bridge/value/sockaddr.h"

enum {
	SLOTS = 64, /* datagrams of one system call */
	READ_MAX = 4000, /* datagrams of one read */
	/* Of mere hints so many are enough to say that there is a flood. */
	HINTS_MAX = 200,
	POLL_MAX_MS = 60000,
	SAY_EVERY_MS = 60000,
	/* The kernel doubles what we ask for and counts 1,280 bytes for a request: 13,000 of them,
	 * two and a half seconds of 5,000 leases a second. */
	RECEIVE_BUFFER = 8 * 1024 * 1024,
	RECEIVE_BUFFER_MIN = 4 * 1024,
	RECEIVE_BUFFER_MAX = 512 * 1024 * 1024, /* the kernel's own sums are of 31 bits */
};

#define LISTEN_DEFAULT "127.0.0.1:53001"

struct kea_ncr {
	struct adapter base;
	int fd;
	char subject[80]; /* of log lines */
	struct prefix *allow;
	size_t n_allow;
	bool hints; /* somebody else is asked what is true */
	uint64_t record; /* datagrams received */
	uint32_t dropped; /* by the kernel, as it last said */
	uint64_t unsaid; /* of them, not logged yet */
	int64_t say_at_ms;
	struct mmsghdr msg[SLOTS];
	struct iovec iov[SLOTS];
	union sockaddr_any from[SLOTS];
	uint8_t data[SLOTS][KEA_NCR_MAX + 1]; /* a byte more shows that one is too long */
};

/* ---- reading ----------------------------------------------------------------------------- */

static bool sender_addr(struct ipaddr *out, const union sockaddr_any *s)
{
	*out = (struct ipaddr){0};
	if (s->sa.sa_family == AF_INET) {
		out->family = 4;
		memcpy(out->b, &s->v4.sin_addr, 4);
	} else if (s->sa.sa_family == AF_INET6) {
		out->family = 6;
		memcpy(out->b, &s->v6.sin6_addr, 16);
	}
	return out->family != 0;
}

static bool allowed(const struct kea_ncr *a, const struct ipaddr *from)
{
	for (size_t i = 0; i < a->n_allow; i++) {
		if (prefix_contains(&a->allow[i], from))
			return true;
	}
	return false;
}

static void refuse_sender(struct kea_ncr *a, struct obs_batch *into, const struct ipaddr *from)
{
	char text[IPADDR_TEXT], why[IPADDR_TEXT + 40];

	snprintf(why, sizeof(why), "the sender %s is not allowed", ipaddr_print(text, from));
	obs_batch_refuse(into, a->record, why);
}

static int take_one(struct kea_ncr *a, struct obs_batch *into, size_t i, int64_t now_s)
{
	struct ipaddr from;

	a->record++;
	if (a->hints && into->n >= HINTS_MAX)
		return 0;
	if (!sender_addr(&from, &a->from[i]) || !allowed(a, &from)) {
		refuse_sender(a, into, &from);
		return 0;
	}
	return kea_ncr_decode(into, a->data[i], a->msg[i].msg_len, a->record, now_s);
}

/* Datagrams taken, 0 when there are none, or negative. */
static int take_some(struct kea_ncr *a, struct obs_batch *into, struct err *e)
{
	int64_t now_s;
	int n;

	for (size_t i = 0; i < SLOTS; i++)
		a->msg[i].msg_hdr.msg_namelen = sizeof(a->from[i]);
	n = recvmmsg(a->fd, a->msg, SLOTS, MSG_DONTWAIT, NULL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return err_sys(e, errno, "receiving requests");
	now_s = clock_wall_s();
	for (int i = 0; i < n; i++) {
		if (take_one(a, into, (size_t)i, now_s) < 0)
			return err_nomem(e);
	}
	return n;
}

/* All there is, or as much as a batch may hold. */
static int take(struct kea_ncr *a, struct obs_batch *into, struct err *e)
{
	int total = 0, n;

	do {
		n = take_some(a, into, e);
		if (n < 0)
			return n;
		total += n;
	} while (n == SLOTS && total < READ_MAX);
	return total;
}

/* 1: readable; 0: the deadline passed, or a signal came in that the caller may want to see. */
static int wait_readable(const struct kea_ncr *a, int64_t until_ms, struct err *e)
{
	struct pollfd p = {.fd = a->fd, .events = POLLIN};
	int r;

	do {
		int64_t left = until_ms - clock_mono_ms();

		if (left <= 0)
			return 0;
		r = poll(&p, 1, left > POLL_MAX_MS ? POLL_MAX_MS : (int)left);
	} while (r == 0);
	if (r < 0 && errno != EINTR)
		return err_sys(e, errno, "waiting for requests");
	return r > 0;
}

/* A flood must not become one of log lines. */
static void say_lost(struct kea_ncr *a)
{
	int64_t now_ms = clock_mono_ms();

	if (a->unsaid == 0 || now_ms < a->say_at_ms)
		return;
	log_event(MSG_EVENTS_LOST, a->subject, "%llu requests lost (the receive buffer was full)",
		  (unsigned long long)a->unsaid);
	a->unsaid = 0;
	a->say_at_ms = now_ms + SAY_EVERY_MS;
}

/* 1 when the kernel dropped some since we last asked, 0 when not.  SO_RXQ_OVFL would give the
 * same count, but with the next datagram only: the last of a burst would be missed in silence. */
static int check_drops(struct kea_ncr *a, struct err *e)
{
	uint32_t mem[SK_MEMINFO_VARS] = {0}, more;
	socklen_t len = sizeof(mem);

	if (getsockopt(a->fd, SOL_SOCKET, SO_MEMINFO, mem, &len) < 0)
		return err_sys(e, errno, "asking how many requests were lost");
	more = mem[SK_MEMINFO_DROPS] - a->dropped;
	a->dropped = mem[SK_MEMINFO_DROPS];
	a->unsaid += more;
	say_lost(a);
	return more > 0;
}

static int ncr_read(struct adapter *base, struct obs_batch *into, int64_t until_ms, struct err *e)
{
	struct kea_ncr *a = (struct kea_ncr *)base;
	int n = take(a, into, e), lost;

	if (n == 0) {
		n = wait_readable(a, until_ms, e);
		n = n > 0 ? take(a, into, e) : n;
	}
	lost = n < 0 ? n : check_drops(a, e);
	if (lost < 0)
		return lost;
	if (lost > 0)
		return ADAPTER_LOST;
	return n > 0 ? ADAPTER_DELTA : ADAPTER_IDLE;
}

/* ---- settings ---------------------------------------------------------------------------- */

static bool parse_port(uint16_t *out, const char *s)
{
	unsigned long v = 0;

	if (*s == '\0' || strlen(s) > 5)
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v * 10 + (unsigned long)(*s - '0');
	}
	*out = (uint16_t)v;
	return v > 0 && v <= UINT16_MAX;
}

static bool parse_listen(struct ipaddr *addr, uint16_t *port, const char *s)
{
	const char *colon = strrchr(s, ':');
	size_t len = colon != NULL ? (size_t)(colon - s) : 0;
	bool v6 = s[0] == '[';

	if (len == 0 || !parse_port(port, colon + 1))
		return false;
	if (v6) {
		if (s[len - 1] != ']')
			return false;
		s++;
		len -= 2;
	}
	return ipaddr_parse(addr, s, len) && (addr->family == 6) == v6;
}

/* A prefix, or a single address. */
static bool parse_allow(struct prefix *out, const char *s)
{
	if (prefix_parse(out, s, strlen(s)))
		return true;
	if (!ipaddr_parse(&out->addr, s, strlen(s)))
		return false;
	out->len = (uint8_t)(8 * ipaddr_len(&out->addr));
	return true;
}

static const char *const loopback[] = {"127.0.0.0/8", "::1/128"};

static bool is_loopback(const struct ipaddr *addr)
{
	for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
		struct prefix p;

		if (parse_allow(&p, loopback[i]) && prefix_contains(&p, addr))
			return true;
	}
	return false;
}

static int set_allow(struct kea_ncr *a, const struct setting *s, struct err *e)
{
	const char *const *list = s != NULL ? s->list : loopback;
	size_t n = s != NULL ? s->n : sizeof(loopback) / sizeof(loopback[0]);

	a->allow = calloc(n + 1, sizeof(*a->allow));
	if (a->allow == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		if (!parse_allow(&a->allow[i], list[i])) {
			err_set(e, ERR_CONF, "allow: \"%s\" is neither a prefix nor an address",
				list[i]);
			err_hint(e, "such as 192.0.2.0/24, the bits behind the length 0");
			return ERR_CONF;
		}
	}
	a->n_allow = n;
	return 0;
}

static int check_open_to_others(const struct ipaddr *addr, const struct setting *allow,
				const char *text, struct err *e)
{
	if (is_loopback(addr) || (allow != NULL && allow->n > 0))
		return 0;
	err_set(e, ERR_CONF, "listen \"%s\" is open to others, and \"allow\" says nothing of them",
		text);
	err_hint(e, "anyone who may send can forge names: allow = { \"192.0.2.1\" } names the DHCP "
		    "servers");
	return ERR_CONF;
}

/* ---- opening ----------------------------------------------------------------------------- */

static int bind_to(const struct kea_ncr *a, const struct ipaddr *addr, uint16_t port,
		   const char *text, struct err *e)
{
	union sockaddr_any to;
	socklen_t len = sockaddr_put(&to, addr, port);
	bool in_use;

	if (bind(a->fd, &to.sa, len) == 0)
		return 0;
	in_use = errno == EADDRINUSE;
	err_sys(e, errno, "listening on \"%s\"", text);
	if (in_use)
		err_hint(e, "kea-dhcp-ddns listens on 127.0.0.1:53001 unless it is told "
			    "otherwise: stop it, or set \"listen\" and the dhcp-ddns block of the "
			    "DHCP server");
	return ERR_SYS;
}

static int size_buffer(const struct kea_ncr *a, int64_t want, struct err *e)
{
	int bytes = (int)want, got = 0;
	socklen_t len = sizeof(got);

	if (want < RECEIVE_BUFFER_MIN || want > RECEIVE_BUFFER_MAX)
		return err_set(e, ERR_CONF, "receive-buffer is not between 4k and 512M");
	/* The first needs CAP_NET_ADMIN, the second is cut to the system's limit. */
	if (setsockopt(a->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0 &&
	    setsockopt(a->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) < 0)
		return err_sys(e, errno, "receive buffer");
	if (getsockopt(a->fd, SOL_SOCKET, SO_RCVBUF, &got, &len) < 0)
		return err_sys(e, errno, "receive buffer");
	got /= 2; /* the kernel doubles it for its own bookkeeping */
	if (got >= bytes)
		log_info(a->subject, "receive buffer of %d KiB", got / 1024);
	else
		log_event(MSG_SOURCE_LIMIT, a->subject,
			  "receive buffer of %d KiB instead of %d (the system's limit), a "
			  "burst may lose requests; sysctl net.core.rmem_max=%d raises it",
			  got / 1024, bytes / 1024, bytes);
	return 0;
}

static int open_socket(struct kea_ncr *a, const struct ipaddr *addr, uint16_t port,
		       const char *text, int64_t buffer, struct err *e)
{
	int on = 1, r;

	a->fd = socket(addr->family == 4 ? AF_INET : AF_INET6,
		       SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0)
		return err_sys(e, errno, "opening a UDP socket");
	if (addr->family == 6 && setsockopt(a->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return err_sys(e, errno, "opening a UDP socket");
	r = size_buffer(a, buffer, e);
	return r < 0 ? r : bind_to(a, addr, port, text, e);
}

static void link_slots(struct kea_ncr *a)
{
	for (size_t i = 0; i < SLOTS; i++) {
		a->iov[i] = (struct iovec){a->data[i], sizeof(a->data[i])};
		a->msg[i].msg_hdr.msg_name = &a->from[i];
		a->msg[i].msg_hdr.msg_iov = &a->iov[i];
		a->msg[i].msg_hdr.msg_iovlen = 1;
	}
}

static int configure(struct kea_ncr *a, const struct settings *set, struct err *e)
{
	const char *text = settings_str(set, "listen", LISTEN_DEFAULT);
	const struct setting *allow = settings_find(set, "allow");
	struct ipaddr addr;
	uint16_t port;
	int r;

	if (!parse_listen(&addr, &port, text)) {
		err_set(e, ERR_CONF, "listen \"%s\" is not an address and a port", text);
		err_hint(e, "such as 127.0.0.1:53001 or [::1]:53001");
		return ERR_CONF;
	}
	snprintf(a->subject, sizeof(a->subject), "kea-ncr %s", text);
	if ((r = check_open_to_others(&addr, allow, text, e)) < 0 ||
	    (r = set_allow(a, allow, e)) < 0)
		return r;
	return open_socket(a, &addr, port, text,
			   settings_num(set, "receive-buffer", RECEIVE_BUFFER), e);
}

static void ncr_close(struct adapter *base)
{
	struct kea_ncr *a = (struct kea_ncr *)base;

	if (a == NULL)
		return;
	a->say_at_ms = 0;
	say_lost(a);
	own_closep(&a->fd);
	free(a->allow);
	free(a);
}

static int ncr_open(struct adapter **out, const struct settings *set, const char *cursor,
		    struct err *e)
{
	struct kea_ncr *a = calloc(1, sizeof(*a));
	int r;

	(void)cursor; /* a request is told once */
	if (a == NULL)
		return err_nomem(e);
	a->base.ops = &kea_ncr_ops;
	a->fd = -1;
	link_slots(a);
	a->hints = settings_str(set, "confirm", NULL) != NULL;
	r = configure(a, set, e);
	if (r < 0) {
		ncr_close(&a->base);
		return r;
	}
	*out = &a->base;
	return 0;
}

static const char *ncr_cursor(struct adapter *a)
{
	(void)a;
	return NULL;
}

static const struct setting_key ncr_keys[] = {
    {"listen", SETTING_STR, false,
     "address and port; the default is that of Kea's own D2, 127.0.0.1:53001"},
    {"allow", SETTING_LIST, false,
     "prefixes of the DHCP servers; needed when others than this machine can send"},
    {"receive-buffer", SETTING_SIZE, false, "what waits while we are busy; default 8M"},
    {"confirm", SETTING_STR, false, "a source of leases that is asked before a request counts"},
    {NULL, SETTING_STR, false, NULL},
};

const struct adapter_ops kea_ncr_ops = {
    .type = "kea-ncr",
    .kind = OBS_LEASE,
    .events = true,
    .keys = ncr_keys,
    .open = ncr_open,
    .read = ncr_read,
    .cursor = ncr_cursor,
    .close = ncr_close,
};
