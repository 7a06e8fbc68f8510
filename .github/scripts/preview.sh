#!/usr/bin/env bash
# preview.sh STACK FILE: writes what `pulumi preview` says, with the policy, as a comment's text. Ends as it does.
set -euo pipefail
stack=$1 file=$2
mkdir -p "$(dirname "$file")"
said=$(mktemp)
trap 'rm -f "$said"' EXIT

code=0
pulumi preview --stack "$stack" --diff --policy-pack policy --non-interactive --color never --suppress-progress \
  >"$said" 2>&1 || code=$?
verdict="can be done"
[ "$code" -eq 0 ] || verdict="**fails**"
{
  echo "\`pulumi preview\` of \`$stack\` $verdict."
  echo
  grep -A 8 '^Resources:' "$said" | sed 's/^/    /' || true
  echo
  echo '<details><summary>All of it</summary>'
  echo
  echo '````````diff'
  # what is at the end counts most: summary, policy, errors
  tail -c 50000 "$said"
  echo '````````'
  echo
  echo '</details>'
} >"$file"
cat "$said"
cat "$file" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
exit "$code"
