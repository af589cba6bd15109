#!/bin/bash
# Runs every unit program of a directory: tests/run-units.sh build/gcc/unit
#
# One line each: result, name, number of tests, time; the output is shown only when something
# failed.  The sums go to build/results/ for tests/summary.sh.  Exit 1 on any failure.
set -uo pipefail
export LC_ALL=C
dir=${1:?usage: tests/run-units.sh DIR}
limit_s=${UNIT_TIMEOUT_S:-120}
results=build/results
# build/gcc-address,undefined/unit -> units-gcc-address,undefined
name=units-$(basename "$(dirname "$(realpath "$dir")")")
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# cmocka's closing lines: "[  PASSED  ] 12 test(s)." and "[  FAILED  ] 1 test(s), listed below:"
count_of() { sed -n "s/^\[  $1  *\] \([0-9]*\) test(s).*/\1/p" "$out" | awk '{n += $1} END {print n + 0}'; }

passed=0 failed=0 programs=0
for program in "$dir"/test_*; do
	if [ ! -f "$program" ] || [ ! -x "$program" ]; then continue; fi
	programs=$((programs + 1))
	t0=$(date +%s%N)
	timeout --kill-after=5 "$limit_s" "$program" > "$out" 2>&1 && rc=0 || rc=$?
	ms=$((($(date +%s%N) - t0) / 1000000))
	p=$(count_of PASSED) f=$(count_of FAILED)
	# It died, timed out, or its group setup failed: that is a failure nobody counted.
	if [ "$rc" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	# Nothing was tested: a program that lost its tests must not look well.
	if [ "$rc" -eq 0 ] && [ "$p" -eq 0 ]; then f=1; fi
	passed=$((passed + p)) failed=$((failed + f))
	if [ "$f" -eq 0 ]; then
		printf 'ok   %-28s %3d  %5d ms\n' "$(basename "$program")" "$p" "$ms"
	else
		printf 'FAIL %-28s %3d passed, %d failed, status %d\n' \
			"$(basename "$program")" "$p" "$f" "$rc"
		sed 's/^/     /' "$out"
	fi
done
if [ $programs -eq 0 ]; then
	echo "FAIL no unit programs in $dir"
	failed=1
fi
mkdir -p "$results"
echo "$passed $failed" > "$results/$name.count"
printf 'units: %d programs, %d passed, %d failed\n' $programs $passed $failed
[ $failed -eq 0 ]
