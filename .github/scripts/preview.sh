#!/usr/bin/env bash
# preview.sh STACK FILE: writes what `pulumi preview` says, with the policy, as a comment's text. Ends as it does.
set -euo pipefail
stack=$1 file=$2
mkdir -p "$(dirname "$file")"
said=$(mktemp)
trap 'rm -f "$said"' EXIT

# what is replaced or deleted, by the line of its type and that of its URN
lost() {
  awk '/: \((replace|delete)\)$/ { what = $NF }
    what && /\[urn=/ {
      n = split($0, part, "::"); name = part[n]; sub(/\]$/, "", name)
      type = part[n - 1]; sub(/.*\$/, "", type)
      if (++many <= 100) print "    " what " " type " " name
      what = ""
    }
    END { if (many > 100) print "    and " many - 100 " more"; if (many) print "" }' "$1"
}

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
  # by name and before all else: a long diff could push them out of what is shown
  lost "$said"
  echo '<details><summary>All of it</summary>'
  echo
  echo '````````diff'
  # what is at the end counts most: summary, policy, errors
  tail -c 50000 "$said" | sed 's/^ \{0,3\}`\{8,\}/    &/' # no line of it ends the fence
  echo '````````'
  echo
  echo '</details>'
} >"$file"
cat "$said"
cat "$file" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
exit "$code"
