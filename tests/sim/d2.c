/* d2.c - the messages of kea-dhcp-ddns, step by step, and the DHCID as RFC 4701 defines it. */
#include "tests/sim/d2.h"

#include <string.h>

#include <openssl/sha.h>

#include "tests/sim/world.h"

enum { TTL_S = 1200 };

/* Each request goes from step to step; with a server's answer that is not the one it waits for it
 * ends. */
enum { ADD, REPLACE, ADD_PTR, REMOVE_ADDRESS, REMOVE_NAME, REMOVE_PTR, ENDS };

/* ---- DHCID -------------------------------------------------------------------------------- */

/* The identifier and its type (RFC 4701 3.3). */
static uint8_t identify(uint8_t *id, size_t *len, const struct client *c, const struct lease *l)
{
	if (l->addr.family == 6) {
		memcpy(id, c->duid, c->duid_len);
		*len = c->duid_len;
		return 2;
	}
	if (c->client_id_len > 0 && c->client_id[0] == 0xff) {
		memcpy(id, c->client_id + 5, c->client_id_len - 5u);
		*len = c->client_id_len - 5u;
		return 2;
	}
	id[0] = 1;  /* Ethernet; as it happens also the type of a client identifier that is one */
	memcpy(id + 1, l->mac.b, sizeof(l->mac.b));
	*len = 1 + sizeof(l->mac.b);
	return c->client_id_len > 0 ? 1 : 0;
}

void d2_dhcid(uint8_t out[D2_DHCID_LEN], const struct world *w, const struct lease *l,
	      const struct dname *name)
{
	uint8_t text[512];
	size_t len;

	out[0] = 0;
	out[1] = identify(text, &len, &w->clients[l->client], l);
	out[2] = 1;  /* SHA-256 */
	memcpy(text + len, name->b, name->len);
	SHA256(text, len + name->len, out + 3);
}

/* ---- what it is told ---------------------------------------------------------------------- */

static void queue(struct world *w, const struct d2_told *told, const struct ipaddr *addr,
		  uint8_t step)
{
	struct d2 *d = &w->d2;
	struct d2_request *q = &d->queue[d->n];

	if (d->n == D2_QUEUE || rng_permille(&d->rng, 150))
		return;
	d->n++;
	q->name = told->name;
	q->addr = *addr;
	memcpy(q->dhcid, told->dhcid, sizeof(q->dhcid));
	q->step = step;
}

static bool same(const struct d2_told *a, const struct d2_told *b)
{
	return dname_equal(&a->name, &b->name) &&
	       memcmp(a->dhcid, b->dhcid, sizeof(a->dhcid)) == 0;
}

void d2_lease(struct world *w, struct lease *l)
{
	struct d2_told is = {.name = {.len = 0}};

	if (!w->d2.runs)
		return;
	if (lease_lives(w, l) && l->name->label != NULL) {
		name_in_zone(&is.name, l->name->label);
		d2_dhcid(is.dhcid, w, l, &is.name);
	}
	if (is.name.len == l->told.name.len && (is.name.len == 0 || same(&is, &l->told)))
		return;
	if (l->told.name.len > 0)
		queue(w, &l->told, &l->addr, REMOVE_ADDRESS);
	l->told = is;
	if (is.name.len > 0)
		queue(w, &is, &l->addr, ADD);
}

/* ---- messages ----------------------------------------------------------------------------- */

struct letter {
	struct change c;
	struct change_rr pre[4], upd[4];
};

static void need(struct letter *m, uint16_t class_, uint16_t type, const void *rdata, size_t len)
{
	m->pre[m->c.n_pre++] = (struct change_rr){.type = type, .class_ = class_, .rdata = rdata,
						  .rdlen = (uint16_t)len};
}

static void change(struct letter *m, uint16_t class_, uint16_t type, const void *rdata, size_t len)
{
	m->upd[m->c.n_upd++] = (struct change_rr){.type = type, .class_ = class_, .rdata = rdata,
						  .ttl_s = class_ == RR_CLASS_IN ? TTL_S : 0,
						  .rdlen = (uint16_t)len};
}

