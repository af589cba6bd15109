#!/bin/bash
# The main job, step by step, on the servers that inner.sh started; sourced by it.
#
# Each step asks DNS itself what became of it: ipambridge's own word is not enough.

DEMO_TTL=300     # ttl = 5m in ipambridge.conf.in

answer() { dig +short +tries=2 +time=2 @127.0.0.1 -p "$PORT" "$@"; }
ttl_of() { dig +noall +answer +tries=2 +time=2 @127.0.0.1 -p "$PORT" "$@" | awk 'NR == 1 {print $2}'; }

same() {   # same WHAT EXPECTED GOT
	[ "$2" = "$3" ] || { printf '%s: expected "%s", got "%s"\n' "$1" "$2" "$3"; return 1; }
	printf '%s: %s\n' "$1" "$3"
}

pair() {   # pair NAME ADDRESS [TTL]: forward and reverse agree
	local type=A
	case $2 in *:*) type=AAAA ;; esac
	same "$1 $type" "$2" "$(answer "$1" $type)"
	same "PTR of $2" "$1." "$(answer -x "$2")"
	[ -z "${3:-}" ] || same "TTL of $1" "$3" "$(ttl_of "$1" $type)"
}

gone() { same "$1 $2" "" "$(answer "$1" "$2")"; }

lease_of() {   # the address that Kea's file gives to a MAC; the last row of an address counts
	awk -F, -v mac="$1" '$2 == mac && $4 > 0 {a = $1} END {print a}' kea/leases4.csv
}
LAPTOP_MAC=02:00:00:00:00:12 CAMERA_MAC=02:00:00:00:00:13 PHONE_MAC=02:00:00:00:00:14

reconcile() {   # prints the pass's summary; nothing may stay behind
	ipambridge --json reconcile | tee reconcile.json
	jq -e '.refused == 0 and .pending == 0 and .held == 0' reconcile.json > /dev/null
}

hosts() { ipambridge --json list hosts; }

host_has() {   # host_has ADDRESS NAME KIND in the list of hosts
	hosts | tee hosts.json
	jq -e --arg a "$1" --arg n "$2" --arg k "$3" \
		'any(.[]; .address == $a and .name == $n and .kind == $k)' hosts.json > /dev/null ||
		{ echo "no host $1 named $2 of kind $3"; return 1; }
}

# The phone said "Anna_s-Phone"; what Kea made of it is in the lease file, what ipambridge makes
# of that is its naming rule: lower case, "_" becomes "-".
phone_name() {
	awk -F, -v mac=$PHONE_MAC '$2 == mac {n = $9} END {print n}' kea/leases4.csv |
		sed 's/\.$//; s/\.demo\.test$//; s/_/-/g' | tr '[:upper:]' '[:lower:]'
}

first_pass() {
	reconcile
	pair printer.demo.test 10.77.0.11 $DEMO_TTL
	pair laptop.demo.test "$(lease_of $LAPTOP_MAC)" $DEMO_TTL
	pair camera.demo.test "$(lease_of $CAMERA_MAC)" $DEMO_TTL
	pair "$(phone_name).demo.test" "$(lease_of $PHONE_MAC)" $DEMO_TTL
}

table() {
	local name address kind
	printf '%-22s %-12s %-14s %-24s %5s\n' name kind 'A or AAAA' PTR TTL
	hosts | jq -r '.[] | [.name // "-", .address, .kind] | @tsv' |
	while IFS=$'\t' read -r name address kind; do
		if [ "$name" = - ]; then
			printf '%-22s %-12s %-14s\n' "($address)" "$kind" "no name"
			continue
		fi
		case $address in
		*:*) set -- "$name" AAAA ;;
		*) set -- "$name" A ;;
		esac
		printf '%-22s %-12s %-14s %-24s %5s\n' "$name" "$kind" "$(answer "$@" | head -n 1)" \
			"$(answer -x "$address" | head -n 1)" "$(ttl_of "$@")"
	done
}

# A pass with nothing to do sends nothing: no serial moves.
second_pass() {
	local zone before after
	before=$(for zone in $ZONES_FORWARD $ZONES_REVERSE; do answer "$zone" SOA; done)
	reconcile
	jq -e '.changed == 0' reconcile.json > /dev/null
	after=$(for zone in $ZONES_FORWARD $ZONES_REVERSE; do answer "$zone" SOA; done)
	same "the SOA records" "$before" "$after"
}

add_host() {
	ipambridge add-host tv.demo.test 10.77.0.30 fd77::30 --note "living room"
	reconcile
	pair tv.demo.test 10.77.0.30
	pair tv.demo.test fd77::30
}

edit_dns() { nsupdate -k named/other.key; }   # a person, with a key of their own

ptr_gives_a_name() {
	edit_dns <<-EDIT
		server 127.0.0.1 $PORT
		update add 9.0.77.10.in-addr.arpa 3600 PTR nas.demo.test.
		send
	EDIT
	reconcile
	host_has 10.77.0.9 nas.demo.test dns
	same "PTR of 10.77.0.9" nas.demo.test. "$(answer -x 10.77.0.9)"
	same "its TTL" 3600 "$(ttl_of -x 10.77.0.9)"
}

ptr_renames() {
	local address reverse
	address=$(lease_of $LAPTOP_MAC)
	reverse=${address##*.}.0.77.10.in-addr.arpa
	edit_dns <<-EDIT
		server 127.0.0.1 $PORT
		update delete $reverse PTR
		update add $reverse 300 PTR annas-laptop.demo.test.
		send
	EDIT
	reconcile
	host_has "$address" annas-laptop.demo.test edit
	pair annas-laptop.demo.test "$address"
	gone laptop.demo.test ANY
}

camera_leaves() {
	local address reverse
	address=$(lease_of $CAMERA_MAC)
	reverse=${address##*.}.0.77.10.in-addr.arpa
	kill -TERM "$(cat camera.pid)"
	# shellcheck disable=SC2016     # awk's own $1 and $4
	wait_until awk -F, -v a="$address" '$1 == a {v = $4} END {exit v != 0}' kea/leases4.csv
	tail -n 1 kea/leases4.csv
	reconcile
	gone camera.demo.test ANY
	gone "$reverse" PTR
}

explain() { ipambridge why annas-laptop.demo.test | tee why.txt; test -s why.txt; }
database() { ipambridge db init; ipambridge db status; }

scenario() {
	step "check-config" ipambridge check-config
	step "db init: the schema" database
	step "reconcile: every lease has its A and PTR" first_pass
	show table
	step "reconcile again: nothing to do, no serial moves" second_pass
	step "add-host tv: A, AAAA and both PTR" add_host
	step "nsupdate names the nas by PTR: it shows in list hosts" ptr_gives_a_name
	step "nsupdate renames the laptop's PTR: its A follows" ptr_renames
	step "the camera gives its lease back: its names go" camera_leaves
	show table
	step "why annas-laptop.demo.test" explain
	show cat why.txt
	step "reconcile at the end: nothing to do" second_pass
}
