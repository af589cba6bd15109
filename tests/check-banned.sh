#!/bin/bash
# check-banned.sh PROGRAM: calls that must not be in the built program, and its hardening.
set -euo pipefail
export LC_ALL=C
program=$1
banned='ldns_resolver_.*|ldns_send.*|ldns_axfr_.*|ldns_pkt_tsig_.*|ldns_tcp_.*|ldns_udp_.*'
banned+='|PQexec|PQexecParams|PQexecPrepared|PQprepare|PQconnectdb|PQconnectdbParams'
banned+='|system|popen|wordexp|dlopen|strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|tmpnam|mktemp'
found=$(nm -D -u "$program" | awk '{print $2}' | sed 's/@.*//' | grep -xE "$banned" || true)
if [ -n "$found" ]; then
	echo "banned symbols in $program:"
	echo "$found"
	exit 1
fi
need() { if ! eval "$2" >/dev/null; then echo "$program: $1"; exit 1; fi; }
need "not position independent" "readelf -h $program | grep 'DYN'"
need "no full RELRO" "readelf -d $program | grep -E 'BIND_NOW|FLAGS.*NOW'"
need "executable stack" "readelf -lW $program | grep 'GNU_STACK' | grep -v 'RWE'"
need "no stack protector" "nm -D $program | grep '__stack_chk_fail'"
need "a run path" "! readelf -d $program | grep -E 'RPATH|RUNPATH'"
echo "banned: ok"
