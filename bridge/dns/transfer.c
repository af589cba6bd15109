/* transfer.c - fetches a zone, or what changed in it, over a connection of its own: whole and
 * verified, or not at all.
 *
 * The deadline is one for the whole transfer, so a server that dribbles gains nothing; bytes and
 * records are capped, and memory is one buffer.
 */
#include "bridge/dns/transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/base/own.h"
#include "bridge/dns/conn.h"
#include "bridge/dns/write.h"
#include "bridge/value/rrtype.h"
#include "bridge/value/wirelen.h"

/* Two messages of the largest size: a read never waits for room. */
enum { IN_CAP = 2 * (2 + WIRE_MESSAGE_MAX) };

struct job {
	const struct server *s;
	const struct transfer_limits *lim;
	int64_t deadline_ms;
	int fd;
	uint8_t *in;
	size_t at, len;              /* unread bytes are in[at .. len) */
	uint64_t bytes;
	struct tsig_mac mac;         /* of the request */
	struct tsig_stream *stream;  /* NULL: no key */
	uint16_t id;
	uint64_t records;
	struct axfr axfr;
	struct ixfr ixfr;
	bool named;                  /* the sentence names the server already */
	bool refused;                /* we may not have it */
	transfer_rr sink;
	transfer_change changed;     /* NULL: the whole zone is asked for */
	uint32_t since;
	void *arg;
};

static int wait_for(struct job *j, short events, struct err *e)
{
	for (;;) {
		struct pollfd p = {.fd = j->fd, .events = events};
		int64_t left = j->deadline_ms - clock_mono_ms();
		if (left <= 0)
			break;
		int r = poll(&p, 1, left > 60000 ? 60000 : (int)left);
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return err_sys(e, errno, "waiting for it");
	}
	err_set(e, ERR_BUSY, "not done in %" PRId64 " ms (%" PRIu64 " bytes, %" PRIu64 " records came)",
		j->lim->timeout_ms, j->bytes, j->records);
	return ERR_BUSY;
}

static int dial(struct job *j, struct err *e)
{
	int r;

	j->fd = conn_open(j->s);
	if (j->fd < 0)
		return err_sys(e, errno, "it can not be reached");
	r = wait_for(j, POLLOUT, e);
	if (r < 0)
		return r;
	r = conn_error(j->fd);
	if (r == 0)
		return 0;
	err_sys(e, r, "it can not be reached");
	err_hint(e, "is it running, and does it listen on TCP there?");
	return ERR_SYS;
}

