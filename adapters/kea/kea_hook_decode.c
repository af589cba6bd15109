/* kea_hook_decode.c - see kea_hook_decode.h. */

#include <stdio.h>
#include <string.h>

#include "adapters/kea/kea_hook_decode.h"
#include "bridge/base/err.h"

enum {
	CLIENT_ID_MAX = 255,
	DUID_MAX = 130,
	NAME_MAX_LEN = 255,
	FIELDS_MAX = 9, /* sent of a lease */
	VARS_MAX = 8 + 2 * KEA_HOOK_LEASES_MAX * FIELDS_MAX,
	VAR_NAME = 64, /* room for the name of any variable */
};

/* Lease times are 32 bits; all ones means for ever (RFC 2131 3.3, RFC 8415 7.7). */
#define LIFETIME_FOREVER INT64_C(4294967295)
#define CLTT_MAX (INT64_C(1) << 33)

static const char magic[3] = {'k', 'h', '1'};

struct event {
	const char *name;
	uint8_t family;
	const char *one;     /* beginning of its variables, NULL: it has the two lists */
	const char *end_why; /* NULL: the lease's own state says whether it is over */
};

static const struct event events[] = {
    {"leases4_committed", 4, NULL, NULL},
    {"lease4_renew", 4, "LEASE4_", NULL},
    {"lease4_release", 4, "LEASE4_", "released"},
    {"lease4_decline", 4, "LEASE4_", "declined"},
    {"lease4_expire", 4, "LEASE4_", "reclaimed"},
    /* The time for which a declined address was kept back is over. */
    {"lease4_recover", 4, "LEASE4_", "reclaimed"},
    {"leases6_committed", 6, NULL, NULL},
    {"lease6_renew", 6, "LEASE6_", NULL},
    {"lease6_rebind", 6, "LEASE6_", NULL},
    {"lease6_release", 6, "LEASE6_", "released"},
    {"lease6_decline", 6, "LEASE6_", "declined"},
    {"lease6_expire", 6, "LEASE6_", "reclaimed"},
    {"lease6_recover", 6, "LEASE6_", "reclaimed"},
    {"addr6_register", 6, "NEW_LEASE6_", NULL}, /* RFC 9686 */
};

static const char *const fields4[] = {"ADDRESS", "CLTT",           "HOSTNAME",  "HWADDR",
				      "STATE",   "VALID_LIFETIME", "CLIENT_ID", NULL};
static const char *const fields6[] = {"ADDRESS", "CLTT",           "HOSTNAME", "HWADDR",     "STATE",
				      "TYPE",    "VALID_LIFETIME", "DUID",     "PREFIX_LEN", NULL};

static const char *const *fields_of(const struct event *ev)
{
	return ev->family == 4 ? fields4 : fields6;
}

static const struct event *event_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (strlen(events[i].name) == len && memcmp(events[i].name, name, len) == 0)
			return &events[i];
	}
	return NULL;
}

bool kea_hook_known(const char *event)
{
	return event_find(event, strlen(event)) != NULL;
}

/* "LEASES4_" and "DELETED_LEASES4_" */
static void list_name(char out[VAR_NAME], const struct event *ev, bool deleted)
{
	snprintf(out, VAR_NAME, "%sLEASES%u_", deleted ? "DELETED_" : "", ev->family);
}

/* "LEASES4_AT7_" */
static void item_name(char out[VAR_NAME], const char *list, unsigned i)
{
	snprintf(out, VAR_NAME, "%.32sAT%u_", list, i);
}

/* ---- to a record ------------------------------------------------------------------------- */

struct encoder {
	struct buf *out;
	const struct event *ev;
	const char *(*get)(void *ctx, const char *name);
	void *ctx;
};

/* False when there is no such variable. */
static bool put(const struct encoder *en, const char *before, const char *field)
{
	char name[2 * VAR_NAME];
	size_t n = (size_t)snprintf(name, sizeof(name), "%.63s%s", before, field);
	const char *value = en->get(en->ctx, name);
	size_t len = value != NULL ? strnlen(value, KEA_HOOK_VALUE_MAX) : 0;

	if (value == NULL)
		return false;
	buf_u8(en->out, (uint8_t)n);
	buf_add(en->out, name, n);
	buf_u16(en->out, (uint16_t)len);
	buf_add(en->out, value, len);
	return true;
}

