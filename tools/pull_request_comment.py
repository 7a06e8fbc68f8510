"""Posts the texts of a run of preview.yml as comments on its pull request, or edits the ones that are there.

The run's code may have been anybody's. From it come only the texts, which are bounded and disarmed; which
pull request it is GitHub says, by the commit and the branch in the event. A comment is edited only if this
workflow wrote it, and only while the commit is the pull request's newest. A fork has no preview: what it
calls one is not looked at. An earlier text never stays under a newer commit.
"""

import io
import os
import sys
import zipfile
import zlib

from disarm import disarmed, shortened
from github_api import BODY_LIMIT, BOT, Json, Repository

STACKS = ("dev", "prod")
KINDS = ("plan", "preview")
"""Texts there may be of each stack: an artifact `KIND-STACK` with a file `KIND.md`."""
PACKED_LIMIT = 1_000_000
"""Bytes of an artifact; a plan's is some kilobytes."""
TEXT_LIMIT = 4 * BODY_LIMIT
"""Bytes of its text that are read: a bomb is not unpacked."""


def main() -> int:
    """One comment for each text; nothing where the pull request cannot be told or is ahead."""
    repository, env = Repository.of_the_job(), os.environ
    pull = pull_request(repository, env["HEAD_OWNER"], env["HEAD_BRANCH"], env["HEAD_SHA"])
    if pull is None:
        return 0
    number, fork = int(pull["number"]), is_fork(repository, pull)
    texts = texts_of(repository, int(env["RUN_ID"]))
    run = repository.run(env["RUN_ID"])
    for stack in STACKS:
        for kind in KINDS:
            forged = fork and kind != "plan"
            text = None if forged else texts.get(f"{kind}-{stack}")
            # no preview: of a fork, of a stack in no account, or it failed: only an older one has to go
            put(
                repository,
                number,
                f"<!-- lgp-{kind}:{stack} -->",
                body(kind, stack, text, env["HEAD_SHA"], run),
                anew=text is not None or kind == "plan",
            )
    return 0


def is_fork(repository: Repository, pull: Json) -> bool:
    """Whether the code is of another repository; one that was deleted is another."""
    head: Json = pull["head"].get("repo") or {}
    return head.get("full_name") != repository.name


def pull_request(repository: Repository, owner: str, branch: str, commit: str) -> Json | None:
    """The one open pull request into this repository whose newest commit that is; says why there is none."""
    found = [
        pull
        for pull in repository.all("/pulls", head=f"{owner}:{branch}", state="open")
        if pull["head"]["sha"] == commit and pull["base"]["repo"]["full_name"] == repository.name
    ]
    if len(found) != 1:
        why = "several have this branch" if found else "it has newer commits, or is closed"
        sys.stdout.write(f"::notice::no comment for {commit[:12]}: {why}\n")
        return None
    return found[0]


def texts_of(repository: Repository, run: int) -> dict[str, str]:
    """`plan-dev` and its like → text, of what the run left behind; other names are not looked at."""
    names = {f"{kind}-{stack}": f"{kind}.md" for kind in KINDS for stack in STACKS}
    found: dict[str, str] = {}
    for artifact in repository.all(f"/actions/runs/{run}/artifacts", "artifacts"):
        name = artifact["name"]
        if name in names and not artifact["expired"] and artifact["size_in_bytes"] <= PACKED_LIMIT:
            packed = repository.download(f"/actions/artifacts/{int(artifact['id'])}/zip", PACKED_LIMIT)
            text = None if packed is None else unpacked(packed, names[name])
            if text is not None:
                found[name] = text
    return found


def unpacked(packed: bytes, name: str) -> str | None:
    """The text of one file of an archive, its first part if it is too long; None if there is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive, archive.open(name) as file:
            return file.read(TEXT_LIMIT).decode(errors="replace")
    except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return None  # no such file, no archive, an unknown compression, a password
    except (zlib.error, EOFError, OSError, ValueError):
        return None  # it is broken inside: deflate, bzip2, LZMA, or where it says that the file begins


def body(kind: str, stack: str, text: str | None, commit: str, run: str) -> str:
    """What is below the marker: whose words it is, and they themselves."""
    if text is None:
        return f"The {kind} of `{stack}` could not be made for {commit[:12]}: [the run]({run}) says why.\n"
    by = f"by [this run]({run}) of the pull request's own code"
    head = f"{kind.capitalize()} of `{stack}`, made at {commit[:12]} {by}.\n\n"
    return head + shortened(disarmed(text), BODY_LIMIT - len(head) - 100)


def put(repository: Repository, number: int, marker: str, text: str, *, anew: bool = True) -> None:
    """The comment with this marker has this text from now on; where there is none, only if `anew`."""
    content: Json = {"body": f"{marker}\n{text}"}
    for comment in repository.all(f"/issues/{number}/comments"):
        author: Json = comment["user"] or {}
        if author.get("login") == BOT and author.get("type") == "Bot" and comment["body"].startswith(marker):
            repository.patch(f"/issues/comments/{int(comment['id'])}", content)
            return
    if anew:
        repository.post(f"/issues/{number}/comments", content)


if __name__ == "__main__":
    sys.exit(main())
