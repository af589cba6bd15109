/* conf_check.c - what only shows when settings are compared: equal titles, overlaps, and names
 * that lead nowhere.  Everything is sorted first, so ten thousand zones are no matter. */
#include <stdlib.h>
#include <string.h>

#include "bridge/conf/conf_tree.h"

/* A section with what it is compared by. */
struct entry {
	const struct conf_node *node;
	const struct policy_zone *zone;
	const struct policy_subnet *subnet;
	size_t order;                   /* in the file: of two equals the later is to blame */
};

struct entries {
	VEC(struct entry) v;
};

static int by_order(const struct entry *a, const struct entry *b)
{
	return a->order < b->order ? -1 : a->order > b->order;
}

static int by_title(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = strcmp(x->node->title, y->node->title);

	return d != 0 ? d : by_order(x, y);
}

static int by_zone(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = dname_cmp(&x->zone->name, &y->zone->name);

	return d != 0 ? d : by_order(x, y);
}

/* A prefix comes right before those inside it. */
static int by_prefix(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = ipaddr_cmp(&x->subnet->prefix.addr, &y->subnet->prefix.addr);

	if (d == 0)
		d = (int)x->subnet->prefix.len - (int)y->subnet->prefix.len;
	return d != 0 ? d : by_order(x, y);
}

static int collect(struct entries *out, const struct conf_node *scope, const char *section,
		   const struct policy_space *s)
{
	size_t i = 0;

	for (const struct conf_node *n = conf_first(scope, section); n != NULL; n = conf_after(n)) {
		struct entry en = {.node = n, .order = i};

		if (s != NULL && strcmp(section, "zone") == 0)
			en.zone = &s->zones[i];
		else if (s != NULL)
			en.subnet = &s->subnets[i];
		if (vec_push(&out->v, en) < 0)
			return ERR_NOMEM;
		i++;
	}
	return 0;
}

static void sort(struct entries *en, int (*cmp)(const void *, const void *))
{
	if (en->v.n > 1)
		qsort(en->v.v, en->v.n, sizeof(*en->v.v), cmp);
}

/* Blames the one that stands later in the file. */
static int refuse_pair(const struct entry *a, const struct entry *b, const char *what,
		       struct err *e)
{
	const struct entry *first = a->order < b->order ? a : b;
	const struct entry *later = first == a ? b : a;
	char where[160];

	return conf_error(e, later->node->pos, "%s \"%s\" %s \"%s\" in %s", later->node->name,
			  later->node->title, what, first->node->title,
			  conf_place(where, first->node->pos, later->node->pos));
}

/* ---- equal titles ------------------------------------------------------------------------ */

static int titles_differ(struct entries *en, struct err *e)
{
	sort(en, by_title);
	for (size_t i = 1; i < en->v.n; i++)
		if (strcmp(en->v.v[i - 1].node->title, en->v.v[i].node->title) == 0)
			return refuse_pair(&en->v.v[i - 1], &en->v.v[i], "has the same name as", e);
	return 0;
}

int conf_check_titles(const struct conf_node *scope, const char *section, struct err *e)
{
	struct entries en = {0};
	int r = collect(&en, scope, section, NULL) < 0 ? err_nomem(e) : titles_differ(&en, e);

	vec_fini(&en.v);
	return r;
}

/* ---- zones ------------------------------------------------------------------------------- */

static int zones_differ(struct entries *en, struct err *e)
{
	sort(en, by_zone);
	for (size_t i = 1; i < en->v.n; i++)
		if (dname_equal(&en->v.v[i - 1].zone->name, &en->v.v[i].zone->name))
			return refuse_pair(&en->v.v[i - 1], &en->v.v[i], "is the same zone as", e);
	return 0;
}

static int by_covers(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = ipaddr_cmp(&x->zone->covers.addr, &y->zone->covers.addr);

	if (d == 0)
		d = (int)x->zone->covers.len - (int)y->zone->covers.len;
	return d != 0 ? d : by_order(x, y);
}

/* The zone above can lead an address to one of them only. */
static int classless_apart(const struct entries *zones, struct err *e)
{
	struct entries en = {0};
	int r = 0;

	for (size_t i = 0; i < zones->v.n && r == 0; i++)
		if (zones->v.v[i].zone->classless && vec_push(&en.v, zones->v.v[i]) < 0)
			r = err_nomem(e);
	sort(&en, by_covers);
	for (size_t i = 1; i < en.v.n && r == 0; i++)
		if (prefix_overlaps(&en.v.v[i - 1].zone->covers, &en.v.v[i].zone->covers))
			r = refuse_pair(&en.v.v[i - 1], &en.v.v[i], "covers addresses of", e);
	vec_fini(&en.v);
	return r;
}

