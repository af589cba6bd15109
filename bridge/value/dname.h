/* dname.h - a domain name as a value: wire form, lower case, uncompressed, absolute. */
#ifndef BRIDGE_VALUE_DNAME_H
#define BRIDGE_VALUE_DNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dname {
	uint8_t len;     /* bytes in b with the root label; 0: no name at all */
	uint8_t b[255];
};

enum { DNAME_TEXT = 1024 };  /* longest text (every byte \DDD) with its NUL */

/* Master-file text, with or without the final dot ("\." and "\DDD" understood), lower-cased.
 * False when a label is empty or over 63, or the name over 255; *out is then untouched. */
bool dname_parse(struct dname *out, const char *s, size_t len);
/* Without the final dot; the root is ".".  Bytes other than letters, digits, "-", "_", "*" and
 * "/" are escaped as in master files, so the text is safe for a terminal. */
const char *dname_print(char out[DNAME_TEXT], const struct dname *n);
/* An uncompressed name from wire: bytes used, or 0 when malformed. */
size_t dname_from_wire(struct dname *out, const uint8_t *p, size_t len);
bool dname_equal(const struct dname *a, const struct dname *b);
/* Canonical DNS order (RFC 4034 6.1). */
int dname_cmp(const struct dname *a, const struct dname *b);
/* Is n equal to or below apex? */
bool dname_under(const struct dname *n, const struct dname *apex);
/* Labels, not counting the root. */
unsigned dname_labels(const struct dname *n);
/* label (any bytes, 1 to 63) + "." + parent; false when it does not fit. */
bool dname_prepend(struct dname *out, const uint8_t *label, size_t len, const struct dname *parent);
/* n without its first k labels. */
void dname_parent(struct dname *out, const struct dname *n, unsigned k);

#endif
