/* ask.c - see ask.h. */
#include "bridge/flow/ask.h"

#include <string.h>

#include "bridge/base/vec.h"

enum { ASK_CHUNK = 500 };  /* owners asked about at once */

/* A name of as many bytes as it has. */
struct packed {
	uint8_t len;
	uint8_t b[];
};

struct asking {
	struct compare *c;
	struct asked *out;
	bool anew;
	bool stored;                 /* false: the store failed */
	VEC(const struct packed *) names;
	size_t at;                   /* the first not yet asked about */
	struct map cuts;             /* those that answers showed */
	struct arena arena;
	struct arena scratch;        /* of a chunk */
};

static int push_name(struct asking *u, const struct dname *owner, struct err *e)
{
	struct packed *p = arena_alloc(&u->arena, sizeof(*p) + owner->len);

	if (p == NULL || vec_push(&u->names, p) < 0)
		return err_nomem(e);
	p->len = owner->len;
	memcpy(p->b, owner->b, owner->len);
	return 0;
}

static int list_name(void *arg, const struct dname *owner, const struct rrs *seen, struct err *e)
{
	(void)seen;
	return push_name(arg, owner, e);
}

/* It is to be asked about, once. */
static int note_cut(struct asking *u, const struct dname *cut, struct err *e)
{
	const struct packed *p;

	if (cut->len == 0 || map_get(&u->cuts, cut->b, cut->len) != NULL)
		return 0;
	if (push_name(u, cut, e) < 0)
		return ERR_NOMEM;
	p = u->names.v[u->names.n - 1];
	return map_put(&u->cuts, p->b, p->len, (void *)(uintptr_t)p) < 0 ? err_nomem(e) : 0;
}

static bool is_as_kept(const struct belief *had, const struct rrs *seen)
{
	return had == NULL ? seen->n == 0 : had->seen_known && rrs_equal(&had->seen, seen);
}

static int differ(struct asking *u, const struct net_look *l, const struct belief *had,
		  struct err *e)
{
	if (!l->got) {
		u->out->unanswered++;
		return 0;
	}
	if (note_cut(u, &l->cut, e) < 0)
		return ERR_NOMEM;
	if (is_as_kept(had, &l->seen) && !(u->anew && had != NULL))
		return 0;
	return compare_add(u->c, l->owner, &l->seen, e);
}

static int index_rows(struct map *m, struct belief *b, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (map_put(m, b[i].owner.b, b[i].owner.len, &b[i]) < 0)
			return err_nomem(e);
	return 0;
}

static int differ_all(struct asking *u, const struct net_look *l, const struct zone_key *keys,
		      size_t n, struct err *e)
{
	struct flow_store *st = u->c->f->store;
	struct map rows = MAP_INIT;
	struct belief *b;
	size_t n_rows;
	int r = st->beliefs_get(st->ctx, &b, &n_rows, keys, n, &u->scratch, e);

	u->stored = r == 0;
	r = r < 0 ? r : index_rows(&rows, b, n_rows, e);
	for (size_t i = 0; i < n && r == 0; i++)
		r = differ(u, &l[i], map_get(&rows, l[i].owner->b, l[i].owner->len), e);
	map_fini(&rows);
	return r;
}

static size_t take_names(struct asking *u, struct zone_key *keys, struct net_look *l)
{
	size_t n = 0;

	for (; n < ASK_CHUNK && u->at < u->names.n; n++, u->at++) {
		const struct packed *p = u->names.v[u->at];

		keys[n].zone_id = u->c->zone->id;
		dname_from_wire(&keys[n].owner, p->b, p->len);
		l[n].owner = &keys[n].owner;
	}
	return n;
}

static int ask_chunk(struct asking *u, struct err *e)
{
	struct zone_key *keys = arena_array(&u->scratch, ASK_CHUNK, sizeof(*keys));
	struct net_look *l = arena_array(&u->scratch, ASK_CHUNK, sizeof(*l));
	struct flow_net *net = u->c->f->net;
	size_t n;
	int r;

	if (keys == NULL || l == NULL)
		return err_nomem(e);
	n = take_names(u, keys, l);
	u->out->names += n;
	r = net->query(net->ctx, u->c->zone, l, n, &u->scratch, e);
	r = r < 0 ? r : differ_all(u, l, keys, n, e);
	arena_reset(&u->scratch);
	return r;
}

/* Answers may add to the list. */
static int ask_listed(struct asking *u, struct err *e)
{
	int r = 0;

	while (r == 0 && u->at < u->names.n)
		r = ask_chunk(u, e);
	return r;
}

static void asking_fini(struct asking *u)
{
	vec_fini(&u->names);
	map_fini(&u->cuts);
	arena_fini(&u->arena);
	arena_fini(&u->scratch);
}

int ask_all(struct asked *out, struct compare *c, bool anew, bool *stored, struct err *e)
{
	struct asking u = {.c = c, .out = out, .anew = anew, .cuts = {.key = c->expected.key}};
	struct flow_store *st = c->f->store;
	int r = st->seen_walk(st->ctx, c->zone->id, list_name, &u, e);

	*out = (struct asked){0};
	u.stored = r == 0;
	r = r < 0 ? r : ask_listed(&u, e);
	*stored = u.stored;
	asking_fini(&u);
	return r;
}

int ask_some(struct asked *out, struct compare *c, const struct dname *owners, size_t n,
	     bool *stored, struct err *e)
{
	struct asking u = {.c = c, .out = out, .stored = true, .cuts = {.key = c->expected.key}};
	int r = 0;

	*out = (struct asked){0};
	for (size_t i = 0; i < n && r == 0; i++)
		r = push_name(&u, &owners[i], e);
	r = r < 0 ? r : ask_listed(&u, e);
	*stored = u.stored;
	asking_fini(&u);
	return r;
}
