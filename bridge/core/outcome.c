/* outcome.c - the table of answers: what happened, why probably, what to do next. */
#include <stddef.h>

#include "bridge/core/outcome.h"

enum { ANY_RCODE = -1, ANY_TSIG = -1 };
enum signed_ { SIGNED, UNSIGNED, EITHER };

struct rule {
	enum answer_end end;
	int rcode;
	int tsig_error;
	enum signed_ signed_;
	struct outcome_row row;
};

/* First match wins. */
static const struct rule rules[] = {
	{ANSWER_UNSENT, ANY_RCODE, ANY_TSIG, EITHER,
	 {OUTCOME_RETRY, "server could not be reached",
	  "the server is down, or address, port or a firewall is wrong",
	  "check that the server listens on TCP there; the change stays queued and is tried again"}},
	{ANSWER_TIMEOUT, ANY_RCODE, ANY_TSIG, EITHER,
	 {OUTCOME_UNKNOWN, "server did not answer in time",
	  "the server is overloaded, paused or its disk is stuck",
	  "nothing to do: the owners are read back before anything is sent again"}},
	{ANSWER_LOST, ANY_RCODE, ANY_TSIG, EITHER,
	 {OUTCOME_UNKNOWN, "connection ended before the answer",
	  "the server restarted, or something between closed the connection",
	  "nothing to do: the owners are read back before anything is sent again"}},

	{ANSWER_REPLY, RCODE_NOTAUTH, TSIG_BADTIME, EITHER,
	 {OUTCOME_RETRY, "server answered BADTIME",
	  "the clocks of this machine and the server differ by more than 300 seconds",
	  "set both clocks (NTP); the change stays queued"}},
	{ANSWER_REPLY, RCODE_NOTAUTH, TSIG_BADKEY, EITHER,
	 {OUTCOME_PARK, "server answered BADKEY",
	  "the server does not know this key name with this algorithm; Knot says the same when "
	  "its ACL does not list the record type",
	  "compare key name and algorithm on both sides; on Knot add the type to update-type"}},
	{ANSWER_REPLY, RCODE_NOTAUTH, TSIG_BADSIG, EITHER,
	 {OUTCOME_PARK, "server answered BADSIG",
	  "the key has the same name on both sides but another secret",
	  "copy the server's key file again"}},
	{ANSWER_REPLY, ANY_RCODE, TSIG_BADTRUNC, EITHER,
	 {OUTCOME_PARK, "server answered BADTRUNC", "the server wants another MAC length",
	  "allow full-length MACs on the server"}},

	{ANSWER_REPLY, RCODE_NOERROR, 0, SIGNED,
	 {OUTCOME_DONE, "server answered NOERROR", "", ""}},
	{ANSWER_REPLY, RCODE_NOERROR, ANY_TSIG, UNSIGNED,
	 {OUTCOME_UNKNOWN, "server answered NOERROR without a valid signature",
	  "somebody between forges answers, or the server signs with another key",
	  "compare the keys; nothing is believed until it is read back"}},

	{ANSWER_REPLY, RCODE_YXDOMAIN, ANY_TSIG, SIGNED,
	 {OUTCOME_REREAD, "server answered YXDOMAIN", "the name is in use by somebody else",
	  "\"ipambridge why NAME\" shows who holds it"}},
	{ANSWER_REPLY, RCODE_YXRRSET, ANY_TSIG, SIGNED,
	 {OUTCOME_REREAD, "server answered YXRRSET", "a record that should be absent is there",
	  "\"ipambridge why NAME\" shows both sides"}},
	{ANSWER_REPLY, RCODE_NXRRSET, ANY_TSIG, SIGNED,
	 {OUTCOME_REREAD, "server answered NXRRSET",
	  "somebody changed the records since they were last read",
	  "\"ipambridge why NAME\" shows both sides"}},
	{ANSWER_REPLY, RCODE_NXDOMAIN, ANY_TSIG, SIGNED,
	 {OUTCOME_REREAD, "server answered NXDOMAIN",
	  "the name disappeared since it was last read",
	  "\"ipambridge why NAME\" shows both sides"}},

	{ANSWER_REPLY, RCODE_NOTZONE, ANY_TSIG, EITHER,
	 {OUTCOME_SPLIT, "server answered NOTZONE", "a name lies outside the server's zone",
	  "compare the zone's name in the configuration with the server's"}},
	{ANSWER_REPLY, RCODE_FORMERR, ANY_TSIG, EITHER,
	 {OUTCOME_SPLIT, "server answered FORMERR", "the server does not understand a record",
	  "report this with the server's name and version"}},
	{ANSWER_REPLY, RCODE_REFUSED, ANY_TSIG, SIGNED,
	 {OUTCOME_SPLIT, "server answered REFUSED",
	  "BIND: update-policy does not grant this key the name or type, or the zone is frozen; "
	  "PowerDNS: data beside a CNAME; Technitium: policy lacks *.zone",
	  "grant A AAAA PTR DHCID to the key (rndc thaw for a frozen zone), then reconcile"}},
	{ANSWER_REPLY, RCODE_REFUSED, ANY_TSIG, UNSIGNED,
	 {OUTCOME_PARK, "server answered REFUSED without a signature",
	  "BIND: update not allowed from here; PowerDNS: dnsupdate off, wrong key, secret or "
	  "clock (it hides every TSIG failure behind this)",
	  "check key, secret and clock first, then the server's update permission"}},
	{ANSWER_REPLY, RCODE_SERVFAIL, ANY_TSIG, EITHER,
	 {OUTCOME_SPLIT, "server answered SERVFAIL",
	  "BIND: journal cannot be written (disk, AppArmor outside /var/lib/bind) or over "
	  "max-records-per-type; PowerDNS: backend error",
	  "look into the server's log; the change is tried again"}},
	{ANSWER_REPLY, RCODE_NOTAUTH, ANY_TSIG, EITHER,
	 {OUTCOME_PARK, "server answered NOTAUTH",
	  "the server is not primary for this zone; Knot: also a missing key or ACL",
	  "check that the zone is loaded as primary on this server"}},
	{ANSWER_REPLY, RCODE_NOTIMP, ANY_TSIG, EITHER,
	 {OUTCOME_PARK, "server answered NOTIMP", "the server does not take dynamic updates (NSD)",
	  "use the zone's primary, with dynamic updates on"}},
	{ANSWER_REPLY, ANY_RCODE, ANY_TSIG, EITHER,
	 {OUTCOME_SPLIT, "server gave an unexpected answer", "unknown",
	  "look into the server's log; report it with its version"}},
};

