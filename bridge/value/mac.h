/* mac.h - a 48-bit hardware address as a value. */
#ifndef BRIDGE_VALUE_MAC_H
#define BRIDGE_VALUE_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mac {
	bool known;
	uint8_t b[6];
};

enum { MAC_TEXT = 18 };

/* aa:bb:cc:dd:ee:ff, aa-bb-.., aabb.ccdd.eeff, and one-digit octets as macOS prints them.
 * False leaves *out alone. */
bool mac_parse(struct mac *out, const char *s, size_t len);
/* Lower case with colons; "" when not known. */
const char *mac_print(char out[MAC_TEXT], const struct mac *m);
bool mac_equal(const struct mac *a, const struct mac *b);  /* false when either is not known */
bool mac_is_zero(const struct mac *m);
/* Locally administered: made up by the host, which may make up another one.  False when not known. */
bool mac_is_local(const struct mac *m);

#endif
