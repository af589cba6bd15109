/* memstore.c - transactions and crashes of the store in memory, and its single rows. */
#include "tests/sim/memstore.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/value/wirelen.h"
#include "tests/sim/memtables.h"

/* ---- order of the tables ---------------------------------------------------------------- */

static int cmp_evidence(const void *pa, const void *pb)
{
	const struct ev_row *a = pa, *b = pb;
	int r = cmp_i64(a->space_id, b->space_id);

	if (r == 0)
		r = ipaddr_cmp(&a->e.obs.addr, &b->e.obs.addr);
	if (r == 0)
		r = cmp_i64(a->e.source_id, b->e.source_id);
	return r != 0 ? r : bytes_cmp(obs_key_name(&a->e.obs), obs_key_name(&b->e.obs));
}

static int cmp_host(const void *pa, const void *pb)
{
	const struct host_row *a = pa, *b = pb;
	int r = cmp_i64(a->space_id, b->space_id);

	if (r == 0)
		r = ipaddr_cmp(&a->h.addr, &b->h.addr);
	return r != 0 ? r : dname_cmp(&a->h.name, &b->h.name);
}

static int cmp_belief(const void *pa, const void *pb)
{
	const struct belief *a = pa, *b = pb;
	int r = cmp_i64(a->zone_id, b->zone_id);

	return r != 0 ? r : dname_cmp(&a->owner, &b->owner);
}

static int cmp_source(const void *pa, const void *pb)
{
	return cmp_i64(((const struct source_row *)pa)->id, ((const struct source_row *)pb)->id);
}

static int cmp_zone(const void *pa, const void *pb)
{
	return cmp_i64(((const struct zone_row *)pa)->id, ((const struct zone_row *)pb)->id);
}

static int cmp_brake(const void *pa, const void *pb)
{
	const struct brake_row *a = pa, *b = pb;
	int r = cmp_i64(a->zone_id, b->zone_id);

	return r != 0 ? r : cmp_i64(a->source_id, b->source_id);
}

static int cmp_line(const void *pa, const void *pb)
{
	return cmp_i64((int64_t)((const struct line_row *)pa)->no,
		       (int64_t)((const struct line_row *)pb)->no);
}

static int cmp_stage(const void *pa, const void *pb)
{
	const struct obs *a = pa, *b = pb;
	int r = ipaddr_cmp(&a->addr, &b->addr);

	return r != 0 ? r : bytes_cmp(obs_key_name(a), obs_key_name(b));
}

/* Differences go out by address; those of one address in the order they were found. */
static int cmp_diff(const void *pa, const void *pb)
{
	const struct diff_row *a = pa, *b = pb;
	const struct obs *oa = a->c.change == OBS_ABSENT ? &a->c.had.obs : &a->c.got;
	const struct obs *ob = b->c.change == OBS_ABSENT ? &b->c.had.obs : &b->c.got;
	int r = ipaddr_cmp(&oa->addr, &ob->addr);

	return r != 0 ? r : cmp_i64((int64_t)a->no, (int64_t)b->no);
}

static int cmp_digest(const void *pa, const void *pb)
{
	return cmp_i64(((const struct digest_row *)pa)->space_id,
		       ((const struct digest_row *)pb)->space_id);
}

static void table_order(struct table t[N_TABLES])
{
	static int (*const cmp[N_TABLES])(const void *, const void *) = {
		[T_EVIDENCE] = cmp_evidence, [T_HOST] = cmp_host,     [T_BELIEF] = cmp_belief,
		[T_SOURCE] = cmp_source,     [T_ZONE] = cmp_zone,     [T_BRAKE] = cmp_brake,
		[T_DIGEST] = cmp_digest,     [T_JOURNAL] = cmp_line,  [T_STAGE] = cmp_stage,
		[T_DIFF] = cmp_diff,
	};

	for (int i = 0; i < N_TABLES; i++)
		t[i].cmp = cmp[i];
}

static void tables_fini(struct tables *t)
{
	for (int i = 0; i < N_TABLES; i++)
		table_fini(&t->t[i]);
}

static int tables_copy(struct tables *out, const struct tables *in, int from)
{
	for (int i = from; i < N_TABLES; i++)
		if (table_copy(&out->t[i], &in->t[i]) < 0)
			return ERR_NOMEM;
	out->stage_source = in->stage_source;
	out->diff_next = in->diff_next;
	return 0;
}

