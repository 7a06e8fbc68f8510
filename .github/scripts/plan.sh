#!/usr/bin/env bash
# plan.sh STACK BASE FILE: writes what this tree changes in a stack, compared with a git revision, as a comment's text.
# Ends as `lgp plan` does: 1 if the policy is broken, or the plan could not be made; then the text says so.
set -euo pipefail
stack=$1 base=$2 file=$3
mkdir -p "$(dirname "$file")"
said=$(mktemp)
trap 'rm -f "$said"' EXIT

code=0
.venv/bin/lgp plan "$stack" --diff "$base" --markdown --policy >"$file" 2> >(tee "$said" >&2) || code=$?
if [ ! -s "$file" ]; then
  {
    echo "**The plan of \`$stack\` could not be made.** It says:"
    echo
    echo '````````'
    tail -n 40 "$said"
    echo '````````'
  } >"$file"
fi
cat "$file" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
exit "$code"
