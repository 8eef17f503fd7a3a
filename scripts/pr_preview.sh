#!/usr/bin/env bash
# pr_preview.sh: what a pull request gets, in preview/: diff.json, comment.md and report.html.
#
# BASE is the ref to compare with, the merge base with the default branch if it is empty. Exits as `l4serve diff` does:
# 1 where a stack is refused. Where there is no difference to be had it leaves none of the three, nor those of an earlier
# run. Needs no credential, no Pulumi CLI and no network.
set -euo pipefail
bin=${BIN:-.venv/bin}
out=${OUT:-preview}
base=()
if [ -n "${BASE:-}" ]; then base=(-- "$BASE"); fi
mkdir -p "$out"
rm -f "$out/diff.json" "$out/comment.md" "$out/report.html"
made=$(mktemp -d "$out/.made-XXXXXX")
trap 'rm -rf "$made"' EXIT
code=0
"$bin/l4serve" diff --json --html "$made/report.html" "${base[@]}" > "$made/diff.json" || code=$?
if [ "$code" -gt 1 ]; then exit "$code"; fi
"$bin/python" -m scripts.pr_comment render "$made/diff.json" > "$made/comment.md"
mv "$made/report.html" "$made/comment.md" "$made/diff.json" "$out/"
cat "$out/comment.md"
exit "$code"