static bool matches(const struct rule *r, const struct answer *a)
{
	if (r->end != a->end)
		return false;
	if (r->rcode != ANY_RCODE && r->rcode != a->rcode)
		return false;
	if (r->tsig_error != ANY_TSIG && r->tsig_error != a->tsig_error)
		return false;
	return r->signed_ == EITHER || (r->signed_ == SIGNED) == a->verified;
}

const struct outcome_row *outcome_of(const struct answer *a)
{
	/* A prerequisite rcode without a signature proves nothing; it must be looked up. */
	static const struct outcome_row forged = {
	    OUTCOME_UNKNOWN, "answer without a valid signature",
	    "somebody between forges answers, or the server signs with another key",
	    "compare the keys; nothing is believed until it is read back"};
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!matches(&rules[i], a))
			continue;
		if (rules[i].end == ANSWER_REPLY && rules[i].rcode == ANY_RCODE && !a->verified)
			return &forged;
		return &rules[i].row;
	}
	return &forged;
}

int64_t outcome_backoff_s(uint32_t attempts, uint64_t random)
{
	int64_t base = attempts >= 9 ? 300 : (int64_t)1 << attempts;
	int64_t span = base / 2;

	return base - span + (int64_t)(random % (uint64_t)(span * 2 + 1));
}

const char *rcode_name(unsigned rcode)
{
	static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN",
					    "NOTIMP",   "REFUSED", "YXDOMAIN", "YXRRSET",
					    "NXRRSET",  "NOTAUTH", "NOTZONE"};

	return rcode < sizeof(names) / sizeof(names[0]) ? names[rcode] : "RCODE?";
}