/* ---- calls, crashes, transactions ------------------------------------------------------- */

static int fail(struct memstore *m, int code)
{
	if (m->in_tx)
		m->failed = true;
	return code;
}

int memstore_nomem(struct memstore *m, struct err *e)
{
	return fail(m, err_nomem(e));
}

int memstore_misuse(struct memstore *m, struct err *e, const char *what)
{
	return fail(m, err_set(e, ERR_BUG, "%s", what));
}

int memstore_enter(struct memstore *m, struct err *e)
{
	if (m->base->pause != NULL)
		m->base->pause(m->base->arg);
	m->calls++;
	if (m->down || (m->crash_at > 0 && m->calls >= m->crash_at)) {
		m->down = true;
		return err_set(e, ERR_SYS, "crashed");
	}
	if (m->failed)
		return err_set(e, ERR_BUG, "the transaction has failed: only rollback is left");
	return 0;
}

/* ---- the writes of a transaction ---------------------------------------------------------- */

static int apply_write(struct table t[N_TABLES], const struct mem_write *w)
{
	bool found;
	size_t at;

	if (w->what == MEM_PUT)
		return table_put(&t[w->table], w->row);
	at = table_find(&t[w->table], w->row, &found);
	if (w->what == MEM_DEL && found)
		table_del(&t[w->table], at);
	return 0;
}

/* What is committed everybody sees. */
static int publish(struct memstore *m, const struct mem_write *w)
{
	struct membase *b = m->base;
	int r = apply_write(b->committed, w);

	for (size_t i = 0; r == 0 && i < b->n_sessions; i++)
		if (b->session[i] != m)
			r = apply_write(b->session[i]->now.t, w);
	return r;
}

static void tx_end(struct memstore *m)
{
	m->log.n = 0;
	m->in_tx = m->failed = false;
	m->tx_no = 0;
	for (int i = 0; i < MEM_SPACES; i++)
		if (m->base->space_owner[i] == m)
			m->base->space_owner[i] = NULL;
}

static int tx_keep(struct memstore *m)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->log.n; i++)
		r = publish(m, &m->log.v[i]);
	tx_end(m);
	return r;
}

static void tx_undo(struct memstore *m)
{
	bool wrote[N_TABLES] = {false};

	for (size_t i = 0; i < m->log.n; i++)
		wrote[m->log.v[i].table] = true;
	for (int i = 0; i < N_TABLES; i++) {
		const struct table *was = m->dry || i >= T_STAGE ? &m->saved.t[i]
								 : &m->base->committed[i];

		if ((m->dry || i >= T_STAGE || wrote[i]) && table_copy(&m->now.t[i], was) < 0)
			abort();
	}
	m->now.stage_source = m->saved.stage_source;
	m->now.diff_next = m->saved.diff_next;
	tx_end(m);
}

static int tx_wait(struct memstore *m, struct memstore *other, struct err *e)
{
	if (m->base->wait == NULL || m->base->wait(m->base->arg, m, other) < 0)
		return memstore_misuse(m, e, "two sessions wait for each other for ever");
	return 0;
}

/* Who else holds the row; NULL: nobody. */
static struct memstore *holder(const struct memstore *m, int table, const void *key)
{
	struct membase *b = m->base;

	for (size_t i = 0; i < b->n_sessions; i++) {
		struct memstore *o = b->session[i];

		for (size_t k = 0; o != m && k < o->log.n; k++)
			if (o->log.v[k].table == table &&
			    b->committed[table].cmp(o->log.v[k].row, key) == 0)
				return o;
	}
	return NULL;
}

bool memstore_held(const struct memstore *m, int table, const void *key)
{
	return holder(m, table, key) != NULL;
}

int memstore_wait(struct memstore *m, int table, const void *key, struct err *e)
{
	struct memstore *other;
	int r = 0;

	while (r == 0 && (other = holder(m, table, key)) != NULL)
		r = tx_wait(m, other, e);
	return r;
}

uint64_t memstore_tx_no(struct memstore *m)
{
	if (!m->in_tx)
		return ++m->base->tx_no;
	if (m->tx_no == 0)
		m->tx_no = ++m->base->tx_no;
	return m->tx_no;
}

