/* neighbour_json_decode.c - neighbour entries as JSON objects. */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/neighbour/neighbour_json_decode.h"
#include "bridge/base/own.h"

/* A parsed value takes some forty times the bytes of a "0,": the text is kept small instead.
 * 16 MiB hold more than 100,000 neighbours. */
enum { JSON_MAX = 16 * 1024 * 1024 };

static void json_freep(json_t **j)
{
	json_decref(*j);
}

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* The first of two spellings that is there. */
static const char *either(const json_t *o, const char *a, const char *b)
{
	const char *s = text_of(o, a);

	return s != NULL ? s : text_of(o, b);
}

static bool has_state(const json_t *o, const char *name)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(o, "state"), i, s)
	{
		if (json_is_string(s) && strcmp(json_string_value(s), name) == 0)
			return true;
	}
	return false;
}

static bool is_set(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

/* iproute2 writes flags as keys with the value null, libxo as booleans. */
static bool usable(const json_t *o)
{
	return json_object_get(o, "proxy") == NULL && !has_state(o, "INCOMPLETE") &&
	       !has_state(o, "FAILED") && !has_state(o, "NOARP") && !has_state(o, "NONE") &&
	       !is_set(o, "incomplete") && !is_set(o, "expired") && !is_set(o, "published");
}

/* "ip -s -j neigh" prints ages in seconds.  A permanent entry is never confirmed by traffic. */
static int64_t seen_of(const json_t *o, const struct neighbour_rules *rules)
{
	const json_t *age = json_object_get(o, "confirmed");

	if (rules->now_s == 0 || !json_is_integer(age) || json_integer_value(age) < 0 ||
	    json_integer_value(age) > rules->now_s || has_state(o, "PERMANENT"))
		return rules->seen_s;
	return rules->now_s - json_integer_value(age);
}

static int add(struct obs_batch *into, const json_t *o, const struct ipaddr *addr,
	       const struct mac *mac, int64_t seen_s, struct err *e)
{
	AUTO(own_freep) char *raw = json_dumps(o, JSON_COMPACT);

	if (raw == NULL || neighbour_add(into, addr, mac, seen_s, raw, strlen(raw)) < 0)
		return err_nomem(e);
	return 0;
}

static int element(struct obs_batch *into, const json_t *o, uint64_t record,
		   const struct neighbour_rules *rules, uint64_t *known, struct err *e)
{
	const char *dst = either(o, "dst", "ip-address"),
		   *lladdr = either(o, "lladdr", "mac-address");
	const char *dev = either(o, "dev", "interface");
	struct ipaddr addr;
	struct mac mac = {0};

	if (dst == NULL)
		dst = text_of(o, "address");
	if (dst == NULL || !ipaddr_parse(&addr, dst, strcspn(dst, "%"))) {
		obs_batch_refuse(into, record, "the element has no address");
		return 0;
	}
	++*known;
	if (lladdr == NULL || !usable(o) ||
	    !neighbour_wanted(rules, dev != NULL ? dev : "", dev != NULL ? strlen(dev) : 0)) {
		into->n_skipped++;
		return 0;
	}
	if (!mac_parse(&mac, lladdr, strlen(lladdr))) {
		into->n_skipped++;
		return 0;
	}
	return add(into, o, &addr, &mac, seen_of(o, rules), e);
}

/* The array itself, or {"arp": {"arp-cache": [..]}}, {"ndp": {"neighbor-cache": [..]}}. */
static const json_t *table_of(const json_t *root)
{
	const json_t *t;

	if (json_is_array(root))
		return root;
	t = json_object_get(json_object_get(root, "arp"), "arp-cache");
	if (t == NULL)
		t = json_object_get(json_object_get(root, "ndp"), "neighbor-cache");
	return json_is_array(t) ? t : NULL;
}

int neighbour_json_decode(struct obs_batch *into, const char *text, size_t len,
			  const struct neighbour_rules *rules, struct err *e)
{
	json_error_t je;
	AUTO(json_freep) json_t *root = NULL;
	const json_t *table, *o;
	uint64_t known = 0;
	size_t i;

	if (len > JSON_MAX)
		return err_set(e, ERR_PROTO, "the JSON text is larger than %d MiB", JSON_MAX >> 20);
	root = json_loadb(text, len, 0, &je);
	if (root == NULL)
		return err_set(e, ERR_PROTO, "the JSON text is broken in line %d: %s", je.line,
			       je.text);
	table = table_of(root);
	if (table == NULL)
		return err_set(e, ERR_PROTO, "the JSON text is not a neighbour table");
	json_array_foreach(table, i, o)
	{
		if (element(into, o, i + 1, rules, &known, e) < 0)
			return ERR_NOMEM;
	}
	if (known == 0 && json_array_size(table) > 0)
		return err_set(e, ERR_PROTO, "the JSON text is not a neighbour table");
	return 0;
}
