#!/bin/bash
# run-fuzz.sh DIR RUNS: each fuzz target on its corpus, RUNS executions, two at a time.
# A finding is kept in build/fuzz/findings and shown with the command that replays it.
set -uo pipefail
export LC_ALL=C
dir=$1 runs=$2
mkdir -p "$dir/findings" "$dir/logs" build/results
one() {
	local t=$1 name
	name=$(basename "$t")
	local grown=$dir/corpus/$name
	mkdir -p "$grown"
	if "$t" -runs="$runs" -max_len=70000 -timeout=10 -rss_limit_mb=1024 -print_final_stats=0 \
		-artifact_prefix="$dir/findings/$name-" "$grown" "tests/fuzz/corpus/${name#fuzz_}" \
		> "$dir/logs/$name" 2>&1; then
		echo "ok   $name $(grep -oE 'Done [0-9]+ runs in [0-9]+' "$dir/logs/$name" || true)"
	else
		echo "FAIL $name"
		tail -n 30 "$dir/logs/$name"
		echo "replay: $t $(find "$dir/findings" -name "$name-*" | tail -n 1)"
		return 1
	fi
}
export -f one
export dir runs
targets=$(for t in "$dir"/fuzz_*; do if [ -x "$t" ] && [ ! -d "$t" ]; then echo "$t"; fi; done)
n=$(wc -w <<< "$targets")
out=$(mktemp)
# shellcheck disable=SC2086     # words
printf '%s\n' $targets | xargs -P "$(nproc)" -I{} bash -c 'one {}' | tee "$out"
ok=$(grep -c '^ok ' "$out")
rm -f "$out"
echo "$ok $((n - ok))" > build/results/fuzz.count
echo "fuzz: $ok of $n targets, $runs executions each, no finding"
[ "$ok" -eq "$n" ]