/* False when there is no such lease. */
static bool put_lease(const struct encoder *en, const char *before)
{
	const char *const *f = fields_of(en->ev);

	if (!put(en, before, *f))
		return false;
	while (*++f != NULL)
		put(en, before, *f);
	return true;
}

/* Leases that have no room stay out; the size tells the reader that they are missing. */
static void put_list(const struct encoder *en, bool deleted)
{
	char list[VAR_NAME], item[VAR_NAME];

	list_name(list, en->ev, deleted);
	put(en, list, "SIZE");
	for (unsigned i = 0; i < KEA_HOOK_LEASES_MAX; i++) {
		size_t len = en->out->len;

		item_name(item, list, i);
		if (!put_lease(en, item))
			return;
		if (en->out->len > KEA_HOOK_RECORD_MAX) {
			en->out->len = len;
			return;
		}
	}
}

void kea_hook_encode(struct buf *out, const char *event,
		     const char *(*get)(void *ctx, const char *name), void *ctx)
{
	struct encoder en = {out, event_find(event, strlen(event)), get, ctx};

	buf_add(out, magic, sizeof(magic));
	buf_u8(out, (uint8_t)strlen(event));
	buf_str(out, event);
	if (en.ev->family == 4)
		put(&en, "QUERY4_", "TYPE");
	if (en.ev->one != NULL) {
		put_lease(&en, en.ev->one);
		return;
	}
	put_list(&en, false);
	put_list(&en, true);
}

/* ---- taking a record apart --------------------------------------------------------------- */

struct text {
	const char *p; /* NULL: there is none */
	size_t len;
};

struct record {
	const struct event *ev;
	size_t n;
	struct {
		struct text name, value;
	} v[VARS_MAX];
};

struct cursor {
	const uint8_t *p;
	size_t left;
	bool bad; /* something was longer than what is left */
};

static struct text take(struct cursor *c, size_t len)
{
	struct text t = {(const char *)c->p, len};

	if (c->bad || len > c->left) {
		c->bad = true;
		return (struct text){NULL, 0};
	}
	c->p += len;
	c->left -= len;
	return t;
}

/* What stands behind its length of n bytes. */
static struct text take_counted(struct cursor *c, size_t n)
{
	struct text t = take(c, n);
	size_t len = 0;

	for (size_t i = 0; i < t.len; i++)
		len = len << 8 | (uint8_t)t.p[i];
	return take(c, len);
}

/* NULL, or why it cannot be read. */
static const char *parse(struct record *r, const void *p, size_t len)
{
	struct cursor c = {p, len, false};
	struct text head = take(&c, sizeof(magic)), event;

	if (head.len != sizeof(magic) || memcmp(head.p, magic, sizeof(magic)) != 0)
		return "it is no record of kea-hook";
	event = take_counted(&c, 1);
	r->ev = c.bad ? NULL : event_find(event.p, event.len);
	if (r->ev == NULL)
		return "its event is not known";
	for (r->n = 0; c.left > 0; r->n++) {
		if (r->n == VARS_MAX)
			return "it has too many variables";
		r->v[r->n].name = take_counted(&c, 1);
		r->v[r->n].value = take_counted(&c, 2);
		if (c.bad)
			return "it ends in the middle";
	}
	return NULL;
}

static struct text var(const struct record *r, const char *before, const char *field)
{
	size_t n = strlen(before), len = n + strlen(field);

	for (size_t i = 0; i < r->n; i++) {
		const struct text *name = &r->v[i].name;

		if (name->len == len && memcmp(name->p, before, n) == 0 &&
		    memcmp(name->p + n, field, len - n) == 0)
			return r->v[i].value;
	}
	return (struct text){NULL, 0};
}

/* ---- values ------------------------------------------------------------------------------ */

static bool is(struct text t, const char *word)
{
	return t.p != NULL && t.len == strlen(word) && memcmp(t.p, word, t.len) == 0;
}

