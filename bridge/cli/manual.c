/* manual.c - see manual.h. */

#include "bridge/cli/manual.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base/clock.h"
#include "bridge/cli/output.h"
#include "bridge/core/naming.h"
#include "bridge/report/owners.h"
#include "bridge/report/why.h"

int manual_init(struct manual *m, const struct policy_space *space, struct err *e)
{
	*m = (struct manual){.space = space};
	obs_batch_init(&m->batch);
	m->source = policy_source_by_name(space, SOURCE_MANUAL);
	if (m->source == NULL)
		return err_set(e, ERR_BUG, "space \"%s\" has no source \"" SOURCE_MANUAL "\"",
			       space->name);
	return 0;
}

void manual_fini(struct manual *m)
{
	obs_batch_fini(&m->batch);
}

bool manual_name(struct dname *out, const struct policy_space *space, const struct ipaddr *a,
		 struct bytes text)
{
	const char *why;
	const struct policy_subnet *n = policy_subnet_of(space, a);
	return n != NULL && naming_rule(out, space, n, OBS_MANUAL, text, &why) == 0;
}

/* ---- loading ---------------------------------------------------------------------------- */

struct load {
	struct manual *m;
	struct bytes name;  /* len 0: any */
	bool bad;
};

static bool wanted(const struct load *l, const struct report_sighting *s)
{
	struct dname have, want;
	if (strcmp(s->source, SOURCE_MANUAL) != 0)
		return false;
	if (l->name.len == 0)
		return true;
	return manual_name(&want, l->m->space, &s->addr, l->name) &&
	       manual_name(&have, l->m->space, &s->addr, s->name) && dname_equal(&have, &want);
}

static void take(void *arg, const struct report_sighting *s)
{
	struct load *l = arg;
	if (!wanted(l, s))
		return;
	struct obs_batch *b = &l->m->batch;
	struct obs *o = obs_batch_add(b);
	if (o == NULL) {
		l->bad = true;
		return;
	}
	o->addr = s->addr;
	o->kind = OBS_MANUAL;
	o->mac = s->mac;
	o->valid_until_s = OBS_FOREVER;
	o->seen_at_s = s->last_seen_s;
	o->ttl_s = s->ttl_s;
	o->ptr = s->ptr;
	if (!obs_batch_keep(b, &o->name, s->name.p, s->name.len) ||
	    !obs_batch_keep(b, &o->raw, s->raw.p, s->raw.len))
		l->bad = true;
}

int manual_load_at(struct manual *m, struct pass *p, const struct ipaddr *a, size_t n,
		   struct err *e)
{
	struct load l = {.m = m};
	struct report_filter f = {.space = m->space->name};
	int r = report_sightings(once_pg(p->s.once), &f, a, n, take, &l, e);
	return r < 0 ? r : l.bad ? err_nomem(e) : 0;
}

/* The first label as the naming rule makes it, for the database to look for. */
static void first_label(char out[256], struct bytes name)
{
	size_t n = 0;
	while (n < name.len && n < 255 && name.p[n] != '.' && name.p[n] != '\0') {
		uint8_t ch = name.p[n];
		out[n++] = ch == ' ' || ch == '_' ? '-' : (char)tolower(ch);
	}
	out[n] = '\0';
}

int manual_load_named(struct manual *m, struct pass *p, struct bytes name, struct err *e)
{
	char label[256];
	struct load l = {.m = m, .name = name};
	first_label(label, name);
	int r = report_manual(once_pg(p->s.once), m->source->id, label, take, &l, e);
	return r < 0 ? r : l.bad ? err_nomem(e) : 0;
}

/* ---- changing --------------------------------------------------------------------------- */

static int put_note(struct manual *m, struct flow_store *st, const struct obs *o,
		    struct arena *a, struct err *e)
{
	struct evidence *ev;
	size_t n;
	int r = st->lock_space(st->ctx, m->space->id, e);
	r = r < 0 ? r : st->evidence_get(st->ctx, &ev, &n, m->space->id, &o->addr, 1, a, e);
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (ev[i].source_id != m->source->id || !bytes_equal(ev[i].obs.name, o->name))
			continue;
		ev[i].obs.raw = o->raw;
		r = st->evidence_put(st->ctx, &ev[i], 1, e);
	}
	return r;
}

