/* why.c - see why.h. */

#include "bridge/report/why.h"

#include <string.h>

#include "bridge/base/own.h"
#include "sql.h"

/* ---- sightings -------------------------------------------------------------------------- */

static void hand_out_sightings(const struct pg_rows *r, report_sighting_cb cb, void *arg)
{
	for (size_t i = 0; i < pg_rows_n(r); i++) {
		struct report_sighting s = {
		    .space = pg_text(r, i, 0),
		    .addr = pg_inet(r, i, 1),
		    .source = pg_text(r, i, 2),
		    .kind = pg_text(r, i, 3),
		    .name = pg_bytes(r, i, 4),
		    .mac = pg_mac(r, i, 5),
		    .client_id = pg_bytes(r, i, 6),
		    .duid = pg_bytes(r, i, 7),
		    .dhcid = pg_bytes(r, i, 8),
		    .raw = pg_bytes(r, i, 9),
		    .ttl_s = (uint32_t)pg_i64(r, i, 10),
		    .ptr = pg_bool(r, i, 11),
		    .first_seen_s = pg_time(r, i, 12),
		    .last_seen_s = pg_time(r, i, 13),
		    .valid_until_s = pg_time(r, i, 14),
		    .absent_since_s = pg_time(r, i, 15),
		    .held = pg_bool(r, i, 16),
		};
		cb(arg, &s);
	}
}

int report_sightings(struct pg *pg, const struct report_filter *f, const struct ipaddr *addrs,
		     size_t n, report_sighting_cb cb, void *arg, struct err *e)
{
	struct pg_args a;
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	pg_args_init(&a);
	pg_arg_text(&a, f->space);
	pg_arg_inets(&a, addrs, n);
	int rc = pg_query(&r, pg, sql_report_sightings, &a, e);
	pg_args_fini(&a);
	if (rc == 0)
		hand_out_sightings(r, cb, arg);
	return rc;
}

int report_manual(struct pg *pg, int32_t source_id, const char *label, report_sighting_cb cb,
		  void *arg, struct err *e)
{
	struct pg_args a;
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	pg_args_init(&a);
	pg_arg_i32(&a, source_id);
	pg_arg_text(&a, label);
	int rc = pg_query(&r, pg, sql_report_manual, &a, e);
	pg_args_fini(&a);
	if (rc == 0)
		hand_out_sightings(r, cb, arg);
	return rc;
}

/* ---- decisions and the journal ---------------------------------------------------------- */

/* space, addresses, names: $1 to $3 of both statements. */
int report_subject_args(struct pg_args *a, const struct report_filter *f,
			const struct report_subject *s, struct err *e)
{
	struct arena mem = ARENA_INIT;
	int rc = 0;
	const char **names = arena_array(&mem, s->n_names + 1, sizeof(*names));
	for (size_t i = 0; names != NULL && i < s->n_names; i++) {
		char t[DNAME_TEXT];
		names[i] = arena_strdup(&mem, dname_print(t, &s->names[i]));
		if (names[i] == NULL)
			rc = err_nomem(e);
	}
	pg_arg_text(a, f->space);
	pg_arg_inets(a, s->addrs, s->n_addrs);
	if (names == NULL)
		rc = err_nomem(e);
	else if (rc == 0)
		pg_arg_texts(a, names, s->n_names);
	arena_fini(&mem);
	return rc;
}

static bool name_of(struct dname *out, const struct pg_rows *r, size_t i, int col)
{
	const char *t = pg_text(r, i, col);
	return *t != '\0' && dname_parse(out, t, strlen(t));
}

static void hand_out_decisions(const struct pg_rows *r, report_decision_cb cb, void *arg)
{
	for (size_t i = 0; i < pg_rows_n(r); i++) {
		struct report_decision d = {
		    .space = pg_text(r, i, 0),
		    .addr = pg_inet(r, i, 1),
		    .ptr = pg_bool(r, i, 4),
		    .kind = pg_text(r, i, 5),
		    .source = pg_text(r, i, 6),
		    .since_s = pg_time(r, i, 7),
		    .expires_at_s = pg_time(r, i, 8),
		    .why = report_text(r, i, 9),
		};
		name_of(&d.name, r, i, 2);
		name_of(&d.asked, r, i, 3);
		cb(arg, &d);
	}
}

int report_decisions(struct pg *pg, const struct report_filter *f,
		     const struct report_subject *s, report_decision_cb cb, void *arg,
		     struct err *e)
{
	struct pg_args a;
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	pg_args_init(&a);
	int rc = report_subject_args(&a, f, s, e);
	if (rc == 0)
		rc = pg_query(&r, pg, sql_report_decisions, &a, e);
	pg_args_fini(&a);
	if (rc == 0)
		hand_out_decisions(r, cb, arg);
	return rc;
}