static bool number(int64_t *out, struct text t, int64_t max)
{
	int64_t v = 0;

	if (t.len == 0 || t.len > 18)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
		v = v * 10 + (t.p[i] - '0');
	}
	*out = v;
	return v <= max;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = memchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c, 16);

	return at != NULL ? (int)(at - digits) : -1;
}

/* "02:00:ff" to bytes: how many, or -1 when it is no such text or longer than max. */
static int hex_bytes(uint8_t *out, int max, struct text t)
{
	int n = 0;

	if (t.len % 3 != 2)
		return t.len == 0 ? 0 : -1;
	for (size_t i = 0; i < t.len; i += 3) {
		int hi = hex_digit(t.p[i]), lo = hex_digit(t.p[i + 1]);

		if (hi < 0 || lo < 0 || n == max || (i + 2 < t.len && t.p[i + 2] != ':'))
			return -1;
		out[n++] = (uint8_t)(hi << 4 | lo);
	}
	return n;
}

/* ---- one lease --------------------------------------------------------------------------- */

struct lease {
	const struct record *r;
	const char *before; /* of the names of its variables */
	struct ipaddr addr;
	int64_t cltt_s, lifetime_s;
	struct text name;
	struct mac mac;
	uint8_t id[CLIENT_ID_MAX]; /* client id or DUID */
	int id_len;
	const char *end_why;
};

static struct text field(const struct lease *l, const char *name)
{
	return var(l->r, l->before, name);
}

/* IA_PD delegates a prefix: there is no host at its first address. */
static bool is_prefix(const struct lease *l)
{
	struct text len = field(l, "PREFIX_LEN");

	return l->r->ev->family == 6 &&
	       (is(field(l, "TYPE"), "IA_PD") || (len.p != NULL && !is(len, "128")));
}

static const char *check_state(struct lease *l)
{
	static const struct {
		const char *word, *end_why;
	} states[] = {
	    {"default", NULL},
	    {"registered", NULL},
	    {"declined", "declined"},
	    {"expired-reclaimed", "reclaimed"},
	    {"released", "released"},
	};
	struct text t = field(l, "STATE");
	size_t i = 0;

	while (i < sizeof(states) / sizeof(states[0]) && !is(t, states[i].word))
		i++;
	if (i == sizeof(states) / sizeof(states[0]))
		return "the lease is in a state that is not known";
	if (l->end_why == NULL)
		l->end_why = states[i].end_why;
	if (l->end_why == NULL && l->lifetime_s == 0)
		l->end_why = "released";
	return NULL;
}

/* A hardware address that is no Ethernet address (InfiniBand has 20 bytes) is no fault. */
static const char *check_identity(struct lease *l)
{
	static const uint8_t zeros[3];
	bool v4 = l->r->ev->family == 4;
	uint8_t hw[32];
	int n = hex_bytes(hw, (int)sizeof(hw), field(l, "HWADDR"));

	if (n < 0)
		return "the hardware address is not one";
	if (n == 6) {
		memcpy(l->mac.b, hw, 6);
		l->mac.known = !mac_is_zero(&l->mac);
	}
	l->id_len = hex_bytes(l->id, v4 ? CLIENT_ID_MAX : DUID_MAX,
			      field(l, v4 ? "CLIENT_ID" : "DUID"));
	if (l->id_len < 0)
		return v4 ? "the client id is not one" : "the DUID is not one";
	/* Kea cannot store an empty DUID: declined leases have 00 or 00:00:00 instead. */
	if (!v4 && l->id_len <= 3 && memcmp(l->id, zeros, (size_t)l->id_len) == 0)
		l->id_len = 0;
	return NULL;
}

/* NULL when the lease may be believed. */
static const char *check(struct lease *l)
{
	struct text a = field(l, "ADDRESS");
	const char *why;

	if (a.p == NULL)
		return "a lease is missing";
	if (!ipaddr_parse(&l->addr, a.p, a.len) || l->addr.family != l->r->ev->family)
		return l->r->ev->family == 4 ? "the address is not an IPv4 address"
					     : "the address is not an IPv6 address";
	if (!ipaddr_is_host(&l->addr))
		return "the address cannot be that of one host";
	if (!number(&l->cltt_s, field(l, "CLTT"), CLTT_MAX))
		return "the time of the client's last word is not plausible";
	if (!number(&l->lifetime_s, field(l, "VALID_LIFETIME"), LIFETIME_FOREVER))
		return "the valid lifetime is no number of 32 bits";
	l->name = field(l, "HOSTNAME");
	if (l->name.len > NAME_MAX_LEN)
		return "the host name is longer than 255 bytes";
	why = check_state(l);
	return why != NULL ? why : check_identity(l);
}

