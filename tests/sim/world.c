/* world.c - the policy of the simulated network and the life of its clients. */
#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { START_S = 1700000000, HOUR_S = 3600 };

/* Written out by hand, so that the oracle does not repeat the code it judges. */
static const char long_name[] =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";  /* 64 */
static const struct spelling spellings[] = {
    {"web01", "web01"},         {"Mail", "mail"},       {"my laptop", "my-laptop"},
    {"host_a", "host-a"},       {"nas", "nas"},         {"pc1.lab.example.", "pc1"},
    {"pc2.home.arpa", "pc2"},   {"PHONE", "phone"},     {"tv", "tv"},
    {"TV.", "tv"},              {"bad!name", NULL},     {"-dash", NULL},
    {"", NULL},                 {long_name, NULL},      {"wpad", NULL},
    {"x;drop table hosts", NULL},
};
enum { N_SPELLINGS = sizeof(spellings) / sizeof(spellings[0]) };

void world_say(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->verbose)
		return;
	va_start(ap, fmt);
	printf("  %lld ", (long long)(model_now_s(w->model) - START_S));
	if (w->company != ALONE)
		printf("[%u] ", w->now->no);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
}

void world_fault(struct world *w, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (w->fault.len > 0)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_str(&w->fault, text);
}

bool client_has_v6(int client)
{
	return client % 2 == 0;
}

bool lease_lives(const struct world *w, const struct lease *l)
{
	return l->client >= 0 && !l->ended && l->until_s > model_now_s(w->model);
}

bool world_spelling(int i, const char **label)
{
	*label = i < N_SPELLINGS ? spellings[i].label : NULL;
	return i < N_SPELLINGS;
}

void name_in_zone(struct dname *out, const char *label)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%s.lab.example", label);

	if (!dname_parse(out, text, (size_t)n))
		abort();
}

void world_note_removal(struct world *w, const struct dname *owner)
{
	for (size_t i = 0; i < w->n_removals; i++)
		if (dname_equal(&w->removals[i].owner, owner)) {
			w->removals[i].n++;
			return;
		}
	if (w->n_removals < sizeof(w->removals) / sizeof(w->removals[0]))
		w->removals[w->n_removals++] = (struct removal){*owner, 1};
}

unsigned world_removals(const struct world *w, const struct dname *owner)
{
	for (size_t i = 0; i < w->n_removals; i++)
		if (dname_equal(&w->removals[i].owner, owner))
			return w->removals[i].n;
	return 0;
}

bool world_is_fought_over(const struct world *w, const struct dname *owner)
{
	return world_removals(w, owner) >= 3;
}

/* ---- policy ------------------------------------------------------------------------------- */

static void make_zone(struct world *w, int id, const char *name)
{
	struct policy_zone *z = &w->zones[id - 1];
	static const char *const servers[] = {"ns1"};

	*z = (struct policy_zone){.id = id, .text = name, .servers = servers, .n_servers = 1,
				  .ttl_s = 300, .foreign = FOREIGN_KEEP, .dhcid = true, .view = ""};
	if (!dname_parse(&z->name, name, strlen(name)))
		abort();
	z->is_reverse = prefix_from_reverse_zone(&z->covers, &z->name);
}

static void make_subnet(struct world *w, int id, const char *prefix, int reverse)
{
	static const uint8_t rank[] = {OBS_MANUAL, OBS_EDIT, OBS_RESERVATION, OBS_IPAM,
				       OBS_LEASE,  OBS_DNS,  OBS_NEIGHBOUR};
	struct policy_subnet *s = &w->subnets[id - 1];

	*s = (struct policy_subnet){.id = id, .zones = w->fwd, .n_zones = 1,
				    .reverse = &w->zones[reverse - 1], .n_rank = sizeof(rank)};
	memcpy(s->rank, rank, sizeof(rank));
	if (!prefix_parse(&s->prefix, prefix, strlen(prefix)))
		abort();
}

