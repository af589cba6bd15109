#!/bin/bash
# Runs every unit program of a directory, two a core, for most wait: tests/run-units.sh build/gcc/unit
#
# One line each: result, name, number of tests, time; the output is shown only when something
# failed.  The sums go to build/results/ for tests/summary.sh.  Exit 1 on any failure.
set -uo pipefail
export LC_ALL=C
dir=${1:?usage: tests/run-units.sh DIR}
export limit_s=${UNIT_TIMEOUT_S:-120}
results=build/results
# build/gcc-address,undefined/unit -> units-gcc-address,undefined
name=units-$(basename "$(dirname "$(realpath "$dir")")")
work=$(mktemp -d)
export work
trap 'rm -rf "$work"' EXIT

# cmocka's closing lines: "[  PASSED  ] 12 test(s)." and "[  FAILED  ] 1 test(s), listed below:"
count_of() { sed -n "s/^\[  $1  *\] \([0-9]*\) test(s).*/\1/p" "$2" | awk '{n += $1} END {print n + 0}'; }

# What it says is told in one piece, beside what others say; its count is a file of its own.
one() {
	local program=$1 test out rc t0 ms p f
	test=$(basename "$program")
	out=$work/$test.out
	t0=$(date +%s%N)
	timeout --kill-after=5 "$limit_s" "$program" > "$out" 2>&1 && rc=0 || rc=$?
	ms=$((($(date +%s%N) - t0) / 1000000))
	p=$(count_of PASSED "$out") f=$(count_of FAILED "$out")
	# It died, timed out, or its group setup failed: that is a failure nobody counted.
	if [ "$rc" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	# Nothing was tested: a program that lost its tests must not look well.
	if [ "$rc" -eq 0 ] && [ "$p" -eq 0 ]; then f=1; fi
	echo "$p $f" > "$work/$test.count"
	if [ "$f" -eq 0 ]; then
		printf 'ok   %-28s %3d  %5d ms\n' "$test" "$p" "$ms"
	else
		printf 'FAIL %-28s %3d passed, %d failed, status %d\n%s\n' "$test" "$p" "$f" "$rc" \
			"$(sed 's/^/     /' "$out")"
	fi
}
export -f one count_of

programs=0
for program in "$dir"/test_*; do
	if [ ! -f "$program" ] || [ ! -x "$program" ]; then continue; fi
	programs=$((programs + 1))
	printf '%s\0' "$program"
done > "$work/programs"
# shellcheck disable=SC2016     # expands in there
xargs -0 -r -P $(($(nproc) * 2)) -n 1 bash -c 'one "$1"' one < "$work/programs"
read -r passed failed told < <(cat "$work"/*.count 2> /dev/null |
	awk '{p += $1; f += $2} END {print p + 0, f + 0, NR}')
if [ $programs -eq 0 ]; then
	echo "FAIL no unit programs in $dir"
	failed=1
elif [ "$told" -ne $programs ]; then
	echo "FAIL $((programs - told)) unit programs were not run"
	failed=$((failed + programs - told))
fi
mkdir -p "$results"
echo "$passed $failed" > "$results/$name.count"
printf 'units: %d programs, %d passed, %d failed\n' $programs "$passed" "$failed"
[ "$failed" -eq 0 ]
