"""What `pulumi refresh --preview-only --json` found, without a single value.

`drift.py STACK < digest > report`. The report is kept as an artifact and becomes an issue, both of which more
people can read than the state.
"""

import json
import sys
from typing import Any

SAME = {"same", "refresh", "read"}
EXPECTED = {("delete", "kubernetes:batch/v1:Job")}
"""Kubernetes deletes a finished Job after its time; the next `pulumi up` does not need it."""


def report(stack: str, digest: dict[str, Any]) -> dict[str, Any]:
    """`{stack, differences: [{op, type, name, properties}]}`, in the order of types and names."""
    found = [_difference(step) for step in digest.get("steps", []) if step["op"] not in SAME]
    kept = [each for each in found if (each["op"], each["type"]) not in EXPECTED]
    return {"stack": stack, "differences": sorted(kept, key=lambda each: (each["type"], each["name"]))}


def _difference(step: dict[str, Any]) -> dict[str, Any]:
    kind, name = step["urn"].split("::", 3)[2:]
    properties = sorted({*(step.get("detailedDiff") or {}), *(step.get("diffReasons") or ())})
    return {"op": step["op"], "type": kind.rpartition("$")[2], "name": name, "properties": properties}


if __name__ == "__main__":
    json.dump(report(sys.argv[1], json.load(sys.stdin)), sys.stdout, indent=1)