static void make_source(struct world *w, int id, const char *name, enum obs_kind kind,
			int64_t stale_after_s)
{
	w->sources[id - 1] = (struct policy_source){.id = id, .name = name, .type = name,
						    .kind = kind, .timeout_s = 30,
						    .stale_after_s = stale_after_s};
}

static void make_policy(struct world *w)
{
	make_zone(w, ZONE_FWD, "lab.example");
	make_zone(w, ZONE_REV4, "2.0.192.in-addr.arpa");
	make_zone(w, ZONE_REV6, "1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
	w->fwd[0] = &w->zones[0];
	make_subnet(w, 1, "192.0.2.0/25", ZONE_REV4);
	make_subnet(w, 2, "192.0.2.128/25", ZONE_REV4);
	make_subnet(w, 3, "2001:db8:0:1::/64", ZONE_REV6);
	make_source(w, SRC_DHCP4, "dhcp4", OBS_LEASE, 0);
	make_source(w, SRC_DHCP6, "dhcp6", OBS_LEASE, 0);
	make_source(w, SRC_ARP, "arp", OBS_NEIGHBOUR, HOUR_S);
	make_source(w, SRC_MANUAL, SOURCE_MANUAL, OBS_MANUAL, 0);
	make_source(w, SRC_DNS, SOURCE_DNS, OBS_DNS, 0);
	w->space = (struct policy_space){.id = 1, .name = "default", .zones = w->zones,
					 .n_zones = N_ZONES, .subnets = w->subnets, .n_subnets = 3,
					 .sources = w->sources, .n_sources = N_SOURCES};
	/* The brake has its own tests: here nothing may stand in the way of convergence. */
	w->policy = (struct policy){.spaces = &w->space, .n_spaces = 1, .brake_percent = 30,
				    .brake_min = 1000000};
}

/* ---- clients ------------------------------------------------------------------------------ */

static void make_client(struct world *w, int i)
{
	struct client *c = &w->clients[i];
	/* Some have hardware addresses that stay. */
	const uint8_t mac[6] = {i % 5 == 1 || i % 5 == 3 ? 0 : 2, 0, 0, 0xaa, 0xbb, (uint8_t)i};

	c->mac.known = true;
	memcpy(c->mac.b, mac, 6);
	memcpy(c->duid, "\0\1\0\1\x29\xaa\xbb\xcc", 8);
	memcpy(c->duid + 8, mac, 6);
	c->duid_len = 14;
	c->v6_mac = i % 4 == 0;
	if (i % 3 == 0) {         /* 01 + hardware address, as most clients do */
		c->client_id[0] = 1;
		memcpy(c->client_id + 1, mac, 6);
		c->client_id_len = 7;
	} else if (i % 3 == 1) {  /* RFC 4361 */
		memcpy(c->client_id, "\xff\1\2\3\4", 5);
		memcpy(c->client_id + 5, c->duid, c->duid_len);
		c->client_id_len = (uint16_t)(5 + c->duid_len);
	}
	c->name = &spellings[rng_below(&w->rng, N_SPELLINGS)];
}

static void addr_of(struct ipaddr *out, bool v6, int n)
{
	char text[IPADDR_TEXT];
	int len = v6 ? snprintf(text, sizeof(text), "2001:db8:0:1::%x", (unsigned)n)
		     : snprintf(text, sizeof(text), "192.0.2.%d", n);

	if (!ipaddr_parse(out, text, (size_t)len))
		abort();
}

static void make_addresses(struct world *w)
{
	static const char *const manual[N_MANUAL] = {"man0", "man1", "man2", "man3", "web01", "nas"};
	static const char *const neigh[N_NEIGH] = {NULL, "arpbox0", NULL, "arpbox1", NULL, "tv"};

	for (int i = 0; i < N_LEASES; i++) {
		struct lease *l = &w->leases[i];

		l->client = -1;
		if (i < N_LEASES4 / 2)
			addr_of(&l->addr, false, 10 + i);
		else if (i < N_LEASES4)
			addr_of(&l->addr, false, 140 + i);
		else
			addr_of(&l->addr, true, 16 + i);
	}
	for (int i = 0; i < N_MANUAL; i++) {
		w->manual[i].label = manual[i];
		w->manual[i].addr = w->leases[0].addr;
	}
	/* The first two neighbours are leased hosts, the others have addresses of their own. */
	for (int i = 0; i < N_NEIGH; i++) {
		w->neigh[i].label = neigh[i];
		if (i < 2)
			w->neigh[i].addr = w->leases[i].addr;
		else
			addr_of(&w->neigh[i].addr, false, 100 + i);
	}
}

struct belief world_belief(const struct world *w, int32_t zone_id, const struct dname *owner)
{
	struct belief b = {.zone_id = zone_id};

	memstore_belief(w->bridge[0].ms, &b, zone_id, owner);
	return b;
}

bool world_claimed(const struct world *w, const struct model_rr *r)
{
	struct belief b = world_belief(w, r->zone_id, r->owner);
	struct rr v = {.type = r->type, .rdata = r->rdata.p, .rdlen = r->rdata.len};

	return rrs_has(&b.published, &v);
}

static bool make_bridge(struct world *w, unsigned no)
{
	struct bridge *b = &w->bridge[no];

	b->w = w;
	b->no = no;
	b->ms = no == 0 ? memstore_new(&w->policy) : memstore_beside(w->bridge[0].ms);
	if (b->ms == NULL)
		return false;
	b->store = memstore_flow(b->ms);
	b->net = model_net(w->model, no);
	for (int i = 0; i < N_ZONES; i++)
		b->gates[i].zone = &w->zones[i];
	feed_bind(b);
	return true;
}

/* Who else there is, by chances of their own: without them a world is what it was before. */
static void make_company(struct world *w, uint64_t seed)
{
	w->pair.state = seed * 0xd1342543de82ef95ULL + 3;
	w->d2.rng.state = seed * 0xaf251af3b0f025b5ULL + 5;
	w->d2.runs = w->has_d2 = rng_permille(&w->d2.rng, 300);
	w->decider.state = seed * 0x8cb92ba72f3d8dd7ULL + 7;
	w->decides = rng_permille(&w->decider, 250);
	if (rng_permille(&w->pair, 300))
		w->company = rng_permille(&w->pair, 500) ? TWO_RUNS : DAEMON;
	w->began_as = w->company;
}

const char *world_company(const struct world *w)
{
	static const char *const words[] = {"one bridge", "two runs", "a daemon"};

	return words[w->began_as];
}

bool world_init(struct world *w, uint64_t seed, unsigned verbose)
{
	memset(w, 0, sizeof(*w));
	w->rng.state = seed * 0x9e3779b97f4a7c15ULL + 1;
	w->verbose = verbose;
	make_company(w, seed);
	make_policy(w);
	w->zones[ZONE_FWD - 1].addresses = seed % 4 == 0 ? ADDRESSES_NEWEST : ADDRESSES_ALL;
	w->model = model_new(rng_next(&w->rng), START_S);
	if (w->model == NULL || !make_bridge(w, 0) || !make_bridge(w, 1))
		return false;
	w->now = &w->bridge[0];
	for (int i = 0; i < N_ZONES; i++)
		if (model_serve(w->model, &w->zones[i]) < 0 ||
		    model_save(w->model, w->zones[i].id) < 0)
			return false;
	w->version = 1;
	for (int i = 0; i < N_CLIENTS; i++)
		make_client(w, i);
	make_addresses(w);
	return true;
}

void world_fini(struct world *w)
{
	for (int i = 0; i < MEMSTORE_SESSIONS; i++)
		memstore_free(w->bridge[i].ms);
	model_free(w->model);
	buf_fini(&w->fault);
}

/* ---- what happens to leases --------------------------------------------------------------- */

static struct lease *pick_lease(struct world *w, bool living)
{
	for (int tries = 0; tries < 12; tries++) {
		struct lease *l = &w->leases[rng_below(&w->rng, N_LEASES)];

		if (lease_lives(w, l) == living)
			return l;
	}
	return NULL;
}

static int64_t some_end(struct world *w)
{
	int64_t now_s = model_now_s(w->model);

	return rng_permille(&w->rng, 600) ? now_s + 1000000
					  : now_s + 300 + rng_below(&w->rng, 2 * HOUR_S);
}

static void grant(struct world *w, struct lease *l, int client)
{
	char ip[IPADDR_TEXT];

	l->client = client;
	l->mac = w->clients[client].mac;
	l->name = w->clients[client].name;
	l->until_s = some_end(w);
	l->seen_s = model_now_s(w->model);
	l->ended = false;
	l->read = l->hidden = false;
	l->version = ++w->version;
	world_say(w, "lease %s client %d \"%.20s\" for %lld s", ipaddr_print(ip, &l->addr), client,
		  l->name->raw, (long long)(l->until_s - l->seen_s));
	d2_lease(w, l);
}

static struct lease *free_lease(struct world *w, bool v6)
{
	for (int tries = 0; tries < 12; tries++) {
		struct lease *l = v6 ? &w->leases[N_LEASES4 + rng_below(&w->rng, N_LEASES6)]
				     : &w->leases[rng_below(&w->rng, N_LEASES4)];

		if (!lease_lives(w, l))
			return l;
	}
	return NULL;
}

static void appear(struct world *w, int client)
{
	bool v6 = client_has_v6(client) && rng_permille(&w->rng, 350);
	struct lease *l = free_lease(w, v6);

	if (l != NULL)
		grant(w, l, client);
}

static void end_lease(struct world *w, struct lease *l)
{
	char ip[IPADDR_TEXT];

	l->ended = true;
	l->hidden = false;
	l->seen_s = model_now_s(w->model);
	w->version++;
	world_say(w, "released %s", ipaddr_print(ip, &l->addr));
	d2_lease(w, l);
}

static void rename_client(struct world *w, struct lease *l)
{
	char ip[IPADDR_TEXT];

	w->clients[l->client].name = &spellings[rng_below(&w->rng, N_SPELLINGS)];
	l->name = w->clients[l->client].name;
	l->seen_s = model_now_s(w->model);
	l->read = l->hidden = false;
	l->version = ++w->version;
	world_say(w, "renamed %s \"%.20s\"", ipaddr_print(ip, &l->addr), l->name->raw);
	d2_lease(w, l);
}

/* A client that hides comes back with another hardware address, and leaves its leases behind. */
static void rotate(struct world *w, struct client *c)
{
	char mac[MAC_TEXT];

	if (c->mac.b[0] != 2)
		return;
	c->mac.b[1] = (uint8_t)rng_below(&w->rng, 3);
	world_say(w, "client %d is %s now", (int)(c - w->clients), mac_print(mac, &c->mac));
}

static void lease_event(struct world *w, unsigned what)
{
	struct lease *l = pick_lease(w, true);

	if (l == NULL || what < 4) {
		appear(w, (int)rng_below(&w->rng, N_CLIENTS));
		return;
	}
	int client = l->client;
	switch (what) {
	case 4:
	case 5:
		grant(w, l, client);  /* renewed */
		break;
	case 6:
		rename_client(w, l);
		break;
	case 7:
		end_lease(w, l);
		break;
	case 8:  /* moved: half of the clients release first */
		if (rng_permille(&w->rng, 500))
			end_lease(w, l);
		rotate(w, &w->clients[client]);
		appear(w, client);
		break;
	case 9:  /* another client has the address now */
		if ((int)(l - w->leases) < N_LEASES4)
			grant(w, l, (int)rng_below(&w->rng, N_CLIENTS));
		break;
	default:  /* the file forgets rows that were read: one alive, one long dead */
		l->hidden = l->read;
		w->version++;
		l = pick_lease(w, false);
		if (l != NULL && l->client >= 0 && l->read && l->until_s <= model_now_s(w->model))
			l->client = -1;
	}
}

/* ---- everything else ---------------------------------------------------------------------- */

static void neigh_event(struct world *w)
{
	struct neigh *n = &w->neigh[rng_below(&w->rng, N_NEIGH)];
	char ip[IPADDR_TEXT];

	n->present = !n->present;
	w->version++;
	world_say(w, "neighbour %s %s", ipaddr_print(ip, &n->addr), n->present ? "there" : "gone");
}

/* The i-th owner in the zone at which the bridge has written something, or found what it takes for its
 * own: another updater's, for its client. */
static bool owner_of_bridge(const struct world *w, int32_t zone, size_t i, struct dname *out)
{
	struct dname last = {.len = 0};
	struct model_rr r;

	for (size_t k = 0, n = 0; model_rr_at(w->model, k, &r); k++) {
		if (r.zone_id != zone || r.author == MODEL_PERSON || dname_equal(r.owner, &last))
			continue;
		last = *r.owner;
		if (n++ == i) {
			*out = last;
			return true;
		}
	}
	return false;
}

/* How many such records the owner has. */
static size_t count_of_bridge(const struct world *w, int32_t zone, const struct dname *owner)
{
	struct model_rr r;
	size_t n = 0;

	for (size_t k = 0; model_rr_at(w->model, k, &r); k++)
		n += r.zone_id == zone && r.author != MODEL_PERSON && dname_equal(r.owner, owner);
	return n;
}

/* What a person allowed to be written over, once, and is back before that was done, may still be. */
static void share_allowed(struct world *w, int32_t zone)
{
	struct model_rr r;

	for (size_t k = 0; model_rr_at(w->model, k, &r); k++) {
		struct rr v = {.type = r.type, .rdata = r.rdata.p, .rdlen = r.rdata.len};
		struct belief b;

		if (r.zone_id != zone || r.author == MODEL_BRIDGE)
			continue;
		b = world_belief(w, zone, r.owner);
		if (b.decided == DECIDED_IPAM && rrs_has(&b.seen, &v))
			model_share(w->model, zone, r.owner, r.type, r.rdata.p, r.rdata.len);
	}
}

/* If the serial moves on before the bridge looks again, it can only take what a restore took away
 * for somebody's removal. */
static void restore(struct world *w, int32_t zone)
{
	struct dname owner[64];
	size_t had[64], n = 0, i;

	while (n < 64 && owner_of_bridge(w, zone, n, &owner[n])) {
		had[n] = count_of_bridge(w, zone, &owner[n]);
		n++;
	}
	if (!model_restore(w->model, zone))
		return;
	share_allowed(w, zone);
	w->restores++;
	world_say(w, "zone %d is back at serial %u", (int)zone, model_serial(w->model, zone));
	for (i = 0; i < n; i++) {
		if (count_of_bridge(w, zone, &owner[i]) < had[i])
			world_note_removal(w, &owner[i]);
	}
}

static void rollback_event(struct world *w)
{
	int32_t zone = 1 + (int32_t)rng_below(&w->rng, N_ZONES);

	if (rng_permille(&w->rng, 600)) {
		model_save(w->model, zone);
		return;
	}
	restore(w, zone);
}

void world_lease_event(struct world *w)
{
	lease_event(w, rng_below(&w->rng, 12));
}

void world_event(struct world *w)
{
	unsigned what = rng_below(&w->rng, 20);

	if (what < 12)
		lease_event(w, what);
	else if (what < 14)
		neigh_event(w);
	else if (what < 19)
		people_event(w);
	else
		rollback_event(w);
}
