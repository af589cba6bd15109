/* feed.c - how the sources of the simulated network are read: honestly, in part, or not at all. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/world.h"

static int feed_open(void *ctx, const struct policy_space *space, const struct policy_source *src,
		     const char *cursor, struct err *e)
{
	struct bridge *b = ctx;
	struct world *w = b->w;

	(void)space;
	if (b->open_src != 0)
		world_fault(w, "two sources are open at a time");
	if (w->mode[src->id] == FEED_OPEN_FAILS)
		return err_set(e, ERR_SYS, "source \"%s\": connection refused", src->name);
	b->open_src = src->id;
	b->open_done = false;
	snprintf(b->cursor, sizeof(b->cursor), "%llu", (unsigned long long)w->version);
	b->open_same = w->gentle && w->mode[src->id] == FEED_GOOD && cursor != NULL &&
		       strcmp(cursor, b->cursor) == 0;
	return 0;
}

/* 01 + hardware address follows the address. */
static bool add_client_id(struct obs_batch *b, struct obs *o, const struct client *c,
			  const struct lease *l)
{
	uint8_t id[sizeof(c->client_id)];

	memcpy(id, c->client_id, sizeof(id));
	if (id[0] == 1)
		memcpy(id + 1, l->mac.b, sizeof(l->mac.b));
	return obs_batch_keep(b, &o->client_id, id, c->client_id_len);
}

/* The client is known by its name, and at its address by whatever name, from now on. */
static void note_client(const struct world *w, const struct lease *l)
{
	struct dname name, ptr;
	uint8_t dhcid[D2_DHCID_LEN];
	const char *label;

	if (!w->has_d2)
		return;
	ipaddr_reverse(&ptr, &l->addr);
	for (int i = 0; world_spelling(i, &label); i++) {
		if (label == NULL)
			continue;
		name_in_zone(&name, label);
		d2_dhcid(dhcid, w, l, &name);
		model_client(w->model, &ptr, dhcid, sizeof(dhcid));
		if (l->name->label != NULL && strcmp(label, l->name->label) == 0)
			model_client(w->model, &name, dhcid, sizeof(dhcid));
	}
}

static bool add_lease(struct obs_batch *b, const struct world *w, const struct lease *l)
{
	const struct client *c = &w->clients[l->client];
	struct obs *o = obs_batch_add(b);
	bool v6 = l->addr.family == 6;

	if (o == NULL)
		return false;
	o->addr = l->addr;
	o->kind = OBS_LEASE;
	o->end = l->ended;
	o->end_why = l->ended ? "released" : NULL;
	o->valid_until_s = l->until_s;
	o->seen_at_s = l->seen_s;
	if (!v6 || c->v6_mac)
		o->mac = l->mac;
	note_client(w, l);
	return obs_batch_keep(b, &o->name, l->name->raw, strlen(l->name->raw)) &&
	       (v6 || add_client_id(b, o, c, l)) &&
	       (!v6 || obs_batch_keep(b, &o->duid, c->duid, c->duid_len));
}

static bool add_neigh(struct obs_batch *b, const struct world *w, const struct neigh *n)
{
	struct obs *o = obs_batch_add(b);

	if (o == NULL)
		return false;
	o->addr = n->addr;
	o->kind = OBS_NEIGHBOUR;
	o->valid_until_s = OBS_FOREVER;
	o->seen_at_s = model_now_s(w->model);
	o->mac.known = true;
	memcpy(o->mac.b, "\2\0\0\xcc\0", 5);
	o->mac.b[5] = (uint8_t)(n - w->neigh);
	return n->label == NULL || obs_batch_keep(b, &o->name, n->label, strlen(n->label));
}

/* One host without a name that every source always shows: a source that truly runs empty waits
 * for a person, and that would keep the world from coming to rest. */
static bool add_keeper(struct obs_batch *b, int32_t src)
{
	struct obs *o = obs_batch_add(b);
	const char *ip = src == SRC_DHCP6 ? "2001:db8:0:1::f" : "192.0.2.9";

	if (o == NULL || !ipaddr_parse(&o->addr, ip, strlen(ip)))
		return false;
	o->kind = src == SRC_ARP ? OBS_NEIGHBOUR : OBS_LEASE;
	o->valid_until_s = OBS_FOREVER;
	return true;
}

/* The rows of the open source; half of them when it is about to break. */
static bool fill(struct obs_batch *b, struct world *w, int32_t src)
{
	bool half = w->mode[src] == FEED_BREAKS, ok = add_keeper(b, src);

	if (src == SRC_ARP)
		for (int i = 0; ok && i < N_NEIGH; i++)
			if (w->neigh[i].present && (!half || i % 2 == 0))
				ok = add_neigh(b, w, &w->neigh[i]);
	for (int i = 0; ok && i < N_LEASES; i++) {
		const struct lease *l = &w->leases[i];

		if ((i < N_LEASES4 ? SRC_DHCP4 : SRC_DHCP6) != src || l->client < 0 ||
		    l->hidden || (half && i % 2 == 1))
			continue;
		ok = add_lease(b, w, l);
	}
	return ok;
}

static int feed_read(void *ctx, struct obs_batch *into, struct err *e)
{
	struct bridge *b = ctx;
	struct world *w = b->w;
	enum feed_mode mode = w->mode[b->open_src];

	if (mode == FEED_EMPTY || b->open_src > SRC_ARP)
		return FEED_COMPLETE;
	if (b->open_same)
		return FEED_SAME;
	if (b->open_done) {
		if (mode == FEED_BREAKS)
			return err_set(e, ERR_SYS, "source broke off in the middle");
		b->shown[b->open_src] = mode == FEED_GOOD;
		return w->gentle && rng_permille(&w->rng, 200) ? FEED_DELTA : FEED_COMPLETE;
	}
	b->open_done = true;
	b->shown_version[b->open_src] = w->version;
	if (!fill(into, w, b->open_src))
		return err_nomem(e);
	return FEED_MORE;
}

static const char *feed_cursor(void *ctx)
{
	return ((struct bridge *)ctx)->cursor;
}

static void feed_close(void *ctx)
{
	((struct bridge *)ctx)->open_src = 0;
}

void feed_bind(struct bridge *b)
{
	b->feed = (struct flow_feed){.ctx = b,
				     .open = feed_open,
				     .read = feed_read,
				     .cursor = feed_cursor,
				     .close = feed_close};
}

void feed_obs_manual(struct obs *o, const struct world *w, const struct manual *m, bool end)
{
	*o = (struct obs){.addr = m->addr, .kind = OBS_MANUAL, .end = end,
			  .end_why = end ? "removed" : NULL,
			  .name = {(const uint8_t *)m->label, (uint16_t)strlen(m->label)},
			  .valid_until_s = OBS_FOREVER, .seen_at_s = model_now_s(w->model),
			  .ptr = true};
}
