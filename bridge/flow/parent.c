/* parent.c - see parent.h. */
#include "bridge/flow/parent.h"

#include <stdio.h>

#include "bridge/base/arena.h"
#include "bridge/flow/say.h"

struct parent {
	struct flow *f;
	const struct policy_zone *zone;
	struct policy_zone above;    /* enough of a zone to ask its server */
	const char *server;
	unsigned asked, astray;
	char first[DNAME_TEXT + 40]; /* what is wrong with the first that is astray */
	struct ipaddr first_addr;
};

bool parent_is_due(const struct flow *f, const struct policy_zone *z, const struct zone_row *row)
{
	int64_t now_s = f->net->now_s(f->net->ctx);

	return z->classless && !f->dry_run && !flow_down(f, z) &&
	       (row->full_at_s == 0 || now_s >= row->full_at_s + f->full_every_s);
}

static void open_parent(struct parent *u, struct flow *f, const struct policy_zone *z)
{
	struct dname full;

	*u = (struct parent){.f = f, .zone = z};
	u->server = z->parent_server != NULL ? z->parent_server : z->servers[0];
	u->above.is_reverse = true;
	u->above.servers = &u->server;
	u->above.n_servers = 1;
	ipaddr_reverse(&full, &z->covers.addr);
	dname_parent(&u->above.name, &full, 1);
}

static void note_astray(struct parent *u, const struct ipaddr *a, const struct dname *leads_to)
{
	char name[DNAME_TEXT];

	if (u->astray++ > 0)
		return;
	u->first_addr = *a;
	if (leads_to == NULL)
		snprintf(u->first, sizeof(u->first), "has no CNAME there");
	else
		snprintf(u->first, sizeof(u->first), "is led to %s", dname_print(name, leads_to));
}

static int look_at(struct parent *u, const struct ipaddr *a, struct arena *arena, struct err *e)
{
	struct flow_net *net = u->f->net;
	struct dname full, ours, target;
	const struct rr *cname;
	struct net_look look = {.owner = &full};
	int r;

	ipaddr_reverse(&full, a);
	policy_ptr_owner(&ours, u->zone, a);
	r = net->query(net->ctx, &u->above, &look, 1, arena, e);
	if (r == 0 && !look.got)
		r = ERR_DENIED;
	if (r < 0)
		return r;
	u->asked++;
	if (rrs_of(&look.seen, RR_CNAME, &cname) == 0 || !rr_target(&target, cname))
		note_astray(u, a, NULL);
	else if (!dname_equal(&target, &ours))
		note_astray(u, a, &target);
	return 0;
}

/* The first and the last address of a subnet are nobody's. */
static int look_at_all(struct parent *u, struct err *e)
{
	const struct prefix *p = &u->zone->covers;
	unsigned n = 1u << (32 - p->len), edge = n > 2 ? 1 : 0;
	struct arena arena = ARENA_INIT;
	int r = 0;

	for (unsigned i = edge; i < n - edge && r == 0 && !flow_late(u->f); i++) {
		struct ipaddr a = p->addr;

		a.b[3] = (uint8_t)(a.b[3] + i);
		r = look_at(u, &a, &arena, e);
		arena_reset(&arena);
	}
	arena_fini(&arena);
	return r;
}

static void say_astray(const struct parent *u)
{
	char above[DNAME_TEXT], full[DNAME_TEXT], ours[DNAME_TEXT], addr[IPADDR_TEXT];
	struct dname from, to;

	ipaddr_reverse(&from, &u->first_addr);
	policy_ptr_owner(&to, u->zone, &u->first_addr);
	flow_say(u->f, MSG_PARENT_DIFFERS, u->zone->text,
		 "zone %s on server \"%s\" does not lead %u of %u addresses here: %s %s; hint: its "
		 "keeper adds \"%s. CNAME %s.\"", dname_print(above, &u->above.name), u->server,
		 u->astray, u->asked, ipaddr_print(addr, &u->first_addr), u->first,
		 dname_print(full, &from), dname_print(ours, &to));
}

void parent_look(struct flow *f, const struct policy_zone *z)
{
	char above[DNAME_TEXT];
	struct err cause = {0};
	struct parent u;

	open_parent(&u, f, z);
	if (look_at_all(&u, &cause) < 0)
		flow_say(f, MSG_PARENT_DIFFERS, z->text,
			 "the CNAMEs of zone %s were not looked at (%s); hint: parent-server names "
			 "a server that has it", dname_print(above, &u.above.name), cause.text);
	else if (u.astray > 0)
		say_astray(&u);
}
