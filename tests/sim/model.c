/* model.c - messages on their way to the model server: queues, faults, the clock, people. */
#include "tests/sim/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base/vec.h"
#include "tests/sim/model_zone.h"
#include "tests/sim/rng.h"

enum { WINDOW = 4, ZONES_MAX = 16 };  /* messages in flight per zone */

struct msg {
	struct msg *next;
	uint64_t tag;
	size_t zone;
	int64_t signed_s;
	int64_t apply_s;      /* when it comes late */
	bool lost;            /* its connection broke */
	struct change *c;
	const struct change **pc;
	size_t n;
};

struct queue {
	struct msg *head, **tail;
	unsigned n;
};

struct model {
	struct rng rng;
	struct arena a;
	int64_t now_s;
	struct model_faults faults;
	struct mzone zones[ZONES_MAX];
	size_t n_zones;
	struct queue in_flight[ZONES_MAX];
	struct msg *late;
	VEC(struct dname) refused;
	struct map sent;      /* every record the bridge ever wanted added, or rightly removed */
	uint64_t updates, removed, told;
	struct buf trespass;
	void (*between)(void *arg, const char *what);
	void *between_arg;
};

/* ---- records and who made them ------------------------------------------------------------ */

static struct mzone *zone_of(const struct model *m, int32_t id)
{
	for (size_t i = 0; i < m->n_zones; i++)
		if (m->zones[i].zone->id == id)
			return (struct mzone *)(uintptr_t)&m->zones[i];
	return NULL;
}

/* Owner, type and RDATA in one run of bytes, as key of the map. */
static size_t sent_key(uint8_t key[1024], const struct dname *owner, uint16_t type,
		       const void *rdata, size_t rdlen)
{
	size_t len = owner->len;

	memcpy(key, owner->b, len);
	key[len++] = (uint8_t)(type >> 8);
	key[len++] = (uint8_t)type;
	if (rdlen > 512)
		rdlen = 512;
	if (rdlen > 0)
		memcpy(key + len, rdata, rdlen);
	return len + rdlen;
}

static bool was_sent(const struct model *m, const struct dname *owner, uint16_t type,
		     const void *rdata, size_t rdlen)
{
	uint8_t key[1024];
	size_t len = sent_key(key, owner, type, rdata, rdlen);

	return map_get(&m->sent, key, len) != NULL;
}

static void set_author(struct model *m, struct mset *s, size_t i, enum model_author author)
{
	const struct mrec *o = s->v[i];
	struct mrec *r;

	if (o->author == author)
		return;
	r = mrec_new(&m->a, &o->owner, o->type, o->ttl_s, author, o->rdata, o->rdlen);
	if (r != NULL)
		s->v[i] = r;
}

static void remember(struct model *m, const struct dname *owner, uint16_t type,
		     const void *rdata, size_t rdlen)
{
	uint8_t key[1024];
	size_t len = sent_key(key, owner, type, rdata, rdlen);
	void *kept = arena_dup(&m->a, key, len);

	if (kept != NULL)
		map_put(&m->sent, kept, len, kept);
}

/* The bridge wants this added: from now on a person's equal record can't be told from it. */
static void note_sent(struct model *m, struct mzone *z, const struct dname *owner,
		      const struct change_rr *u)
{
	bool found;
	size_t at = mset_find(&z->now, owner, u->type, u->rdata, u->rdlen, &found);

	if (found && z->now.v[at]->author == MODEL_PERSON)
		set_author(m, &z->now, at, MODEL_EITHER);
	remember(m, owner, u->type, u->rdata, u->rdlen);
}

static void trespass(struct model *m, const struct mzone *z, const struct mrec *r)
{
	char name[DNAME_TEXT];

	if (m->trespass.len > 0)
		return;
	buf_printf(&m->trespass, "a person's record was removed from zone %s: %s ",
		   z->zone->text, dname_print(name, &r->owner));
	rr_print(&m->trespass, &(struct rr){r->type, r->rdlen, r->rdata});
}

