/* policy.c - lookups in what the operator decided, and its digest.
 *
 * Every observation and every record asks here, so nothing walks a list: subnets are found by
 * one binary search per prefix length, zones by hashing the name and its parents, ids through a
 * small cache.  A policy without index (tests make them by hand) is walked.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/base/arena.h"
#include "bridge/base/buf.h"
#include "bridge/base/err.h"
#include "bridge/base/hash.h"
#include "bridge/core/policy.h"

struct policy_index {
	/* Open addressing by zone name, power of two, at most half full. */
	const struct policy_zone **by_name;
	/* By id & mask, filled as ids are asked for: the store numbers zones after the index. */
	const struct policy_zone **by_id;
	size_t mask;
	const struct policy_zone **classless;  /* by what they cover, which is apart */
	size_t n_classless;
};

/* Zone names come from the operator: the key need not be secret. */
static const struct hash_key index_key = {0x706f6c6963792069ULL, 0x6e64657820313a00ULL};

/* ---- index ------------------------------------------------------------------------------- */

/* Family, then longest prefix, then address. */
static int subnet_cmp(const void *a, const void *b)
{
	const struct policy_subnet *x = a, *y = b;

	if (x->prefix.addr.family != y->prefix.addr.family)
		return x->prefix.addr.family < y->prefix.addr.family ? -1 : 1;
	if (x->prefix.len != y->prefix.len)
		return x->prefix.len > y->prefix.len ? -1 : 1;
	return ipaddr_cmp(&x->prefix.addr, &y->prefix.addr);
}

static const struct policy_zone *name_find(const struct policy_index *ix, const uint8_t *wire,
					   size_t len)
{
	size_t i = hash_bytes(&index_key, wire, len) & ix->mask;

	for (; ix->by_name[i] != NULL; i = (i + 1) & ix->mask)
		if (ix->by_name[i]->name.len == len &&
		    memcmp(ix->by_name[i]->name.b, wire, len) == 0)
			return ix->by_name[i];
	return NULL;
}

static void name_add(struct policy_index *ix, const struct policy_zone *z)
{
	size_t i = hash_bytes(&index_key, z->name.b, z->name.len) & ix->mask;

	while (ix->by_name[i] != NULL)
		i = (i + 1) & ix->mask;
	ix->by_name[i] = z;
}

static int covers_cmp(const void *a, const void *b)
{
	const struct policy_zone *const *x = a, *const *y = b;

	return ipaddr_cmp(&(*x)->covers.addr, &(*y)->covers.addr);
}

static void index_classless(struct policy_index *ix, const struct policy_space *s)
{
	for (size_t i = 0; i < s->n_zones; i++)
		if (s->zones[i].classless)
			ix->classless[ix->n_classless++] = &s->zones[i];
	if (ix->n_classless > 1)
		qsort(ix->classless, ix->n_classless, sizeof(*ix->classless), covers_cmp);
}

static int space_index(struct policy_space *s, struct arena *a)
{
	struct policy_index *ix = arena_alloc(a, sizeof(*ix));
	size_t slots = 16;

	if (ix == NULL)
		return ERR_NOMEM;
	while (slots < 2 * s->n_zones)
		slots *= 2;
	ix->mask = slots - 1;
	ix->by_name = arena_array(a, slots, sizeof(*ix->by_name));
	ix->by_id = arena_array(a, slots, sizeof(*ix->by_id));
	ix->classless = arena_array(a, s->n_zones + 1, sizeof(*ix->classless));
	if (ix->by_name == NULL || ix->by_id == NULL || ix->classless == NULL)
		return ERR_NOMEM;
	index_classless(ix, s);
	for (size_t i = 0; i < s->n_zones; i++)
		name_add(ix, &s->zones[i]);
	if (s->n_subnets > 1)
		qsort(s->subnets, s->n_subnets, sizeof(*s->subnets), subnet_cmp);
	s->index = ix;
	return 0;
}

int policy_index(struct policy *p, struct arena *a)
{
	for (size_t i = 0; i < p->n_spaces; i++)
		if (space_index(&p->spaces[i], a) < 0)
			return ERR_NOMEM;
	return 0;
}

/* ---- subnets ----------------------------------------------------------------------------- */

static struct ipaddr masked(const struct ipaddr *a, unsigned bits)
{
	struct ipaddr out = *a;

