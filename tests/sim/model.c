/* model.c - the model server: its records and who made them, people, and looking at it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/model_inside.h"

/* ---- records and who made them ------------------------------------------------------------ */

struct mzone *model_zone_of(const struct model *m, int32_t id)
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

static bool is_in(const struct map *records, const struct dname *owner, uint16_t type,
		  const void *rdata, size_t rdlen)
{
	uint8_t key[1024];
	size_t len = sent_key(key, owner, type, rdata, rdlen);

	return map_get(records, key, len) != NULL;
}

static bool was_sent(const struct model *m, const struct dname *owner, uint16_t type,
		     const void *rdata, size_t rdlen)
{
	return is_in(&m->sent, owner, type, rdata, rdlen);
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

static void put_key(struct model *m, struct map *into, const struct dname *owner, uint16_t type,
		    const void *rdata, size_t rdlen)
{
	uint8_t key[1024];
	size_t len = sent_key(key, owner, type, rdata, rdlen);
	void *kept = map_get(into, key, len) != NULL ? NULL : arena_dup(&m->a, key, len);

	if (kept != NULL)
		map_put(into, kept, len, kept);
}

static void remember(struct model *m, const struct dname *owner, uint16_t type,
		     const void *rdata, size_t rdlen)
{
	put_key(m, &m->sent, owner, type, rdata, rdlen);
}

void model_client(struct model *m, const struct dname *owner, const void *dhcid, size_t len)
{
	put_key(m, &m->clients, owner, RR_DHCID, dhcid, len);
}

/* RFC 4703: who puts a DHCID beside an address says that it is the client's, also one that a person
 * had written with that very value. */
static void note_client(struct model *m, struct mzone *z, const struct change *c)
{
	for (size_t i = 0; i < c->n_pre; i++) {
		const struct change_rr *p = &c->pre[i];
		bool found;
		size_t at;

		if (p->class_ != RR_CLASS_IN || (p->type != RR_A && p->type != RR_AAAA))
			continue;
		at = mset_find(&z->now, &c->owner, p->type, p->rdata, p->rdlen, &found);
		if (found && z->now.v[at]->author == MODEL_PERSON)
			set_author(m, &z->now, at, MODEL_EITHER);
	}
}

static void note_record(struct model *m, struct mzone *z, const struct dname *owner,
			const struct change_rr *u)
{
	bool found;
	size_t at = mset_find(&z->now, owner, u->type, u->rdata, u->rdlen, &found);

	if (found && z->now.v[at]->author == MODEL_PERSON)
		set_author(m, &z->now, at, MODEL_EITHER);
	remember(m, owner, u->type, u->rdata, u->rdlen);
}

void model_note_sent(struct model *m, struct mzone *z, const struct change *c)
{
	for (size_t i = 0; i < c->n_upd; i++) {
		if (c->upd[i].class_ != RR_CLASS_IN)
			continue;
		note_record(m, z, &c->owner, &c->upd[i]);
		if (c->upd[i].type == RR_DHCID)
			note_client(m, z, c);
	}
}

static void trespass(struct model *m, const struct mzone *z, const struct mrec *r,
		     const char *whose)
{
	char name[DNAME_TEXT];

	if (m->trespass.len > 0)
		return;
	buf_printf(&m->trespass, "%s record was removed from zone %s: %s ", whose,
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

/* Does it stand beside the DHCID of a client that the bridge never heard of by this name?  Of what has
 * a value that the bridge sent once nobody can tell, nor of a PTR: the client that had the address
 * before may have had the same name. */
static bool is_strangers(const struct model *m, const struct mzone *z, const struct mrec *r)
{
	if (z->zone->is_reverse || was_sent(m, &r->owner, r->type, r->rdata, r->rdlen))
		return false;
	for (size_t i = 0; i < z->now.n; i++) {
		const struct mrec *d = z->now.v[i];

		if (d->type == RR_DHCID && d->author == MODEL_UPDATER &&
		    dname_equal(&d->owner, &r->owner) &&
		    !is_in(&m->clients, &d->owner, RR_DHCID, d->rdata, d->rdlen))
			return true;
	}
	return false;
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
			trespass(m, z, r, "a person's");
		else if (r->author == MODEL_UPDATER && is_strangers(m, z, r))
			trespass(m, z, r, "another updater's");
		m->removed += !found;
	}
}

static bool refused_cb(void *arg, const struct dname *owner)
{
	return model_refuses(arg, owner);
}

unsigned model_update(struct model *m, struct mzone *z, const struct change *const *c, size_t n)
{
	struct mset after = {0};
	unsigned rcode = mzone_update(&after, z, &m->a, c, n, MODEL_BRIDGE, refused_cb, m);

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

void model_replay(struct model *m, struct mzone *z, const struct change *const *c, size_t n)
{
	uint32_t serial = z->serial;

	model_update(m, z, c, n);
	for (size_t i = 0; i < n && z->serial != serial; i++) {
		for (size_t k = 0; k < c[i]->n_upd; k++) {
			const struct change_rr *u = &c[i]->upd[k];

			if (u->class_ == RR_CLASS_IN)
				model_share(m, z->zone->id, &c[i]->owner, u->type, u->rdata, u->rdlen);
		}
		if (m->replayed != NULL)
			m->replayed(m->replayed_arg, &c[i]->owner);
	}
}

/* ---- people ------------------------------------------------------------------------------- */

bool model_person_add(struct model *m, int32_t zone_id, const struct dname *owner, uint16_t type,
		      uint32_t ttl_s, const void *rdata, size_t rdlen)
{
	struct mzone *z = model_zone_of(m, zone_id);
	enum model_author author = was_sent(m, owner, type, rdata, rdlen) ||
				   is_in(&m->brought, owner, type, rdata, rdlen)
				   ? MODEL_EITHER : MODEL_PERSON;
	struct mrec *r = mrec_new(&m->a, owner, type, ttl_s, author, rdata, rdlen);

	if (z == NULL || r == NULL || mset_add(&z->now, &m->a, r) != 0)
		return false;
	return mzone_version(z, z->serial + 1, false) == 0;
}

bool model_person_del(struct model *m, int32_t zone_id, const struct dname *owner, uint16_t type,
		      const void *rdata, size_t rdlen)
{
	struct mzone *z = model_zone_of(m, zone_id);

	if (z == NULL ||
	    mset_remove(&z->now, &z->zone->name, owner, type, rdata, rdlen) == 0)
		return false;
	return mzone_version(z, z->serial + 1, false) == 0;
}

bool model_has_dhcid(const struct model *m, int32_t zone_id, const struct dname *owner)
{
	return has_dhcid(model_zone_of(m, zone_id), owner);
}

void model_share(struct model *m, int32_t zone_id, const struct dname *owner, uint16_t type,
		 const void *rdata, size_t rdlen)
{
	struct mset *s = &model_zone_of(m, zone_id)->now;
	bool found;
	size_t at = mset_find(s, owner, type, rdata, rdlen, &found);

	if (!found)
		return;
	set_author(m, s, at, MODEL_EITHER);
	/* Nor when it is removed and comes again. */
	remember(m, owner, type, rdata, rdlen);
}

int model_save(struct model *m, int32_t zone_id)
{
	struct mzone *z = model_zone_of(m, zone_id);

	if (z == NULL || mset_copy(&z->saved, &z->now) < 0)
		return ERR_NOMEM;
	z->saved_serial = z->serial;
	z->has_saved = true;
	return 0;
}

/* Is a client's DHCID there, and none that was there before? */
static bool comes_with_client(const struct mzone *z, const struct mset *after,
			   const struct dname *owner)
{
	bool stays = false;

	for (size_t i = 0; i < z->now.n; i++) {
		const struct mrec *r = z->now.v[i];
		bool found;

		if (r->type != RR_DHCID || !dname_equal(&r->owner, owner))
			continue;
		mset_find(after, owner, RR_DHCID, r->rdata, r->rdlen, &found);
		stays = stays || found;
	}
	return !stays && has_of(after, owner, RR_DHCID, false);
}

/* Of a record that is in both, the copy's and what stands there now: of one that somebody else had
 * made and the bridge made again since, or that comes back beside another DHCID, nobody can tell whose
 * it is without what the bridge put beside it. */
static enum model_author restored_author(const struct mzone *z, const struct mset *back,
					 const struct mrec *copy, const struct mrec *now)
{
	bool unclear = copy->author != MODEL_BRIDGE || comes_with_client(z, back, &now->owner);

	return now->author == MODEL_BRIDGE && unclear ? MODEL_EITHER : now->author;
}

bool model_restore(struct model *m, int32_t zone_id)
{
	struct mzone *z = model_zone_of(m, zone_id);
	struct mset back = {0};

	if (z == NULL || !z->has_saved || z->saved_serial == z->serial ||
	    mset_copy(&back, &z->saved) < 0)
		return false;
	for (size_t i = 0; i < back.n; i++) {
		const struct mrec *r = back.v[i];
		bool found;
		size_t at = mset_find(&z->now, &r->owner, r->type, r->rdata, r->rdlen, &found);

		if (found)
			set_author(m, &back, i, restored_author(z, &back, r, z->now.v[at]));
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

/* ---- another updater ---------------------------------------------------------------------- */

static enum model_author rewritten(const struct mzone *z, const struct mset *after,
				   const struct mrec *r)
{
	if (r->author == MODEL_PERSON)
		return MODEL_EITHER;
	return comes_with_client(z, after, &r->owner) ? MODEL_UPDATER : r->author;
}

/* An equal record that is written again stays whose it was, unless it was a person's, or another
 * client has the name now.  Is something of the bridge's gone? */
static bool keep_authors(struct model *m, const struct mzone *z, struct mset *after)
{
	bool took = false;

	for (size_t i = 0; i < z->now.n; i++) {
		const struct mrec *r = z->now.v[i];
		bool found;
		size_t at = mset_find(after, &r->owner, r->type, r->rdata, r->rdlen, &found);

		if (found && after->v[at] != r)
			set_author(m, after, at, rewritten(z, after, r));
		took = took || (!found && r->author != MODEL_PERSON);
	}
	return took;
}

unsigned model_updater(struct model *m, int32_t zone_id, const struct change *c, bool *took)
{
	struct mzone *z = model_zone_of(m, zone_id);
	struct mset after = {0};
	unsigned rcode = mzone_update(&after, z, &m->a, &c, 1, MODEL_UPDATER, NULL, NULL);

	*took = keep_authors(m, z, &after);
	for (size_t i = 0; i < c->n_upd; i++)
		if (c->upd[i].class_ == RR_CLASS_IN)
			put_key(m, &m->brought, &c->owner, c->upd[i].type, c->upd[i].rdata,
				c->upd[i].rdlen);
	if (mset_equal(&after, &z->now)) {
		mset_fini(&after);
		return rcode;
	}
	mset_fini(&z->now);
	z->now = after;
	mzone_version(z, z->serial + 1, false);
	return rcode;
}

void model_claim(struct model *m, int32_t zone_id, const struct dname *owner, uint16_t type,
		 const void *rdata, size_t rdlen)
{
	struct mset *s = &model_zone_of(m, zone_id)->now;
	bool found;
	size_t at = mset_find(s, owner, type, rdata, rdlen, &found);

	if (found && s->v[at]->author == MODEL_UPDATER)
		set_author(m, s, at, MODEL_BRIDGE);
}

/* ---- life and looking --------------------------------------------------------------------- */

struct model *model_new(uint64_t seed, int64_t now_s)
{
	struct model *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->rng.state = seed;
	m->now_s = now_s;
	for (int i = 0; i < MODEL_BRIDGES; i++)
		m->conn[i].m = m;
	m->sent = m->brought = m->clients = (struct map)MAP_INIT;
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
	map_fini(&m->brought);
	map_fini(&m->clients);
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
	for (int i = 0; i < MODEL_BRIDGES; i++)
		m->conn[i].in_flight[m->n_zones].tail =
			&m->conn[i].in_flight[m->n_zones].head;
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
	model_apply_late(m);
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
	const struct mzone *z = model_zone_of(m, zone_id);

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
	struct mzone *z = model_zone_of(m, zone_id);

	return z == NULL ? RCODE_NOTAUTH : model_update(m, z, c, n);
}

void model_between(struct model *m, void (*fn)(void *arg, const char *what), void *arg)
{
	m->between = fn;
	m->between_arg = arg;
}

void model_on_replay(struct model *m, void (*fn)(void *arg, const struct dname *owner), void *arg)
{
	m->replayed = fn;
	m->replayed_arg = arg;
}