static bool has_of(const struct mset *s, const struct dname *owner, uint16_t type, bool ours)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i]->type == type && dname_equal(&s->v[i]->owner, owner) &&
		    (!ours || s->v[i]->author == MODEL_BRIDGE))
			return true;
	return false;
}

/* People write no DHCIDs: each is the bridge's, also one that a restore brought back. */
static bool has_dhcid(const struct mzone *z, const struct dname *owner)
{
	return has_of(&z->now, owner, RR_DHCID, false);
}

/* RFC 4703: who holds the DHCID of a name holds its addresses.  A person who puts another
 * address in place of the client's, and leaves the DHCID, has not taken the name away. */
static bool is_clients(const struct mzone *z, const struct mset *after, const struct mrec *r)
{
	return (r->type == RR_A || r->type == RR_AAAA) &&
	       has_dhcid(z, &r->owner) &&
	       !has_of(&z->now, &r->owner, r->type, true) &&
	       has_of(after, &r->owner, r->type, false);
}

/* Authors survive an update that removes and adds the same; persons' records must survive. */
static void judge(struct model *m, const struct mzone *z, struct mset *after)
{
	for (size_t i = 0; i < z->now.n; i++) {
		const struct mrec *r = z->now.v[i];
		bool found;
		size_t at = mset_find(after, &r->owner, r->type, r->rdata, r->rdlen, &found);

		if (found)
			set_author(m, after, at, r->author);
		else if (r->author == MODEL_PERSON && is_clients(z, after, r))
			/* Should it ever be restored, that is no person's doing. */
			remember(m, &r->owner, r->type, r->rdata, r->rdlen);
		else if (r->author == MODEL_PERSON)
			trespass(m, z, r);
		m->removed += !found;
	}
}

static bool refused_cb(void *arg, const struct dname *owner)
{
	return model_refuses(arg, owner);
}

static unsigned apply(struct model *m, struct mzone *z, const struct change *const *c, size_t n)
{
	struct mset after = {0};
	unsigned rcode = mzone_update(&after, z, &m->a, c, n, refused_cb, m);

	if (mset_equal(&after, &z->now)) {
		mset_fini(&after);
		return rcode;
	}
	judge(m, z, &after);
	mset_fini(&z->now);
	z->now = after;
	mzone_version(z, z->serial + 1, false);
	return rcode;
}

/* ---- what comes late ---------------------------------------------------------------------- */

static void make_late(struct model *m, struct msg *g)
{
	struct msg **at = &m->late;

	g->apply_s = g->signed_s + 1 + rng_below(&m->rng, MODEL_FUDGE_S - 1);
	while (*at != NULL && (*at)->apply_s <= g->apply_s)
		at = &(*at)->next;
	g->next = *at;
	*at = g;
}

static void apply_late(struct model *m)
{
	while (m->late != NULL && m->late->apply_s <= m->now_s) {
		struct msg *g = m->late;

		m->late = g->next;
		apply(m, &m->zones[g->zone], g->pc, g->n);
	}
}

static struct msg *pop(struct queue *q)
{
	struct msg *g = q->head;

	q->head = g->next;
	if (q->head == NULL)
		q->tail = &q->head;
	q->n--;
	return g;
}

/* The connection breaks: the first few arrived, of the rest some are read later, some never. */
static void break_connection(struct model *m, size_t zone)
{
	struct queue *q = &m->in_flight[zone];
	unsigned arrived = rng_below(&m->rng, q->n + 1);

	for (struct msg *g = q->head; g != NULL; g = g->next) {
		if (g->lost)
			continue;
		g->lost = true;
		if (arrived > 0) {
			arrived--;
			apply(m, &m->zones[zone], g->pc, g->n);
		} else if (rng_permille(&m->rng, 500)) {
			struct msg *copy = arena_dup(&m->a, g, sizeof(*g));

			if (copy != NULL)
				make_late(m, copy);
		}
	}
}

void model_disconnect(struct model *m)
{
	for (size_t i = 0; i < m->n_zones; i++) {
		break_connection(m, i);
		while (m->in_flight[i].n > 0)
			pop(&m->in_flight[i]);
	}
}

/* ---- struct flow_net ---------------------------------------------------------------------- */

