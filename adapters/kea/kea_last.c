/* kea_last.c - the last row of each address: open addressing, linear probing, then a bit map. */

#include <stdlib.h>
#include <string.h>

#include "adapters/kea/kea_last.h"
#include "bridge/base/clock.h"
#include "bridge/base/err.h"

enum { FIRST_CAP = 1024, FIRST_WORDS = 64 };

void kea_last_init(struct kea_last *l, uint8_t family)
{
	*l = (struct kea_last){0};
	l->addr_len = family == 4 ? 4 : 16;
	l->key.k0 = clock_random();
	l->key.k1 = clock_random();
}

void kea_last_seal(struct kea_last *l)
{
	free(l->slots);
	l->slots = NULL;
	l->n = l->cap = 0;
}

void kea_last_fini(struct kea_last *l)
{
	kea_last_seal(l);
	free(l->bits);
	l->bits = NULL;
	l->n_words = 0;
}

static uint32_t slot_row(const struct kea_last *l, const uint8_t *slot)
{
	uint32_t v;

	memcpy(&v, slot + l->addr_len, sizeof(v));
	return v;
}

/* The slot of the address, or the free one where it belongs. */
static uint8_t *slot_of(const struct kea_last *l, const uint8_t *addr)
{
	size_t stride = l->addr_len + sizeof(uint32_t);
	size_t i = (size_t)hash_bytes(&l->key, addr, l->addr_len);

	for (;; i++) {
		uint8_t *slot = l->slots + (i & (l->cap - 1)) * stride;

		if (slot_row(l, slot) == 0 || memcmp(slot, addr, l->addr_len) == 0)
			return slot;
	}
}

static int grow(struct kea_last *l)
{
	size_t stride = l->addr_len + sizeof(uint32_t);
	uint8_t *old = l->slots, *slots;
	size_t old_cap = l->cap, cap = old_cap == 0 ? FIRST_CAP : old_cap * 2;

	slots = calloc(cap, stride);
	if (slots == NULL)
		return ERR_NOMEM;
	l->slots = slots;
	l->cap = cap;
	for (size_t i = 0; i < old_cap; i++) {
		const uint8_t *s = old + i * stride;

		if (slot_row(l, s) != 0)
			memcpy(slot_of(l, s), s, stride);
	}
	free(old);
	return 0;
}

int kea_last_mark(struct kea_last *l, uint32_t row)
{
	size_t word = row / 64;

	if (word >= l->n_words) {
		size_t n = l->n_words == 0 ? FIRST_WORDS : l->n_words * 2;
		uint64_t *bits;

		while (n <= word)
			n *= 2;
		bits = reallocarray(l->bits, n, sizeof(*bits));
		if (bits == NULL)
			return ERR_NOMEM;
		memset(bits + l->n_words, 0, (n - l->n_words) * sizeof(*bits));
		l->bits = bits;
		l->n_words = n;
	}
	l->bits[word] |= UINT64_C(1) << (row % 64);
	return 0;
}

int kea_last_put(struct kea_last *l, const struct ipaddr *addr, uint32_t row)
{
	uint32_t was, stored = row + 1;
	uint8_t *slot;

	if (l->n >= l->cap - l->cap / 4 && grow(l) < 0)
		return ERR_NOMEM;
	if (kea_last_mark(l, row) < 0)
		return ERR_NOMEM;
	slot = slot_of(l, addr->b);
	was = slot_row(l, slot);
	if (was != 0) {
		l->bits[(was - 1) / 64] &= ~(UINT64_C(1) << ((was - 1) % 64));
	} else {
		memcpy(slot, addr->b, l->addr_len);
		l->n++;
	}
	memcpy(slot + l->addr_len, &stored, sizeof(stored));
	return 0;
}

bool kea_last_has(const struct kea_last *l, uint32_t row)
{
	return row / 64 < l->n_words && (l->bits[row / 64] >> (row % 64) & 1) != 0;
}
