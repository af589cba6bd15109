/* recall.c - asks the journal about the owners that a restored zone shows more of. */
#include "bridge/flow/recall.h"

/* Does it show a managed record that was not there and that we do not know as ours? */
static bool is_back(const struct belief *b, const struct rrs *seen)
{
	size_t i;

	for (i = 0; i < seen->n; i++) {
		const struct rr *v = &seen->v[i];

		if (rrtype_has(v->type, RRTYPE_MANAGED) && !rrs_has(&b->seen, v) &&
		    !rrs_has(&b->published, v))
			return true;
	}
	return false;
}

/* The owners to ask about: their keys, and which they are. */
struct asked {
	struct zone_key *keys;
	size_t *which;
	size_t n;
};

static int select_back(struct asked *q, struct arena *a, const struct belief *b,
		       struct compare_diff *const *d, size_t n)
{
	size_t i;

	q->keys = arena_array(a, n + 1, sizeof(*q->keys));
	q->which = arena_array(a, n + 1, sizeof(*q->which));
	if (q->keys == NULL || q->which == NULL)
		return ERR_NOMEM;
	for (i = 0; i < n; i++) {
		if (!is_back(&b[i], &d[i]->seen))
			continue;
		q->keys[q->n].zone_id = b[i].zone_id;
		q->keys[q->n].owner = b[i].owner;
		q->which[q->n++] = i;
	}
	return 0;
}

/* Lines of one owner lie together. */
static int prove(struct rrs *out, struct arena *keep, const struct asked *q,
		 const struct past_line *lines, size_t n_lines, const struct belief *b,
		 struct compare_diff *const *d)
{
	size_t from, to;
	int r = 0;

	for (from = 0; r == 0 && from < n_lines; from = to) {
		size_t i = q->which[lines[from].key];

		for (to = from; to < n_lines && lines[to].key == lines[from].key; to++)
			;
		r = restored_ours(&out[i], keep, &b[i].seen, &d[i]->seen, lines + from, to - from);
	}
	return r;
}

int recall_ours(struct rrs *out, struct planner *p, const struct belief *b,
		struct compare_diff *const *d, size_t n, struct err *e)
{
	struct flow_store *st = p->f->store;
	struct arena a = ARENA_INIT;
	struct asked q = {NULL, NULL, 0};
	struct past_line *lines = NULL;
	size_t n_lines = 0;
	int r = select_back(&q, &a, b, d, n) < 0 ? err_nomem(e) : 0;

	if (r == 0 && q.n > 0)
		r = st->journal_last(st->ctx, &lines, &n_lines, q.keys, q.n, &a, e);
	if (r == 0 && prove(out, &p->arena, &q, lines, n_lines, b, d) < 0)
		r = err_nomem(e);
	arena_fini(&a);
	return r;
}
