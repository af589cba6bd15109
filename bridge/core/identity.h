/* identity.h - who stands behind an address, and what of it proves that two are one host.
 *
 * Pure.  A DUID and a client identifier speak for the host, a hardware address for one of its
 * interfaces.  A locally administered hardware address may be another one tomorrow: it is weak
 * evidence, as are a client identifier and a DUID that are made of nothing else.  What is weak
 * never tells two clients apart, and joins them only where their names agree too.
 */
#ifndef BRIDGE_CORE_IDENTITY_H
#define BRIDGE_CORE_IDENTITY_H

#include "bridge/value/dname.h"
#include "bridge/value/obs.h"

struct identity {
	struct mac mac;
	struct bytes client_id;
	struct bytes duid;        /* DHCPv6, or taken out of an RFC 4361 client identifier */
	struct bytes dhcid;       /* given by the source; says who only for the name it is of */
	struct bytes dhcid_name;  /* that name, as text */
};

/* Texts are borrowed from o. */
void identity_of(struct identity *out, const struct obs *o);
/* By what holds for any name: a DHCID alone does not count. */
bool identity_known(const struct identity *id);
/* Nothing is known but what is weak. */
bool identity_is_weak(const struct identity *id);
/* Did the source give the client's DHCID for exactly this name? */
bool identity_has_dhcid(const struct identity *id, const struct dname *name);

/* 1 same, 0 different, -1 cannot be told (nothing comparable is known of both, or only what is
 * weak).  *by: the evidence in words, static; not set at -1.  DHCIDs speak where the rest says
 * nothing, and compare only when both are of one name and one type of identifier (a client has
 * another one in each family). */
int identity_compare(const struct identity *a, const struct identity *b, const char **by);
/* Do they have something weak in common?  Then *by says what. */
bool identity_resembles(const struct identity *a, const struct identity *b, const char **by);
/* Have both a hardware address, and not the same? */
bool identity_macs_differ(const struct identity *a, const struct identity *b);

#endif
