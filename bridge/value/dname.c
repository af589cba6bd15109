/* dname.c - text to wire and back, order and kinship of names. */
#include <string.h>

#include "bridge/value/dname.h"

enum { LABEL_MAX = 63, NAME_MAX_WIRE = 255, LABELS_MAX = 127 };

/* What a byte of text stands for: its lower case where it may stand bare; 0 for what the text
 * treats specially ("." and "\") or does not hold bare (blanks, controls, not ASCII). */
static const uint8_t bare[256] = {
    ['!'] = '!', ['"'] = '"', ['#'] = '#', ['$'] = '$', ['%'] = '%', ['&'] = '&', ['\''] = '\'',
    ['('] = '(', [')'] = ')', ['*'] = '*', ['+'] = '+', [','] = ',', ['-'] = '-', ['/'] = '/',
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6',
    ['7'] = '7', ['8'] = '8', ['9'] = '9', [':'] = ':', [';'] = ';', ['<'] = '<', ['='] = '=',
    ['>'] = '>', ['?'] = '?', ['@'] = '@', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd',
    ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k',
    ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r',
    ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y',
    ['Z'] = 'z', ['['] = '[', [']'] = ']', ['^'] = '^', ['_'] = '_', ['`'] = '`', ['a'] = 'a',
    ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h',
    ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o',
    ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v',
    ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z', ['{'] = '{', ['|'] = '|', ['}'] = '}',
    ['~'] = '~',
};