static int write_all(struct job *j, const char *p, size_t len, struct err *e)
{
	while (len > 0) {
		ssize_t n = conn_write(j->fd, p, len);
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
			return err_sys(e, errno, "the request could not be written");
		if (n > 0) {
			p += n;
			len -= (size_t)n;
			continue;
		}
		int r = wait_for(j, POLLOUT, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int write_request(struct buf *msg, struct job *j, const struct dname *zone, struct err *e)
{
	j->id = (uint16_t)clock_random();
	if (j->changed != NULL) {
		ixfr_init(&j->ixfr, zone, j->id, j->since);
		return write_ixfr(msg, j->id, zone, j->since, e);
	}
	axfr_init(&j->axfr, zone, j->id);
	return write_query(msg, j->id, zone, RR_AXFR, e);
}

static int send_request(struct job *j, const struct dname *zone, struct err *e)
{
	struct buf msg = BUF_INIT, framed = BUF_INIT;
	int r = write_request(&msg, j, zone, e);

	if (r == 0 && j->s->key != NULL)
		r = tsig_sign(&msg, j->s->key, clock_wall_s(), &j->mac, e);
	if (r == 0 && j->s->key != NULL)
		r = tsig_stream_new(&j->stream, j->s->key, &j->mac, e);
	if (r == 0) {
		buf_u16(&framed, (uint16_t)msg.len);
		buf_add(&framed, msg.p, msg.len);
		r = framed.bad ? err_nomem(e) : write_all(j, framed.p, framed.len, e);
	}
	buf_fini(&msg);
	buf_fini(&framed);
	return r;
}

static int ended(const struct job *j, int errnum, struct err *e)
{
	int r = ERR_PROTO;

	if (errnum != 0)
		r = err_sys(e, errnum, "the connection broke after %" PRIu64 " records",
			    j->records);
	else
		err_set(e, r, "the server closed the connection after %" PRIu64 " records",
			j->records);
	err_hint(e, "nothing of it is used, the next pass tries again; its log may say why");
	return r;
}

/* The next whole message, borrowed until the next call. */
static int next_message(struct job *j, const uint8_t **p, size_t *len, struct err *e)
{
	for (;;) {
		size_t have = j->len - j->at;
		if (have >= 2) {
			*len = (size_t)(j->in[j->at] << 8 | j->in[j->at + 1]);
			if (have >= 2 + *len) {
				*p = j->in + j->at + 2;
				j->at += 2 + *len;
				return 0;
			}
		}
		if (j->at > 0 && IN_CAP - j->at < 2 + WIRE_MESSAGE_MAX) {
			memmove(j->in, j->in + j->at, have);
			j->at = 0;
			j->len = have;
		}
		ssize_t n = conn_read(j->fd, j->in + j->len, IN_CAP - j->len);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
			return ended(j, n == 0 ? 0 : errno, e);
		if (n > 0) {
			j->len += (size_t)n;
			j->bytes += (size_t)n;
		}
		/* Also when bytes keep coming: nobody may stretch the deadline. */
		if (n < 0 || clock_mono_ms() >= j->deadline_ms) {
			int r = wait_for(j, POLLIN, e);
			if (r < 0)
				return r;
		}
		if (j->bytes > j->lim->max_bytes)
			return err_set(e, ERR_PROTO, "more than %" PRIu64 " bytes came",
				       j->lim->max_bytes);
	}
}

static int count(struct job *j, struct err *e)
{
	if (++j->records > j->lim->max_records)
		return err_set(e, ERR_PROTO, "more than %" PRIu64 " records came",
			       j->lim->max_records);
	return 0;
}

static int count_and_give(void *arg, const struct dname *owner, uint16_t type, uint32_t ttl_s,
			  const uint8_t *rdata, size_t rdlen, struct err *e)
{
	struct job *j = arg;
	int r = count(j, e);

	return r < 0 ? r : j->sink(j->arg, owner, type, ttl_s, rdata, rdlen, e);
}

static int count_and_tell(void *arg, bool added, const struct dname *owner, uint16_t type,
			  const uint8_t *rdata, size_t rdlen, struct err *e)
{
	struct job *j = arg;
	int r = count(j, e);

	return r < 0 ? r : j->changed(j->arg, added, owner, type, rdata, rdlen, e);
}

/* Knot says BADKEY where its ACL does not list the transfer. */
static bool is_no_right(const struct answer *a)
{
	return a->rcode == RCODE_NOTIMP ||
	       ((a->rcode == RCODE_REFUSED || a->rcode == RCODE_NOTAUTH) &&
		(a->tsig_error == 0 || a->tsig_error == TSIG_BADKEY));
}

/* The first message may be a refusal; then its TSIG, if any, says more than the stream would. */
static int refusal(struct job *j, const struct wire_msg *m, struct err *e)
{
	struct answer a = {.end = ANSWER_REPLY, .rcode = (uint8_t)wire_rcode(m)};
	struct tsig_info info = {0};
	int64_t now = clock_wall_s();

	if (j->s->key != NULL) {
		a.verified = tsig_verify(m->p, m->len, j->s->key, &j->mac, now, &info) == TSIG_OK;
		a.tsig_error = info.error;
		a.clock_diff_s = a.verified && info.server_time_s != 0 ?
					 info.server_time_s - now : 0;
	}
	j->named = true;
	j->refused = is_no_right(&a);
	return answer_err(j->s, &a, e);
}

static int take_message(struct job *j, const uint8_t *p, size_t len, struct err *e)
{
	struct wire_msg m;
	const char *why;
	int r;

	if (!wirecheck(&m, p, len, &why))
		return err_set(e, ERR_PROTO, "a message is malformed: %s", why);
	if (wire_rcode(&m) != RCODE_NOERROR && m.id == j->id)
		return refusal(j, &m, e);
	if (j->stream != NULL) {
		r = tsig_stream_next(j->stream, p, len, clock_wall_s(), e);
		if (r < 0)
			return r;
	}
	return j->changed != NULL ? ixfr_feed(&j->ixfr, &m, count_and_tell, j, e)
				  : axfr_feed(&j->axfr, &m, count_and_give, j, e);
}

/* Behind a lone SOA a server that sends no changes is silent and keeps the connection: that is not
 * waited for as long as a transfer may take. */
static int next_or_whole(struct job *j, const uint8_t **p, size_t *len, struct err *e)
{
	int64_t whole_ms = j->deadline_ms, soon_ms = clock_mono_ms() + j->s->timeout_ms;
	bool lone = j->changed != NULL && ixfr_is_lone(&j->ixfr) && soon_ms < whole_ms;
	int r;

	if (lone)
		j->deadline_ms = soon_ms;
	r = next_message(j, p, len, e);
	j->deadline_ms = whole_ms;
	return lone && r == ERR_BUSY ? TRANSFER_WHOLE : r;
}

static int run(struct job *j, const struct dname *zone, struct err *e)
{
	const uint8_t *p = NULL;
	size_t len = 0;
	int r = dial(j, e);

	if (r == 0)
		r = send_request(j, zone, e);
	while (r == 0) {
		r = next_or_whole(j, &p, &len, e);
		if (r == 0)
			r = take_message(j, p, len, e);
	}
	if (r == 1)
		r = j->stream != NULL ? tsig_stream_finish(j->stream, e) : 0;
	return r;
}

static int transfer(struct job *j, const struct dname *zone, struct err *e)
{
	AUTO(own_freep) uint8_t *in = malloc(IN_CAP);
	char who[SERVER_TEXT], name[DNAME_TEXT];
	int r;

	j->fd = -1;
	j->deadline_ms = clock_mono_ms() + j->lim->timeout_ms;
	j->in = in;
	r = in != NULL ? run(j, zone, e) : err_nomem(e);
	own_closep(&j->fd);
	tsig_stream_free(j->stream);
	if (r < 0)
		return err_in(e, r, "transfer of \"%s\"%s%s", dname_print(name, zone),
			      j->named ? "" : " from ", j->named ? "" : server_print(who, j->s));
	return r;
}

int transfer_axfr(const struct server *s, const struct dname *zone,
		  const struct transfer_limits *lim, transfer_rr sink, void *arg,
		  uint32_t *serial, struct err *e)
{
	struct job j = {.s = s, .lim = lim, .sink = sink, .arg = arg};
	int r = transfer(&j, zone, e);

	*serial = j.axfr.serial;
	return r < 0 && j.refused ? TRANSFER_REFUSED : r;
}

int transfer_ixfr(const struct server *s, const struct dname *zone, uint32_t since,
		  const struct transfer_limits *lim, transfer_change sink, void *arg,
		  uint32_t *serial, struct err *e)
{
	struct job j = {.s = s, .lim = lim, .changed = sink, .since = since, .arg = arg};
	int r = transfer(&j, zone, e);

	*serial = j.ixfr.serial;
	/* Who refuses this or garbles it may well give the zone, and else says why. */
	return r == ERR_DENIED || r == ERR_PROTO ? TRANSFER_WHOLE : r;
}

/* The zone's own SOA in the answer section. */
static bool find_soa(const struct wire_msg *m, const struct dname *zone, uint32_t *serial)
{
	struct wire_iter it;
	struct wire_rr rr;
	uint8_t soa[600];

	wire_iter_init(&it, m);
	while (wire_iter_next(&it, &rr)) {
		if (rr.section != 1 || rr.type != RR_SOA || rr.class_ != RR_CLASS_IN ||
		    !dname_equal(&rr.owner, zone))
			continue;
		size_t n = wire_rdata(m, &rr, soa, sizeof(soa));
		if (n < 22)
			return false;
		const uint8_t *p = soa + n - 20;
		*serial = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
		return true;
	}
	return false;
}

bool transfer_serial(uint32_t *serial, const struct dname *zone, const struct buf *reply)
{
	struct wire_msg m;
	const char *why;

	return wirecheck(&m, (const uint8_t *)reply->p, reply->len, &why) &&
	       find_soa(&m, zone, serial);
}

/* Where the zone's name lies as the server knows it. */
struct cut {
	struct dname at;
	bool delegated;      /* from there on it is somebody else's; else it is the zone's own name */
};

/* RFC 2308 2.1, RFC 1034 4.3.2: an answer without data shows the SOA of the zone that the name is
 * in, a referral the NS of the cut above it. */
static bool find_cut(const struct wire_msg *m, const struct dname *zone, struct cut *out)
{
	struct wire_iter it;
	struct wire_rr rr;

	wire_iter_init(&it, m);
	while (wire_iter_next(&it, &rr)) {
		if (rr.section != 2 || rr.class_ != RR_CLASS_IN || dname_labels(&rr.owner) == 0 ||
		    (rr.type != RR_SOA && rr.type != RR_NS) || !dname_under(zone, &rr.owner))
			continue;
		*out = (struct cut){rr.owner, rr.type == RR_NS};
		return true;
	}
	return false;
}

static int other_cut(const struct server *s, const struct dname *zone, const struct cut *cut,
		     struct err *e)
{
	char who[SERVER_TEXT], name[DNAME_TEXT], at[DNAME_TEXT];

	dname_print(name, zone);
	dname_print(at, &cut->at);
	server_print(who, s);
	if (cut->delegated) {
		err_set(e, ERR_CONF, "%s delegates \"%s\": zone \"%s\" is kept elsewhere", who, at,
			name);
		err_hint(e, "give the zone the server that keeps it");
	} else {
		err_set(e, ERR_CONF, "%s has no zone \"%s\": the name lies in its zone \"%s\"", who,
			name, at);
		err_hint(e, "configure zone \"%s\" instead, or make \"%s\" a zone there", at, name);
	}
	return ERR_CONF;
}

int transfer_soa(const struct server *s, const struct dname *zone, uint32_t *serial,
		 struct err *e)
{
	AUTO(buf_fini) struct buf msg = BUF_INIT;
	AUTO(buf_fini) struct buf reply = BUF_INIT;
	char who[SERVER_TEXT], name[DNAME_TEXT];
	struct wire_msg m;
	const char *why;
	struct cut cut;
	int r = write_query(&msg, 0, zone, RR_SOA, e);

	if (r == 0)
		r = exchange_once(s, &msg, &reply, e);
	if (r < 0)
		return err_in(e, r, "SOA of \"%s\"", dname_print(name, zone));
	if (!wirecheck(&m, (const uint8_t *)reply.p, reply.len, &why))
		return err_set(e, ERR_PROTO, "%s: %s", server_print(who, s), why);
	if (find_soa(&m, zone, serial))
		return 0;
	if (find_cut(&m, zone, &cut))
		return other_cut(s, zone, &cut, e);
	err_set(e, ERR_DENIED, "%s has no zone \"%s\" (it answered %s without its SOA)",
		server_print(who, s), dname_print(name, zone),
		reply.len > 3 ? rcode_name((uint8_t)reply.p[3] & 15) : "nothing");
	err_hint(e, "is the zone's name right, and is it loaded there?");
	return ERR_DENIED;
}
