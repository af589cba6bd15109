/* tsig.c - signs a request and verifies its one answer (RFC 8945).
 *
 * The key decides name and algorithm, never the message.  A refused answer says nothing about
 * why to whoever sent it; the caller counts it and waits on.
 */
#include "bridge/dns/tsig.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "bridge/base/own.h"
#include "bridge/core/outcome.h"
#include "bridge/dns/tsig_wire.h"
#include "bridge/value/rrtype.h"
#include "bridge/value/wirelen.h"

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static int64_t get48(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 6; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put48(uint8_t *p, int64_t v)
{
	for (int i = 5; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

/* The algorithm's name is one label: length byte, text, root. */
static size_t alg_wire(uint8_t out[32], const struct tsig_alg *alg)
{
	size_t n = strlen(alg->name);

	out[0] = (uint8_t)n;
	memcpy(out + 1, alg->name, n);
	out[n + 1] = 0;
	return n + 2;
}

bool tsig_rr_parse(struct tsig_rr *out, const struct wire_msg *m)
{
	struct wire_iter it = {.m = m, .at = m->tsig_at, .section = 3, .left = 1};
	struct wire_rr rr;
	struct dname alg;
	size_t n;

	if (m->tsig_at == 0)
		return false;
	/* The iterator stands on the record already instead of walking there. */
	if (!wire_iter_next(&it, &rr) || rr.type != RR_TSIG)
		return false;
	const uint8_t *p = m->p + rr.rdata_at, *end = p + rr.rdlen;
	n = dname_from_wire(&alg, p, rr.rdlen);
	if (n == 0 || (size_t)(end - p) < n + 16)
		return false;
	*out = (struct tsig_rr){.owner = rr.owner, .alg = p, .alg_len = n,
				.signed_at_s = get48(p + n), .fudge_s = get16(p + n + 6),
				.mac_len = get16(p + n + 8), .mac = p + n + 10};
	p += n + 10;
	if ((size_t)(end - p) < out->mac_len + 6)
		return false;
	p += out->mac_len;
	out->original_id = get16(p);
	out->error = get16(p + 2);
	out->other_len = get16(p + 4);
	out->other = p + 6;
	return (size_t)(end - p) - 6 == out->other_len;
}

bool tsig_rr_is(const struct tsig_rr *t, const struct tsig_key *key)
{
	uint8_t want[32];
	size_t n = alg_wire(want, key->alg);

	if (!dname_equal(&t->owner, &key->name) || t->alg_len != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = t->alg[i];
		if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != want[i])
			return false;
	}
	return true;
}

bool tsig_rr_timely(const struct tsig_rr *t, int64_t now_s)
{
	int64_t fudge = t->fudge_s < TSIG_FUDGE_S ? t->fudge_s : TSIG_FUDGE_S;

	return t->signed_at_s <= now_s + fudge && t->signed_at_s >= now_s - fudge;
}

struct evp_mac_ctx_st *tsig_ctx_new(const struct tsig_key *key)
{
	return key->mac != NULL ? EVP_MAC_CTX_dup(key->mac) : key_mac_new(key);
}

void tsig_ctx_freep(struct evp_mac_ctx_st **c)
{
	EVP_MAC_CTX_free(*c);
	*c = NULL;
}

bool tsig_ctx_mac(struct evp_mac_ctx_st *c, const uint8_t *mac, size_t len)
{
	uint8_t n[2];

	put16(n, (unsigned)len);
	return EVP_MAC_update(c, n, 2) == 1 && EVP_MAC_update(c, mac, len) == 1;
}

bool tsig_ctx_msg(struct evp_mac_ctx_st *c, const struct wire_msg *m, uint16_t original_id)
{
	uint8_t head[WIRE_HEADER];

	memcpy(head, m->p, sizeof(head));
	put16(head, original_id);
	put16(head + 10, m->ar - 1u);
	return EVP_MAC_update(c, head, sizeof(head)) == 1 &&
	       EVP_MAC_update(c, m->p + WIRE_HEADER, m->tsig_at - WIRE_HEADER) == 1;
}

bool tsig_ctx_timers(struct evp_mac_ctx_st *c, const struct tsig_rr *t)
{
	uint8_t b[8];

	put48(b, t->signed_at_s);
	put16(b + 6, t->fudge_s);
	return EVP_MAC_update(c, b, sizeof(b)) == 1;
}

/* Name, class ANY, TTL 0, algorithm, time, fudge, error, other data (RFC 8945 4.3.3). */
bool tsig_ctx_variables(struct evp_mac_ctx_st *c, const struct tsig_key *key,
			const struct tsig_rr *t)
{
	uint8_t b[255 + 6 + 32 + 12];
	size_t n = key->name.len;

	memcpy(b, key->name.b, n);
	memcpy(b + n, "\0\xff\0\0\0\0", 6);
	n += 6;
	n += alg_wire(b + n, key->alg);
	put48(b + n, t->signed_at_s);
	put16(b + n + 6, t->fudge_s);
	put16(b + n + 8, t->error);
	put16(b + n + 10, (unsigned)t->other_len);
	n += 12;
	return EVP_MAC_update(c, b, n) == 1 &&
	       (t->other_len == 0 || EVP_MAC_update(c, t->other, t->other_len) == 1);
}

bool tsig_ctx_holds(struct evp_mac_ctx_st *c, const struct tsig_key *key, const struct tsig_rr *t)
{
	uint8_t mac[TSIG_MAC_MAX];
	size_t len;

	return EVP_MAC_final(c, mac, &len, sizeof(mac)) == 1 && len == key->alg->mac_len &&
	       t->mac_len == len && CRYPTO_memcmp(mac, t->mac, len) == 0;
}

size_t tsig_len(const struct tsig_key *key)
{
	return key->name.len + WIRE_RR_FIXED + strlen(key->alg->name) + 2 + 16 + key->alg->mac_len;
}

/* before: the MAC of the request that it answers, NULL: it is a request. */
static bool mac_of(struct tsig_mac *out, const struct buf *msg, const struct tsig_key *key,
		   const struct tsig_mac *before, const struct tsig_rr *t)
{
	AUTO(tsig_ctx_freep) EVP_MAC_CTX *c = tsig_ctx_new(key);

	return c != NULL && (before == NULL || tsig_ctx_mac(c, before->b, before->len)) &&
	       EVP_MAC_update(c, (const uint8_t *)msg->p, msg->len) == 1 &&
	       tsig_ctx_variables(c, key, t) &&
	       EVP_MAC_final(c, out->b, &out->len, sizeof(out->b)) == 1 &&
	       out->len == key->alg->mac_len;
}

static int sign(struct buf *msg, const struct tsig_key *key, const struct tsig_mac *before,
		int64_t now_s, struct tsig_mac *mac, struct err *e)
{
	struct tsig_rr t = {.signed_at_s = now_s, .fudge_s = TSIG_FUDGE_S};
	uint8_t alg[32], b[12];
	size_t alg_len = alg_wire(alg, key->alg);

	if (msg->bad)
		return err_nomem(e);
	if (msg->len < WIRE_HEADER || msg->len + tsig_len(key) > WIRE_MESSAGE_MAX)
		return err_set(e, ERR_BUG, "a message of %zu bytes can not be signed", msg->len);
	if (!mac_of(mac, msg, key, before, &t))
		return err_set(e, ERR_NOMEM, "no memory for the signature of a message");
	uint8_t *head = (uint8_t *)msg->p;
	uint16_t id = get16(head);
	put16(head + 10, get16(head + 10) + 1u);
	buf_add(msg, key->name.b, key->name.len);
	buf_u16(msg, RR_TSIG);
	buf_u16(msg, RR_CLASS_ANY);
	buf_u32(msg, 0);
	buf_u16(msg, (uint16_t)(alg_len + 16 + mac->len));
	buf_add(msg, alg, alg_len);
	put48(b, now_s);
	put16(b + 6, TSIG_FUDGE_S);
	put16(b + 8, (unsigned)mac->len);
	buf_add(msg, b, 10);
	buf_add(msg, mac->b, mac->len);
	buf_u16(msg, id);
	buf_u32(msg, 0); /* no error, no other data */
	return msg->bad ? err_nomem(e) : 0;
}

int tsig_sign(struct buf *msg, const struct tsig_key *key, int64_t now_s, struct tsig_mac *mac,
	      struct err *e)
{
	return sign(msg, key, NULL, now_s, mac, e);
}

int tsig_sign_answer(struct buf *msg, const struct tsig_key *key, const struct tsig_mac *request,
		     int64_t now_s, struct err *e)
{
	struct tsig_mac mac;

	return sign(msg, key, request, now_s, &mac, e);
}

/* before: as mac_of. */
static bool holds(const struct wire_msg *m, const struct tsig_key *key,
		  const struct tsig_mac *before, const struct tsig_rr *t)
{
	AUTO(tsig_ctx_freep) EVP_MAC_CTX *c = NULL;

	if (!tsig_rr_is(t, key) || t->mac_len != key->alg->mac_len)
		return false;
	c = tsig_ctx_new(key);
	return c != NULL && (before == NULL || tsig_ctx_mac(c, before->b, before->len)) &&
	       tsig_ctx_msg(c, m, t->original_id) && tsig_ctx_variables(c, key, t) &&
	       tsig_ctx_holds(c, key, t);
}

enum tsig_result tsig_verify(const uint8_t *msg, size_t len, const struct tsig_key *key,
			     const struct tsig_mac *request, int64_t now_s,
			     struct tsig_info *info)
{
	struct wire_msg m;
	struct tsig_rr t;
	const char *why;

	memset(info, 0, sizeof(*info));
	if (!wirecheck(&m, msg, len, &why))
		return TSIG_WRONG;
	if (m.tsig_at == 0)
		return TSIG_NONE;
	info->at = m.tsig_at;
	if (!tsig_rr_parse(&t, &m))
		return TSIG_WRONG;
	info->error = t.error;
	info->signed_at_s = t.signed_at_s;
	if (!holds(&m, key, request, &t))
		return TSIG_WRONG;
	if (t.error == TSIG_BADTIME) {
		/* Bound to our request by its MAC, so no replay; its whole point is the clock. */
		if (t.other_len == 6)
			info->server_time_s = get48(t.other);
		return TSIG_OK;
	}
	return tsig_rr_timely(&t, now_s) ? TSIG_OK : TSIG_STALE;
}

enum tsig_result tsig_verify_request(const uint8_t *msg, size_t len, const struct tsig_key *key,
				     int64_t now_s, struct tsig_mac *mac)
{
	struct wire_msg m;
	struct tsig_rr t;
	const char *why;

	if (!wirecheck(&m, msg, len, &why))
		return TSIG_WRONG;
	if (m.tsig_at == 0)
		return TSIG_NONE;
	if (!tsig_rr_parse(&t, &m) || !holds(&m, key, NULL, &t))
		return TSIG_WRONG;
	memcpy(mac->b, t.mac, t.mac_len);
	mac->len = t.mac_len;
	return tsig_rr_timely(&t, now_s) ? TSIG_OK : TSIG_STALE;
}
