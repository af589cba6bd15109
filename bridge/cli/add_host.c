/* add_host.c - a name given by hand: evidence of source "manual", then a push. */

#include "bridge/cli/manual.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/base/own.h"
#include "bridge/base/vec.h"
#include "bridge/cli/output.h"
#include "bridge/core/naming.h"

enum { TTL_MAX_S = 7 * 24 * 3600 };

struct request {
	struct bytes name;       /* as typed */
	struct ipaddr *addr;
	struct dname *at;        /* what the name is at each address */
	size_t n;
	struct mac mac;
	uint32_t ttl_s;          /* 0: not given */
	const char *note;        /* NULL: not given */
	bool replace;
};

struct result {
	json_t *hosts;           /* {name, address, ptr, action} */
	json_t *ended;           /* {name, address} */
	json_t *open;            /* owners not in step */
};

static void result_fini(struct result *r)
{
	json_decref(r->hosts);
	json_decref(r->ended);
	json_decref(r->open);
}

/* ---- the request ------------------------------------------------------------------------ */

static int parse_address(struct ipaddr *out, const char *s, struct err *e)
{
	if (!ipaddr_parse(out, s, strlen(s))) {
		err_set(e, ERR_CONF, "\"%s\" is no IP address", s);
		err_hint(e, "the name comes first, then its addresses, without prefix length");
		return ERR_CONF;
	}
	if (!ipaddr_is_host(out))
		return err_set(e, ERR_CONF, "\"%s\" is not an address a host could have", s);
	return 0;
}

static int parse_options(struct request *q, const struct cli *c, struct err *e)
{
	const char *mac = cli_val(c, "mac"), *ttl = cli_val(c, "ttl");
	int64_t ttl_s = 0;
	if (mac != NULL && (!mac_parse(&q->mac, mac, strlen(mac)) || mac_is_zero(&q->mac)))
		return err_set(e, ERR_CONF, "\"%s\" is no hardware address", mac);
	if (ttl != NULL && (!duration_parse(&ttl_s, ttl) || ttl_s < 1 || ttl_s > TTL_MAX_S)) {
		err_set(e, ERR_CONF, "\"%s\" is no TTL", ttl);
		err_hint(e, "give seconds or 30s, 5m, 1h; at least 1s, at most 7d");
		return ERR_CONF;
	}
	q->ttl_s = (uint32_t)ttl_s;
	q->note = cli_val(c, "note");
	q->replace = cli_val(c, "replace") != NULL;
	if (q->note != NULL && strlen(q->note) > 1000)
		return err_set(e, ERR_CONF, "the note is longer than 1000 bytes");
	return 0;
}

static int parse_request(struct request *q, const struct cli *c, struct err *e)
{
	size_t len = strlen(c->arg[0]);
	if (len > 1024)
		return err_set(e, ERR_CONF, "the name is longer than a name can be");
	q->name = (struct bytes){(const uint8_t *)c->arg[0], (uint16_t)len};
	size_t n = (size_t)c->n_args - 1;
	q->addr = calloc(n, sizeof(*q->addr));
	q->at = calloc(n, sizeof(*q->at));
	if (q->addr == NULL || q->at == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		int r = parse_address(&q->addr[q->n], c->arg[i + 1], e);
		if (r < 0)
			return r;
		bool again = false;
		for (size_t k = 0; k < q->n; k++)
			again |= ipaddr_cmp(&q->addr[k], &q->addr[q->n]) == 0;
		q->n += !again;
	}
	return parse_options(q, c, e);
}

static void request_fini(struct request *q)
{
	free(q->addr);
	free(q->at);
}

/* Is the name allowed at every address, and is every address ours to name? */
static int check_request(struct request *q, const struct policy_space *space, struct err *e)
{
	for (size_t i = 0; i < q->n; i++) {
		char a[IPADDR_TEXT];
		const char *why = NULL;
		ipaddr_print(a, &q->addr[i]);
		const struct policy_subnet *n = policy_subnet_of(space, &q->addr[i]);
		if (n == NULL) {
			err_set(e, ERR_CONF, "address %s is outside every subnet of space \"%s\"",
				a, space->name);
			err_hint(e, "add a subnet that holds it to the configuration; "
				    "\"ipambridge list subnets\" shows those there are");
			return ERR_CONF;
		}
		if (naming_rule(&q->at[i], space, n, OBS_MANUAL, q->name, &why) != 0)
			return err_set(e, ERR_CONF, "name \"%.*s\" is refused for %s: %s",
				       (int)q->name.len, (const char *)q->name.p, a, why);
	}
	return 0;
}

