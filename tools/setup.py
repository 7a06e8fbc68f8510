"""`make setup`: the locked environment in `.venv`, from nothing but Python 3.11.

This file must parse on any Python 3, so that an old one is told what it is.
"""

import sys

OLDEST = (3, 11)


def gate() -> int:
    """Exit 0 once `.venv` is ready; with `--ready`, only tell whether it is. One line on stderr otherwise."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        need = f"Python 3.11 or newer is needed, this is {found}"
        sys.stderr.write(f"setup: {need}: try `make setup PYTHON=python3.12`\n")
        return 1
    if "--ready" in sys.argv:
        from readiness import is_ready  # noqa: PLC0415  # an old Python cannot parse it

        return 0 if is_ready() else 1
    from installation import set_up  # noqa: PLC0415  # an old Python cannot parse it

    return set_up()


if __name__ == "__main__":
    sys.exit(gate())
