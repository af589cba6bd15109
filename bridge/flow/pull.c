/* pull.c - the reverse pass: looks at zones, at what changed in them, at all of them, or at the owners
 * that have rows where the server does not give the zone.
 */
#include "bridge/flow/delta.h"
#include "bridge/flow/force.h"
#include "bridge/flow/parent.h"
#include "bridge/flow/pull.h"
#include "bridge/flow/say.h"
#include "bridge/value/wirelen.h"

/* ---- single owners ---------------------------------------------------------------------- */

static void say_not_asked(const struct pull *u, const struct err *cause)
{
	flow_say(u->f, MSG_PULL_FAILED, u->zone->text,
		 "asking for names before the first change, failed (%s)", cause->text);
}

int flow_ask(struct flow *f, const struct policy_space *space, const struct policy_zone *zone,
	     const struct dname *owners, size_t n, struct err *e)
{
	struct pull u = {.f = f, .space = space, .zone = zone, .asking = true, .unsent = true,
			 .began_s = f->net->now_s(f->net->ctx)};
	struct err cause = {0};
	bool stored;
	int r;

	compare_init(&u.cmp, f, zone);
	r = ask_some(&u.asked, &u.cmp, owners, n, &stored, &cause);
	if (r < 0 || u.asked.unanswered > 0)
		say_not_asked(&u, &cause);
	if (r < 0 && !stored && e != NULL)
		*e = cause;
	if (r < 0)
		r = stored ? 0 : r;
	else if (u.cmp.diffs.n > 0)
		r = pull_keep_some(&u, e);
	compare_fini(&u.cmp);
	return r;
}

/* ---- one zone --------------------------------------------------------------------------- */

static int failed(struct pull *u, const struct err *cause, struct err *e)
{
	flow_say(u->f, MSG_PULL_FAILED, u->zone->text, "pull, failed (%s)%s%s", cause->text,
		 cause->hint[0] != '\0' ? "; hint: " : "", cause->hint);
	u->f->counts.pending++;
	flow_note_failure(u->f, u->zone, cause->code);
	u->row.last_error = cause->text;
	return pull_keep_row(u, e);
}

/* The newest serial that the server ever showed us, after changes of ours too. */
static uint32_t newest(const struct zone_row *row)
{
	return row->sent_known && serial_newer(row->serial, row->sent_serial) ? row->sent_serial
									      : row->serial;
}

/* Transferred or asked about before. */
static bool was_read(const struct pull *u)
{
	return u->row.known || u->row.asked;
}

static bool is_older(const struct pull *u, uint32_t serial)
{
	uint32_t known = newest(&u->row);

	return was_read(u) && serial != known && !serial_newer(known, serial);
}

static bool is_full_due(const struct pull *u)
{
	return u->began_s >= u->row.full_at_s + u->f->full_every_s;
}

static bool is_current(const struct pull *u, uint32_t serial)
{
	return was_read(u) && !u->row.restored && serial == u->row.serial && !is_full_due(u) &&
	       !is_older(u, serial);
}

/* Of several servers one may lag behind the other: that is no restored zone. */
static int behind(const struct pull *u, uint32_t serial, struct err *cause)
{
	if (u->zone->n_servers < 2 || !is_older(u, serial))
		return 0;
	err_set(cause, ERR_PROTO, "server shows serial %u, an earlier look showed %u", serial,
		newest(&u->row));
	err_hint(cause, "is this server behind the others of the zone, or was the zone restored?");
	return ERR_PROTO;
}

/* What changed, where that is known to be all. */
static int compare_changes(struct pull *u, bool *stored, struct err *e)
{
	const char *why;
	int r;

	if (u->rollback || !u->row.known || is_full_due(u))
		return NET_WHOLE;
	r = delta_run(&u->cmp, &u->row, &why, stored, e);
	if (r == NET_WHOLE) {
		flow_say(u->f, MSG_PULL_WHOLE, u->zone->text,
			 "pull, all of it is read: %s (since serial %u)", why, u->row.serial);
		compare_fini(&u->cmp);
		compare_init(&u->cmp, u->f, u->zone);
	}
	return r;
}

/* A server that answers no query either refuses us altogether. */
static int compare_asking(struct pull *u, bool *stored, struct err *e)
{
	int r;

	compare_fini(&u->cmp);
	compare_init(&u->cmp, u->f, u->zone);
	u->cmp.serial = u->serial;
	u->asking = true;
	r = ask_all(&u->asked, &u->cmp, u->row.known, stored, e);
	if (r < 0 || u->asked.names == 0 || u->asked.unanswered < u->asked.names)
		return r;
	*e = u->refusal;
	return u->refusal.code;
}

