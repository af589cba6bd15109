/* kea_place.h - how far a lease set was read, to go on from there another time.
 *
 * A place is good for going on when the older files are the very ones that were read, the live
 * file is the same file, not shorter than it was, and the bytes before the place are those that
 * were there.  In any doubt the set is read whole.
 */
#ifndef ADAPTERS_KEA_KEA_PLACE_H
#define ADAPTERS_KEA_KEA_PLACE_H

#include "adapters/kea/kea_family.h"
#include "adapters/kea/kea_leases_decode.h"

enum { KEA_PLACE_TEXT = 512 };

struct kea_place {
	bool known;                  /* false: nothing was read yet */
	struct kea_id id[KEA_FILES];
	int64_t offset;              /* in the live file: behind the last whole line */
	uint64_t lines;              /* up to there, for the numbers of refused rows */
	int64_t head_at;             /* where the header that counts for what follows begins */
	uint64_t sum;                /* of that header and of the bytes before offset */
};

/* False when the text would not fit; out is then empty. */
bool kea_place_text(char out[KEA_PLACE_TEXT], const struct kea_place *p);
/* False, and p unknown, when the text is not what kea_place_text writes. */
bool kea_place_parse(struct kea_place *p, const char *text);

/* Sets sum from the live file.  False when there is no readable header at head_at. */
bool kea_place_sign(struct kea_place *p, int fd);
/* Is what the live file holds before the place still what was read?  h: the header there. */
bool kea_place_holds(const struct kea_place *p, int fd, struct kea_header *h);

enum { KEA_READ_ALL, KEA_READ_ON, KEA_READ_NOTHING };

/* What is to be read of the set when this is how far it was read; h as above but after
 * KEA_READ_ALL. */
int kea_place_compare(const struct kea_place *p, const struct kea_family *k,
		      struct kea_header *h);

#endif