	for (unsigned i = bits / 8; i < sizeof(out.b); i++)
		out.b[i] = i == bits / 8 ? (uint8_t)(a->b[i] & (0xff00u >> (bits % 8))) : 0;
	return out;
}

/* The first subnet from lo on that is not before key; n_subnets when there is none. */
static size_t lower_bound(const struct policy_space *s, size_t lo, const struct policy_subnet *key)
{
	size_t hi = s->n_subnets;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (subnet_cmp(&s->subnets[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const struct policy_subnet *subnet_walk(const struct policy_space *s,
					       const struct ipaddr *a)
{
	const struct policy_subnet *best = NULL;

	for (size_t i = 0; i < s->n_subnets; i++)
		if (prefix_contains(&s->subnets[i].prefix, a) &&
		    (best == NULL || s->subnets[i].prefix.len > best->prefix.len))
			best = &s->subnets[i];
	return best;
}

const struct policy_subnet *policy_subnet_of(const struct policy_space *s, const struct ipaddr *a)
{
	struct policy_subnet key = {.prefix = {.addr = {.family = a->family}, .len = 255}};
	size_t i;

	if (s->index == NULL)
		return subnet_walk(s, a);
	/* One round per prefix length in use: there are few. */
	for (i = lower_bound(s, 0, &key); i < s->n_subnets; i = lower_bound(s, i, &key)) {
		const struct prefix *p = &s->subnets[i].prefix;

		if (p->addr.family != a->family)
			break;
		key.prefix.len = p->len;
		key.prefix.addr = masked(a, p->len);
		i = lower_bound(s, i, &key);
		if (i < s->n_subnets && subnet_cmp(&s->subnets[i], &key) == 0)
			return &s->subnets[i];
		if (key.prefix.len == 0)
			break;
		/* On to the next shorter length: its first possible member. */
		key.prefix.len--;
		key.prefix.addr = (struct ipaddr){.family = a->family};
	}
	return NULL;
}

/* ---- zones ------------------------------------------------------------------------------- */

static const struct policy_zone *zone_walk(const struct policy_space *s, const struct dname *name,
					   bool reverse)
{
	const struct policy_zone *best = NULL;

	for (size_t i = 0; i < s->n_zones; i++) {
		const struct policy_zone *z = &s->zones[i];

		if (z->is_reverse == reverse && dname_under(name, &z->name) &&
		    (best == NULL || z->name.len > best->name.len))
			best = z;
	}
	return best;
}

const struct policy_zone *policy_zone_of(const struct policy_space *s, const struct dname *name,
					 bool reverse)
{
	if (s->index == NULL)
		return zone_walk(s, name, reverse);
	for (size_t at = 0; at < name->len; at += name->b[at] + 1u) {
		const struct policy_zone *z = name_find(s->index, name->b + at, name->len - at);

		if (z != NULL && z->is_reverse == reverse)
			return z;
		if (name->b[at] == 0)
			break;
	}
	return NULL;
}

const struct policy_zone *policy_zone_above(const struct policy_space *s,
					    const struct policy_zone *z)
{
	struct dname parent;

	if (dname_labels(&z->name) == 0)
		return NULL;
	dname_parent(&parent, &z->name, 1);
	return policy_zone_of(s, &parent, z->is_reverse);
}

/* ---- where PTRs stand --------------------------------------------------------------------- */

static const struct policy_zone *classless_walk(const struct policy_space *s,
						const struct ipaddr *a)
{
	for (size_t i = 0; i < s->n_zones; i++)
		if (s->zones[i].classless && prefix_contains(&s->zones[i].covers, a))
			return &s->zones[i];
	return NULL;
}

/* The last that begins at or before the address is the only one that can cover it. */
static const struct policy_zone *classless_of(const struct policy_space *s, const struct ipaddr *a)
{
	const struct policy_index *ix = s->index;
	size_t lo = 0, hi;

	if (ix == NULL)
		return classless_walk(s, a);
	for (hi = ix->n_classless; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;

		if (ipaddr_cmp(&ix->classless[mid]->covers.addr, a) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && prefix_contains(&ix->classless[lo - 1]->covers, a) ? ix->classless[lo - 1]
									     : NULL;
}

const struct policy_zone *policy_reverse_of(const struct policy_space *s, const struct ipaddr *a)
{
	const struct policy_zone *z;
	struct dname name;

	if (policy_subnet_of(s, a) == NULL)
		return NULL;
	z = classless_of(s, a);
	if (z != NULL)
		return z;
	ipaddr_reverse(&name, a);
	return policy_zone_of(s, &name, true);
}

void policy_ptr_owner(struct dname *out, const struct policy_zone *z, const struct ipaddr *a)
{
	struct dname full;

	ipaddr_reverse(&full, a);
	if (!z->classless || !dname_prepend(out, full.b + 1, full.b[0], &z->name))
		*out = full;
}

bool policy_ptr_addr(struct ipaddr *out, const struct policy_zone *z, const struct dname *owner)
{
	struct dname full;
	struct ipaddr a;

	if (!z->classless)
		return ipaddr_from_reverse(out, owner);
	if (!dname_under(owner, &z->name) || dname_labels(owner) != dname_labels(&z->name) + 1)
		return false;
	/* Its octet in the /24 that the zone is a part of. */
	ipaddr_reverse(&full, &z->covers.addr);
	dname_parent(&full, &full, 1);
	dname_prepend(&full, owner->b + 1, owner->b[0], &full);  /* five short labels: it fits */
	if (!ipaddr_from_reverse(&a, &full) || !prefix_contains(&z->covers, &a))
		return false;
	*out = a;
	return true;
}

void policy_ptr_name(struct dname *out, const struct policy_space *s, const struct ipaddr *a)
{
	const struct policy_zone *z = policy_reverse_of(s, a);

	if (z == NULL)
		ipaddr_reverse(out, a);
	else
		policy_ptr_owner(out, z, a);
}

bool policy_named_addr(struct ipaddr *out, const struct policy *p, const struct dname *name)
{
	for (size_t i = 0; i < p->n_spaces; i++) {
		const struct policy_zone *z = policy_zone_of(&p->spaces[i], name, true);

		if (z != NULL && z->classless && policy_ptr_addr(out, z, name))
			return true;
	}
	return ipaddr_from_reverse(out, name);
}

/* ---- zones by id -------------------------------------------------------------------------- */

static const struct policy_zone *zone_by_id(const struct policy_space *s, int32_t id)
{
	const struct policy_zone **cached = NULL;

	if (s->index != NULL) {
		cached = &s->index->by_id[(uint32_t)id & s->index->mask];
		if (*cached != NULL && (*cached)->id == id)
			return *cached;
	}
	for (size_t i = 0; i < s->n_zones; i++) {
		if (s->zones[i].id != id)
			continue;
		if (cached != NULL)
			*cached = &s->zones[i];
		return &s->zones[i];
	}
	return NULL;
}

enum duplicates_policy policy_duplicates(const struct policy_space *s, const struct dname *name)
{
	const struct policy_zone *z = policy_zone_of(s, name, false);

	return z == NULL ? DUPLICATES_SUFFIX : z->duplicates;
}

size_t policy_n_zones(const struct policy *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_spaces; i++)
		n += p->spaces[i].n_zones;
	return n;
}

const struct policy_zone *policy_zone_by_id(const struct policy *p, int32_t id,
					    const struct policy_space **space)
{
	for (size_t i = 0; i < p->n_spaces; i++) {
		const struct policy_zone *z = zone_by_id(&p->spaces[i], id);

		if (z == NULL)
			continue;
		if (space != NULL)
			*space = &p->spaces[i];
		return z;
	}
	return NULL;
}

/* ---- sources, spaces, ranks: a handful each ---------------------------------------------- */

bool policy_source_is_read(const struct policy_source *s)
{
	return !s->events && s->kind != OBS_MANUAL && s->kind != OBS_DNS;
}

const struct policy_source *policy_source_by_id(const struct policy_space *s, int32_t id)
{
	for (size_t i = 0; i < s->n_sources; i++)
		if (s->sources[i].id == id)
			return &s->sources[i];
	return NULL;
}

const struct policy_source *policy_source_by_name(const struct policy_space *s, const char *name)
{
	for (size_t i = 0; i < s->n_sources; i++)
		if (strcmp(s->sources[i].name, name) == 0)
			return &s->sources[i];
	return NULL;
}

const struct policy_space *policy_space_by_name(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_spaces; i++)
		if (strcmp(p->spaces[i].name, name) == 0)
			return &p->spaces[i];
	return NULL;
}

int policy_rank(const struct policy_subnet *s, enum obs_kind k)
{
	for (size_t i = 0; i < s->n_rank; i++)
		if (s->rank[i] == (uint8_t)k)
			return (int)i;
	return -1;
}

/* ---- digest ------------------------------------------------------------------------------
 *
 * What decides names, records and their ends, rendered item by item.  Where the order in the
 * file decides nothing (zones, subnets, sources, patterns, spaces) the hashes of the items are
 * added up, so that moving a line is no change.  Servers, deadlines, ids and lines are left out:
 * they say how, not what.
 */

static const struct hash_key digest_key = {0x6970616d62726964ULL, 0x706f6c69637931ULL};

struct digest {
	struct buf b;
	bool bad;
};

/* Text with its length: "ab" "c" and "a" "bc" must differ. */
static void put(struct digest *d, const char *s)
{
	buf_printf(&d->b, "%zu:%s ", strlen(s), s);
}

static uint64_t item(struct digest *d)
{
	uint64_t h = hash_bytes(&digest_key, d->b.p, d->b.len);

	d->bad |= d->b.bad;
	buf_reset(&d->b);
	return h;
}

static uint64_t digest_zones(struct digest *d, const struct policy_space *s)
{
	char text[PREFIX_TEXT];
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n_zones; i++) {
		const struct policy_zone *z = &s->zones[i];

		put(d, "zone");
		put(d, z->text);
		put(d, z->view != NULL ? z->view : "");
		buf_printf(&d->b, "%u %d %d", (unsigned)z->ttl_s, (int)z->foreign, (int)z->dhcid);
		if (z->duplicates != DUPLICATES_SUFFIX)
			buf_printf(&d->b, " duplicates %d ", (int)z->duplicates);
		if (z->classless)
			put(d, prefix_print(text, &z->covers));
		if (z->addresses != ADDRESSES_ALL)
			put(d, "newest");
		sum += item(d);
	}
	return sum;
}

static uint64_t digest_subnets(struct digest *d, const struct policy_space *s)
{
	char text[PREFIX_TEXT];
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n_subnets; i++) {
		const struct policy_subnet *n = &s->subnets[i];

		put(d, "subnet");
		put(d, prefix_print(text, &n->prefix));
		for (size_t k = 0; k < n->n_zones; k++)
			put(d, n->zones[k]->text);
		put(d, n->reverse != NULL ? n->reverse->text : "");
		for (size_t k = 0; k < n->n_rank; k++)
			put(d, obs_kind_name((enum obs_kind)n->rank[k]));
		sum += item(d);
	}
	return sum;
}

static uint64_t digest_sources(struct digest *d, const struct policy_space *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n_sources; i++) {
		put(d, "source");
		put(d, s->sources[i].name);
		put(d, s->sources[i].type);
		put(d, obs_kind_name(s->sources[i].kind));
		buf_printf(&d->b, "%lld", (long long)s->sources[i].stale_after_s);
		sum += item(d);
	}
	return sum;
}

static uint64_t digest_space(struct digest *d, const struct policy_space *s)
{
	uint64_t zones = digest_zones(d, s);
	uint64_t subnets = digest_subnets(d, s);
	uint64_t sources = digest_sources(d, s);
	uint64_t protect = 0;

	for (size_t i = 0; i < s->n_protect; i++) {
		put(d, s->protect[i]);
		protect += item(d);
	}
	put(d, s->name);
	buf_u64(&d->b, zones);
	buf_u64(&d->b, subnets);
	buf_u64(&d->b, sources);
	buf_u64(&d->b, protect);
	return item(d);
}

uint64_t policy_digest(const struct policy *p)
{
	struct digest d = {BUF_INIT, false};
	uint64_t sum = 0;

	for (size_t i = 0; i < p->n_spaces; i++)
		sum += digest_space(&d, &p->spaces[i]);
	buf_printf(&d.b, "brake %u %u ", (unsigned)p->brake_percent, (unsigned)p->brake_min);
	buf_u64(&d.b, sum);
	sum = item(&d);
	buf_fini(&d.b);
	/* 0 is no digest: memory ran out, and nothing may be planned on a guess. */
	if (d.bad)
		return 0;
	return sum + (sum == 0);
}