static int compare(struct pull *u, bool *stored, struct err *e)
{
	int r = compare_changes(u, stored, e);

	u->partial = r != NET_WHOLE;
	if (u->partial)
		return r;
	r = compare_run(&u->cmp, stored, e);
	if (r != NET_REFUSED)
		return r;
	u->refusal = *e;
	return compare_asking(u, stored, e);
}

/* Once when the right to transfer goes, and once when it comes. */
static void say_right(const struct pull *u, bool was_asked)
{
	if (u->asking && !was_asked)
		flow_say(u->f, MSG_TRANSFER_REFUSED, u->zone->text,
			 "the server does not give the zone (%s): it is asked about the names that we have "
			 "something to do with (%zu); names that only DNS has are not seen, and not "
			 "taken from it; hint: let the transfer key transfer the zone (BIND: "
			 "allow-transfer, Knot: action transfer in the acl, PowerDNS: TSIG-ALLOW-AXFR)",
			 u->refusal.text, u->asked.names);
	else if (!u->asking && was_asked)
		flow_say(u->f, MSG_TRANSFER_GIVEN, u->zone->text, "the server gives the zone again");
}

static void say_unanswered(struct pull *u, const struct err *cause)
{
	if (u->asked.unanswered == 0)
		return;
	u->f->counts.pending += u->asked.unanswered;
	flow_say(u->f, MSG_PULL_FAILED, u->zone->text,
		 "pull, %zu of %zu names were not answered (%s)", u->asked.unanswered,
		 u->asked.names, cause->text);
}

static int keep(struct pull *u, const struct err *cause, struct err *e)
{
	bool was_asked = u->row.asked;
	int r = pull_keep(u, e);

	if (r < 0 || u->overtaken)
		return r;
	say_right(u, was_asked);
	say_unanswered(u, cause);
	return 0;
}

static int transfer(struct pull *u, struct err *e)
{
	struct err cause = {0};
	bool stored = true;
	int r;

	compare_init(&u->cmp, u->f, u->zone);
	r = compare(u, &stored, &cause);
	if (r == 0)
		r = keep(u, &cause, e);
	else if (stored)
		r = failed(u, &cause, e);
	else if (e != NULL)
		*e = cause;
	compare_fini(&u->cmp);
	return r;
}

/* Kept at once: until the zone has been read, what is written to it may hide where it stood. */
static int note_restored(struct pull *u, uint32_t serial, struct err *e)
{
	flow_say(u->f, MSG_ZONE_RESTORED, u->zone->text,
		 "serial went back from %u to %u: the zone was restored, "
		 "what is ours is written again, what we had removed goes again",
		 newest(&u->row), serial);
	u->row.restored = true;
	return pull_keep_row(u, e);
}

/* The serial is another than the last time, or it is time for a full comparison. */
static int look_at_all(struct pull *u, uint32_t serial, struct err *e)
{
	struct err cause = {0};
	int r = 0;

	if (behind(u, serial, &cause) < 0)
		return failed(u, &cause, e);
	if (!u->row.restored && is_older(u, serial))
		r = note_restored(u, serial, e);
	u->rollback = u->row.restored;
	return r < 0 ? r : transfer(u, e);
}

/* One record is enough to know. */
static int stop_at_first(void *arg, const struct dname *owner, uint16_t type, uint32_t ttl_s,
			 const uint8_t *rdata, size_t rdlen, struct err *e)
{
	(void)arg;
	(void)owner;
	(void)type;
	(void)ttl_s;
	(void)rdata;
	(void)rdlen;
	return err_set(e, ERR_BUSY, "the server gives the zone");
}

/* Has somebody allowed the transfer meanwhile?  Then it need not wait until the zone changes. */
static bool is_given_now(const struct pull *u)
{
	struct flow_net *net = u->f->net;
	struct err cause = {0};
	uint32_t serial;

	return u->row.asked && net->transfer(net->ctx, u->zone, stop_at_first, NULL, &serial,
					     &cause) != NET_REFUSED;
}

static int look(struct pull *u, struct err *e)
{
	struct flow_net *net = u->f->net;
	struct err cause = {0};
	uint32_t serial;

	/* One line is enough, and one wait. */
	if (flow_is_silent(u->f, u->zone)) {
		u->f->counts.pending++;
		u->row.last_error = "its server did not answer in time";
		return pull_keep_row(u, e);
	}
	u->began_s = net->now_s(net->ctx);
	if (net->soa(net->ctx, u->zone, &serial, &cause) < 0)
		return failed(u, &cause, e);
	u->serial = serial;
	if (!is_current(u, serial) || is_given_now(u))
		return look_at_all(u, serial, e);
	u->row.pulled_at_s = u->began_s;
	u->row.last_error = NULL;
	return pull_keep_row(u, e);
}