/* Kept for the end of the transaction, or at once. */
static int record(struct memstore *m, int table, int what, void *row, struct err *e)
{
	struct mem_write w = {(uint8_t)table, what, row};

	if (m->dry || table >= T_STAGE)
		return 0;
	if (!m->in_tx)
		return publish(m, &w) < 0 ? memstore_nomem(m, e) : 0;
	memstore_tx_no(m);
	return vec_push(&m->log, w) < 0 ? memstore_nomem(m, e) : 0;
}

int memstore_put(struct memstore *m, int table, void *row, struct err *e)
{
	int r = table >= T_STAGE ? 0 : memstore_wait(m, table, row, e);

	if (r == 0 && table_put(&m->now.t[table], row) < 0)
		return memstore_nomem(m, e);
	return r < 0 ? r : record(m, table, MEM_PUT, row, e);
}

int memstore_del(struct memstore *m, int table, size_t at, struct err *e)
{
	void *row = m->now.t[table].v[at];

	table_del(&m->now.t[table], at);
	return record(m, table, MEM_DEL, row, e);
}

int memstore_lock(struct memstore *m, int table, void *row, struct err *e)
{
	return m->in_tx ? record(m, table, MEM_LOCK, row, e) : 0;
}

/* ---- transactions ------------------------------------------------------------------------- */

static int mem_begin(void *ctx, struct err *e)
{
	struct memstore *m = ctx;
	int r = memstore_enter(m, e);

	if (r < 0)
		return r;
	if (m->in_tx)
		return memstore_misuse(m, e, "begin inside a transaction");
	if (tables_copy(&m->saved, &m->now, m->dry ? 0 : T_STAGE) < 0)
		return memstore_nomem(m, e);
	m->in_tx = true;
	m->tx_no = 0;
	return 0;
}

static int mem_commit(void *ctx, struct err *e)
{
	struct memstore *m = ctx;
	bool was_down = m->down;
	int r = memstore_enter(m, e);

	/* A crash in commit itself: the client cannot know on which side of it. */
	if (r < 0 && m->down && !was_down && m->commit_applied && m->in_tx && !m->failed)
		tx_keep(m);
	if (r < 0)
		return r;
	if (!m->in_tx)
		return memstore_misuse(m, e, "commit without begin");
	return tx_keep(m) < 0 ? memstore_nomem(m, e) : 0;
}

static void mem_rollback(void *ctx)
{
	struct memstore *m = ctx;

	if (!m->down && m->in_tx)
		tx_undo(m);
}

static int mem_lock_space(void *ctx, int32_t space_id, struct err *e)
{
	struct memstore *m = ctx, **owner = &m->base->space_owner[space_id % MEM_SPACES];
	int r = memstore_enter(m, e);

	if (r < 0)
		return r;
	if (!m->in_tx)
		return memstore_misuse(m, e, "lock outside a transaction");
	while (r == 0 && *owner != NULL && *owner != m)
		r = tx_wait(m, *owner, e);
	if (r < 0)
		return r;
	*owner = m;
	for (size_t i = 0; i < m->base->policy->n_spaces; i++)
		if (m->base->policy->spaces[i].id == space_id)
			return 0;
	return memstore_misuse(m, e, "no such space");
}

/* ---- single rows: sources, zones, brakes ------------------------------------------------ */

const struct policy_space *memstore_space_of(const struct memstore *m, int32_t source_id)
{
	for (size_t i = 0; i < m->base->policy->n_spaces; i++) {
		const struct policy_space *s = &m->base->policy->spaces[i];

		for (size_t k = 0; k < s->n_sources; k++)
			if (s->sources[k].id == source_id)
				return s;
	}
	return NULL;
}

bool memstore_has_zone(const struct memstore *m, int32_t zone_id)
{
	for (size_t i = 0; i < m->base->policy->n_spaces; i++)
		for (size_t k = 0; k < m->base->policy->spaces[i].n_zones; k++)
			if (m->base->policy->spaces[i].zones[k].id == zone_id)
				return true;
	return false;
}

static const struct zone_row *kept_zone(const struct memstore *m, int32_t zone_id)
{
	static const struct zone_row none;
	struct zone_row key = {.id = zone_id};
	bool found;
	size_t at = table_find(&m->now.t[T_ZONE], &key, &found);

	return found ? m->now.t[T_ZONE].v[at] : &none;
}

bool memstore_zone_known(const struct memstore *m, int32_t zone_id)
{
	return kept_zone(m, zone_id)->known;
}

bool memstore_zone_asked(const struct memstore *m, int32_t zone_id)
{
	return kept_zone(m, zone_id)->asked;
}

