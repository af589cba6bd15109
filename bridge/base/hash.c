/* hash.c - SipHash-2-4 and a map with linear probing.
 *
 * Deletion shifts the followers back instead of leaving tombstones, so a map that lives long
 * does not grow slower.
 */
#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base/err.h"
#include "bridge/base/hash.h"

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

#define SIPROUND(v)                                                                                \
	do {                                                                                       \
		v[0] += v[1];                                                                      \
		v[2] += v[3];                                                                      \
		v[1] = ROTL(v[1], 13) ^ v[0];                                                      \
		v[3] = ROTL(v[3], 16) ^ v[2];                                                      \
		v[0] = ROTL(v[0], 32);                                                             \
		v[2] += v[1];                                                                      \
		v[0] += v[3];                                                                      \
		v[1] = ROTL(v[1], 17) ^ v[2];                                                      \
		v[3] = ROTL(v[3], 21) ^ v[0];                                                      \
		v[2] = ROTL(v[2], 32);                                                             \
	} while (0)

static uint64_t load64(const unsigned char *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return le64toh(x);
}

uint64_t hash_bytes(const struct hash_key *key, const void *p, size_t len)
{
	const unsigned char *s = p;
	size_t left = len;
	uint64_t m, last = (uint64_t)(len & 0xff) << 56;
	uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575ULL, key->k1 ^ 0x646f72616e646f6dULL,
			 key->k0 ^ 0x6c7967656e657261ULL, key->k1 ^ 0x7465646279746573ULL};

	for (; left >= 8; left -= 8, s += 8) {
		m = load64(s);
		v[3] ^= m;
		SIPROUND(v);
		SIPROUND(v);
		v[0] ^= m;
	}
	while (left > 0) {
		left--;
		last |= (uint64_t)s[left] << (8 * left);
	}
	v[3] ^= last;
	SIPROUND(v);
	SIPROUND(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	SIPROUND(v);
	SIPROUND(v);
	SIPROUND(v);
	SIPROUND(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- the map ---------------------------------------------------------------------------- */

struct map_slot {
	const void *key;
	size_t len;
	uint64_t hash;
	void *value; /* NULL: free */
};

enum { MAP_FIRST = 16 }; /* a power of two, as every cap */

/* The slot of the key, or the free one where it belongs.  There is always a free one. */
static struct map_slot *slot_of(const struct map *m, const void *key, size_t len, uint64_t hash)
{
	size_t i = hash & (m->cap - 1);

	for (;; i = (i + 1) & (m->cap - 1)) {
		struct map_slot *s = &m->slots[i];

		if (s->value == NULL)
			return s;
		if (s->hash == hash && s->len == len &&
		    (len == 0 || memcmp(s->key, key, len) == 0))
			return s;
	}
}

void *map_get(const struct map *m, const void *key, size_t len)
{
	if (m->n == 0)
		return NULL;
	return slot_of(m, key, len, hash_bytes(&m->key, key, len))->value;
}

static int map_grow(struct map *m)
{
	struct map_slot *old = m->slots;
	size_t old_cap = m->cap, i, j;

	if (old_cap > SIZE_MAX / 2)
		return ERR_NOMEM;
	m->cap = old_cap == 0 ? MAP_FIRST : old_cap * 2;
	m->slots = calloc(m->cap, sizeof(*m->slots));
	if (m->slots == NULL) {
		m->slots = old;
		m->cap = old_cap;
		return ERR_NOMEM;
	}
	for (i = 0; i < old_cap; i++) {
		if (old[i].value == NULL)
			continue;
		j = old[i].hash & (m->cap - 1);
		while (m->slots[j].value != NULL)
			j = (j + 1) & (m->cap - 1);
		m->slots[j] = old[i];
	}
	free(old);
	return 0;
}

/* At most three quarters full: the average probe stays under three slots. */
int map_put(struct map *m, const void *key, size_t len, void *value)
{
	uint64_t hash = hash_bytes(&m->key, key, len);
	struct map_slot *s = m->cap == 0 ? NULL : slot_of(m, key, len, hash);
	bool is_new = s == NULL || s->value == NULL;

	if (is_new && m->n + 1 > m->cap / 4 * 3) {
		if (map_grow(m) < 0)
			return ERR_NOMEM;
		s = slot_of(m, key, len, hash);
	}
	*s = (struct map_slot){key, len, hash, value};
	m->n += is_new;
	return 0;
}

void *map_del(struct map *m, const void *key, size_t len)
{
	struct map_slot *s;
	size_t hole, i, mask = m->cap - 1;
	void *was;

	if (m->n == 0)
		return NULL;
	s = slot_of(m, key, len, hash_bytes(&m->key, key, len));
	was = s->value;
	if (was == NULL)
		return NULL;
	hole = (size_t)(s - m->slots);
	for (i = (hole + 1) & mask; m->slots[i].value != NULL; i = (i + 1) & mask) {
		size_t home = m->slots[i].hash & mask;

		/* It may move back when its home is not between the hole and itself. */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		m->slots[hole] = m->slots[i];
		hole = i;
	}
	m->slots[hole] = (struct map_slot){NULL, 0, 0, NULL};
	m->n--;
	return was;
}

void *map_next(const struct map *m, size_t *i)
{
	while (*i < m->cap) {
		void *value = m->slots[(*i)++].value;

		if (value != NULL)
			return value;
	}
	return NULL;
}

void map_fini(struct map *m)
{
	free(m->slots);
	m->slots = NULL;
	m->n = 0;
	m->cap = 0;
}
