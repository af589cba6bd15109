/* truth_who.c - clients, and what of them tells two apart or makes them one. */
#include <stdio.h>
#include <string.h>

#include <openssl/sha.h>

#include "tests/sim/truth_inside.h"

/* 01 + hardware address says no more than the hardware address (RFC 2132 9.14). */
static bool is_mac_in_disguise(const struct who *x)
{
	return x->client_id_len == 7 && x->client_id[0] == 1;
}

static struct mac mac_of(const struct who *x)
{
	struct mac m = x->mac;

	if (!m.known && is_mac_in_disguise(x)) {
		m.known = true;
		memcpy(m.b, x->client_id + 1, sizeof(m.b));
	}
	return m;
}

static bool same_mac(const struct who *a, const struct who *b)
{
	struct mac x = mac_of(a), y = mac_of(b);

	return x.known && y.known && memcmp(x.b, y.b, sizeof(x.b)) == 0;
}

/* The host may make up another one. */
static bool is_local(struct mac m)
{
	return (m.b[0] & 2) != 0;
}

static bool has_own_mac(const struct who *x)
{
	struct mac m = mac_of(x);

	return m.known && !is_local(m);
}

/* A DUID of nothing but a made-up hardware address is none (RFC 7844 4.3). */
static bool has_own_duid(const struct who *x)
{
	return x->duid_len > 0 &&
	       !(x->duid_len == 10 && memcmp(x->duid, "\0\3\0\1", 4) == 0 && (x->duid[4] & 2) != 0);
}

static bool has_own_client_id(const struct who *x)
{
	return x->client_id_len > 0 && !is_mac_in_disguise(x) &&
	       (x->client_id[0] != 255 || has_own_duid(x));
}

static bool is_weak(const struct who *x)
{
	struct mac m = mac_of(x);

	return m.known && is_local(m) && !has_own_duid(x) && !has_own_client_id(x);
}

bool who_known(const struct who *x)
{
	return x->mac.known || x->client_id_len > 0 || x->duid_len > 0;
}

bool who_equal(const struct who *a, const struct who *b)
{
	return a->mac.known == b->mac.known && memcmp(a->mac.b, b->mac.b, sizeof(a->mac.b)) == 0 &&
	       a->client_id_len == b->client_id_len && a->duid_len == b->duid_len &&
	       memcmp(a->client_id, b->client_id, a->client_id_len) == 0 &&
	       memcmp(a->duid, b->duid, a->duid_len) == 0;
}

static bool same_duid(const struct who *a, const struct who *b)
{
	return a->duid_len > 0 && a->duid_len == b->duid_len &&
	       memcmp(a->duid, b->duid, a->duid_len) == 0;
}

int who_proof(const struct who *a, const struct who *b)
{
	if (has_own_mac(a) && same_mac(a, b))
		return 1;
	if (has_own_duid(a) && has_own_duid(b))
		return same_duid(a, b);
	if (has_own_client_id(a) && has_own_client_id(b))
		return a->client_id_len == b->client_id_len &&
		       memcmp(a->client_id, b->client_id, a->client_id_len) == 0;
	return has_own_mac(a) && has_own_mac(b) ? 0 : -1;
}

bool who_keeps(const struct who *a, const struct who *b)
{
	int p = who_proof(a, b);

	/* To a server another hardware address is another client. */
	return p > 0 ||
	       (p < 0 && !(mac_of(a).known && mac_of(b).known && !same_mac(a, b)));
}

static bool is_persons(const struct claim *c)
{
	return c->voice.kind == OBS_MANUAL || c->voice.kind == OBS_EDIT;
}

enum tie claim_tie(const struct claim *a, const struct claim *b, bool newest)
{
	const struct who *x = &a->voice.who, *y = &b->voice.who;
	int p = who_proof(x, y);

	if (a->place == b->place || (a->voice.kind == OBS_MANUAL && b->voice.kind == OBS_MANUAL))
		return TIE_SAME;
	if (p >= 0)
		return p > 0 ? TIE_SAME : TIE_NONE;
	if (same_mac(x, y) || same_duid(x, y))
		return TIE_SAME;
	if (is_persons(a) != is_persons(b))
		return TIE_NONE;
	if (a->place->addr.family != b->place->addr.family)
		return TIE_NAME;
	return newest && a->voice.kind == OBS_LEASE && b->voice.kind == OBS_LEASE &&
		       is_weak(x) && is_weak(y)
		       ? TIE_UNSURE
		       : TIE_NONE;
}

/* RFC 4361: 255, 4 bytes of IAID, then the client's DUID. */
static void read_client_id(struct who *x)
{
	if (x->client_id_len > 5 && x->client_id[0] == 255 &&
	    x->client_id_len - 5 <= sizeof(x->duid)) {
		x->duid_len = x->client_id_len - 5;
		memcpy(x->duid, x->client_id + 5, x->duid_len);
	}
}

struct who who_of_lease(const struct world *w, const struct lease *l)
{
	const struct client *c = &w->clients[l->client];
	struct who x = {0};

	if (l->addr.family == 6) {
		memcpy(x.duid, c->duid, c->duid_len);
		x.duid_len = c->duid_len;
		if (c->v6_mac)
			x.mac = l->mac;
		return x;
	}
	x.mac = l->mac;
	memcpy(x.client_id, c->client_id, c->client_id_len);
	x.client_id_len = c->client_id_len;
	if (is_mac_in_disguise(&x))
		memcpy(x.client_id + 1, l->mac.b, sizeof(l->mac.b));
	read_client_id(&x);
	return x;
}

struct who who_of_neigh(const struct world *w, const struct neigh *n)
{
	struct who x = {.mac = {.known = true, .b = {2, 0, 0, 0xcc, 0}}};

	x.mac.b[5] = (uint8_t)(n - w->neigh);
	return x;
}

bool who_dhcid(uint8_t out[DHCID_LEN], const struct who *x, bool v6, const struct dname *name)
{
	uint8_t text[64 + 255] = {1};
	size_t len;

	out[1] = x->duid_len > 0 ? 2 : x->client_id_len > 0 && !v6 ? 1 : 0;
	if (out[1] == 2)
		memcpy(text, x->duid, len = x->duid_len);
	else if (out[1] == 1)
		memcpy(text, x->client_id, len = x->client_id_len);
	else
		memcpy(text + 1, x->mac.b, (len = 1 + sizeof(x->mac.b)) - 1);
	memcpy(text + len, name->b, name->len);
	out[0] = 0;
	out[2] = 1;
	SHA256(text, len + name->len, out + 3);
	return who_known(x);
}

void who_suffixed(struct dname *out, const struct dname *name, const struct who *x,
		  const struct ipaddr *addr)
{
	uint8_t hash[SHA256_DIGEST_LENGTH], label[64];
	size_t len = name->b[0] > 58 ? 58 : name->b[0];
	struct dname parent;

	if (x->duid_len > 0)
		SHA256(x->duid, x->duid_len, hash);
	else if (x->client_id_len > 0)
		SHA256(x->client_id, x->client_id_len, hash);
	else if (x->mac.known)
		SHA256(x->mac.b, sizeof(x->mac.b), hash);
	else
		SHA256(addr->b, ipaddr_len(addr), hash);
	memcpy(label, name->b + 1, len);
	snprintf((char *)label + len, 6, "-%02x%02x", hash[0], hash[1]);
	dname_parent(&parent, name, 1);
	dname_prepend(out, label, len + 5, &parent);
}