static bool has_subnet(const struct memstore *m, int32_t subnet_id)
{
	for (size_t i = 0; i < m->base->policy->n_spaces; i++)
		for (size_t k = 0; k < m->base->policy->spaces[i].n_subnets; k++)
			if (m->base->policy->spaces[i].subnets[k].id == subnet_id)
				return true;
	return false;
}

static int mem_source_get(void *ctx, struct source_row *out, struct arena *a, int32_t id,
			  struct err *e)
{
	struct memstore *m = ctx;
	struct source_row key = {.id = id};
	bool found;
	int r = memstore_enter(m, e);

	if (r < 0)
		return r;
	if (memstore_space_of(m, id) == NULL)
		return memstore_misuse(m, e, "no such source");
	size_t at = table_find(&m->now.t[T_SOURCE], &key, &found);
	if (!dup_source(a, out, found ? m->now.t[T_SOURCE].v[at] : &key))
		return memstore_nomem(m, e);
	return 0;
}

static int mem_zone_lock(void *ctx, int32_t zone_id, bool *got, uint64_t *since, struct err *e)
{
	struct memstore *m = ctx, **owner = &m->base->zone_owner[zone_id % MEM_ZONES];
	int r = memstore_enter(m, e);

	*got = false;
	*since = 0;
	if (r < 0)
		return r;
	if (*owner == NULL) {
		*owner = m;
		m->zone_since[zone_id % MEM_ZONES] = m->base->tx_no + 1;
		m->zone_unsent[zone_id % MEM_ZONES] = m->base->tx_no + 1;
	}
	*got = *owner == m;
	*since = *got ? m->zone_since[zone_id % MEM_ZONES] : 0;
	return 0;
}

static bool mem_zone_held(void *ctx, int32_t zone_id, uint64_t *unsent)
{
	const struct memstore *m = ctx;
	bool ours = m->base->zone_owner[zone_id % MEM_ZONES] == m;

	*unsent = ours ? m->zone_unsent[zone_id % MEM_ZONES] : 0;
	return ours;
}

static void mem_zone_sends(void *ctx, int32_t zone_id, uint64_t before)
{
	struct memstore *m = ctx;

	if (m->base->zone_owner[zone_id % MEM_ZONES] == m)
		m->zone_unsent[zone_id % MEM_ZONES] = before;
}

static void mem_zones_unlock(void *ctx)
{
	struct memstore *m = ctx;

	for (int i = 0; i < MEM_ZONES; i++)
		if (m->base->zone_owner[i] == m)
			m->base->zone_owner[i] = NULL;
}

/* The policy of a simulated life does not change. */
static int mem_sources_gone(void *ctx, struct source_gone **out, size_t *n, struct arena *a,
			    struct err *e)
{
	(void)a;
	*out = NULL;
	*n = 0;
	return memstore_enter(ctx, e);
}

static int mem_source_put(void *ctx, const struct source_row *row, struct err *e)
{
	struct memstore *m = ctx;
	int r = memstore_enter(m, e);

	if (r < 0)
		return r;
	if (memstore_space_of(m, row->id) == NULL)
		return memstore_misuse(m, e, "no such source");
	struct source_row *n = arena_alloc(&m->base->rows, sizeof(*n));
	if (n == NULL || !dup_source(&m->base->rows, n, row))
		return memstore_nomem(m, e);
	return memstore_put(m, T_SOURCE, n, e);
}

static int mem_zone_get(void *ctx, struct zone_row *out, struct arena *a, int32_t id,
			struct err *e)
{
	struct memstore *m = ctx;
	struct zone_row key = {.id = id};
	bool found;
	int r = memstore_enter(m, e);

	if (r < 0)
		return r;
	if (!memstore_has_zone(m, id))
		return memstore_misuse(m, e, "no such zone");
	size_t at = table_find(&m->now.t[T_ZONE], &key, &found);
	if (!dup_zone(a, out, found ? m->now.t[T_ZONE].v[at] : &key))
		return memstore_nomem(m, e);
	return 0;
}

static int put_zone(struct memstore *m, const struct zone_row *row, bool sent, struct err *e)
{
	struct zone_row *n = arena_alloc(&m->base->rows, sizeof(*n));
	bool found;
	size_t at = table_find(&m->now.t[T_ZONE], row, &found);

	if (n == NULL || !dup_zone(&m->base->rows, n, row))
		return memstore_nomem(m, e);
	if (!sent) {
		const struct zone_row *had = found ? m->now.t[T_ZONE].v[at] : NULL;

		n->sent_known = had != NULL && had->sent_known;
		n->sent_serial = n->sent_known ? had->sent_serial : 0;
	}
	return memstore_put(m, T_ZONE, n, e);
}

