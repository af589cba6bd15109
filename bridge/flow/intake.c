/* intake.c - what every change of evidence shares. */
#include "bridge/flow/intake.h"

#include "bridge/base/buf.h"
#include "bridge/flow/say.h"

int intake_note(struct intake *in, const char *event, const struct obs *o, const char *why,
		struct err *e)
{
	struct buf b = BUF_INIT;
	int r;

	in->f->counts.news++;
	buf_printf(&b, "source %s, %s", in->src->name, obs_kind_name((enum obs_kind)o->kind));
	if (o->name.len > 0) {
		buf_str(&b, ", name \"");
		buf_escaped(&b, o->name.p, o->name.len);
		buf_str(&b, "\"");
	}
	if (why != NULL)
		buf_printf(&b, ": %s", why);
	r = b.bad ? err_nomem(e)
		  : planner_note(&in->p, NULL, &o->addr, event, NULL, NULL, -1, buf_text(&b), e);
	buf_fini(&b);
	return r;
}

int intake_keep(struct intake *in, const struct evidence *ev, bool touches, struct err *e)
{
	if (vec_push(&in->put, *ev) < 0 ||
	    (touches && vec_push(&in->touched, ev->obs.addr) < 0))
		return err_nomem(e);
	return 0;
}

int intake_add(struct intake *in, const struct evidence *ev, struct err *e)
{
	if (vec_push(&in->added, *ev) < 0 || vec_push(&in->touched, ev->obs.addr) < 0)
		return err_nomem(e);
	return intake_note(in, "observed", &ev->obs, NULL, e);
}

int intake_drop(struct intake *in, const struct evidence *ev, const char *why, struct err *e)
{
	if (vec_push(&in->del, *ev) < 0 || vec_push(&in->touched, ev->obs.addr) < 0)
		return err_nomem(e);
	if (ev->obs.kind == OBS_LEASE && vec_push(&in->lease_gone, ev->obs.addr) < 0)
		return err_nomem(e);
	return intake_note(in, "ended", &ev->obs, why, e);
}

int intake_hold(struct intake *in, const struct evidence *had, const char *why, struct err *e)
{
	struct evidence ev = *had;
	int r;

	if (ev.held)
		return 0;
	ev.held = true;
	flow_say_held(in->f, in->src->name, why);
	r = intake_keep(in, &ev, false, e);
	return r < 0 ? r : intake_note(in, "held", &ev.obs, why, e);
}

int intake_admit(struct intake *in, const struct evidence *ev, enum brake_kind kind, struct err *e)
{
	/* Without a name nothing is lost. */
	if (ev->obs.name.len == 0)
		return 1;
	return brakes_admit(&in->p, in->src->id, &ev->obs.addr, kind, e);
}

struct step {
	struct intake *in;
	int (*inside)(void *arg, struct err *e);
	void *arg;
};

/* What is planned next sees what was written.  Ends of edits are found in the database. */
static int know_step(struct intake *in, struct err *e)
{
	struct known *k = &in->p.known;

	if (in->lease_gone.n > 0)
		k->n = 0;
	if (k->n == 0)
		return 0;
	if (known_write(k, &in->p.arena, in->put.v, in->put.n, in->del.v, in->del.n) < 0 ||
	    known_write(k, &in->p.arena, in->added.v, in->added.n, NULL, 0) < 0)
		return err_nomem(e);
	return 0;
}

static int write_step(struct intake *in, struct err *e)
{
	struct flow_store *st = in->f->store;
	int r = 0;

	if (in->put.n > 0)
		r = st->evidence_put(st->ctx, in->put.v, in->put.n, e);
	if (r == 0 && in->added.n > 0)
		r = st->evidence_add(st->ctx, in->added.v, in->added.n, e);
	if (r == 0 && in->del.n > 0)
		r = st->evidence_del(st->ctx, in->del.v, in->del.n, e);
	if (r == 0 && in->lease_gone.n > 0)
		r = planner_end_edits(&in->p, in->lease_gone.v, in->lease_gone.n, e);
	r = r < 0 ? r : know_step(in, e);
	addrs_unique(in->touched.v, &in->touched.n);
	return r < 0 ? r : planner_addresses(&in->p, in->touched.v, in->touched.n, e);
}

static int step_inside(void *arg, struct err *e)
{
	struct step *s = arg;
	struct flow_store *st = s->in->f->store;
	int r = st->lock_space(st->ctx, s->in->space->id, e);

	r = r < 0 ? r : s->inside(s->arg, e);
	return r < 0 ? r : write_step(s->in, e);
}

int intake_step(struct intake *in, int (*inside)(void *arg, struct err *e), void *arg,
		struct err *e)
{
	struct step s = {.in = in, .inside = inside, .arg = arg};
	int r = planner_transaction(&in->p, in->f, in->space, step_inside, &s, e);

	vec_fini(&in->put);
	vec_fini(&in->added);
	vec_fini(&in->del);
	vec_fini(&in->touched);
	vec_fini(&in->lease_gone);
	return r;
}