static void between(struct model *m, const char *what)
{
	if (m->between != NULL)
		m->between(m->between_arg, what);
}

static int64_t net_now_s(void *ctx)
{
	return ((struct model *)ctx)->now_s;
}

static uint64_t net_random(void *ctx)
{
	return rng_next(&((struct model *)ctx)->rng);
}

static struct change_rr *copy_rrs(struct model *m, const struct change_rr *v, size_t n)
{
	struct change_rr *out = arena_array(&m->a, n + 1, sizeof(*out));

	for (size_t i = 0; out != NULL && i < n; i++) {
		out[i] = v[i];
		out[i].rdata = arena_dup(&m->a, v[i].rdlen > 0 ? v[i].rdata : (const void *)"",
					 v[i].rdlen);
		if (out[i].rdata == NULL)
			return NULL;
	}
	return out;
}

static struct msg *msg_new(struct model *m, const struct change *const *c, size_t n)
{
	struct msg *g = arena_alloc(&m->a, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->n = n;
	g->c = arena_array(&m->a, n + 1, sizeof(*g->c));
	g->pc = arena_array(&m->a, n + 1, sizeof(*g->pc));
	if (g->c == NULL || g->pc == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		g->c[i] = *c[i];
		g->c[i].pre = copy_rrs(m, c[i]->pre, c[i]->n_pre);
		g->c[i].upd = copy_rrs(m, c[i]->upd, c[i]->n_upd);
		g->pc[i] = &g->c[i];
		if (g->c[i].pre == NULL || g->c[i].upd == NULL)
			return NULL;
	}
	return g;
}

static int net_submit(void *ctx, const struct policy_zone *zone, const struct change *const *c,
		      size_t n, uint64_t tag, struct err *e)
{
	struct model *m = ctx;
	struct mzone *z = zone_of(m, zone->id);

	between(m, "submit");
	if (z == NULL || n == 0)
		return err_set(e, ERR_BUG, "update of no zone or of nothing");
	struct queue *q = &m->in_flight[z - m->zones];
	if (q->n >= WINDOW)
		return err_set(e, ERR_BUSY, "zone \"%s\": window is full", zone->text);
	struct msg *g = msg_new(m, c, n);
	if (g == NULL)
		return err_nomem(e);
	g->zone = (size_t)(z - m->zones);
	g->tag = tag;
	g->signed_s = m->now_s;
	g->next = NULL;
	*q->tail = g;
	q->tail = &g->next;
	q->n++;
	m->updates++;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < c[i]->n_upd; k++)
			if (c[i]->upd[k].class_ == RR_CLASS_IN)
				note_sent(m, z, &c[i]->owner, &c[i]->upd[k]);
	return 0;
}

static void reply(struct model *m, struct answer *out, unsigned rcode)
{
	(void)m;
	out->end = ANSWER_REPLY;
	out->rcode = (uint8_t)rcode;
	out->verified = true;
}

static void time_out(struct model *m, struct answer *out)
{
	out->end = ANSWER_TIMEOUT;
	model_advance(m, MODEL_TIMEOUT_S);
}

/* Decides what becomes of the message at the head of a queue. */
static void deliver(struct model *m, struct msg *g, struct answer *out)
{
	const struct model_faults *f = &m->faults;
	struct mzone *z = &m->zones[g->zone];

	if (g->lost) {
		out->end = ANSWER_LOST;
		out->detail = "connection reset";
	} else if (f->down || rng_permille(&m->rng, f->unsent)) {
		out->end = ANSWER_UNSENT;
		out->detail = "connection refused";
	} else if (rng_permille(&m->rng, f->lost_request)) {
		time_out(m, out);
	} else if (rng_permille(&m->rng, f->lost_answer)) {
		apply(m, z, g->pc, g->n);
		time_out(m, out);
	} else if (rng_permille(&m->rng, f->late)) {
		make_late(m, g);
		time_out(m, out);
	} else if (rng_permille(&m->rng, f->servfail)) {
		reply(m, out, RCODE_SERVFAIL);
	} else {
		unsigned rcode = apply(m, z, g->pc, g->n);

		/* What is refused is asked once a run, and changes nothing. */
		m->updates -= rcode == RCODE_REFUSED;
		reply(m, out, rcode);
	}
}

