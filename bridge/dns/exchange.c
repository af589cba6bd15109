/* exchange.c - requests in flight on one kept TCP connection.  Owns the socket and the slots.
 *
 * A message is written once and never again: who knows whether a lost one was applied is not
 * decided here.  What comes in is matched to its slot and judged by judge.c; what matches
 * nothing is dropped, and the wait goes on until the slot's own deadline.
 */
#include "bridge/dns/exchange.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/base/clock.h"
#include "bridge/base/own.h"
#include "bridge/dns/conn.h"
#include "bridge/dns/judge.h"
#include "bridge/value/wirelen.h"

enum {
	WINDOW_MAX = 90,         /* BIND drops beyond its update-quota of 100 */
	TIMEOUT_DEFAULT_MS = 3000,
	GRACE_MS = 250,          /* the true answer may still follow an unsigned refusal */
	IDLE_MS = 3000,          /* PowerDNS closes after 5 s: don't write into its closing */
	IN_CAP = 2 + WIRE_MESSAGE_MAX,
	READS = 16,              /* per turn, so that one chatty server delays no other */
};

enum slot_state { SLOT_FREE, SLOT_QUEUED, SLOT_SENT, SLOT_DONE };

struct slot {
	enum slot_state state;
	uint64_t seq, tag;
	struct request req;
	struct tsig_mac mac;
	int64_t deadline_ms;
	int64_t sent_ms;
	int64_t grace_ms;        /* 0: no unsigned refusal has come */
	int64_t done_ms;
	struct answer answer;
	struct buf msg;          /* length prefix and signed message */
	size_t written;
	struct buf reply;
};

struct exchange {
	struct server s;
	int fd;                  /* -1: no connection */
	bool connecting;
	bool suspect;            /* silent past a deadline: write no more, close when drained */
	int64_t io_ms;           /* last byte in or out */
	int64_t heard_ms;        /* last byte in */
	uint64_t seq;
	uint8_t *in;
	size_t in_len;
	struct slot *slots;
	unsigned n_slots;
};

int exchange_new(struct exchange **out, const struct server *s, struct err *e)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return err_nomem(e);
	x->s = *s;
	x->fd = -1;
	if (x->s.timeout_ms <= 0)
		x->s.timeout_ms = TIMEOUT_DEFAULT_MS;
	x->n_slots = s->window < 1 ? 1 : s->window > WINDOW_MAX ? WINDOW_MAX : s->window;
	x->slots = calloc(x->n_slots, sizeof(*x->slots));
	x->in = malloc(IN_CAP);
	if (x->slots == NULL || x->in == NULL) {
		exchange_free(x);
		return err_nomem(e);
	}
	*out = x;
	return 0;
}

void exchange_free(struct exchange *x)
{
	if (x == NULL)
		return;
	if (x->fd >= 0)
		close(x->fd);
	for (unsigned i = 0; x->slots != NULL && i < x->n_slots; i++) {
		buf_fini(&x->slots[i].msg);
		buf_fini(&x->slots[i].reply);
	}
	free(x->slots);
	free(x->in);
	free(x);
}

unsigned exchange_in_flight(const struct exchange *x)
{
	unsigned n = 0;

	for (unsigned i = 0; i < x->n_slots; i++)
		n += x->slots[i].state != SLOT_FREE;
	return n;
}

static unsigned count(const struct exchange *x, enum slot_state state)
{
	unsigned n = 0;

	for (unsigned i = 0; i < x->n_slots; i++)
		n += x->slots[i].state == state;
	return n;
}

static void slot_end(struct slot *s, enum answer_end end, const char *detail)
{
	s->state = SLOT_DONE;
	s->done_ms = clock_mono_ms();
	if (s->grace_ms != 0)
		return; /* the unsigned refusal is all there is to say */
	s->answer = (struct answer){.end = end, .detail = detail};
}

static void hang_up(struct exchange *x)
{
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
	x->connecting = x->suspect = false;
	x->in_len = 0;
}

/* The connection is gone: what was written whole may have been done, the rest was not. */
static void lose(struct exchange *x, int errnum)
{
	const char *words = conn_words(errnum);

	hang_up(x);
	for (unsigned i = 0; i < x->n_slots; i++) {
		struct slot *s = &x->slots[i];
		if (s->state == SLOT_SENT)
			slot_end(s, ANSWER_LOST, words);
		else if (s->state == SLOT_QUEUED)
			slot_end(s, ANSWER_UNSENT, words);
	}
}

static void dial(struct exchange *x)
{
	x->fd = conn_open(&x->s);
	x->connecting = x->fd >= 0;
	x->io_ms = x->heard_ms = clock_mono_ms();
	if (x->fd < 0)
		lose(x, errno);
}