/* ---- evidence --------------------------------------------------------------------------- */

/* The record that gives this address this name already, however it was spelled then. */
static const struct obs *same(const struct manual *have, const struct ipaddr *a,
			      const struct dname *name)
{
	for (size_t i = 0; i < have->batch.n; i++) {
		struct dname n;
		const struct obs *o = &have->batch.v[i];
		if (ipaddr_cmp(&o->addr, a) == 0 &&
		    manual_name(&n, have->space, &o->addr, o->name) && dname_equal(&n, name))
			return o;
	}
	return NULL;
}

static bool has_ptr(const struct manual *have, const struct ipaddr *a)
{
	for (size_t i = 0; i < have->batch.n; i++) {
		if (have->batch.v[i].ptr && ipaddr_cmp(&have->batch.v[i].addr, a) == 0)
			return true;
	}
	return false;
}

/* What was given now, over what was there. */
static void overlay(struct obs *o, const struct request *q)
{
	if (q->mac.known)
		o->mac = q->mac;
	if (q->ttl_s != 0)
		o->ttl_s = q->ttl_s;
	if (q->note != NULL)
		o->raw = (struct bytes){(const uint8_t *)q->note, (uint16_t)strlen(q->note)};
	o->seen_at_s = clock_wall_s();
}

static bool facts_equal(const struct obs *a, const struct obs *b)
{
	return a->ttl_s == b->ttl_s && a->ptr == b->ptr && bytes_equal(a->raw, b->raw) &&
	       (mac_equal(&a->mac, &b->mac) || (!a->mac.known && !b->mac.known));
}

static int add_one(struct manual *now, const struct manual *have, const struct request *q,
		   size_t i, struct result *res, struct err *e)
{
	const struct obs *old = same(have, &q->addr[i], &q->at[i]);
	struct obs o = {.addr = q->addr[i], .kind = OBS_MANUAL, .name = q->name,
			.valid_until_s = OBS_FOREVER, .ptr = !has_ptr(have, &q->addr[i])};
	if (old != NULL)
		o = *old;
	overlay(&o, q);
	const char *action = old == NULL ? "added"
			     : facts_equal(&o, old) ? "unchanged" : "changed";
	if (strcmp(action, "unchanged") != 0) {
		struct obs *slot = obs_batch_add(&now->batch);
		if (slot == NULL)
			return err_nomem(e);
		*slot = o;
	}
	json_t *v = json_pack("{s:o,s:o,s:b,s:s}", "name", js_name(&q->at[i]), "address",
			      js_addr(&o.addr), "ptr", o.ptr, "action", action);
	return json_array_append_new(res->hosts, v) < 0 ? err_nomem(e) : 0;
}

static bool asked_for(const struct request *q, const struct ipaddr *a)
{
	for (size_t i = 0; i < q->n; i++) {
		if (ipaddr_cmp(&q->addr[i], a) == 0)
			return true;
	}
	return false;
}

/* --replace: the name's other manual records end. */
static int end_others(struct manual *now, const struct request *q, struct pass *p,
		      struct result *res, struct err *e)
{
	VEC(struct ipaddr) lost = {0};
	AUTO(manual_fini) struct manual others = {0}, all = {0};
	int r;
	if ((r = manual_init(&others, now->space, e)) < 0 ||
	    (r = manual_init(&all, now->space, e)) < 0 ||
	    (r = manual_load_named(&others, p, q->name, e)) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < others.batch.n; i++) {
		const struct obs *o = &others.batch.v[i];
		if (asked_for(q, &o->addr))
			continue;
		struct obs *slot = obs_batch_add(&now->batch);
		if (slot == NULL || vec_push(&lost, o->addr) < 0 ||
		    json_array_append_new(res->ended, manual_json(now->space, o)) < 0) {
			r = err_nomem(e);
			break;
		}
		*slot = *o;
		manual_end(slot);
		if (!obs_batch_keep(&now->batch, &slot->name, o->name.p, o->name.len) ||
		    !obs_batch_keep(&now->batch, &slot->raw, o->raw.p, o->raw.len))
			r = err_nomem(e);
	}
	if (r == 0 && lost.n > 0 && (r = manual_load_at(&all, p, lost.v, lost.n, e)) == 0)
		r = manual_pass_ptr(now, &all, e);
	if (r == 0 && now->batch.n > 0)
		r = flow_observe(p->flow, now->space, now->source, now->batch.v, now->batch.n, e);
	vec_fini(&lost);
	return r;
}