/* A run that sends takes the right to from here on: until something leaves, nobody can have sent what
 * it plans. */
static int take_right(struct flow *f, const struct policy_zone *z, bool *mine, struct err *e)
{
	struct flow_store *st = f->store;
	uint64_t since;

	*mine = !f->only_looks;
	return f->only_looks || f->dry_run ? 0 : st->zone_lock(st->ctx, z->id, mine, &since, e);
}

static int pull_zone(struct flow *f, const struct policy_space *space,
		     const struct policy_zone *zone, struct err *e)
{
	struct pull u = {.f = f, .space = space, .zone = zone};
	struct flow_store *st = f->store;
	struct arena a = ARENA_INIT;
	bool ask_above, mine;
	int r = st->zone_get(st->ctx, &u.row, &a, zone->id, e);

	r = r < 0 ? r : take_right(f, zone, &mine, e);
	u.beside = r == 0 && !mine;
	ask_above = r == 0 && parent_is_due(f, zone, &u.row);
	r = r < 0 ? r : look(&u, e);
	if (r == 0 && ask_above)
		parent_look(f, zone);
	arena_fini(&a);
	if (r == 0 && f->force != NULL && zone->is_reverse)
		r = force_edits(f, space, zone, e);
	return r;
}

/* ---- all zones -------------------------------------------------------------------------- */

/* A pull of many zones, or of one. */
struct round {
	struct flow *f;
	const struct policy_zone *only;  /* NULL: all */
	struct arena arena;
	const struct policy_zone **zones;
	const struct policy_space **spaces;
	struct net_serial *shown;
	struct zone_look *looks;         /* in the order of zones; those whose serial is known */
	size_t n, n_looks;
};

static int list_zones(struct round *u, struct err *e)
{
	const struct policy *p = u->f->policy;
	size_t most = policy_n_zones(p) + 1, i, j;

	u->zones = arena_array(&u->arena, most, sizeof(*u->zones));
	u->spaces = arena_array(&u->arena, most, sizeof(*u->spaces));
	u->shown = arena_array(&u->arena, most, sizeof(*u->shown));
	u->looks = arena_array(&u->arena, most, sizeof(*u->looks));
	if (u->zones == NULL || u->spaces == NULL || u->shown == NULL || u->looks == NULL)
		return err_nomem(e);
	for (i = 0; i < p->n_spaces; i++) {
		for (j = 0; j < p->spaces[i].n_zones; j++) {
			if (u->only != NULL && u->only != &p->spaces[i].zones[j])
				continue;
			u->zones[u->n] = &p->spaces[i].zones[j];
			u->spaces[u->n++] = &p->spaces[i];
		}
	}
	return 0;
}

/* Zones whose serial is the one that is kept need no more than that; most do.  They are asked for
 * and kept together. */
static int look_at_serials(struct round *u, struct err *e)
{
	struct flow_net *net = u->f->net;
	struct flow_store *st = u->f->store;
	int64_t began_s = net->now_s(net->ctx);
	size_t i;

	/* What is forced is looked at again. */
	if (u->f->force != NULL)
		return 0;
	net->serials(net->ctx, u->zones, u->n, u->shown);
	for (i = 0; i < u->n; i++) {
		if (u->shown[i].known)
			u->looks[u->n_looks++] = (struct zone_look){.id = u->zones[i]->id,
								    .serial = u->shown[i].serial};
	}
	if (u->n_looks == 0)
		return 0;
	return st->zones_looked(st->ctx, u->looks, u->n_looks, began_s,
				began_s - u->f->full_every_s, e);
}

static int pull_others(struct round *u, struct err *e)
{
	size_t i, k = 0;
	bool mine;
	int r = 0;

	for (i = 0; i < u->n && r == 0; i++) {
		bool looked = k < u->n_looks && u->looks[k].id == u->zones[i]->id;

		if (looked && u->looks[k++].current) {
			r = take_right(u->f, u->zones[i], &mine, e);
			continue;
		}
		if (flow_out_of_time(u->f, u->zones[i]->text))
			return 0;
		r = pull_zone(u->f, u->spaces[i], u->zones[i], e);
	}
	return r;
}

int flow_pull(struct flow *f, const struct policy_zone *only, struct err *e)
{
	struct round u = {.f = f, .only = only, .arena = ARENA_INIT};
	int r = list_zones(&u, e);

	f->pulled = f->pulled || only == NULL;
	r = r < 0 ? r : look_at_serials(&u, e);
	r = r < 0 ? r : pull_others(&u, e);
	arena_fini(&u.arena);
	return r;
}