int manual_keep_note(struct manual *m, struct pass *p, const struct obs *o, struct err *e)
{
	struct flow_store *st = p->flow->store;
	struct arena a = ARENA_INIT;
	int r = st->begin(st->ctx, e);
	if (r < 0)
		return r;
	r = put_note(m, st, o, &a, e);
	if (r == 0)
		r = st->commit(st->ctx, e);
	else
		st->rollback(st->ctx);
	arena_fini(&a);
	return r;
}

void manual_end(struct obs *o)
{
	o->end = true;
	o->end_why = "ended by a person";
	o->seen_at_s = clock_wall_s();
}

static bool mentions(const struct obs_batch *b, const struct obs *o)
{
	for (size_t i = 0; i < b->n; i++) {
		if (ipaddr_cmp(&b->v[i].addr, &o->addr) == 0 &&
		    bytes_equal(b->v[i].name, o->name))
			return true;
	}
	return false;
}

static bool has_live_ptr(const struct obs_batch *b, const struct ipaddr *a)
{
	for (size_t i = 0; i < b->n; i++) {
		if (!b->v[i].end && b->v[i].ptr && ipaddr_cmp(&b->v[i].addr, a) == 0)
			return true;
	}
	return false;
}

int manual_pass_ptr(struct manual *m, const struct manual *all, struct err *e)
{
	size_t n_ended = m->batch.n;
	for (size_t i = 0; i < n_ended; i++) {
		struct obs ended = m->batch.v[i];
		if (!ended.end || !ended.ptr || has_live_ptr(&m->batch, &ended.addr))
			continue;
		for (size_t k = 0; k < all->batch.n; k++) {
			const struct obs *o = &all->batch.v[k];
			if (ipaddr_cmp(&o->addr, &ended.addr) != 0 || mentions(&m->batch, o))
				continue;
			struct obs *heir = obs_batch_add(&m->batch);
			if (heir == NULL)
				return err_nomem(e);
			*heir = *o;
			heir->ptr = true;
			heir->seen_at_s = ended.seen_at_s;
			if (!obs_batch_keep(&m->batch, &heir->name, o->name.p, o->name.len) ||
			    !obs_batch_keep(&m->batch, &heir->raw, o->raw.p, o->raw.len))
				return err_nomem(e);
			break;
		}
	}
	return 0;
}

json_t *manual_json(const struct policy_space *space, const struct obs *o)
{
	struct dname name = {0};
	bool good = manual_name(&name, space, &o->addr, o->name);
	return json_pack("{s:o,s:o}", "name", good ? js_name(&name) : js_bytes(o->name),
			 "address", js_addr(&o->addr));
}

/* ---- outcome ---------------------------------------------------------------------------- */

struct outcome_arg {
	json_t *into;
	bool json;
	bool bad;
};

static void outcome_row(void *arg, const struct report_owner *o)
{
	struct outcome_arg *a = arg;
	const struct belief *b = &o->belief;
	if (b->state == BELIEF_STEP || b->state == BELIEF_AGREED)
		return;
	json_t *v = json_pack("{s:o,s:o,s:o,s:o}", "zone", js_text(o->zone->text), "owner",
			      js_name(&b->owner), "state", js_text(belief_state_name(b->state)),
			      "why", js_text_or(b->why, NULL));
	if (!a->json && v != NULL) {
		struct buf t = BUF_INIT;
		buf_printf(&t, "%s: %s, %s", json_string_value(json_object_get(v, "owner")),
			   belief_state_name(b->state), b->why != NULL ? b->why : "");
		cli_message("ipambridge", buf_text(&t));
		buf_reset(&t);
		buf_printf(&t, "\"ipambridge why %s\" shows what is wanted and what is there",
			   json_string_value(json_object_get(v, "owner")));
		cli_message("hint", buf_text(&t));
		buf_fini(&t);
	}
	if (json_array_append_new(a->into, v) < 0)
		a->bad = true;
}

int manual_outcome(json_t *into, struct pass *p, const struct cli *c, const struct dname *names,
		   size_t n_names, struct err *e)
{
	struct outcome_arg a = {.into = into, .json = c->json};
	struct report_filter f = {.space = c->space};
	int r = report_owners_named(once_pg(p->s.once), once_policy(p->s.once), &f, names,
				    n_names, outcome_row, &a, e);
	return r < 0 ? r : a.bad ? err_nomem(e) : 0;
}
