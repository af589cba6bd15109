/* loopserver.h - a scripted name server in a thread, on loopback, for the tests of bridge/dns.
 *
 * Signs with OpenSSL's one-call HMAC, so that nothing of bridge/dns judges itself.
 */
#ifndef TESTS_LOOPSERVER_H
#define TESTS_LOOPSERVER_H

#include <assert.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bridge/dns/exchange.h"

#define LOOP_KEY "hmac-sha256:ddns.lab:c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"

/* Serves accepted connections one after the other until stopped. */
struct loopserver {
	int listen_fd;
	uint16_t port;
	pthread_t thread;
	void (*serve)(int fd, void *arg);
	void *arg;
	atomic_int connections, messages;
	atomic_bool stop;
};

static inline void *loop_run(void *p)
{
	struct loopserver *l = p;

	while (!atomic_load(&l->stop)) {
		int fd = accept(l->listen_fd, NULL, NULL);
		if (fd < 0)
			break;
		if (atomic_load(&l->stop)) {
			close(fd);
			break;
		}
		atomic_fetch_add(&l->connections, 1);
		struct timeval tv = {5, 0};
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		l->serve(fd, l->arg);
		close(fd);
	}
	return NULL;
}

static inline void loop_listen(struct loopserver *l, int rcvbuf)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);

	memset(l, 0, sizeof(*l));
	l->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (rcvbuf > 0)
		setsockopt(l->listen_fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	if (bind(l->listen_fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    listen(l->listen_fd, 16) != 0 ||
	    getsockname(l->listen_fd, (struct sockaddr *)&sa, &len) != 0)
		abort();
	l->port = ntohs(sa.sin_port);
}

static inline void loop_start(struct loopserver *l, void (*serve)(int, void *), void *arg)
{
	loop_listen(l, 0);
	l->serve = serve;
	l->arg = arg;
	if (pthread_create(&l->thread, NULL, loop_run, l) != 0)
		abort();
}

static inline void loop_stop(struct loopserver *l)
{
	atomic_store(&l->stop, true);
	shutdown(l->listen_fd, SHUT_RDWR);
	pthread_join(l->thread, NULL);
	close(l->listen_fd);
}

static inline bool loop_read(int fd, void *p, size_t len)
{
	for (size_t n = 0; n < len;) {
		ssize_t r = recv(fd, (char *)p + n, len - n, 0);
		if (r <= 0)
			return false;
		n += (size_t)r;
	}
	return true;
}

static inline bool loop_write(int fd, const void *p, size_t len)
{
	for (size_t n = 0; n < len;) {
		ssize_t r = send(fd, (const char *)p + n, len - n, MSG_NOSIGNAL);
		if (r <= 0)
			return false;
		n += (size_t)r;
	}
	return true;
}

/* A framed message; 0 at the end of the connection. */
static inline size_t loop_recv(int fd, uint8_t msg[65535])
{
	uint8_t n[2];

	if (!loop_read(fd, n, 2))
		return 0;
	size_t len = (size_t)(n[0] << 8 | n[1]);
	return loop_read(fd, msg, len) ? len : 0;
}

static inline bool loop_send(int fd, const void *msg, size_t len)
{
	uint8_t b[2 + 65535] = {(uint8_t)(len >> 8), (uint8_t)len};

	memcpy(b + 2, msg, len);
	return loop_write(fd, b, len + 2);
}

static inline void loop_sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* The MAC of a request signed with a 32-byte MAC: before original id, error, other length. */
static inline const uint8_t *loop_request_mac(const uint8_t *msg, size_t len)
{
	return msg + len - 6 - 32;
}

/* What a reply is made of; loop_reply fills in an honest one, tests then spoil it. */
struct reply {
	uint16_t id, flags;         /* rcode in flags */
	uint8_t question[300];
	size_t question_len;
	unsigned questions;
	bool sign;
	const char *key, *alg;      /* names, dotted */
	const EVP_MD *md;
	uint8_t secret[64];
	size_t secret_len;
	const uint8_t *prior;       /* request MAC; NULL: none in the digest */
	size_t prior_len;
	int64_t time_s;
	uint16_t fudge_s, error, original_id;
	const uint8_t *other;
	size_t other_len;
	size_t mac_len;             /* as written: cut or padded */
	uint16_t tsig_class;
	uint32_t tsig_ttl;
	uint8_t mac[64];            /* set by reply_build */
};

static inline size_t loop_name(uint8_t *out, const char *s)
{
	size_t n = 0;

	while (*s != '\0') {
		size_t k = strcspn(s, ".");
		out[n++] = (uint8_t)k;
		memcpy(out + n, s, k);
		n += k;
		s += k + (s[k] == '.');
	}
	out[n++] = 0;
	return n;
}

static inline size_t loop_p16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return 2;
}

