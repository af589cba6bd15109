/* digest.c - open addressing over keyed hashes. */
#include <stdlib.h>
#include <string.h>

#include "bridge/base/err.h"
#include "bridge/flow/digest.h"

#define MATCHED 1ULL

void digest_init(struct digest *d, uint64_t k0, uint64_t k1)
{
	memset(d, 0, sizeof(*d));
	d->key.k0 = k0;
	d->key.k1 = k1;
}

void digest_fini(struct digest *d)
{
	free(d->slots);
	memset(d, 0, sizeof(*d));
}

static uint64_t owner_hash(const struct digest *d, const struct dname *owner)
{
	uint64_t h = hash_bytes(&d->key, owner->b, owner->len);

	return h == 0 ? 1 : h;
}

static struct digest_slot *probe(struct digest_slot *slots, size_t cap, uint64_t h)
{
	size_t i = h & (cap - 1);

	while (slots[i].owner != 0 && slots[i].owner != h)
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

static int grow(struct digest *d)
{
	size_t cap = d->cap == 0 ? 1024 : d->cap * 2, i;
	struct digest_slot *slots = calloc(cap, sizeof(*slots));

	if (slots == NULL)
		return ERR_NOMEM;
	for (i = 0; i < d->cap; i++) {
		if (d->slots[i].owner != 0)
			*probe(slots, cap, d->slots[i].owner) = d->slots[i];
	}
	free(d->slots);
	d->slots = slots;
	d->cap = cap;
	return 0;
}

int digest_add(struct digest *d, const struct dname *owner, uint64_t sum)
{
	struct digest_slot *s;
	uint64_t h = owner_hash(d, owner);

	if (d->n * 4 >= d->cap * 3 && grow(d) < 0)
		return ERR_NOMEM;
	s = probe(d->slots, d->cap, h);
	if (s->owner == 0)
		d->n++;
	s->owner = h;
	s->sum = sum & ~MATCHED;
	return 0;
}

static struct digest_slot *find(const struct digest *d, const struct dname *owner)
{
	struct digest_slot *s;

	if (d->cap == 0)
		return NULL;
	s = probe(d->slots, d->cap, owner_hash(d, owner));
	return s->owner == 0 ? NULL : s;
}

bool digest_match(struct digest *d, const struct dname *owner, uint64_t sum)
{
	struct digest_slot *s = find(d, owner);

	if (s == NULL || (s->sum & ~MATCHED) != (sum & ~MATCHED))
		return false;
	s->sum |= MATCHED;
	return true;
}

bool digest_matched(const struct digest *d, const struct dname *owner)
{
	const struct digest_slot *s = find(d, owner);

	return s != NULL && (s->sum & MATCHED) != 0;
}

size_t digest_unmatched(const struct digest *d)
{
	size_t i, n = 0;

	for (i = 0; i < d->cap; i++)
		n += d->slots[i].owner != 0 && (d->slots[i].sum & MATCHED) == 0;
	return n;
}