static int mem_zone_put(void *ctx, const struct zone_row *row, struct err *e)
{
	struct memstore *m = ctx;
	int r = memstore_enter(m, e);

	if (r < 0)
		return r;
	if (!memstore_has_zone(m, row->id))
		return memstore_misuse(m, e, "no such zone");
	r = memstore_wait(m, T_ZONE, row, e);
	return r < 0 ? r : put_zone(m, row, false, e);
}

static bool is_current(const struct zone_row *row, uint32_t serial, int64_t full_s)
{
	return row->known && !row->restored && row->serial == serial && row->full_at_s > full_s &&
	       !(row->sent_known && serial_newer(serial, row->sent_serial));
}

static int mem_zones_looked(void *ctx, struct zone_look *v, size_t n, int64_t at_s,
			    int64_t full_s, struct err *e)
{
	struct memstore *m = ctx;
	int r = memstore_enter(m, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct zone_row row = {.id = v[i].id};
		bool found;

		r = memstore_wait(m, T_ZONE, &row, e);
		size_t at = table_find(&m->now.t[T_ZONE], &row, &found);
		if (r < 0)
			return r;
		if (found)
			row = *(const struct zone_row *)m->now.t[T_ZONE].v[at];
		v[i].current = is_current(&row, v[i].serial, full_s);
		if (!v[i].current)
			continue;
		row.pulled_at_s = at_s;
		row.last_error = NULL;
		r = put_zone(m, &row, false, e);
	}
	return r;
}

static int mem_zone_sent(void *ctx, int32_t id, uint32_t serial, bool anew, struct err *e)
{
	struct memstore *m = ctx;
	struct zone_row row = {.id = id};
	bool found;
	int r = memstore_enter(m, e);

	if (r < 0)
		return r;
	if (!memstore_has_zone(m, id) || memstore_held(m, T_ZONE, &row))
		return 0;
	size_t at = table_find(&m->now.t[T_ZONE], &row, &found);
	if (found)
		row = *(const struct zone_row *)m->now.t[T_ZONE].v[at];
	if (!anew && row.sent_known && !serial_newer(row.sent_serial, serial))
		return 0;
	row.sent_known = true;
	row.sent_serial = serial;
	return put_zone(m, &row, true, e);
}

static int mem_brake_get(void *ctx, struct brake *out, int32_t zone_id, int32_t source_id,
			 struct err *e)
{
	struct memstore *m = ctx;
	struct brake_row key = {.zone_id = zone_id, .source_id = source_id};
	bool found;
	int r = memstore_enter(m, e);

	if (r < 0)
		return r;
	size_t at = table_find(&m->now.t[T_BRAKE], &key, &found);
	*out = found ? ((struct brake_row *)m->now.t[T_BRAKE].v[at])->b : key.b;
	return 0;
}

static int mem_brake_put(void *ctx, const struct brake *b, int32_t zone_id, int32_t source_id,
			 struct err *e)
{
	struct memstore *m = ctx;
	int r = memstore_enter(m, e);

	if (r < 0)
		return r;
	if (memstore_space_of(m, source_id) == NULL ||
	    (zone_id > 0 ? !memstore_has_zone(m, zone_id) : !has_subnet(m, -zone_id)))
		return memstore_misuse(m, e, "no such zone, subnet or source");
	struct brake_row *n = arena_alloc(&m->base->rows, sizeof(*n));
	if (n == NULL)
		return memstore_nomem(m, e);
	*n = (struct brake_row){zone_id, source_id, *b};
	return memstore_put(m, T_BRAKE, n, e);
}

/* ---- journal and dump --------------------------------------------------------------------- */

static int mem_journal(void *ctx, const struct journal_line *v, size_t n, struct err *e)
{
	struct memstore *m = ctx;
	int r = memstore_enter(m, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct line_row *row = arena_alloc(&m->base->rows, sizeof(*row));

		if (row == NULL || !dup_line(&m->base->rows, &row->line, &v[i]))
			return memstore_nomem(m, e);
		row->no = m->base->lines++;
		r = memstore_put(m, T_JOURNAL, row, e);
	}
	return r;
}

