#!/bin/bash
# The first process of the demo's namespaces: brings the stack up, then runs the main job step by
# step (scenario.sh).  Its end is the end of every process here.
#
# From demo: STATE HERE REPO BIN MODE, and the servers' environment.
# shellcheck disable=SC2317     # the functions are called by step and by traps
set -euo pipefail
cd "$STATE"
# shellcheck source=contrib/demo/steps.sh
. "$HERE/steps.sh"
# shellcheck source=contrib/demo/scenario.sh
. "$HERE/scenario.sh"

PORT=5300
ZONES_FORWARD=demo.test
ZONES_REVERSE="0.77.10.in-addr.arpa 7.7.d.f.ip6.arpa"

stop() {
	trap - TERM INT EXIT
	"$REPO/contrib/local-postgres" stop "$STATE/pg" >> log/postgres.log 2>&1 || true
	exit "$1"
}
trap 'stop 0' TERM INT
trap 'stop $?' EXIT

postgres() {
	"$REPO/contrib/local-postgres" start "$STATE/pg" --fast > database
	cat database
}

name_server() {
	local zone key
	for key in ipambridge other rndc; do
		( umask 077; tsig-keygen -a hmac-sha256 "$key" > "named/$key.key" )
	done
	for zone in $ZONES_FORWARD $ZONES_REVERSE; do
		"$REPO/contrib/render" "$REPO/contrib/bind/zone.in" NS=ns.demo.test > "named/$zone.zone"
	done
	echo 'ns IN A 10.77.0.1' >> named/demo.test.zone
	"$REPO/contrib/render" "$REPO/contrib/bind/named.conf.in" DIR="$STATE/named" \
		ADDRESS=127.0.0.1 PORT="$PORT" RNDC_PORT=5953 KEY_FILE="$STATE/named/ipambridge.key" \
		OTHER_KEY_FILE="$STATE/named/other.key" RNDC_KEY_FILE="$STATE/named/rndc.key" \
		FORWARD="$ZONES_FORWARD" REVERSE="$ZONES_REVERSE" > named/named.conf
	named-checkconf -z named/named.conf
	named -g -n 1 -c "$STATE/named/named.conf" > log/named.log 2>&1 &
	wait_until dig +tries=1 +time=1 "@127.0.0.1" -p "$PORT" demo.test SOA
}

# A bridge, and one network namespace with one interface for each host.
lan() {
	local n=0 host
	ip link add br-lan type bridge
	ip link set br-lan up
	ip addr add 10.77.0.1/24 dev br-lan
	ip addr add fd77::1/64 dev br-lan nodad
	for host in printer laptop camera phone nas; do
		n=$((n + 1))
		ip netns add "$host"
		ip link add "v-$host" type veth peer name eth0 netns "$host"
		ip link set "v-$host" master br-lan up
		ip -n "$host" link set lo up
		ip -n "$host" link set eth0 address "02:00:00:00:00:1$n"
		ip -n "$host" link set eth0 up
	done
}

dhcp_server() {
	"$REPO/contrib/render" "$HERE/kea-dhcp4.conf.in" STATE="$STATE" > kea/kea-dhcp4.conf
	KEA_PIDFILE_DIR=/run/kea KEA_LOCKFILE_DIR=/run/lock/kea \
		kea-dhcp4 -c "$STATE/kea/kea-dhcp4.conf" > log/kea.log 2>&1 &
	wait_until grep -q DHCP4_STARTED log/kea.log
}

# udhcpc HOST OPTION...: asks for a lease and ends when it has one.
udhcpc() {
	local host=$1
	shift
	ip netns exec "$host" busybox udhcpc -q -n -t 8 -T 1 -i eth0 -s "$HERE/udhcpc.sh" "$@" 2>&1 |
		tee "log/udhcpc-$host.log"
	grep -q '^bound' "log/udhcpc-$host.log"
}

clients() {
	udhcpc printer                              # a reservation names it
	udhcpc laptop -x hostname:Laptop            # option 12
	udhcpc phone -x "hostname:Anna_s-Phone"     # option 12, not quite a host name
	# Option 81.  This one stays, and gives its lease back when it is told to end.
	ip netns exec camera busybox udhcpc -f -R -t 8 -T 1 -i eth0 -s "$HERE/udhcpc.sh" \
		-F camera.demo.test > log/udhcpc-camera.log 2>&1 &
	echo $! > camera.pid
	wait_until grep -q '^bound' log/udhcpc-camera.log
	# A static host that never asked anybody: only the neighbour table knows it.
	ip -n nas addr add 10.77.0.9/24 dev eth0
	ip netns exec nas busybox ping -c 1 -W 2 10.77.0.1
}

# What "demo sh" reads: "ipambridge" with the demo's configuration, and the servers' tools.
environment() {
	"$REPO/contrib/render" "$HERE/ipambridge.conf.in" DATABASE="$(tail -n 1 database)" \
		STATE="$STATE" PORT="$PORT" > ipambridge.conf
	printf '#!/bin/sh\n# The libraries that were unpacked for the servers are not for it.\nunset LD_LIBRARY_PATH\nexec "%s" -c "%s" "$@"\n' \
		"$BIN" "$STATE/ipambridge.conf" > bin/ipambridge
	chmod 755 bin/ipambridge
	{
		printf 'export PATH=%q\n' "$STATE/bin:$PATH"
		printf 'export LD_LIBRARY_PATH=%q\n' "$LD_LIBRARY_PATH"
		printf 'export STATE=%q\n' "$STATE"
		echo "d() { dig \"@127.0.0.1\" -p $PORT +noall +answer \"\$@\"; }"
		echo "PS1='demo# '"
	} > environment
}

mount -t tmpfs -o mode=755 tmpfs /run     # private: ip netns, Kea's pid and lock files
mkdir -p /run/kea /run/lock/kea /run/named /run/netns
ip link set lo up
hostname demo

say "the servers"
step "PostgreSQL, Unix socket only" postgres
step "named with TSIG and update-policy, three zones" name_server
step "a LAN: one bridge, five hosts" lan
step "kea-dhcp4 $(kea-dhcp4 -v)" dhcp_server
step "four leases, one static host" clients
step "configuration" environment
export PATH=$STATE/bin:$PATH
say "ipambridge"
scenario
finish