static inline void loop_honest(struct reply *r, const uint8_t *req, size_t len, unsigned rcode)
{
	size_t q = 12;

	memset(r, 0, sizeof(*r));
	while (req[q] != 0)
		q += req[q] + 1u;
	q += 5;
	r->id = r->original_id = (uint16_t)(req[0] << 8 | req[1]);
	r->flags = (uint16_t)(0x8000 | (req[2] & 0x78) << 8 | rcode);
	r->question_len = q - 12;
	memcpy(r->question, req + 12, r->question_len);
	r->questions = 1;
	r->sign = true;
	r->key = "ddns.lab";
	r->alg = "hmac-sha256";
	r->md = EVP_sha256();
	memcpy(r->secret, "secretsecretsecretsecret", 24);
	r->secret_len = 24;
	r->prior = loop_request_mac(req, len);
	r->prior_len = 32;
	r->time_s = time(NULL);
	r->fudge_s = 300;
	r->mac_len = 32;
	r->tsig_class = 255;
}

/* Time, fudge, as they stand in both digest and record. */
static inline size_t loop_timers(uint8_t *p, const struct reply *r)
{
	for (int i = 0; i < 6; i++)
		p[i] = (uint8_t)((uint64_t)r->time_s >> (40 - 8 * i));
	return 6 + loop_p16(p + 6, r->fudge_s);
}

/* A TSIG record for the unsigned message in out; before: bytes digested ahead of the message
 * (earlier unsigned ones); timers_only for later messages of a stream. */
static inline size_t reply_sign(uint8_t *out, size_t n, struct reply *r, const uint8_t *before,
				size_t before_len, bool timers_only)
{
	static __thread uint8_t d[200000];
	uint8_t p16[2];
	unsigned mac_len = 0;
	size_t k = 0, rdlen_at;

	if (r->prior != NULL) {
		k += loop_p16(d + k, (unsigned)r->prior_len);
		memcpy(d + k, r->prior, r->prior_len);
		k += r->prior_len;
	}
	if (before_len > 0)
		memcpy(d + k, before, before_len);
	k += before_len;
	memcpy(d + k, out, n);
	k += n;
	if (!timers_only) {
		k += loop_name(d + k, r->key);
		k += loop_p16(d + k, 255);
		memset(d + k, 0, 4);
		k += 4;
		k += loop_name(d + k, r->alg);
	}
	k += loop_timers(d + k, r);
	if (!timers_only) {
		k += loop_p16(d + k, r->error);
		k += loop_p16(d + k, (unsigned)r->other_len);
		if (r->other_len > 0)
			memcpy(d + k, r->other, r->other_len);
		k += r->other_len;
	}
	memset(r->mac, 0x55, sizeof(r->mac));
	HMAC(r->md, r->secret, (int)r->secret_len, d, k, r->mac, &mac_len);
	loop_p16(p16, (unsigned)(out[10] << 8 | out[11]) + 1);
	memcpy(out + 10, p16, 2);
	n += loop_name(out + n, r->key);
	n += loop_p16(out + n, 250);
	n += loop_p16(out + n, r->tsig_class);
	n += loop_p16(out + n, r->tsig_ttl >> 16);
	n += loop_p16(out + n, r->tsig_ttl & 0xffff);
	rdlen_at = n;
	n += 2;
	n += loop_name(out + n, r->alg);
	n += loop_timers(out + n, r);
	n += loop_p16(out + n, (unsigned)r->mac_len);
	memcpy(out + n, r->mac, r->mac_len);
	n += r->mac_len;
	n += loop_p16(out + n, r->original_id);
	n += loop_p16(out + n, r->error);
	n += loop_p16(out + n, (unsigned)r->other_len);
	if (r->other_len > 0)
		memcpy(out + n, r->other, r->other_len);
	n += r->other_len;
	loop_p16(out + rdlen_at, (unsigned)(n - rdlen_at - 2));
	return n;
}

static inline size_t reply_build(uint8_t *out, struct reply *r)
{
	size_t n = 0;

	n += loop_p16(out + n, r->id);
	n += loop_p16(out + n, r->flags);
	n += loop_p16(out + n, r->questions);
	memset(out + n, 0, 6);
	n += 6;
	for (unsigned i = 0; i < r->questions; i++) {
		memcpy(out + n, r->question, r->question_len);
		n += r->question_len;
	}
	if (!r->sign)
		return n;
	/* The digest has the original id, which the record carries. */
	uint8_t id[2] = {out[0], out[1]};
	loop_p16(out, r->original_id);
	n = reply_sign(out, n, r, NULL, 0, false);
	memcpy(out, id, 2);
	return n;
}

/* The true answer to a request. */
static inline bool loop_answer(int fd, const uint8_t *req, size_t len, unsigned rcode)
{
	struct reply r;
	uint8_t out[2048];

	loop_honest(&r, req, len, rcode);
	return loop_send(fd, out, reply_build(out, &r));
}

static inline void loop_key(struct tsig_key *k)
{
	if (key_parse(k, LOOP_KEY, sizeof(LOOP_KEY) - 1, "test", NULL, NULL) != 0)
		abort();
}

static inline struct server loop_server(const struct loopserver *l, const struct tsig_key *key)
{
	return (struct server){.name = "ns1", .addr = {.family = 4, .b = {127, 0, 0, 1}},
			       .port = l->port, .key = key, .timeout_ms = 2000, .window = 16};
}

#endif