static int net_collect(void *ctx, uint64_t *tag, struct answer *out, struct err *e)
{
	struct model *m = ctx;
	size_t busy[ZONES_MAX], n = 0;

	(void)e;
	between(m, "collect");
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < m->n_zones; i++)
		if (m->in_flight[i].n > 0)
			busy[n++] = i;
	if (n == 0)
		return 0;
	size_t zone = busy[rng_below(&m->rng, (uint32_t)n)];
	if (rng_permille(&m->rng, m->faults.broken))
		break_connection(m, zone);
	struct msg *g = pop(&m->in_flight[zone]);
	*tag = g->tag;
	deliver(m, g, out);
	return 1;
}

static int reachable(struct model *m, const struct policy_zone *zone, const char *what,
		     struct err *e)
{
	between(m, what);
	if (zone_of(m, zone->id) == NULL)
		return err_set(e, ERR_BUG, "no such zone");
	if (m->faults.down || rng_permille(&m->rng, m->faults.read_fails))
		return err_set(e, ERR_SYS, "zone \"%s\": connection reset", zone->text);
	return 0;
}

static int net_soa(void *ctx, const struct policy_zone *zone, uint32_t *serial, struct err *e)
{
	int r = reachable(ctx, zone, "soa", e);

	if (r == 0)
		*serial = zone_of(ctx, zone->id)->serial;
	return r;
}

static void net_serials(void *ctx, const struct policy_zone *const *z, size_t n,
			struct net_serial *out)
{
	for (size_t i = 0; i < n; i++)
		out[i].known = net_soa(ctx, z[i], &out[i].serial, NULL) == 0;
}

static int net_transfer(void *ctx, const struct policy_zone *zone, transfer_sink sink, void *arg,
			uint32_t *serial, struct err *e)
{
	struct model *m = ctx;
	int r = reachable(m, zone, "transfer", e);

	if (r < 0)
		return r;
	if (m->faults.keeps_zones) {
		err_set(e, ERR_DENIED, "the server answered REFUSED");
		return NET_REFUSED;
	}
	struct mzone *z = zone_of(m, zone->id);
	bool breaks = rng_permille(&m->rng, m->faults.read_fails);
	size_t until = breaks ? rng_below(&m->rng, (uint32_t)z->now.n + 1) : z->now.n;
	for (size_t i = 0; r == 0 && i < until; i++) {
		const struct mrec *o = z->now.v[i];

		r = sink(arg, &o->owner, o->type, o->ttl_s, o->rdata, o->rdlen, e);
	}
	if (r == 0 && breaks)
		return err_set(e, ERR_SYS, "zone \"%s\": transfer broke off", zone->text);
	*serial = z->serial;
	return r;
}

struct telling {
	struct model *m;
	change_sink sink;
	void *arg;
	size_t left;      /* changes until the connection breaks */
	struct err *e;
};

static int tell(void *arg, bool added, const struct mrec *o)
{
	struct telling *t = arg;
	int r, times = 1 + rng_permille(&t->m->rng, t->m->faults.torn_history);

	if (t->left-- == 0)
		return err_set(t->e, ERR_SYS, "transfer broke off");
	do {
		r = t->sink(t->arg, added, &o->owner, o->type, o->rdata, o->rdlen, t->e);
	} while (r == 0 && --times > 0);
	return r;
}

static int net_changes(void *ctx, const struct policy_zone *zone, uint32_t since, change_sink sink,
		       void *arg, uint32_t *serial, struct err *e)
{
	struct model *m = ctx;
	struct telling t = {m, sink, arg, SIZE_MAX, e};
	int r = reachable(m, zone, "changes", e);
	const struct mzone *z = zone_of(m, zone->id);
	size_t i = 0;

	if (r < 0)
		return r;
	while (i < z->n_past && z->past[i].serial != since)
		i++;
	if (m->faults.keeps_zones || i + 1 >= z->n_past || rng_permille(&m->rng, m->faults.no_history))
		return NET_WHOLE;
	if (rng_permille(&m->rng, m->faults.read_fails))
		t.left = rng_below(&m->rng, 8);
	for (; i + 1 < z->n_past && r == 0; i++)
		r = mset_changes(&z->past[i].set, &z->past[i + 1].set, tell, &t);
	if (r == 0 && t.left < 8)
		return err_set(e, ERR_SYS, "zone \"%s\": transfer broke off", zone->text);
	*serial = z->serial;
	m->told += r == 0;
	return r;
}

