/* neighbour_decode.c - the lines of printed neighbour tables, recognised by their shape. */

#include <stdlib.h>
#include <string.h>

#include "adapters/neighbour/neighbour_decode.h"
#include "adapters/neighbour/neighbour_json_decode.h"

enum { WORDS_MAX = 24, RAW_MAX = 512 };

/* What a line turned out to be. */
enum verdict {
	LINE_OTHER, /* not of this shape */
	LINE_KNOWN, /* a header or an entry that says nothing */
	LINE_ENTRY, /* an observation */
	LINE_BAD, /* of this shape, but broken: why is set */
};

struct word {
	const char *p;
	size_t len;
};

struct line {
	struct word w[WORDS_MAX];
	size_t n;
	struct ipaddr addr;
	struct mac mac;
	struct word dev;
	const char *why;
};

bool neighbour_format_parse(enum neighbour_format *out, const char *s)
{
	static const char *const names[] = {
	    [NEIGHBOUR_AUTO] = "auto", [NEIGHBOUR_KERNEL] = "kernel",
	    [NEIGHBOUR_PROC] = "proc", [NEIGHBOUR_IPROUTE] = "iproute",
	    [NEIGHBOUR_BSD] = "bsd",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], s) == 0) {
			*out = (enum neighbour_format)i;
			return true;
		}
	}
	return false;
}

bool neighbour_wanted(const struct neighbour_rules *r, const char *name, size_t len)
{
	if (r->n_interfaces == 0)
		return true;
	for (size_t i = 0; i < r->n_interfaces; i++) {
		if (strlen(r->interfaces[i]) == len && memcmp(r->interfaces[i], name, len) == 0)
			return true;
	}
	return false;
}

int neighbour_add(struct obs_batch *into, const struct ipaddr *addr, const struct mac *mac,
		  int64_t seen_s, const void *raw, size_t raw_len)
{
	struct bytes kept;
	struct obs *o;

	/* A group MAC (lowest bit of the first byte) belongs to no host: some clusters answer ARP
	 * with one, and it would name all their members alike. */
	if (!mac->known || mac_is_zero(mac) || (mac->b[0] & 1) != 0 || !ipaddr_is_host(addr)) {
		into->n_skipped++;
		return 0;
	}
	if (!obs_batch_keep(into, &kept, raw, raw_len < RAW_MAX ? raw_len : RAW_MAX))
		return ERR_NOMEM;
	o = obs_batch_add(into);
	if (o == NULL)
		return ERR_NOMEM;
	o->addr = *addr;
	o->kind = OBS_NEIGHBOUR;
	o->mac = *mac;
	o->valid_until_s = OBS_FOREVER;
	o->seen_at_s = seen_s;
	o->raw = kept;
	return 0;
}

/* ---- words ------------------------------------------------------------------------------- */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static size_t split(struct word *out, const char *p, size_t len)
{
	size_t n = 0, i = 0;

	while (n < WORDS_MAX) {
		size_t from;

		while (i < len && blank(p[i]))
			i++;
		if (i == len)
			break;
		from = i;
		while (i < len && !blank(p[i]))
			i++;
		out[n++] = (struct word){p + from, i - from};
	}
	return n;
}

static bool word_is(const struct word *w, const char *s)
{
	return w->len == strlen(s) && memcmp(w->p, s, w->len) == 0;
}

static bool line_has(const struct line *l, size_t from, const char *s)
{
	for (size_t i = from; i < l->n; i++) {
		if (word_is(&l->w[i], s))
			return true;
	}
	return false;
}

/* An address with or without its zone: "fe80::1%em0". */
static bool word_addr(struct ipaddr *out, const struct word *w)
{
	const char *zone = memchr(w->p, '%', w->len);

	return ipaddr_parse(out, w->p, zone != NULL ? (size_t)(zone - w->p) : w->len);
}

