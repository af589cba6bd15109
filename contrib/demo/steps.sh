#!/bin/bash
# Steps with a result, a time and a log each; sourced by inner.sh.

STEPS=0 FAILED=
STARTED_NS=$(date +%s%N)

say() { printf '\n== %s\n' "$*"; }
ms_since() { echo $((($(date +%s%N) - $1) / 1000000)); }

# wait_until COMMAND...: until it succeeds, at most 10 s.
wait_until() {
	local t0=$SECONDS
	until "$@" >/dev/null 2>&1; do
		if [ $((SECONDS - t0)) -ge 10 ]; then
			echo "still not true after 10 s: $*"
			return 1
		fi
		sleep 0.02
	done
}

# step WORDS COMMAND...: runs it with its output in a log of its own.  Variables that it sets are
# lost: it runs in a subshell, so that set -e holds in it.
step() {
	local what=$1 t0 log rc
	shift
	[ -z "$FAILED" ] || return 0
	STEPS=$((STEPS + 1))
	log=$(printf '%s/log/%02d-%s.log' "$STATE" $STEPS "$(tr -cs 'A-Za-z0-9' - <<< "$what")")
	log=${log/-.log/.log}
	t0=$(date +%s%N)
	set +e
	( set -euo pipefail; "$@" ) > "$log" 2>&1
	rc=$?
	set -e
	if [ $rc -eq 0 ]; then
		printf '   ok    %-58s %6d ms\n' "$what" "$(ms_since "$t0")"
		return 0
	fi
	FAILED=$what
	printf '   FAIL  %s (status %d)\n' "$what" $rc
	tail -n 15 "$log" | sed 's/^/         | /'
	printf '         log: %s\n         the servers: %s\n' "$log" "$STATE/log"
}

# show COMMAND...: its output, indented; never decides anything.
show() {
	[ -z "$FAILED" ] || return 0
	"$@" 2>&1 | sed 's/^/         /' || true
}

finish() {
	if [ -n "$FAILED" ]; then
		say "failed at: $FAILED"
	else
		say "all $STEPS steps done in $(ms_since "$STARTED_NS") ms"
	fi
	if [ "$MODE" = up ]; then
		cat <<-TEXT

		Running; Ctrl-C here or "contrib/demo/demo down" ends it.  In another terminal:
		  contrib/demo/demo sh                           a shell inside
		  contrib/demo/demo sh ipambridge list hosts     one command inside
		  contrib/demo/demo sh ipambridge why laptop.demo.test
		TEXT
		while :; do
			sleep 3600 &
			wait $! || true
		done
	fi
	[ -z "$FAILED" ] || exit 1
	exit 0
}