static int tell_owner(const struct mset *s, struct net_look *l, struct arena *a)
{
	int r = 0;

	l->seen = (struct rrs){NULL, 0};
	l->cut.len = 0;
	for (size_t i = 0; r == 0 && i < s->n; i++)
		if (dname_equal(&s->v[i]->owner, l->owner))
			r = rrs_add(&l->seen, a, s->v[i]->type, s->v[i]->rdata,
				    rrtype_has(s->v[i]->type, RRTYPE_VALUE) ? s->v[i]->rdlen : 0);
	l->got = r == 0;
	return r;
}

static int net_query(void *ctx, const struct policy_zone *zone, struct net_look *v, size_t n,
		     struct arena *a, struct err *e)
{
	struct model *m = ctx;

	for (size_t i = 0; i < n; i++)
		v[i].got = false;
	for (size_t i = 0; i < n; i++) {
		int r = reachable(m, zone, "query", e);

		if (r < 0)
			return r;
		if (tell_owner(&zone_of(m, zone->id)->now, &v[i], a) < 0)
			return err_nomem(e);
	}
	return 0;
}

struct flow_net model_net(struct model *m)
{
	return (struct flow_net){
		.ctx = m,
		.now_s = net_now_s,
		.random = net_random,
		.submit = net_submit,
		.collect = net_collect,
		.soa = net_soa,
		.serials = net_serials,
		.transfer = net_transfer,
		.changes = net_changes,
		.query = net_query,
	};
}

/* ---- people ------------------------------------------------------------------------------- */

bool model_person_add(struct model *m, int32_t zone_id, const struct dname *owner, uint16_t type,
		      uint32_t ttl_s, const void *rdata, size_t rdlen)
{
	struct mzone *z = zone_of(m, zone_id);
	enum model_author author = was_sent(m, owner, type, rdata, rdlen) ? MODEL_EITHER
									  : MODEL_PERSON;
	struct mrec *r = mrec_new(&m->a, owner, type, ttl_s, author, rdata, rdlen);

	if (z == NULL || r == NULL || mset_add(&z->now, &m->a, r) != 0)
		return false;
	return mzone_version(z, z->serial + 1, false) == 0;
}

bool model_person_del(struct model *m, int32_t zone_id, const struct dname *owner, uint16_t type,
		      const void *rdata, size_t rdlen)
{
	struct mzone *z = zone_of(m, zone_id);

	if (z == NULL ||
	    mset_remove(&z->now, &z->zone->name, owner, type, rdata, rdlen) == 0)
		return false;
	return mzone_version(z, z->serial + 1, false) == 0;
}

bool model_has_dhcid(const struct model *m, int32_t zone_id, const struct dname *owner)
{
	return has_dhcid(zone_of(m, zone_id), owner);
}

void model_share(struct model *m, int32_t zone_id, const struct dname *owner, uint16_t type,
		 const void *rdata, size_t rdlen)
{
	struct mset *s = &zone_of(m, zone_id)->now;
	bool found;
	size_t at = mset_find(s, owner, type, rdata, rdlen, &found);

	if (found)
		set_author(m, s, at, MODEL_EITHER);
}

int model_save(struct model *m, int32_t zone_id)
{
	struct mzone *z = zone_of(m, zone_id);

	if (z == NULL || mset_copy(&z->saved, &z->now) < 0)
		return ERR_NOMEM;
	z->saved_serial = z->serial;
	z->has_saved = true;
	return 0;
}