static bool is_about(const struct journal_line *l, const struct zone_key *k)
{
	return l->zone_id == k->zone_id && l->owner != NULL && dname_equal(l->owner, &k->owner);
}

static int mem_journal_last(void *ctx, struct past_line **out, size_t *n,
			    const struct zone_key *keys, size_t n_keys, struct arena *a,
			    struct err *e)
{
	struct memstore *m = ctx;
	const struct table *t = &m->now.t[T_JOURNAL];
	int r = memstore_enter(m, e);

	*n = 0;
	*out = arena_array(a, n_keys * RESTORED_LINES_MAX + 1, sizeof(**out));
	if (r < 0 || *out == NULL)
		return r < 0 ? r : memstore_nomem(m, e);
	for (size_t k = 0; k < n_keys; k++) {
		size_t first = *n;

		for (size_t i = t->n; i-- > 0 && *n - first < RESTORED_LINES_MAX;) {
			const struct journal_line *l = &((const struct line_row *)t->v[i])->line;

			if (is_about(l, &keys[k]))
				(*out)[(*n)++] = (struct past_line){k, l->event, l->before, l->after};
		}
	}
	return 0;
}

static void dump_evidence(const struct memstore *m, struct buf *out)
{
	const struct table *t = &m->now.t[T_EVIDENCE];
	char ip[IPADDR_TEXT];

	for (size_t i = 0; i < t->n; i++) {
		const struct evidence *v = &((const struct ev_row *)t->v[i])->e;

		buf_printf(out, "evidence %s source %d %s \"", ipaddr_print(ip, &v->obs.addr),
			   (int)v->source_id, obs_kind_name(v->obs.kind));
		buf_escaped(out, v->obs.name.p, v->obs.name.len);
		buf_printf(out, "\" until %lld absent %lld%s\n", (long long)v->obs.valid_until_s,
			   (long long)v->absent_since_s, v->held ? " held" : "");
	}
}

static void dump_hosts(const struct memstore *m, struct buf *out)
{
	const struct table *t = &m->now.t[T_HOST];
	char ip[IPADDR_TEXT], name[DNAME_TEXT], asked[DNAME_TEXT];

	for (size_t i = 0; i < t->n; i++) {
		const struct host *h = &((const struct host_row *)t->v[i])->h;

		buf_printf(out, "host %s %s asked %s %s source %d%s since %lld: %s\n",
			   ipaddr_print(ip, &h->addr),
			   h->name.len > 0 ? dname_print(name, &h->name) : "-",
			   h->asked.len > 0 ? dname_print(asked, &h->asked) : "-",
			   obs_kind_name(h->kind), (int)h->source_id, h->ptr ? " ptr" : "",
			   (long long)h->since_s, h->why == NULL ? "" : h->why);
	}
}

static void dump_set(struct buf *out, const char *what, const struct rrs *s)
{
	if (s->n == 0)
		return;
	buf_printf(out, " %s {", what);
	for (size_t i = 0; i < s->n; i++) {
		buf_str(out, i > 0 ? "; " : "");
		rr_print(out, &s->v[i]);
	}
	buf_str(out, "}");
}

static void dump_beliefs(const struct memstore *m, struct buf *out)
{
	const struct table *t = &m->now.t[T_BELIEF];
	char name[DNAME_TEXT];

	for (size_t i = 0; i < t->n; i++) {
		const struct belief *b = t->v[i];

		buf_printf(out, "belief %d %s %s", (int)b->zone_id, dname_print(name, &b->owner),
			   belief_state_name(b->state));
		dump_set(out, "want", &b->want);
		dump_set(out, "published", &b->published);
		for (int k = 0; k < b->n_offered; k++)
			dump_set(out, "offered", &b->offered[k]);
		dump_set(out, b->seen_known || memstore_zone_known(m, b->zone_id) ? "seen" : "seen?", &b->seen);
		buf_printf(out, " reverts %u: %s\n", (unsigned)b->reverts,
			   b->why == NULL ? "" : b->why);
	}
}

void memstore_dump(const struct memstore *m, struct buf *out)
{
	dump_evidence(m, out);
	dump_hosts(m, out);
	dump_beliefs(m, out);
}

size_t memstore_journal_n(const struct memstore *m)
{
	return m->now.t[T_JOURNAL].n;
}

const struct journal_line *memstore_journal_at(const struct memstore *m, size_t i)
{
	return &((const struct line_row *)m->now.t[T_JOURNAL].v[i])->line;
}

