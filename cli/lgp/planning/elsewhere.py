"""A plan in a process of its own: `python -m lgp.planning.elsewhere FOLDER STACK` prints it as JSON.

Another revision is planned with its own program and its own components, by this command's recorder: the two
plans then differ only in what the programs declare, never in how it was written down, and a revision from
before there was a plan can be compared as well.
"""

import json
import sys
from pathlib import Path

from lgp.errors import LgpError
from lgp.planning.program import plan
from lgp.planning.transfer import packed


def main() -> int:
    """Print `{"recording": …}`, or `{"error": …, "exit_code": …}`."""
    folder, stack = sys.argv[1:]
    try:
        answer = {"recording": packed(plan(Path(folder), stack).recording)}
    except LgpError as error:
        answer = {"error": str(error), "exit_code": error.exit_code}
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
