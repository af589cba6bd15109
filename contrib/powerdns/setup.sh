#!/bin/bash
# Prepares PowerDNS zones for ipambridge: contrib/powerdns/setup.sh KEY_FILE ZONE...
#
#	PDNS_CONFIG_DIR   where pdns.conf is, /etc/powerdns
#	UPDATE_FROM       networks that updates may come from, 127.0.0.0/8
#	OTHER_KEY_FILE    a second writer's key file, if there is one
#	NS                the name server of a zone that must be made, ns.ZONE
#
# KEY_FILE is BIND's key clause; when it does not exist, PowerDNS makes the key and the file is
# written, readable by you alone: copy it to where ipambridge reads it.  An existing key has to be
# given to pdnsutil as an argument, which other users of this machine can see in that moment.
# Everything can be repeated.  PowerDNS 5 spells the commands anew ("pdnsutil tsigkey import",
# "pdnsutil metadata set") and still takes these.
set -euo pipefail
export LC_ALL=C
[ $# -ge 2 ] || { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 2; }
config=${PDNS_CONFIG_DIR:-/etc/powerdns}
key_file=$1
shift

pu() { pdnsutil --config-dir="$config" "$@"; }

key_name() { sed -n 's/^ *key *"\{0,1\}\([^" {]*\)"\{0,1\} *{.*/\1/p' "$1"; }
key_field() { sed -n "s/.*$2  *\"\{0,1\}\([^\";]*\)\"\{0,1\};.*/\1/p" "$1"; }

import() {   # prints the key's name
	local name
	name=$(key_name "$1")
	[ -n "$name" ] || { echo "setup: no key clause in $1" >&2; exit 1; }
	pu import-tsig-key "$name" "$(key_field "$1" algorithm)" "$(key_field "$1" secret)" >&2
	echo "$name"
}

generate() {   # prints the key's name; list-tsig-keys: "ipambridge. hmac-sha256. SECRET"
	local name=ipambridge secret
	pu generate-tsig-key "$name" hmac-sha256 >&2
	secret=$(pu list-tsig-keys | awk -v n="$name." '$1 == n {print $3}')
	( umask 077; printf 'key "%s" {\n\talgorithm hmac-sha256;\n\tsecret "%s";\n};\n' \
		"$name" "$secret" > "$key_file" )
	echo "$name"
}

if [ -e "$key_file" ]; then
	keys=("$(import "$key_file")")
else
	keys=("$(generate)")
fi
if [ -n "${OTHER_KEY_FILE:-}" ]; then
	keys+=("$(import "$OTHER_KEY_FILE")")
fi

for zone in "$@"; do
	if ! pu list-zone "$zone" >/dev/null 2>&1; then
		pu create-zone "$zone" "${NS:-ns.$zone}"
	fi
	# Two locks on the same door: the address and the key must both be allowed.
	pu set-meta "$zone" ALLOW-DNSUPDATE-FROM "${UPDATE_FROM:-127.0.0.0/8}"
	pu set-meta "$zone" TSIG-ALLOW-DNSUPDATE "${keys[@]}"
	pu set-meta "$zone" TSIG-ALLOW-AXFR "${keys[@]}"
	# The serial grows by one per update.  The default jumps to a date.
	pu set-meta "$zone" SOA-EDIT-DNSUPDATE INCREASE
done