/* ---- life --------------------------------------------------------------------------------- */

static struct memstore *new_session(struct membase *b)
{
	struct memstore *m = calloc(1, sizeof(*m));

	if (m == NULL || b->n_sessions == MEMSTORE_SESSIONS) {
		free(m);
		return NULL;
	}
	m->base = b;
	table_order(m->now.t);
	table_order(m->saved.t);
	table_order(m->outer.t);
	for (int i = 0; i < T_STAGE; i++)
		if (table_copy(&m->now.t[i], &b->committed[i]) < 0) {
			tables_fini(&m->now);
			free(m);
			return NULL;
		}
	b->session[b->n_sessions++] = m;
	return m;
}

static void base_free(struct membase *b)
{
	for (int i = 0; i < N_TABLES; i++)
		table_fini(&b->committed[i]);
	arena_fini(&b->rows);
	free(b);
}

struct memstore *memstore_new(const struct policy *p)
{
	struct membase *b = calloc(1, sizeof(*b));
	struct memstore *m;

	if (b == NULL)
		return NULL;
	b->policy = p;
	table_order(b->committed);
	m = new_session(b);
	if (m == NULL)
		base_free(b);
	return m;
}

struct memstore *memstore_beside(struct memstore *m)
{
	return new_session(m->base);
}

void memstore_together(struct memstore *m, void (*pause)(void *arg),
		       int (*wait)(void *arg, struct memstore *m, struct memstore *other),
		       void *arg)
{
	m->base->pause = pause;
	m->base->wait = wait;
	m->base->arg = arg;
}

void memstore_free(struct memstore *m)
{
	struct membase *b;
	size_t i = 0;

	if (m == NULL)
		return;
	b = m->base;
	while (b->session[i] != m)
		i++;
	b->session[i] = b->session[--b->n_sessions];
	tables_fini(&m->now);
	tables_fini(&m->saved);
	tables_fini(&m->outer);
	vec_fini(&m->log);
	free(m);
	if (b->n_sessions == 0)
		base_free(b);
}

struct flow_store memstore_flow(struct memstore *m)
{
	struct flow_store f = {
		.ctx = m,
		.begin = mem_begin,
		.commit = mem_commit,
		.rollback = mem_rollback,
		.lock_space = mem_lock_space,
		.source_get = mem_source_get,
		.source_put = mem_source_put,
		.zone_lock = mem_zone_lock,
		.zones_unlock = mem_zones_unlock,
		.zone_held = mem_zone_held,
		.zone_sends = mem_zone_sends,
		.sources_gone = mem_sources_gone,
		.zone_get = mem_zone_get,
		.zone_put = mem_zone_put,
		.zones_looked = mem_zones_looked,
		.zone_sent = mem_zone_sent,
		.brake_get = mem_brake_get,
		.brake_put = mem_brake_put,
		.journal = mem_journal,
		.journal_last = mem_journal_last,
	};

	memstore_bind_evidence(&f);
	memstore_bind_hosts(&f);
	return f;
}

void memstore_crash_at(struct memstore *m, uint64_t n)
{
	m->crash_at = n == 0 ? 0 : m->calls + n;
}

void memstore_crash_commit(struct memstore *m, bool commit_applied)
{
	m->commit_applied = commit_applied;
}

bool memstore_crashed(const struct memstore *m)
{
	return m->down;
}

void memstore_restart(struct memstore *m)
{
	if (m->in_tx)
		tx_undo(m);
	memstore_drop_stage(m);
	m->down = false;
	m->crash_at = 0;
	mem_zones_unlock(m);
}

bool memstore_in_tx(const struct memstore *m)
{
	return m->in_tx;
}

uint64_t memstore_calls(const struct memstore *m)
{
	return m->calls;
}

int memstore_dry_begin(struct memstore *m, struct err *e)
{
	if (m->in_tx || m->dry)
		return err_set(e, ERR_BUG, "dry run inside a transaction or a dry run");
	if (tables_copy(&m->outer, &m->now, 0) < 0)
		return err_nomem(e);
	m->dry = true;
	return 0;
}

void memstore_dry_end(struct memstore *m)
{
	if (!m->dry)
		return;
	if (m->in_tx)
		tx_undo(m);
	struct tables t = m->now;
	m->now = m->outer;
	m->outer = t;
	m->dry = false;
}
