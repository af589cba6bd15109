/* test_verdict.c - runs tests/cases/verdict.cases against core/verdict and core/verdict_change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/core/verdict.h"

struct expect {
	char name[128];
	struct arena a;
	struct belief b;
	enum foreign_policy foreign;
	bool supported;
	int row;
	char state[16];
	bool edit, keeps, has_ours;
	struct rrs keep, ours;
	struct buf change;   /* sorted lines are compared as written */
	int line;
};

static void put_dhcid(char *out, const char *which)
{
	/* Two valid DHCIDs, told apart by their digest. */
	static const char *const b64[2] = {
	    "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
	    "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No="};

	strncpy(out, b64[which[1] - '1'], 63);
	out[63] = '\0';
}

static void add_record(struct expect *x, struct rrs *s, const char *text)
{
	char line[256], value[64];
	struct rrs one;
	struct err e = {0};
	size_t i;

	if (strncmp(text, "DHCID D", 7) == 0) {
		put_dhcid(value, text + 6);
		snprintf(line, sizeof(line), "DHCID %s", value);
	} else {
		snprintf(line, sizeof(line), "%s", text);
	}
	if (rrs_parse(&one, &x->a, line, strlen(line), &e) < 0)
		fail_msg("line %d: %s", x->line, e.text);
	for (i = 0; i < one.n; i++)
		rrs_add(s, &x->a, one.v[i].type, one.v[i].rdata, one.v[i].rdlen);
}

static void value_text(struct buf *out, const struct change_rr *c)
{
	struct rr rr = {c->type, c->rdlen, c->rdata};
	struct buf b = BUF_INIT;
	char d[64];
	int i;

	rr_print(&b, &rr);
	for (i = 1; i <= 2; i++) {
		char which[3] = {'D', (char)('0' + i), '\0'};

		put_dhcid(d, which);
		if (strstr(buf_text(&b), d) != NULL) {
			buf_printf(out, "DHCID D%d", i);
			buf_fini(&b);
			return;
		}
	}
	buf_str(out, buf_text(&b));
	buf_fini(&b);
}

static void pre_text(struct buf *out, const struct change_rr *c)
{
	char type[12];
	struct buf v = BUF_INIT;

	rrtype_name(type, c->type);
	if (c->class_ == RR_CLASS_NONE) {
		buf_printf(out, "pre %s none\n", c->type == RR_ANY ? "NAME" : type);
	} else if (c->class_ == RR_CLASS_ANY) {
		buf_printf(out, "pre %s any\n", type);
	} else {
		value_text(&v, c);
		buf_printf(out, "pre %s = %s\n", type, strchr(buf_text(&v), ' ') + 1);
	}
	buf_fini(&v);
}

static void upd_text(struct buf *out, const struct change_rr *c)
{
	char type[12];

	if (c->class_ == RR_CLASS_ANY) {
		buf_printf(out, "delset %s\n", rrtype_name(type, c->type));
		return;
	}
	buf_str(out, c->class_ == RR_CLASS_NONE ? "del " : "add ");
	value_text(out, c);
	buf_chr(out, '\n');
	if (c->class_ == RR_CLASS_IN)
		assert_true(c->ttl_s > 0);
	else
		assert_int_equal(c->ttl_s, 0);
}

static int line_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The order of prerequisites means nothing: compare sorted. */
static void sorted(struct buf *out, const char *text)
{
	char *copy = strdup(text), *lines[64], *save = NULL, *l;
	size_t n = 0, i;

	for (l = strtok_r(copy, "\n", &save); l != NULL && n < 64; l = strtok_r(NULL, "\n", &save))
		lines[n++] = l;
	qsort(lines, n, sizeof(*lines), line_order);
	for (i = 0; i < n; i++)
		buf_printf(out, "%s\n", lines[i]);
	free(copy);
}

static void compare_change(struct expect *x, const struct verdict *v)
{
	struct buf got = BUF_INIT, want = BUF_INIT, is = BUF_INIT;
	struct change c;
	size_t i;

	if (verdict_change(&c, &x->a, &x->b, v) == 0) {
		for (i = 0; i < c.n_pre; i++)
			pre_text(&got, &c.pre[i]);
		for (i = 0; i < c.n_upd; i++)
			upd_text(&got, &c.upd[i]);
	}
	sorted(&is, buf_text(&got));
	sorted(&want, buf_text(&x->change));
	/* A case that lists no change only asks for row and state. */
	if (x->change.len > 0 && strcmp(buf_text(&is), buf_text(&want)) != 0)
		fail_msg("%s (line %d):\n%s-- expected --\n%s", x->name, x->line, buf_text(&is),
			 buf_text(&want));
	buf_fini(&got);
	buf_fini(&want);
	buf_fini(&is);
}