/* Bytes that print as themselves. */
static const bool plain[256] = {
    ['*'] = 1, ['-'] = 1, ['/'] = 1, ['_'] = 1,
    ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1,
    ['8'] = 1, ['9'] = 1,
    ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1, ['G'] = 1, ['H'] = 1,
    ['I'] = 1, ['J'] = 1, ['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1, ['O'] = 1, ['P'] = 1,
    ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1, ['V'] = 1, ['W'] = 1, ['X'] = 1,
    ['Y'] = 1, ['Z'] = 1,
    ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1,
    ['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1,
    ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1,
    ['y'] = 1, ['z'] = 1,
};

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- text ------------------------------------------------------------------------------- */

/* "\DDD" or "\c" at s[0]: the byte in *c; characters used, 0 when malformed. */
static size_t take_escape(uint8_t *c, const char *s, size_t len)
{
	unsigned v;

	if (len < 2)
		return 0;
	if (!is_digit(s[1])) {
		if (s[1] < 0x20 || s[1] > 0x7e)
			return 0;
		*c = lower((uint8_t)s[1]);
		return 2;
	}
	if (len < 4 || !is_digit(s[2]) || !is_digit(s[3]))
		return 0;
	v = (unsigned)(s[1] - '0') * 100 + (unsigned)(s[2] - '0') * 10 + (unsigned)(s[3] - '0');
	if (v > 255)
		return 0;
	*c = lower((uint8_t)v);
	return 4;
}

/* b[at] is the length byte of the label being filled, b[to] the next free byte. */
bool dname_parse(struct dname *out, const char *s, size_t len)
{
	struct dname n;
	size_t at = 0, to = 1, i = 0;

	if (len == 1 && s[0] == '.') {
		out->len = 1;
		out->b[0] = 0;
		return true;
	}
	while (i < len) {
		uint8_t c = bare[(uint8_t)s[i]];
		size_t used = 1;

		if (c == 0 && s[i] == '.') {
			if (to == at + 1 || to - at - 1 > LABEL_MAX || to >= NAME_MAX_WIRE)
				return false;
			n.b[at] = (uint8_t)(to - at - 1);
			at = to++;
			i++;
			continue;
		}
		if (c == 0) {
			used = s[i] == '\\' ? take_escape(&c, s + i, len - i) : 0;
			if (used == 0)
				return false;
		}
		if (to >= NAME_MAX_WIRE)
			return false;
		n.b[to++] = c;
		i += used;
	}
	if (to > at + 1) { /* no final dot */
		if (to - at - 1 > LABEL_MAX || to >= NAME_MAX_WIRE)
			return false;
		n.b[at] = (uint8_t)(to - at - 1);
		at = to;
	} else if (at == 0) {
		return false;
	}
	n.b[at] = 0;
	out->len = (uint8_t)(at + 1);
	memcpy(out->b, n.b, at + 1);
	return true;
}

static char *put_escaped(char *o, uint8_t c)
{
	*o++ = '\\';
	if (c > 0x20 && c < 0x7f) {
		*o++ = (char)c;
		return o;
	}
	*o++ = (char)('0' + c / 100);
	*o++ = (char)('0' + c / 10 % 10);
	*o++ = (char)('0' + c % 10);
	return o;
}

/* At most 250 bytes of labels (4 labels of 63, 63, 63, 61) as \DDD with 3 dots: 1003. */
const char *dname_print(char out[DNAME_TEXT], const struct dname *n)
{
	const uint8_t *p = n->b;
	char *o = out;
	unsigned len, i;

	if (n->len == 1)
		*o++ = '.';
	if (n->len > 1) {
		for (len = *p++; len > 0; len = *p++) {
			if (o != out)
				*o++ = '.';
			for (i = 0; i < len; i++) {
				if (plain[p[i]])
					*o++ = (char)p[i];
				else
					o = put_escaped(o, p[i]);
			}
			p += len;
		}
	}
	*o = '\0';
	return out;
}

/* ---- wire ------------------------------------------------------------------------------- */

size_t dname_from_wire(struct dname *out, const uint8_t *p, size_t len)
{
	size_t at = 0, i, end;

	while (at < len && at < NAME_MAX_WIRE && p[at] != 0) {
		if (p[at] > LABEL_MAX) /* a pointer, too */
			return 0;
		at += (size_t)p[at] + 1;
	}
	if (at >= len || at >= NAME_MAX_WIRE)
		return 0;
	end = at + 1;
	/* A length byte is under 64 and so is no letter. */
	for (i = 0; i < end; i++)
		out->b[i] = lower(p[i]);
	out->len = (uint8_t)end;
	return end;
}

bool dname_equal(const struct dname *a, const struct dname *b)
{
	return a->len == b->len && memcmp(a->b, b->b, a->len) == 0;
}

/* The offsets of the labels, without the root; how many. */
static unsigned offsets(uint8_t at[LABELS_MAX], const struct dname *n)
{
	unsigned k = 0, i = 0;

	if (n->len == 0)
		return 0;
	for (; n->b[i] != 0; i += n->b[i] + 1U)
		at[k++] = (uint8_t)i;
	return k;
}

/* Labels from the right, each as bytes, the shorter first. */
int dname_cmp(const struct dname *a, const struct dname *b)
{
	uint8_t at_a[LABELS_MAX], at_b[LABELS_MAX];
	unsigned i, j;

	if (dname_equal(a, b))
		return 0;
	i = offsets(at_a, a);
	j = offsets(at_b, b);
	while (i > 0 && j > 0) {
		const uint8_t *p = a->b + at_a[--i], *q = b->b + at_b[--j];
		int c = memcmp(p + 1, q + 1, *p < *q ? *p : *q);

		if (c != 0 || *p != *q)
			return c != 0 ? c : *p < *q ? -1 : 1;
	}
	if (i != j)
		return i < j ? -1 : 1;
	return a->len < b->len ? -1 : 1; /* no name at all before the root */
}

bool dname_under(const struct dname *n, const struct dname *apex)
{
	unsigned at = 0;

	if (apex->len == 0 || n->len < apex->len)
		return false;
	while (n->len - at > apex->len)
		at += n->b[at] + 1U;
	return n->len - at == apex->len && memcmp(n->b + at, apex->b, apex->len) == 0;
}

unsigned dname_labels(const struct dname *n)
{
	unsigned k = 0, at = 0;

	if (n->len == 0)
		return 0;
	for (; n->b[at] != 0; at += n->b[at] + 1U)
		k++;
	return k;
}

bool dname_prepend(struct dname *out, const uint8_t *label, size_t len, const struct dname *parent)
{
	size_t i;

	if (len == 0 || len > LABEL_MAX || parent->len == 0 ||
	    len + 1 + parent->len > NAME_MAX_WIRE)
		return false;
	memmove(out->b + len + 1, parent->b, parent->len);
	out->len = (uint8_t)(len + 1 + parent->len);
	out->b[0] = (uint8_t)len;
	for (i = 0; i < len; i++)
		out->b[i + 1] = lower(label[i]);
	return true;
}

void dname_parent(struct dname *out, const struct dname *n, unsigned k)
{
	unsigned at = 0;

	if (n->len == 0) {
		out->len = 0;
		return;
	}
	for (; k > 0 && n->b[at] != 0; k--)
		at += n->b[at] + 1U;
	memmove(out->b, n->b + at, n->len - at);
	out->len = (uint8_t)(n->len - at);
}
