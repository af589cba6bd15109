/* truth_edits.c - which PTR of somebody else is an edit for certain.
 *
 * It is when it came in place of one that the bridge knew to be its own, and the next pass read it.
 * It ends with the lease that was behind the address; another PTR begins anew.
 */
#include "tests/sim/truth_inside.h"

static bool is_same(const struct place *p)
{
	return p->n_theirs == p->told.n &&
	       (p->n_theirs == 0 || dname_equal(&p->theirs, &p->told.target));
}

/* Is the lease behind it what it was when all was known? */
static bool is_unmoved(const struct world *w, const struct place *p)
{
	bool lives = p->lease != NULL && lease_lives(w, p->lease);
	struct who who;

	if (lives != p->told.leased || !lives)
		return lives == p->told.leased;
	who = who_of_lease(w, p->lease);
	return who_equal(&who, &p->told.who);
}

/* A name that the address asked for: has a person decided about it, or does somebody fight over it?
 * The bridge's PTR goes with a frozen name. */
static bool is_unsure_name(const struct truth *t, const struct world *w, const struct dname *name)
{
	return truth_was_decided(t, ZONE_FWD, name) || world_is_fought_over(w, name);
}

/* Can nobody tell whether a PTR of the bridge's stood there as its own?  Not where a person decided
 * about it, or where its name is unsure. */
static bool is_unsure(const struct truth *t, const struct world *w, const struct place *p,
		      const struct plot *plot)
{
	bool yes = plot != NULL && plot->decided;

	for (size_t i = 0; i < t->claims.n && !yes; i++) {
		const struct claim *c = &t->claims.v[i];
		struct dname own;

		if (c->place != p)
			continue;
		who_suffixed(&own, &c->voice.asked, &c->voice.who, &p->addr);
		yes = is_unsure_name(t, w, &c->voice.asked) || is_unsure_name(t, w, &own);
	}
	return yes;
}

static void note_edit(const struct truth *t, const struct world *w, struct place *p, bool begins)
{
	const struct plot *plot = truth_plot(t, p->zone, &p->reverse);
	unsigned records = plot == NULL ? 0 : plot->ours + plot->open + plot->theirs;
	struct told *x = &p->told;

	if (is_unsure(t, w, p, plot)) {
		x->ours = x->fresh = x->edit = x->ended = false;
		x->n = p->n_theirs;
		x->target = p->theirs;
	} else if (!is_same(p)) {
		x->fresh = begins && x->ours && x->restores == w->restores && p->n_theirs == 1 &&
			   plot != NULL && plot->open == 0;
		x->edit = x->ended = false;
		x->n = p->n_theirs;
		x->target = p->theirs;
	} else if (records != x->records) {
		/* Looked at once more, it may become something else. */
		x->fresh = x->edit = x->ended = false;
	} else if (begins) {
		x->fresh = false;
	}
	x->records = records;
	x->moved = x->moved || !is_unmoved(w, p);
	if (begins || p->n_theirs > 0)
		x->ours = false;
}

void truth_note_edits(struct truth *t, const struct world *w, bool begins)
{
	for (size_t i = 0; i < t->n_places; i++)
		note_edit(t, w, &t->places[i], begins);
}

static void age_edit(const struct world *w, struct place *p)
{
	struct told *x = &p->told;
	bool lives = p->lease != NULL && lease_lives(w, p->lease);
	struct who who;

	if (lives)
		who = who_of_lease(w, p->lease);
	if (x->leased && (!lives || who_proof(&x->who, &who) == 0))
		x->ended = true;
	if (x->ended || x->moved || !is_unmoved(w, p))
		x->edit = false;
}

void truth_clean_edit(const struct truth *t, const struct world *w, struct place *p)
{
	const struct plot *plot = truth_plot(t, p->zone, &p->reverse);
	struct told *x = &p->told;

	x->edit = x->edit || x->fresh;
	x->fresh = false;
	if (x->edit)
		age_edit(w, p);
	x->ours = plot != NULL && !is_unsure(t, w, p, plot) && p->n_ours > 0 &&
		  plot->open + plot->theirs == 0 &&
		  !world_is_fought_over(w, &p->reverse);
	x->restores = w->restores;
	x->moved = false;
	x->leased = p->lease != NULL && lease_lives(w, p->lease);
	if (x->leased)
		x->who = who_of_lease(w, p->lease);
}