static void forward_letter(struct letter *m, const struct d2_request *q)
{
	uint16_t type = q->addr.family == 4 ? RR_A : RR_AAAA;
	size_t len = ipaddr_len(&q->addr);

	m->c.owner = q->name;
	if (q->step == ADD) {
		need(m, RR_CLASS_NONE, RR_ANY, NULL, 0);
	} else {
		if (q->step == REPLACE)
			need(m, RR_CLASS_ANY, RR_ANY, NULL, 0);
		need(m, RR_CLASS_IN, RR_DHCID, q->dhcid, D2_DHCID_LEN);
	}
	switch (q->step) {
	case ADD:
		change(m, RR_CLASS_IN, type, q->addr.b, len);
		change(m, RR_CLASS_IN, RR_DHCID, q->dhcid, D2_DHCID_LEN);
		break;
	case REPLACE:
		change(m, RR_CLASS_ANY, type, NULL, 0);
		change(m, RR_CLASS_IN, type, q->addr.b, len);
		break;
	case REMOVE_ADDRESS:
		change(m, RR_CLASS_NONE, type, q->addr.b, len);
		break;
	default:
		need(m, RR_CLASS_NONE, RR_A, NULL, 0);
		need(m, RR_CLASS_NONE, RR_AAAA, NULL, 0);
		change(m, RR_CLASS_ANY, RR_ANY, NULL, 0);
	}
}

static void reverse_letter(struct letter *m, const struct d2_request *q)
{
	ipaddr_reverse(&m->c.owner, &q->addr);
	if (q->step == REMOVE_PTR) {
		need(m, RR_CLASS_IN, RR_PTR, q->name.b, q->name.len);
		change(m, RR_CLASS_ANY, RR_ANY, NULL, 0);
		return;
	}
	change(m, RR_CLASS_ANY, RR_PTR, NULL, 0);
	change(m, RR_CLASS_ANY, RR_DHCID, NULL, 0);
	change(m, RR_CLASS_IN, RR_PTR, q->name.b, q->name.len);
	change(m, RR_CLASS_IN, RR_DHCID, q->dhcid, D2_DHCID_LEN);
}

static uint8_t next_step(uint8_t step, unsigned rcode)
{
	switch (step) {
	case ADD:
		return rcode == RCODE_NOERROR ? ADD_PTR : rcode == RCODE_YXDOMAIN ? REPLACE : ENDS;
	case REPLACE:
		return rcode == RCODE_NOERROR ? ADD_PTR : rcode == RCODE_NXDOMAIN ? ADD : ENDS;
	case REMOVE_ADDRESS:
		return rcode == RCODE_NOERROR || rcode == RCODE_NXRRSET ? REMOVE_NAME : ENDS;
	case REMOVE_NAME:
		return rcode == RCODE_NOERROR ? REMOVE_PTR : ENDS;
	default:
		return ENDS;
	}
}

static void send(struct world *w, struct d2_request *q)
{
	static const char *const says[] = {"adds", "replaces", "adds PTR", "removes address",
					   "removes name", "removes PTR"};
	bool reverse = q->step == ADD_PTR || q->step == REMOVE_PTR, took;
	int32_t zone = !reverse ? ZONE_FWD : q->addr.family == 4 ? ZONE_REV4 : ZONE_REV6;
	struct letter m = {.c = {.pre = m.pre, .upd = m.upd}};
	char name[DNAME_TEXT], ip[IPADDR_TEXT];
	unsigned rcode;

	if (reverse)
		reverse_letter(&m, q);
	else
		forward_letter(&m, q);
	rcode = model_updater(w->model, zone, &m.c, &took);
	if (took)
		world_note_removal(w, &m.c.owner);
	world_say(w, "D2 %s %s %s: %s", says[q->step], dname_print(name, &q->name),
		  ipaddr_print(ip, &q->addr), rcode_name(rcode));
	q->step = next_step(q->step, rcode);
}

/* Of one client one thing at a time. */
static bool must_wait(const struct d2 *d, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (memcmp(d->queue[k].dhcid, d->queue[i].dhcid, D2_DHCID_LEN) == 0)
			return true;
	return false;
}

void d2_event(struct world *w)
{
	struct d2 *d = &w->d2;
	size_t i;

	if (d->n == 0)
		return;
	i = rng_below(&d->rng, (uint32_t)d->n);
	if (must_wait(d, i))
		return;
	send(w, &d->queue[i]);
	if (d->queue[i].step != ENDS)
		return;
	d->n--;
	memmove(&d->queue[i], &d->queue[i + 1], (d->n - i) * sizeof(d->queue[i]));
}

void d2_drain(struct world *w)
{
	while (w->d2.n > 0)
		d2_event(w);
}

/* ---- whose it is -------------------------------------------------------------------------- */

void d2_claimed(struct world *w)
{
	struct model_rr r;

	for (size_t i = 0; model_rr_at(w->model, i, &r); i++)
		if (r.author == MODEL_UPDATER && world_claimed(w, &r))
			model_claim(w->model, r.zone_id, r.owner, r.type, r.rdata.p, r.rdata.len);
}
