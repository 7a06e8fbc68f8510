"""The process: `python -m agent_server COMMAND`.

Exit codes
    0  done, or stopped as asked
    1  failed; the last line on stderr says why
    2  the command line is wrong
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from agent_server.commands.line import parser
from agent_server.core.errors import ServerError
from agent_server.core.secret_files import SECRET_FILES, adopt_secret_files


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; whatever can be expected to fail is told in one line."""
    given = parser().parse_args(arguments)
    try:
        adopt_secret_files(SECRET_FILES)
        return getattr(import_module(f"agent_server.commands.{given.module}"), given.function)(given)
    except ServerError as error:
        sys.stderr.write(f"agent_server: {' '.join(error.detail.split())}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone: nothing is left to be told
        return 1


if __name__ == "__main__":
    sys.exit(main())
