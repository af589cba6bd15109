/* restored.c - follows the journal of one owner back to what is seen now. */
#include <string.h>

#include "bridge/core/restored.h"

/* Was the change before which these older lines stand a person's leave to write over what was there
 * (seen)?  Then that was not ours; unless the leave was used before, and what was there came of that. */
static bool by_leave(const char *seen, const struct past_line *older, size_t n)
{
	size_t i = 0;

	while (i < n && strcmp(older[i].event, "retry") == 0) {
		if (older[i].after != NULL && strcmp(older[i].after, seen) == 0)
			return false;
		i++;
	}
	return i < n && strcmp(older[i].event, "resolved") == 0;
}

static bool is_line(const struct past_line *l, const char *event, const char *set, const char *text)
{
	return strcmp(l->event, event) == 0 && set != NULL && strcmp(set, text) == 0;
}

/* Was it (seen) somebody else's before these older lines end or tell that we wrote it?  The copy may
 * be from that time. */
static bool was_theirs(const char *seen, const struct past_line *lines, size_t n)
{
	size_t i;

	for (i = 0; i < n && !is_line(&lines[i], "done", lines[i].after, seen); i++) {
		const struct past_line *l = &lines[i];

		if (is_line(l, "observed", l->after, seen) || is_line(l, "agreed", l->before, seen) ||
		    is_line(l, "conflict", l->before, seen))
			return true;
	}
	return false;
}

/* What our changes made of the owner when they began from the text seen; NULL: they did not.  A set
 * with a DHCID is its client's, whoever wrote it. */
static const char *led_to(const char *seen, bool clients, const struct past_line *lines, size_t n)
{
	const char *end = NULL, *next = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct past_line *l = &lines[i];

		if (strcmp(l->event, "retry") == 0)  /* nothing changed by that */
			continue;
		if (strcmp(l->event, "done") != 0 || l->before == NULL || l->after == NULL ||
		    (next != NULL && strcmp(l->after, next) != 0))
			return NULL;
		if (end == NULL)
			end = l->after;
		if (strcmp(l->before, seen) == 0)
			break;
		next = l->before;
	}
	if (i == n || by_leave(seen, lines + i + 1, n - i - 1) ||
	    (!clients && was_theirs(seen, lines + i + 1, n - i - 1)))
		return NULL;
	return end;
}

/* Of the managed records that are seen, those that are neither in had nor in left. */
static int rest(struct rrs *out, struct arena *a, const struct rrs *managed, const struct rrs *had,
		const struct rrs *left)
{
	size_t i;
	int r = 0;

	for (i = 0; i < managed->n && r == 0; i++) {
		const struct rr *v = &managed->v[i];

		if (!rrs_has(had, v) && !rrs_has(left, v))
			r = rrs_add(out, a, v->type, v->rdata, v->rdlen);
	}
	return r;
}

int restored_ours(struct rrs *out, struct arena *a, const struct rrs *had, const struct rrs *seen,
		  const struct past_line *lines, size_t n)
{
	struct rrs managed = {NULL, 0}, left = {NULL, 0};
	struct buf text = BUF_INIT;
	const struct rr *dhcid;
	const char *end;
	bool clients;
	int r = rrs_managed(&managed, a, seen);

	*out = (struct rrs){NULL, 0};
	clients = rrs_of(&managed, RR_DHCID, &dhcid) > 0;
	rrs_print(&text, &managed);
	r = r < 0 || text.bad ? ERR_NOMEM : 0;
	end = r == 0 && managed.n > 0 ? led_to(buf_text(&text), clients, lines, n) : NULL;
	if (end != NULL)
		r = rrs_parse(&left, a, end, strlen(end), NULL);
	buf_fini(&text);
	if (r == ERR_PROTO)  /* a text that is no set proves nothing */
		return 0;
	return r < 0 || end == NULL ? r : rest(out, a, &managed, had, &left);
}