static void run(struct expect *x)
{
	struct verdict v;

	if (x->name[0] == '\0')
		return;
	assert_int_equal(verdict_owner(&v, &x->a, &x->b, x->foreign, x->supported), 0);
	if (x->row != 0 && v.row != x->row)
		fail_msg("%s: row %d, expected %d (%s)", x->name, v.row, x->row, v.why);
	if (strcmp(belief_state_name((enum belief_state)v.state), x->state) != 0)
		fail_msg("%s: state %s, expected %s (%s)", x->name,
			 belief_state_name((enum belief_state)v.state), x->state, v.why);
	if (v.edit != x->edit)
		fail_msg("%s: edit is %d", x->name, v.edit);
	if (x->keeps && !rrs_equal(&v.published, &x->keep))
		fail_msg("%s: published is not what is kept", x->name);
	if (x->has_ours && !rrs_equal(&v.ours, &x->ours))
		fail_msg("%s: the part that is ours differs", x->name);
	compare_change(x, &v);
}

static void start(struct expect *x, const char *name)
{
	int line = x->line;

	arena_fini(&x->a);
	buf_fini(&x->change);
	memset(x, 0, sizeof(*x));
	x->line = line;
	x->supported = true;
	x->b.want_kind = OBS_LEASE;
	x->b.want_ttl_s = 300;
	x->b.why = "";
	dname_parse(&x->b.owner, "host.example", 12);
	snprintf(x->name, sizeof(x->name), "%s", name);
}

static const char *after(const char *line, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(line, word, n) != 0 || (line[n] != ' ' && line[n] != '\0'))
		return NULL;
	return line[n] == ' ' ? line + n + 1 : line + n;
}

static void take_seen(struct expect *x, const char *rest)
{
	x->b.seen_known = true;
	if (*rest != '\0')
		add_record(x, &x->b.seen, rest);
}

static void take_state(struct expect *x, const char *l)
{
	const char *r;
	enum obs_kind k;
	enum belief_decision d;

	if ((r = after(l, "row")) != NULL)
		x->row = (int)strtol(r, NULL, 10);
	else if ((r = after(l, "state")) != NULL)
		snprintf(x->state, sizeof(x->state), "%s", r);
	else if ((r = after(l, "kind")) != NULL && obs_kind_parse(&k, r, strlen(r)))
		x->b.want_kind = (uint8_t)k;
	else if ((r = after(l, "decided")) != NULL && belief_decision_parse(&d, r, strlen(r)))
		x->b.decided = (uint8_t)d;
	else if ((r = after(l, "reverts")) != NULL)
		x->b.reverts = (uint32_t)strtoul(r, NULL, 10);
	else if ((r = after(l, "ttl")) != NULL)
		sscanf(r, "%u %u", &x->b.sent_ttl_s, &x->b.want_ttl_s);
	else if (after(l, "missed") != NULL)
		x->b.removed_at_s = 50;
	else if (after(l, "unsupported") != NULL)
		x->supported = false;
	else if (after(l, "edit") != NULL)
		x->edit = true;
	else if (after(l, "apex") != NULL)
		x->b.apex = true;
	else if (after(l, "cut") != NULL)
		x->b.below_cut = true;
	else if (after(l, "client") != NULL)
		x->b.same_client = true;
	else if (after(l, "take") != NULL)
		x->foreign = FOREIGN_TAKE;
	else
		fail_msg("line %d: \"%s\" is no line of a case", x->line, l);
}

static void take_line(struct expect *x, const char *l)
{
	const char *r;

	if ((r = after(l, "case")) != NULL) {
		run(x);
		start(x, r);
	} else if ((r = after(l, "want")) != NULL) {
		add_record(x, &x->b.want, r);
	} else if ((r = after(l, "published")) != NULL) {
		add_record(x, &x->b.published, r);
	} else if ((r = after(l, "offered")) != NULL) {
		if (strcmp(r, "-") != 0)
			add_record(x, &x->b.offered[x->b.n_offered], r);
		x->b.n_offered++;
	} else if ((r = after(l, "with")) != NULL) {
		add_record(x, &x->b.offered[x->b.n_offered - 1], r);
	} else if ((r = after(l, "seen")) != NULL) {
		take_seen(x, r);
	} else if ((r = after(l, "keep")) != NULL) {
		x->keeps = true;
		if (*r != '\0')
			add_record(x, &x->keep, r);
	} else if ((r = after(l, "ours")) != NULL) {
		x->has_ours = true;
		add_record(x, &x->ours, r);
	} else if (after(l, "pre") != NULL || after(l, "add") != NULL || after(l, "del") != NULL ||
		   after(l, "delset") != NULL) {
		buf_printf(&x->change, "%s\n", l);
	} else {
		take_state(x, l);
	}
}

static void verdicts_and_changes_are_those_of_the_case_file(void **state)
{
	static struct expect x;
	char line[256];
	FILE *f = fopen("tests/cases/verdict.cases", "r");

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		x.line++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0' && line[0] != '#')
			take_line(&x, line);
	}
	run(&x);
	arena_fini(&x.a);
	buf_fini(&x.change);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verdicts_and_changes_are_those_of_the_case_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