/* A silent connection has drained: what waits gets a new one.  Only the first in the queue can be
 * written in part, and that one is not written again. */
static void start_over(struct exchange *x)
{
	hang_up(x);
	for (unsigned i = 0; i < x->n_slots; i++)
		if (x->slots[i].state == SLOT_QUEUED && x->slots[i].written > 0)
			slot_end(&x->slots[i], ANSWER_UNSENT, "the server took no more bytes");
	if (count(x, SLOT_QUEUED) > 0)
		dial(x);
}

static struct slot *next_queued(struct exchange *x)
{
	struct slot *first = NULL;

	for (unsigned i = 0; i < x->n_slots; i++) {
		struct slot *s = &x->slots[i];
		if (s->state == SLOT_QUEUED && (first == NULL || s->seq < first->seq))
			first = s;
	}
	return first;
}

/* Writes what is queued, in order, as far as the socket takes it.  0, or an errno. */
static int write_queue(struct exchange *x)
{
	struct slot *s;

	while (!x->suspect && (s = next_queued(x)) != NULL) {
		ssize_t r = conn_write(x->fd, s->msg.p + s->written, s->msg.len - s->written);
		if (r < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno;
		s->written += (size_t)r;
		x->io_ms = clock_mono_ms();
		if (s->written == s->msg.len) {
			s->state = SLOT_SENT;
			s->sent_ms = x->io_ms;
		}
	}
	return 0;
}

static struct slot *slot_by_id(struct exchange *x, uint16_t id)
{
	for (unsigned i = 0; i < x->n_slots; i++)
		if (x->slots[i].state == SLOT_SENT && x->slots[i].req.id == id)
			return &x->slots[i];
	return NULL;
}

/* One message came.  Whatever is not the answer to a request of ours is dropped. */
static void take_message(struct exchange *x, const uint8_t *p, size_t len)
{
	struct wire_msg m;
	struct answer a;
	const char *why;

	if (!wirecheck(&m, p, len, &why))
		return;
	struct slot *s = slot_by_id(x, m.id);
	if (s == NULL)
		return;
	switch (judge(&a, &m, &s->req, x->s.key, &s->mac, clock_wall_s(), &why)) {
	case JUDGE_ANSWER:
		s->answer = a;
		buf_reset(&s->reply);
		buf_add(&s->reply, p, len);
		s->state = SLOT_DONE;
		s->done_ms = clock_mono_ms();
		break;
	case JUDGE_DOUBT:
		if (s->grace_ms == 0) {
			s->answer = a;
			s->grace_ms = clock_mono_ms() + GRACE_MS;
		}
		break;
	case JUDGE_NOTHING:
		if (s->grace_ms == 0)
			s->answer.detail = why;
		break;
	}
}

static void take_messages(struct exchange *x)
{
	size_t at = 0;

	while (x->in_len - at >= 2) {
		size_t len = (size_t)(x->in[at] << 8 | x->in[at + 1]);
		if (x->in_len - at - 2 < len)
			break;
		take_message(x, x->in + at + 2, len);
		at += 2 + len;
	}
	x->in_len -= at;
	memmove(x->in, x->in + at, x->in_len);
}

/* Reads what is there.  0, an errno, or -1 when the peer closed. */
static int read_some(struct exchange *x)
{
	for (int i = 0; i < READS; i++) {
		ssize_t r = conn_read(x->fd, x->in + x->in_len, IN_CAP - x->in_len);
		if (r == 0)
			return -1;
		if (r < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno;
		x->in_len += (size_t)r;
		x->io_ms = x->heard_ms = clock_mono_ms();
		take_messages(x);
	}
	return 0;
}

/* One turn of the connection after poll said that something is ready. */
static void pump(struct exchange *x)
{
	int r;

	if (x->connecting) {
		r = conn_error(x->fd);
		if (r != 0) {
			lose(x, r);
			return;
		}
		x->connecting = false;
	}
	r = read_some(x);
	if (r == 0 && (r = write_queue(x)) != 0)
		read_some(x); /* answers may lie before the break */
	if (r != 0)
		lose(x, r < 0 ? 0 : r);
}

/* Ends what is over its time.  A message written in part can't be taken back: hang up, so that
 * the server never gets the rest and "unsent" stays true. */
static void expire(struct exchange *x, int64_t now_ms)
{
	bool torn = false;

	for (unsigned i = 0; i < x->n_slots; i++) {
		struct slot *s = &x->slots[i];
		if (s->state == SLOT_SENT && s->grace_ms != 0 && s->grace_ms <= now_ms) {
			slot_end(s, ANSWER_REPLY, NULL);
		} else if (s->state == SLOT_SENT && s->deadline_ms <= now_ms) {
			x->suspect |= x->heard_ms <= s->sent_ms;
			slot_end(s, ANSWER_TIMEOUT, s->answer.detail);
		} else if (s->state == SLOT_QUEUED && s->deadline_ms <= now_ms) {
			torn |= s->written > 0;
			slot_end(s, ANSWER_UNSENT, x->connecting ? "the connection was not made in time"
								 : "the server took no more bytes");
		}
	}
	if (torn)
		lose(x, ETIMEDOUT);
	else if (x->suspect && count(x, SLOT_SENT) == 0)
		start_over(x);
	else if (x->connecting && count(x, SLOT_QUEUED) == 0)
		hang_up(x);
}

static int64_t next_event_ms(const struct exchange *x)
{
	int64_t at = INT64_MAX;

	for (unsigned i = 0; i < x->n_slots; i++) {
		const struct slot *s = &x->slots[i];
		if (s->state != SLOT_SENT && s->state != SLOT_QUEUED)
			continue;
		if (s->deadline_ms < at)
			at = s->deadline_ms;
		if (s->grace_ms != 0 && s->grace_ms < at)
			at = s->grace_ms;
	}
	return at;
}

/* A kept connection that the server may be about to close is not worth a lost message. */
static void refresh(struct exchange *x)
{
	if (x->fd < 0 || x->connecting || count(x, SLOT_SENT) + count(x, SLOT_QUEUED) > 0)
		return;
	if (x->suspect || clock_mono_ms() - x->io_ms > IDLE_MS || conn_is_dead(x->fd))
		hang_up(x);
}

static uint16_t fresh_id(const struct exchange *x)
{
	for (;;) {
		uint16_t id = (uint16_t)clock_random();
		bool used = false;
		for (unsigned i = 0; i < x->n_slots; i++)
			used |= x->slots[i].state != SLOT_FREE && x->slots[i].req.id == id;
		if (!used)
			return id;
	}
}

static struct slot *free_slot(struct exchange *x)
{
	for (unsigned i = 0; i < x->n_slots; i++)
		if (x->slots[i].state == SLOT_FREE)
			return &x->slots[i];
	return NULL;
}

static void frame(struct buf *out, const struct buf *msg)
{
	buf_reset(out);
	buf_u16(out, (uint16_t)msg->len);
	buf_add(out, msg->p, msg->len);
}

/* Signs, copies, and takes the signature off again: the caller may send the message once more. */
static int frame_signed(struct exchange *x, struct slot *s, struct buf *msg, struct err *e)
{
	size_t len = msg->len;
	char count[2] = {msg->p[10], msg->p[11]};
	int r = tsig_sign(msg, x->s.key, clock_wall_s(), &s->mac, e);

	if (r < 0)
		return r;
	frame(&s->msg, msg);
	msg->len = len;
	memcpy(msg->p + 10, count, 2);
	return 0;
}

static int fill_slot(struct exchange *x, struct slot *s, struct buf *msg, struct err *e)
{
	char who[SERVER_TEXT];
	int r = 0;

	if (msg->bad)
		return err_nomem(e);
	if (!request_read(&s->req, msg, fresh_id(x)))
		return err_set(e, ERR_BUG, "a request without one question was to be sent");
	if (x->s.key != NULL)
		r = frame_signed(x, s, msg, e);
	else
		frame(&s->msg, msg);
	if (r < 0)
		return err_in(e, r, "%s", server_print(who, &x->s));
	return s->msg.bad ? err_nomem(e) : 0;
}

int exchange_send(struct exchange *x, struct buf *msg, uint64_t tag, struct err *e)
{
	char who[SERVER_TEXT];
	struct slot *s = free_slot(x);
	int r;

	if (s == NULL)
		return err_set(e, ERR_BUSY, "%s: %u messages are in flight already",
			       server_print(who, &x->s), x->n_slots);
	r = fill_slot(x, s, msg, e);
	if (r < 0)
		return r;
	refresh(x);
	s->state = SLOT_QUEUED;
	s->seq = x->seq++;
	s->tag = tag;
	s->written = 0;
	s->grace_ms = 0;
	s->answer = (struct answer){0};
	s->deadline_ms = clock_mono_ms() + x->s.timeout_ms;
	if (x->fd < 0)
		dial(x);
	else if (!x->connecting && (r = write_queue(x)) != 0)
		pump(x);
	return 0;
}

/* The answer that came first, of all connections. */
static struct slot *first_done(struct exchange *const *x, size_t n)
{
	struct slot *first = NULL;

	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < x[i]->n_slots; k++) {
			struct slot *s = &x[i]->slots[k];
			if (s->state == SLOT_DONE && (first == NULL || s->done_ms < first->done_ms ||
						      (s->done_ms == first->done_ms &&
						       s->seq < first->seq)))
				first = s;
		}
	return first;
}

/* Waits for bytes, at most until until_ms or the next deadline, and lets them flow.
 * 1: nothing is under way anywhere. */
static int turn(struct exchange *const *x, size_t n, struct pollfd *fds, int64_t until_ms)
{
	int64_t now = clock_mono_ms(), at = until_ms;
	bool idle = true;

	for (size_t i = 0; i < n; i++) {
		int64_t next = next_event_ms(x[i]);
		bool write = x[i]->connecting || (next_queued(x[i]) != NULL && !x[i]->suspect);
		idle &= next == INT64_MAX;
		at = next < at ? next : at;
		fds[i] = (struct pollfd){.fd = next == INT64_MAX ? -1 : x[i]->fd,
					 .events = (short)(write ? POLLIN | POLLOUT : POLLIN)};
	}
	if (idle)
		return 1;
	int64_t wait = at <= now ? 0 : at - now;
	if (poll(fds, n, wait > 60000 ? 60000 : (int)wait) < 0)
		return errno == EINTR ? 0 : -errno;
	for (size_t i = 0; i < n; i++)
		if (fds[i].revents != 0)
			pump(x[i]);
	return 0;
}

static int hand_out(struct slot *s, uint64_t *tag, struct answer *out, struct buf *reply,
		    struct err *e)
{
	*tag = s->tag;
	*out = s->answer;
	s->state = SLOT_FREE;
	if (reply != NULL) {
		buf_reset(reply);
		if (out->end == ANSWER_REPLY && s->reply.len > 0)
			buf_add(reply, s->reply.p, s->reply.len);
		if (reply->bad || s->reply.bad)
			return err_nomem(e);
	}
	buf_reset(&s->reply);
	return 1;
}

int exchange_collect(struct exchange *const *x, size_t n, int64_t until_ms, uint64_t *tag,
		     struct answer *out, struct buf *reply, struct err *e)
{
	struct pollfd few[8];
	AUTO(own_freep) struct pollfd *many = n > 8 ? calloc(n, sizeof(*many)) : NULL;
	struct pollfd *fds = n > 8 ? many : few;

	if (fds == NULL)
		return err_nomem(e);
	for (;;) {
		int64_t now = clock_mono_ms();
		for (size_t i = 0; i < n; i++)
			expire(x[i], now);
		struct slot *s = first_done(x, n);
		if (s != NULL)
			return hand_out(s, tag, out, reply, e);
		/* At least one look at the sockets, also when until_ms has passed. */
		int r = turn(x, n, fds, until_ms);
		if (r < 0)
			return err_sys(e, -r, "waiting for name servers");
		if ((s = first_done(x, n)) != NULL)
			return hand_out(s, tag, out, reply, e);
		if (r == 1 || clock_mono_ms() >= until_ms)
			return 0;
	}
}

/* The rcodes that answer a question or judge a prerequisite; any other is a refusal. */
static bool is_result(const struct answer *a)
{
	return a->tsig_error == 0 && (a->rcode == RCODE_NOERROR || a->rcode == RCODE_NXDOMAIN ||
				      a->rcode == RCODE_YXDOMAIN || a->rcode == RCODE_YXRRSET ||
				      a->rcode == RCODE_NXRRSET);
}

int exchange_take(struct exchange *x, uint64_t *tag, struct buf *reply, struct err *e)
{
	struct answer a = {0};
	int r = exchange_collect(&x, 1, INT64_MAX, tag, &a, reply, e);

	if (r != 1)
		return r;
	return a.end == ANSWER_REPLY && (a.verified || x->s.key == NULL) && is_result(&a) ?
		       1 : answer_err(&x->s, &a, e);
}

int exchange_once(const struct server *s, struct buf *msg, struct buf *reply, struct err *e)
{
	struct exchange *x;
	uint64_t tag;
	int r = exchange_new(&x, s, e);

	if (r < 0)
		return r;
	r = exchange_send(x, msg, 0, e);
	r = r < 0 ? r : exchange_take(x, &tag, reply, e);
	if (r == 0)
		r = err_set(e, ERR_BUG, "server \"%s\": the exchange ended without an answer", s->name);
	exchange_free(x);
	return r < 0 ? r : 0;
}