bool model_restore(struct model *m, int32_t zone_id)
{
	struct mzone *z = zone_of(m, zone_id);
	struct mset back = {0};

	if (z == NULL || !z->has_saved || z->saved_serial == z->serial ||
	    mset_copy(&back, &z->saved) < 0)
		return false;
	for (size_t i = 0; i < back.n; i++) {
		const struct mrec *r = back.v[i];
		bool found;
		size_t at = mset_find(&z->now, &r->owner, r->type, r->rdata, r->rdlen, &found);

		if (found)
			set_author(m, &back, i, z->now.v[at]->author);
		else if (was_sent(m, &r->owner, r->type, r->rdata, r->rdlen))
			set_author(m, &back, i, MODEL_EITHER);
	}
	mset_fini(&z->now);
	z->now = back;
	return mzone_version(z, z->saved_serial, true) == 0;
}

int model_refuse(struct model *m, const struct dname *owner)
{
	return vec_push(&m->refused, *owner);
}

bool model_refuses(const struct model *m, const struct dname *owner)
{
	for (size_t i = 0; i < m->refused.n; i++)
		if (dname_equal(&m->refused.v[i], owner))
			return true;
	return false;
}

/* ---- life and looking --------------------------------------------------------------------- */

struct model *model_new(uint64_t seed, int64_t now_s)
{
	struct model *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->rng.state = seed;
	m->now_s = now_s;
	m->sent = (struct map)MAP_INIT;
	return m;
}

void model_free(struct model *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->n_zones; i++)
		mzone_fini(&m->zones[i]);
	vec_fini(&m->refused);
	map_fini(&m->sent);
	buf_fini(&m->trespass);
	arena_fini(&m->a);
	free(m);
}

int model_serve(struct model *m, const struct policy_zone *zone)
{
	static const uint8_t ns[] = "\3ns1\7example\3net";  /* its NUL is the root label */
	struct mzone *z = &m->zones[m->n_zones];
	struct mrec *r;

	if (m->n_zones == ZONES_MAX)
		return ERR_NOMEM;
	r = mrec_new(&m->a, &zone->name, RR_NS, 3600, MODEL_PERSON, ns, sizeof(ns));
	if (r == NULL)
		return ERR_NOMEM;
	z->zone = zone;
	m->in_flight[m->n_zones].tail = &m->in_flight[m->n_zones].head;
	m->n_zones++;
	return mset_add(&z->now, &m->a, r) < 0 ? ERR_NOMEM : mzone_version(z, 1, true);
}

struct model_faults *model_faults(struct model *m)
{
	return &m->faults;
}

int64_t model_now_s(const struct model *m)
{
	return m->now_s;
}

void model_advance(struct model *m, int64_t seconds)
{
	m->now_s += seconds;
	apply_late(m);
}

bool model_rr_at(const struct model *m, size_t i, struct model_rr *out)
{
	for (size_t k = 0; k < m->n_zones; k++) {
		const struct mzone *z = &m->zones[k];

		if (i < z->now.n) {
			const struct mrec *r = z->now.v[i];

			*out = (struct model_rr){z->zone->id, &r->owner,  r->type,
						 r->ttl_s,    r->author, {r->rdata, r->rdlen}};
			return true;
		}
		i -= z->now.n;
	}
	return false;
}

uint32_t model_serial(const struct model *m, int32_t zone_id)
{
	const struct mzone *z = zone_of(m, zone_id);

	return z == NULL ? 0 : z->serial;
}

uint64_t model_updates(const struct model *m)
{
	return m->updates;
}

uint64_t model_removed(const struct model *m)
{
	return m->removed;
}

uint64_t model_told(const struct model *m)
{
	return m->told;
}

const char *model_trespass(const struct model *m)
{
	return buf_text(&m->trespass);
}

unsigned model_apply(struct model *m, int32_t zone_id, const struct change *const *c, size_t n)
{
	struct mzone *z = zone_of(m, zone_id);

	return z == NULL ? RCODE_NOTAUTH : apply(m, z, c, n);
}

void model_between(struct model *m, void (*fn)(void *arg, const char *what), void *arg)
{
	m->between = fn;
	m->between_arg = arg;
}
