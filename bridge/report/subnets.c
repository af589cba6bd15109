/* subnets.c - see subnets.h. */

#include "bridge/report/subnets.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/base/own.h"
#include "sql.h"

static void fill(struct report_subnet *row, const struct pg_rows *r)
{
	for (size_t i = 0; i < pg_rows_n(r); i++) {
		if (pg_i32(r, i, 0) != row->subnet->id)
			continue;
		row->addresses = (uint64_t)pg_i64(r, i, 1);
		row->named = (uint64_t)pg_i64(r, i, 2);
		row->last_seen_s = pg_time(r, i, 3);
		return;
	}
}

static int by_address(const void *a, const void *b)
{
	const struct policy_subnet *x = *(const struct policy_subnet *const *)a;
	const struct policy_subnet *y = *(const struct policy_subnet *const *)b;
	int d = ipaddr_cmp(&x->prefix.addr, &y->prefix.addr);
	return d != 0 ? d : (int)x->prefix.len - (int)y->prefix.len;
}

/* The policy has them by length, people look for them by address. */
static int in_space(const struct policy_space *s, const struct pg_rows *r, report_subnet_cb cb,
		    void *arg, struct err *e)
{
	const struct policy_subnet **v = calloc(s->n_subnets + 1, sizeof(*v));
	if (v == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->n_subnets; i++)
		v[i] = &s->subnets[i];
	qsort(v, s->n_subnets, sizeof(*v), by_address);
	for (size_t i = 0; i < s->n_subnets; i++) {
		struct report_subnet row = {.space = s->name, .subnet = v[i]};
		fill(&row, r);
		cb(arg, &row);
	}
	free(v);
	return 0;
}

int report_subnets(struct pg *pg, const struct policy *p, const struct report_filter *f,
		   report_subnet_cb cb, void *arg, struct err *e)
{
	AUTO(pg_rows_freep) struct pg_rows *r = NULL;
	int rc = pg_query(&r, pg, sql_report_subnets, NULL, e);
	for (size_t i = 0; rc == 0 && i < p->n_spaces; i++) {
		if (f->space == NULL || strcmp(f->space, p->spaces[i].name) == 0)
			rc = in_space(&p->spaces[i], r, cb, arg, e);
	}
	return rc;
}
