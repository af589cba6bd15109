/* known.c - evidence kept beside the database for the length of a transaction. */
#include <stdlib.h>
#include <string.h>

#include "bridge/flow/known.h"

static struct bytes key_name(const struct evidence *v)
{
	return v->obs.kind == OBS_MANUAL ? v->obs.name : (struct bytes){NULL, 0};
}

static int by_key(const void *pa, const void *pb)
{
	const struct evidence *a = pa, *b = pb;
	int d = ipaddr_cmp(&a->obs.addr, &b->obs.addr);

	if (d == 0)
		d = (a->source_id > b->source_id) - (a->source_id < b->source_id);
	return d != 0 ? d : bytes_cmp(key_name(a), key_name(b));
}

void known_read(struct known *k, const struct ipaddr *v, size_t n, struct evidence *ev,
		size_t n_ev)
{
	*k = (struct known){v, n, ev, n_ev};
}

static struct evidence *sorted(struct arena *a, const struct evidence *v, size_t n)
{
	struct evidence *out = arena_array(a, n + 1, sizeof(*out));

	if (out == NULL || n == 0)
		return out;
	memcpy(out, v, n * sizeof(*v));
	qsort(out, n, sizeof(*out), by_key);
	return out;
}

/* Those of k that neither list has. */
static size_t keep_others(struct evidence *out, const struct known *k, const struct evidence *put,
			  size_t n_put, const struct evidence *del, size_t n_del)
{
	size_t i, p = 0, d = 0, kept = 0;

	for (i = 0; i < k->n_ev; i++) {
		const struct evidence *v = &k->ev[i];

		while (p < n_put && by_key(&put[p], v) < 0)
			p++;
		while (d < n_del && by_key(&del[d], v) < 0)
			d++;
		if ((p == n_put || by_key(&put[p], v) != 0) &&
		    (d == n_del || by_key(&del[d], v) != 0))
			out[kept++] = *v;
	}
	return kept;
}

int known_write(struct known *k, struct arena *a, const struct evidence *put, size_t n_put,
		const struct evidence *del, size_t n_del)
{
	struct evidence *p = sorted(a, put, n_put), *d = sorted(a, del, n_del);
	struct evidence *all = arena_array(a, k->n_ev + n_put + 1, sizeof(*all));
	size_t n;

	if (p == NULL || d == NULL || all == NULL)
		return ERR_NOMEM;
	n = keep_others(all, k, p, n_put, d, n_del);
	if (n_put > 0)
		memcpy(all + n, p, n_put * sizeof(*p));
	n += n_put;
	if (n > 0)
		qsort(all, n, sizeof(*all), by_key);
	k->ev = all;
	k->n_ev = n;
	return 0;
}

static bool covers(const struct known *k, const struct ipaddr *v, size_t n)
{
	size_t i, at = 0;

	for (i = 0; i < n; i++) {
		while (at < k->n && ipaddr_cmp(&k->addrs[at], &v[i]) < 0)
			at++;
		if (at == k->n || ipaddr_cmp(&k->addrs[at], &v[i]) != 0)
			return false;
	}
	return true;
}

int known_of(const struct known *k, struct evidence **out, size_t *n_out, struct arena *a,
	     const struct ipaddr *v, size_t n)
{
	size_t i, at = 0;

	*n_out = 0;
	if (!covers(k, v, n))
		return 1;
	*out = arena_array(a, k->n_ev + 1, sizeof(**out));
	if (*out == NULL)
		return ERR_NOMEM;
	for (i = 0; i < n; i++) {
		while (at < k->n_ev && ipaddr_cmp(&k->ev[at].obs.addr, &v[i]) < 0)
			at++;
		for (; at < k->n_ev && ipaddr_cmp(&k->ev[at].obs.addr, &v[i]) == 0; at++)
			(*out)[(*n_out)++] = k->ev[at];
	}
	return 0;
}
