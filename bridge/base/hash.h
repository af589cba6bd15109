/* hash.h - a keyed hash of bytes and a map over it.
 *
 * SipHash-2-4 (Aumasson, Bernstein 2012): clients choose names and addresses, so the key must
 * be random where collisions could be bought.
 */
#ifndef BRIDGE_BASE_HASH_H
#define BRIDGE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

uint64_t hash_bytes(const struct hash_key *key, const void *p, size_t len);

/* Bytes -> pointer.  Keys are borrowed and must live as long as the map. */
struct map_slot;
struct map {
	struct map_slot *slots;
	size_t n, cap;
	struct hash_key key;
};

#define MAP_INIT {NULL, 0, 0, {0x6970616d62726964ULL, 0x676520746f206e73ULL}}

void *map_get(const struct map *m, const void *key, size_t len);
/* Inserts or replaces.  0 or ERR_NOMEM.  value must not be NULL. */
int map_put(struct map *m, const void *key, size_t len, void *value);
/* The value that was there, or NULL. */
void *map_del(struct map *m, const void *key, size_t len);
/* Walks in no particular order: *i starts at 0; NULL ends.  No change while walking. */
void *map_next(const struct map *m, size_t *i);
void map_fini(struct map *m);

#endif