/* "lease4_renew ADDRESS=192.0.2.1 CLTT=..." */
static bool keep_raw(struct obs_batch *into, struct bytes *out, const struct lease *l)
{
	struct buf b = BUF_INIT;
	bool ok;

	buf_str(&b, l->r->ev->name);
	for (const char *const *f = fields_of(l->r->ev); *f != NULL; f++) {
		struct text t = field(l, *f);

		buf_printf(&b, " %s=", *f);
		if (t.len > 0)
			buf_add(&b, t.p, t.len);
	}
	ok = !b.bad && obs_batch_keep(into, out, b.p,
				      b.len < KEA_HOOK_RAW_MAX ? b.len : KEA_HOOK_RAW_MAX);
	buf_fini(&b);
	return ok;
}

static int emit(struct obs_batch *into, const struct lease *l)
{
	struct bytes raw = {0}, name = {0}, id = {0};
	struct obs *o;

	if (!keep_raw(into, &raw, l) ||
	    !obs_batch_keep(into, &name, l->name.p, l->name.len) ||
	    !obs_batch_keep(into, &id, l->id, (size_t)l->id_len))
		return ERR_NOMEM;
	o = obs_batch_add(into);
	if (o == NULL)
		return ERR_NOMEM;
	o->addr = l->addr;
	o->kind = OBS_LEASE;
	o->end_why = l->end_why;
	o->end = l->end_why != NULL;
	o->name = name;
	o->mac = l->mac;
	if (l->addr.family == 4)
		o->client_id = id;
	else
		o->duid = id;
	o->seen_at_s = l->cltt_s;
	o->valid_until_s = l->lifetime_s == LIFETIME_FOREVER ? OBS_FOREVER
							     : l->cltt_s + l->lifetime_s;
	o->raw = raw;
	return 0;
}

static int decode_lease(struct obs_batch *into, const struct record *r, const char *before,
			const char *end_why, uint64_t record)
{
	struct lease l = {.r = r, .before = before, .end_why = end_why};
	const char *why;

	if (is_prefix(&l)) {
		into->n_skipped++;
		return 0;
	}
	why = check(&l);
	if (why != NULL) {
		obs_batch_refuse(into, record, why);
		return 0;
	}
	return emit(into, &l);
}

/* ---- all of them ------------------------------------------------------------------------- */

static int decode_list(struct obs_batch *into, const struct record *r, bool deleted,
		       uint64_t record)
{
	char list[VAR_NAME], item[VAR_NAME];
	int64_t size;
	int ret = 0;

	list_name(list, r->ev, deleted);
	if (!number(&size, var(r, list, "SIZE"), INT32_MAX)) {
		obs_batch_refuse(into, record, "it does not say how many leases it has");
		return 0;
	}
	for (unsigned i = 0; i < size && ret == 0; i++) {
		if (i == KEA_HOOK_LEASES_MAX) {
			obs_batch_refuse(into, record, "it has more leases than are taken");
			break;
		}
		item_name(item, list, i);
		ret = decode_lease(into, r, item, deleted ? "released" : NULL, record);
	}
	return ret;
}

int kea_hook_decode(struct obs_batch *into, const void *p, size_t len, uint64_t record)
{
	struct record r;
	const char *why = parse(&r, p, len);
	int ret;

	if (why != NULL) {
		obs_batch_refuse(into, record, why);
		return 0;
	}
	/* Kea runs lease4_renew for an offer too: nothing is decided yet. */
	if (is(var(&r, "QUERY4_", "TYPE"), "DHCPDISCOVER")) {
		into->n_skipped++;
		return 0;
	}
	if (r.ev->one != NULL)
		return decode_lease(into, &r, r.ev->one, r.ev->end_why, record);
	ret = decode_list(into, &r, false, record);
	return ret == 0 ? decode_list(into, &r, true, record) : ret;
}
