/* compare.c - streams a transfer past the digests of what is kept. */
#include <string.h>

#include "bridge/flow/compare.h"

void compare_init(struct compare *c, struct flow *f, const struct policy_zone *zone)
{
	memset(c, 0, sizeof(*c));
	c->f = f;
	c->zone = zone;
	c->diffs = (struct map)MAP_INIT;
	digest_init(&c->expected, f->net->random(f->net->ctx), f->net->random(f->net->ctx));
	c->diffs.key = c->expected.key;
}

void compare_fini(struct compare *c)
{
	digest_fini(&c->expected);
	map_fini(&c->diffs);
	arena_fini(&c->arena);
	arena_fini(&c->group_arena);
}

static int expect(void *arg, const struct dname *owner, const struct rrs *seen, struct err *e)
{
	struct compare *c = arg;

	if (seen->n == 0)
		return 0;
	if (digest_add(&c->expected, owner, rrs_digest(&c->expected.key, seen)) < 0)
		return err_nomem(e);
	return 0;
}

static struct compare_diff *diff_of(struct compare *c, const struct dname *owner)
{
	struct compare_diff *d = map_get(&c->diffs, owner->b, owner->len);

	if (d != NULL)
		return d;
	d = arena_alloc(&c->arena, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->owner = *owner;
	return map_put(&c->diffs, d->owner.b, d->owner.len, d) < 0 ? NULL : d;
}

int compare_add(struct compare *c, const struct dname *owner, const struct rrs *seen,
		struct err *e)
{
	struct compare_diff *d = diff_of(c, owner);
	size_t i;

	if (d == NULL)
		return err_nomem(e);
	for (i = 0; i < seen->n; i++) {
		if (rrs_add(&d->seen, &c->arena, seen->v[i].type, seen->v[i].rdata,
			    seen->v[i].rdlen) < 0)
			return err_nomem(e);
	}
	return 0;
}

/* The records of one owner have been shown.  A server that shows an owner in two parts makes
 * two differences, which become one. */
static int end_group(struct compare *c, struct err *e)
{
	if (c->group.n == 0)
		return 0;
	if (map_get(&c->diffs, c->owner.b, c->owner.len) == NULL &&
	    digest_match(&c->expected, &c->owner, c->group_sum))
		return 0;
	return compare_add(c, &c->owner, &c->group, e);
}

static int show(void *arg, const struct dname *owner, uint16_t type, uint32_t ttl_s,
		const uint8_t *rdata, size_t rdlen, struct err *e)
{
	struct compare *c = arg;
	int r;

	(void)ttl_s;
	if (rrtype_has(type, RRTYPE_SIGNER))
		return 0;
	if (!rrtype_has(type, RRTYPE_VALUE))
		rdlen = 0;
	if (!dname_equal(owner, &c->owner)) {
		r = end_group(c, e);
		if (r < 0)
			return r;
		c->owner = *owner;
		c->group = (struct rrs){NULL, 0};
		c->group_sum = 0;
		arena_reset(&c->group_arena);
	}
	/* Several records of a type that is only "there" count once. */
	if (rdlen == 0) {
		const struct rr *first;

		if (rrs_of(&c->group, type, &first) > 0)
			return 0;
	}
	c->group_sum += rr_digest(&c->expected.key, type, rdata, rdlen);
	if (rrs_add(&c->group, &c->group_arena, type, rdata, rdlen) < 0)
		return err_nomem(e);
	return 0;
}

/* Kept, but not shown as expected and not shown otherwise: gone. */
static int vanish(void *arg, const struct dname *owner, const struct rrs *seen, struct err *e)
{
	struct compare *c = arg;

	if (seen->n == 0 || digest_matched(&c->expected, owner) ||
	    map_get(&c->diffs, owner->b, owner->len) != NULL)
		return 0;
	return diff_of(c, owner) == NULL ? err_nomem(e) : 0;
}

/* An owner shown in two parts, the first of which matched by itself: its differences lack that
 * part, which is what was expected. */
static int complete(void *arg, const struct dname *owner, const struct rrs *seen, struct err *e)
{
	struct compare *c = arg;
	struct compare_diff *d = map_get(&c->diffs, owner->b, owner->len);
	size_t i;

	if (d == NULL || !digest_matched(&c->expected, owner))
		return 0;
	for (i = 0; i < seen->n; i++) {
		if (rrs_add(&d->seen, &c->arena, seen->v[i].type, seen->v[i].rdata,
			    seen->v[i].rdlen) < 0)
			return err_nomem(e);
	}
	return 0;
}

static int finish(void *arg, const struct dname *owner, const struct rrs *seen, struct err *e)
{
	int r = complete(arg, owner, seen, e);

	return r < 0 ? r : vanish(arg, owner, seen, e);
}

/* Is anything left that only what is kept can tell: an owner not shown at all, or shown in parts
 * of which one matched by itself? */
static bool unfinished(struct compare *c)
{
	struct compare_diff *d;
	size_t i = 0;

	if (digest_unmatched(&c->expected) > 0)
		return true;
	while ((d = map_next(&c->diffs, &i)) != NULL) {
		if (digest_matched(&c->expected, &d->owner))
			return true;
	}
	return false;
}

int compare_run(struct compare *c, bool *stored, struct err *e)
{
	struct flow_store *st = c->f->store;
	struct flow_net *net = c->f->net;
	int r;

	r = st->seen_walk(st->ctx, c->zone->id, expect, c, e);
	*stored = r == 0;
	r = r < 0 ? r : net->transfer(net->ctx, c->zone, show, c, &c->serial, e);
	r = r != 0 ? r : end_group(c, e);
	if (r == 0 && unfinished(c)) {
		r = st->seen_walk(st->ctx, c->zone->id, finish, c, e);
		*stored = r == 0;
	}
	return r;
}