/* ---- subnets ----------------------------------------------------------------------------- */

/* If any two overlap, two neighbours in this order do. */
static int subnets_apart(struct entries *en, struct err *e)
{
	sort(en, by_prefix);
	for (size_t i = 1; i < en->v.n; i++) {
		const struct entry *a = &en->v.v[i - 1], *b = &en->v.v[i];

		if (prefix_overlaps(&a->subnet->prefix, &b->subnet->prefix))
			return refuse_pair(a, b,
					   a->subnet->prefix.len == b->subnet->prefix.len
					       ? "is the same subnet as"
					       : "overlaps subnet",
					   e);
	}
	return 0;
}

/* ---- zones and subnets ------------------------------------------------------------------- */

/* subnets are sorted and apart: what overlaps the zone is the last that begins before it ends. */
static bool has_subnet(const struct entries *subnets, const struct prefix *covers)
{
	size_t lo = 0, hi = subnets->v.n;
	struct ipaddr last = covers->addr;

	for (unsigned bit = covers->len; bit < 8 * ipaddr_len(&last); bit++)
		last.b[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ipaddr_cmp(&subnets->v.v[mid].subnet->prefix.addr, &last) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && prefix_overlaps(&subnets->v.v[lo - 1].subnet->prefix, covers);
}

static int zones_cover(const struct entries *zones, const struct entries *subnets,
		       const char *space, struct err *e)
{
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < zones->v.n; i++) {
		const struct policy_zone *z = zones->v.v[i].zone;

		if (!z->is_reverse || has_subnet(subnets, &z->covers))
			continue;
		conf_error(e, zones->v.v[i].node->pos, "zone \"%s\" covers %s, where space \"%s\" "
			   "has no subnet", zones->v.v[i].node->title,
			   prefix_print(text, &z->covers), space);
		err_hint(e, "add the subnet, or leave the zone out");
		return ERR_CONF;
	}
	return 0;
}

static int check_all(struct entries *zones, struct entries *subnets, const struct policy_space *s,
		     const struct conf_node *scope, struct err *e)
{
	int r;

	if (collect(zones, scope, "zone", s) < 0 || collect(subnets, scope, "subnet", s) < 0)
		return err_nomem(e);
	if ((r = zones_differ(zones, e)) < 0 || (r = classless_apart(zones, e)) < 0 ||
	    (r = subnets_apart(subnets, e)) < 0)
		return r;
	return zones_cover(zones, subnets, s->name, e);
}

static int check_zones(const struct policy_space *s, const struct conf_node *scope, struct err *e)
{
	struct entries zones = {0}, subnets = {0};
	int r = check_all(&zones, &subnets, s, scope, e);

	vec_fini(&zones.v);
	vec_fini(&subnets.v);
	return r;
}

/* ---- sources ----------------------------------------------------------------------------- */

/* confirm = "SOURCE": the source that is asked about what this one hints at. */
static int check_confirm(const struct policy_space *s, const struct conf_node *n, struct err *e)
{
	const struct conf_item *it = conf_item(n, "confirm");
	const struct policy_source *src;

	if (it == NULL)
		return 0;
	src = policy_source_by_name(s, it->values.v[0].s);
	if (src == NULL)
		return conf_error(e, it->pos, "source \"%s\": there is no source \"%s\" in space "
				  "\"%s\" to confirm it", n->title, it->values.v[0].s, s->name);
	if (strcmp(src->name, n->title) == 0 || strcmp(src->name, SOURCE_MANUAL) == 0 ||
	    strcmp(src->name, SOURCE_DNS) == 0)
		return conf_error(e, it->pos, "source \"%s\" cannot be confirmed by \"%s\"",
				  n->title, src->name);
	return 0;
}

int conf_check_space(const struct policy_space *s, const struct conf_node *scope, struct err *e)
{
	int r = check_zones(s, scope, e);

	if (r < 0)
		return r;
	for (const struct conf_node *n = conf_first(scope, "source"); n != NULL; n = conf_after(n)) {
		r = check_confirm(s, n, e);
		if (r < 0)
			return r;
	}
	return 0;
}
