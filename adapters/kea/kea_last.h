/* kea_last.h - remembers which rows of a lease file count: the last one of each address.
 *
 * Pass 1 puts every row in; pass 2 asks for each row by its number.  Between them the table of
 * addresses (8 or 20 bytes a slot) is dropped and one bit a row is left.
 */
#ifndef ADAPTERS_KEA_KEA_LAST_H
#define ADAPTERS_KEA_KEA_LAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/base/hash.h"
#include "bridge/value/ipaddr.h"

struct kea_last {
	struct hash_key key;  /* random: clients may ask for addresses of their choice */
	uint8_t *slots;       /* address, then the 32-bit row number + 1; 0: free */
	size_t addr_len;
	size_t n, cap;        /* cap is a power of two */
	uint64_t *bits;       /* one for each row */
	size_t n_words;
};

void kea_last_init(struct kea_last *l, uint8_t family);
void kea_last_fini(struct kea_last *l);
/* Row (numbered from 0, ascending) speaks for addr, so no earlier one does.  0 or ERR_NOMEM. */
int kea_last_put(struct kea_last *l, const struct ipaddr *addr, uint32_t row);
/* A row to be looked at again whatever follows.  0 or ERR_NOMEM. */
int kea_last_mark(struct kea_last *l, uint32_t row);
/* No more puts: gives the table back, keeps the bits. */
void kea_last_seal(struct kea_last *l);
bool kea_last_has(const struct kea_last *l, uint32_t row);

#endif
