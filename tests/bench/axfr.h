/* axfr.h - zone transfers that are only counted: nothing is looked at but types and lengths. */
#ifndef TESTS_BENCH_AXFR_H
#define TESTS_BENCH_AXFR_H

#include "bridge/dns/tsig.h"
#include "bridge/dns/write.h"
#include "tests/bench/peer.h"

struct reader {
	int fd;
	uint8_t b[1 << 18];
	size_t len, at;
};

static inline const uint8_t *more(struct reader *r, size_t need)
{
	while (r->len - r->at < need) {
		ssize_t n;

		memmove(r->b, r->b + r->at, r->len - r->at);
		r->len -= r->at;
		r->at = 0;
		n = recv(r->fd, r->b + r->len, sizeof(r->b) - r->len, 0);
		if (n <= 0)
			die("the transfer ended early");
		r->len += (size_t)n;
	}
	r->at += need;
	return r->b + r->at - need;
}

static inline const uint8_t *skip_name(const uint8_t *p)
{
	while (*p != 0 && (*p & 0xc0) == 0)
		p += *p + 1;
	return p + (*p == 0 ? 1 : 2);
}

/* Counts the records of a type (0: any) of one message; *soas those that begin and end a
 * transfer. */
static inline size_t count(const uint8_t *m, uint16_t type, int *soas)
{
	size_t n = get16(m + 6), found = 0, i;
	const uint8_t *p = m + 12;

	if ((m[3] & 15) != 0)
		die("transfer refused, rcode %d", m[3] & 15);
	for (i = get16(m + 4); i > 0; i--)
		p = skip_name(p) + 4;
	for (i = 0; i < n; i++) {
		p = skip_name(p);
		*soas += get16(p) == RR_SOA;
		found += type == 0 || get16(p) == type;
		p += 10 + get16(p + 8);
	}
	return found;
}

/* since: what changed since that serial; 0: the whole zone. */
static inline void ask(int fd, const char *zone, const struct tsig_key *key, uint32_t since)
{
	struct buf b = BUF_INIT;
	struct err e = {0};
	struct tsig_mac mac;
	struct dname name;
	uint8_t len[2];

	if (!dname_parse(&name, zone, strlen(zone)))
		die("\"%s\" is no name", zone);
	if ((since == 0 ? write_query(&b, 4711, &name, RR_AXFR, &e)
			: write_ixfr(&b, 4711, &name, since, &e)) < 0 ||
	    tsig_sign(&b, key, (int64_t)time(NULL), &mac, &e) < 0)
		die("%s", e.text);
	len[0] = (uint8_t)(b.len >> 8);
	len[1] = (uint8_t)b.len;
	if (send(fd, len, 2, MSG_MORE) != 2 || send(fd, b.p, b.len, 0) != (ssize_t)b.len)
		die("send: %s", strerror(errno));
	buf_fini(&b);
}

/* Records of a type (0: any) in the zone. */
static inline size_t transfer(int fd, const char *zone, const struct tsig_key *key, uint16_t type)
{
	static struct reader r;
	size_t n = 0;
	int soas = 0;

	r = (struct reader){.fd = fd};
	ask(fd, zone, key, 0);
	while (soas < 2) {
		size_t len = get16(more(&r, 2));

		n += count(more(&r, len), type, &soas);
	}
	return n;
}

#endif
