#!/usr/bin/env bash
# drift.sh STACK FOLDER: writes FOLDER/STACK.json, what differs between the state and the world, without any value.
# Fails, and writes nothing, if it could not look.
set -euo pipefail
stack=$1 folder=$2
mkdir -p "$folder"
digest=$(mktemp)
trap 'rm -f "$digest"' EXIT

# the digest has every input and output of the stack: it is neither printed nor kept
if ! pulumi refresh --preview-only --stack "$stack" --json --non-interactive >"$digest"; then
  python3 -c 'import json, sys
for each in json.load(sys.stdin).get("diagnostics", []): print(each.get("severity"), each.get("message"), file=sys.stderr)' <"$digest" || true
  exit 1
fi
python3 tools/drift.py "$stack" <"$digest" >"$folder/$stack.json"
cat "$folder/$stack.json"