static int observe(struct pass *p, const struct policy_space *space, const struct request *q,
		   struct result *res, struct err *e)
{
	AUTO(manual_fini) struct manual have = {0}, now = {0};
	int r;
	if ((r = manual_init(&have, space, e)) < 0 || (r = manual_init(&now, space, e)) < 0 ||
	    (r = manual_load_at(&have, p, q->addr, q->n, e)) < 0)
		return r;
	for (size_t i = 0; i < q->n; i++) {
		if ((r = add_one(&now, &have, q, i, res, e)) < 0)
			return r;
	}
	if (q->replace)
		r = end_others(&now, q, p, res, e);
	else if (now.batch.n > 0)
		r = flow_observe(p->flow, space, now.source, now.batch.v, now.batch.n, e);
	for (size_t i = 0; r == 0 && q->note != NULL && i < now.batch.n; i++) {
		if (!now.batch.v[i].end)
			r = manual_keep_note(&now, p, &now.batch.v[i], e);
	}
	return r;
}

/* ---- result ----------------------------------------------------------------------------- */

static int settle(struct pass *p, const struct cli *c, const struct policy_space *space,
		  const struct request *q, struct result *res, struct err *e)
{
	int r = flow_push(p->flow, e);
	progress_clear(&p->progress);
	if (r < 0)
		return r;
	struct dname *names = calloc(q->n * 2, sizeof(*names));
	if (names == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < q->n; i++) {
		names[2 * i] = q->at[i];
		policy_ptr_name(&names[2 * i + 1], space, &q->addr[i]);
	}
	r = manual_outcome(res->open, p, c, names, q->n * 2, e);
	free(names);
	return r;
}

static void print_rows(const char *verb, const json_t *rows, const char *dflt)
{
	size_t i;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)rows, i, v) {
		struct buf b = BUF_INIT;
		const char *action = json_string_value(json_object_get(v, "action"));
		out_flat(&b, json_object_get(v, "name"));
		buf_chr(&b, ' ');
		out_flat(&b, json_object_get(v, "address"));
		printf("%s: %s %s\n", verb, buf_text(&b), action != NULL ? action : dflt);
		buf_fini(&b);
	}
}

static int print(const struct cli *c, const struct policy_space *space, const struct result *res,
		 struct err *e)
{
	if (c->json)
		return out_object(stdout,
				  json_pack("{s:s,s:O,s:O,s:O}", "space", space->name, "hosts",
					    res->hosts, "ended", res->ended, "open", res->open), e);
	print_rows("add-host", res->hosts, "");
	print_rows("add-host", res->ended, "ended");
	return fflush(stdout) != 0 ? err_set(e, ERR_SYS, "standard output could not be written")
				   : 0;
}

static int run(struct pass *p, struct cli *c, struct request *q, struct result *res,
	       struct err *e)
{
	const struct policy_space *space;
	int r;
	if ((r = session_space(&space, &p->s, c, e)) < 0 ||
	    (r = check_request(q, space, e)) < 0 || (r = observe(p, space, q, res, e)) < 0 ||
	    (r = settle(p, c, space, q, res, e)) < 0)
		return r;
	return print(c, space, res, e);
}

int verb_add_host(struct cli *c)
{
	struct err e = {0};
	AUTO(request_fini) struct request q = {0};
	AUTO(pass_end) struct pass p = {0};
	AUTO(result_fini) struct result res = {json_array(), json_array(), json_array()};
	if (parse_request(&q, c, &e) < 0)
		return cli_fail(&e);
	int code = pass_open(&p, c, false);
	if (code >= 0)
		return code;
	if (run(&p, c, &q, &res, &e) < 0)
		return pass_fail(&p, &e);
	return json_array_size(res.open) > 0 ? EXIT_PARTLY : EXIT_DONE;
}