/* InfiniBand, FireWire and the like: longer or dotted, and no business of ours. */
static bool other_lladdr(const struct word *w)
{
	size_t seps = 0;

	for (size_t i = 0; i < w->len; i++) {
		char c = w->p[i];
		bool hex =
		    (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');

		if (c == ':' || c == '.')
			seps++;
		else if (!hex)
			return false;
	}
	return seps > 0 && seps != 5;
}

/* The MAC in a word that is "incomplete" in all its spellings too. */
static enum verdict word_mac(struct line *l, const struct word *w)
{
	if (mac_parse(&l->mac, w->p, w->len))
		return LINE_ENTRY;
	if (word_is(w, "(incomplete)") || word_is(w, "<incomplete>") ||
	    word_is(w, "<from_interface>") || word_is(w, "*") || other_lladdr(w))
		return LINE_KNOWN;
	l->why = "the hardware address is not one";
	return LINE_BAD;
}

/* ---- /proc/net/arp ----------------------------------------------------------------------- */

enum { ATF_COM_BIT = 0x02, ATF_PUBL_BIT = 0x08 }; /* <net/if_arp.h> */

static bool hex_word(unsigned long *out, const struct word *w)
{
	unsigned long v = 0;

	if (w->len < 3 || w->len > 10 || w->p[0] != '0' || w->p[1] != 'x')
		return false;
	for (size_t i = 2; i < w->len; i++) {
		char c = w->p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (unsigned long)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (unsigned long)(c - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

/* IP address  HW type  Flags  HW address  Mask  Device */
static enum verdict line_proc(struct line *l)
{
	unsigned long type, flags;

	if (l->n >= 3 && word_is(&l->w[0], "IP") && word_is(&l->w[1], "address") &&
	    word_is(&l->w[2], "HW"))
		return LINE_KNOWN;
	if (l->n != 6 || !hex_word(&type, &l->w[1]) || !hex_word(&flags, &l->w[2]))
		return LINE_OTHER;
	if (!word_addr(&l->addr, &l->w[0])) {
		l->why = "the address is not one";
		return LINE_BAD;
	}
	l->dev = l->w[5];
	if (type != 1 || (flags & ATF_COM_BIT) == 0 || (flags & ATF_PUBL_BIT) != 0)
		return LINE_KNOWN;
	return word_mac(l, &l->w[3]);
}

/* ---- ip neigh ---------------------------------------------------------------------------- */

/* 192.0.2.7 dev eth0 lladdr 02:00:00:aa:bb:01 router STALE */
static enum verdict line_iproute(struct line *l)
{
	static const char *const usable[] = {"REACHABLE", "STALE", "DELAY", "PROBE", "PERMANENT"};

	if (l->n < 3 || !word_is(&l->w[1], "dev") || !word_addr(&l->addr, &l->w[0]))
		return LINE_OTHER;
	l->dev = l->w[2];
	if (l->n < 6 || !word_is(&l->w[3], "lladdr") || line_has(l, 5, "proxy"))
		return LINE_KNOWN;
	for (size_t i = 0; i < sizeof(usable) / sizeof(usable[0]); i++) {
		if (line_has(l, 5, usable[i]))
			return word_mac(l, &l->w[4]);
	}
	return LINE_KNOWN;
}

/* ---- arp -an, ndp -an -------------------------------------------------------------------- */

/* ? (192.0.2.7) at 02:00:00:aa:bb:01 on em0 expires in 1178 seconds [ethernet]
 * ? (192.0.2.7) at 0:1c:42:0:0:18 on en0 ifscope permanent [ethernet]        macOS
 * ? (192.0.2.7) at 02:00:00:aa:bb:01 [ether] PERM on eth0                    net-tools
 * The first word may be a host name, with -n forgotten; it came from DNS, so it is no news. */
static enum verdict line_arp(struct line *l)
{
	struct word a;

	if (l->n < 4 || !word_is(&l->w[2], "at"))
		return LINE_OTHER;
	a = l->w[1];
	if (a.len < 3 || a.p[0] != '(' || a.p[a.len - 1] != ')')
		return LINE_OTHER;
	a.p++;
	a.len -= 2;
	if (!word_addr(&l->addr, &a)) {
		l->why = "the address is not one";
		return LINE_BAD;
	}
	for (size_t i = 4; i + 1 < l->n; i++) {
		if (word_is(&l->w[i], "on"))
			l->dev = l->w[i + 1];
	}
	if (line_has(l, 4, "expired") || line_has(l, 4, "published") || line_has(l, 4, "PUP") ||
	    line_has(l, 4, "PUB"))
		return LINE_KNOWN;
	return word_mac(l, &l->w[3]);
}

/* "p" in ndp's flags and "p" or "P" in those of OpenBSD's arp: we or another answer for it. */
static bool ndp_proxy(const struct line *l)
{
	for (size_t i = 4; i < l->n; i++) {
		const struct word *w = &l->w[i];

		if (w->len > 3)
			continue;
		if (memchr(w->p, 'p', w->len) != NULL ||
		    (l->addr.family == 4 && memchr(w->p, 'P', w->len) != NULL))
			return true;
	}
	return false;
}

static bool ndp_state_unusable(const struct word *w)
{
	return w->len == 1 && (w->p[0] == 'I' || w->p[0] == 'W' || w->p[0] == 'N');
}

/* Neighbor  Linklayer Address  Netif  Expire  S  Flags  Probes, and OpenBSD's "arp -an", which
 * has no state column. */
static enum verdict line_ndp(struct line *l)
{
	enum verdict v;

	if (l->n >= 2 && ((word_is(&l->w[0], "Neighbor") && word_is(&l->w[1], "Linklayer")) ||
			  (word_is(&l->w[0], "Host") && word_is(&l->w[1], "Ethernet"))))
		return LINE_KNOWN;
	if (l->n < 3 || !word_addr(&l->addr, &l->w[0]))
		return LINE_OTHER;
	v = word_mac(l, &l->w[1]);
	if (v == LINE_BAD)
		return LINE_OTHER;
	l->dev = l->w[2];
	if (v != LINE_ENTRY || line_has(l, 3, "expired"))
		return LINE_KNOWN;
	if (l->n > 4 && ndp_state_unusable(&l->w[4]))
		return LINE_KNOWN;
	return ndp_proxy(l) ? LINE_KNOWN : LINE_ENTRY;
}

/* ---- the text ---------------------------------------------------------------------------- */

static enum verdict line_judge(struct line *l, enum neighbour_format format)
{
	enum verdict v = LINE_OTHER;

	if (format == NEIGHBOUR_PROC || format == NEIGHBOUR_AUTO)
		v = line_proc(l);
	if (v == LINE_OTHER && (format == NEIGHBOUR_IPROUTE || format == NEIGHBOUR_AUTO))
		v = line_iproute(l);
	if (v == LINE_OTHER && (format == NEIGHBOUR_BSD || format == NEIGHBOUR_AUTO))
		v = line_arp(l);
	if (v == LINE_OTHER && (format == NEIGHBOUR_BSD || format == NEIGHBOUR_AUTO))
		v = line_ndp(l);
	return v;
}

static int line_decode(struct obs_batch *into, enum neighbour_format format, const char *p,
		       size_t len, uint64_t record, const struct neighbour_rules *rules,
		       uint64_t *known)
{
	struct line l = {.why = "the line does not belong to a neighbour table"};
	enum verdict v;

	while (len > 0 && blank(p[len - 1]))
		len--;
	l.n = split(l.w, p, len);
	if (l.n == 0)
		return 0;
	v = line_judge(&l, format);
	*known += v == LINE_KNOWN || v == LINE_ENTRY;
	if (v == LINE_OTHER || v == LINE_BAD) {
		obs_batch_refuse(into, record, l.why);
		return 0;
	}
	/* A header has no address and is not counted as an entry passed over. */
	if (l.addr.family == 0)
		return 0;
	if (v == LINE_KNOWN || !neighbour_wanted(rules, l.dev.p, l.dev.len)) {
		into->n_skipped++;
		return 0;
	}
	return neighbour_add(into, &l.addr, &l.mac, rules->seen_s, p, len);
}

static int decode_lines(struct obs_batch *into, enum neighbour_format format, const char *text,
			size_t len, const struct neighbour_rules *rules, struct err *e)
{
	const char *p = text, *end = text + len;
	uint64_t record = 0, known = 0, bad = into->n_bad;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl != NULL ? nl : end;

		if (line_decode(into, format, p, (size_t)(stop - p), ++record, rules, &known) < 0)
			return err_nomem(e);
		p = nl != NULL ? nl + 1 : end;
	}
	if (known == 0 && into->n_bad > bad)
		return err_set(e, ERR_PROTO, "what was read is not a neighbour table");
	return 0;
}

static char first_char(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!blank(text[i]) && text[i] != '\n')
			return text[i];
	}
	return '\0';
}

int neighbour_decode(struct obs_batch *into, enum neighbour_format format, const char *text,
		     size_t len, const struct neighbour_rules *rules, struct err *e)
{
	char c = first_char(text, len);

	if ((format == NEIGHBOUR_IPROUTE || format == NEIGHBOUR_AUTO) && (c == '[' || c == '{'))
		return neighbour_json_decode(into, text, len, rules, e);
	return decode_lines(into, format, text, len, rules, e);
}

/* ---- one entry an address ---------------------------------------------------------------- */

static int obs_order(const void *pa, const void *pb)
{
	const struct obs *a = pa, *b = pb;
	int r = ipaddr_cmp(&a->addr, &b->addr);

	if (r != 0)
		return r;
	if (a->seen_at_s != b->seen_at_s)
		return a->seen_at_s > b->seen_at_s ? -1 : 1;
	return memcmp(a->mac.b, b->mac.b, sizeof(a->mac.b));
}

void neighbour_unique(struct obs_batch *b)
{
	size_t kept = 0;

	if (b->n == 0)
		return;
	qsort(b->v, b->n, sizeof(*b->v), obs_order);
	for (size_t i = 1; i < b->n; i++) {
		if (ipaddr_cmp(&b->v[i].addr, &b->v[kept].addr) != 0)
			b->v[++kept] = b->v[i];
	}
	b->n_skipped += b->n - (kept + 1);
	b->n = kept + 1;
}
