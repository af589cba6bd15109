#!/bin/bash
# Adds up what the runners left in build/results/ and prints "N passed, N failed".
#
# A runner writes one file NAME.count with one line "PASSED FAILED".  Exit 1 when anything
# failed or nothing ran.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
shopt -s nullglob
files=(build/results/*.count)
if [ ${#files[@]} -eq 0 ]; then
	echo "0 passed, 0 failed"
	exit 1
fi
awk '{ passed += $1; failed += $2 }
	END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || passed == 0 }' "${files[@]}"
