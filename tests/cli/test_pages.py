"""Every page leads where it says, and names only what is there: files, headings, verbs and their options."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from typing import Any, NamedTuple
from urllib.parse import unquote
from uuid import UUID

import pytest
import typer
from support.plans import ROOT

from agent_server.commands.line import parser
from lgp.main import VERBS, build

FENCE = re.compile(r"^( *)(```+|~~~+).*?^ *\2 *$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
WORKING_TREE = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]


@cache
def files() -> set[str]:
    """What is in the repository, without what git ignores."""
    told = subprocess.run(WORKING_TREE, cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in told.stdout.splitlines() if (ROOT / name).exists()}


PAGES = sorted(name for name in files() if name.endswith(".md"))


@cache
def text_of(page: str) -> str:
    return (ROOT / page).read_text()


@cache
def anchors(page: str) -> set[str]:
    """As GitHub makes them of a page's headings: the second of one name ends with `-1`."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", FENCE.sub("", text_of(page)), re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        again = found[name] = found.get(name, -1) + 1
        found[f"{name}-{again}" if again else name] = 0
    return set(found) | set(re.findall(r'<a (?:id|name)="([^"]+)"', text_of(page)))


def links(page: str) -> list[str]:
    """Targets of a page's links and pictures that are in the repository."""
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text_of(page)))
    return [link for link in LINK.findall(prose) if not re.match(r"[a-z]+:", link)]


def astray(page: str) -> Iterator[str]:
    """Links of a page that lead nowhere."""
    for link in links(page):
        path, _, anchor = unquote(link).partition("#")
        target = (ROOT / page).parent.joinpath(path).resolve() if path else ROOT / page
        name = str(target.relative_to(ROOT)) if target.is_relative_to(ROOT) else str(target)
        is_folder = any(each.startswith(f"{name}/") for each in files())
        if (name not in files() and not is_folder) or (anchor and anchor not in anchors(name)):
            yield link


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_anchor_of_a_page_leads_somewhere(page):
    assert list(astray(page)) == []


def fenced(page: str) -> list[str]:
    """Lines of code in a page's fences, continued ones joined."""
    return "\n".join(each.group() for each in FENCE.finditer(text_of(page))).replace("\\\n", " ").splitlines()


def inline(page: str) -> list[str]:
    """Code within a page's sentences."""
    return re.findall(r"`([^`\n]+)`", FENCE.sub("", text_of(page)))


CALL = re.compile(r"(?<![\w./-])(?<!role )(?<!database )(?<!owner )(lgp|agent_server|make) (?=[A-Za-z])(.*)")
"""The program of a call, and what follows; a role and a database are called `lgp`, too."""

END = re.compile(r"[|&;<>()`\[#]")
"""What a word begins with that is no argument any more."""

OF_MAKE = re.compile(r"[a-z-]+|[A-Z_]+=.*")
"""A target or a variable; whoever makes something else of a line of code has written a sentence."""

STAND_INS = {"N": "1", "KEY_ID": str(UUID(int=0))}
"""For what the reader fills in, where any text will not do."""


class Call(NamedTuple):
    """A call of a program of ours, as a page has it."""

    program: str
    words: list[str]

    def __str__(self) -> str:
        return shlex.join([self.program, *self.words])


def calls(lines: list[str]) -> Iterator[Call]:
    """Calls in these lines of code, but those that a page cuts short by `…`."""
    for program, rest in (found for line in lines for found in CALL.findall(line)):
        words = arguments(rest)
        if "…" in words or (program == "make" and not all(OF_MAKE.fullmatch(word) for word in words)):
            continue
        yield Call(program, words)
        if program == "make" and words[0] == "plan":
            yield Call("lgp", words_of_plan(words))


def arguments(rest: str) -> list[str]:
    """The words up to the end of the call; none of them where a quote goes on in the next line."""
    lexer = shlex.shlex(rest, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(takewhile(lambda word: not END.match(word), lexer))
    except ValueError:
        words = []
    return [STAND_INS.get(word, word) for word in words] or ["…"]


def words_of_plan(words: list[str]) -> list[str]:
    """What `make plan` hands to `lgp`."""
    given = dict(word.split("=", 1) for word in words if "=" in word)
    return ["plan", *shlex.split(f"{given.get('STACK', '')} {given.get('ARGS', '')}")]


@cache
def lgp() -> Any:
    """The command line with all verbs."""
    return typer.main.get_command(build([]))


def refusal(call: Call) -> str | None:
    """Why the program would not take it."""
    if call.program == "make":
        return not_in_the_makefile(call.words)
    verb, *rest = call.words
    try:
        if call.program == "agent_server" or VERBS.get(verb) == "server":
            parser().parse_args(call.words)
        else:
            lgp().commands[verb].make_context(verb, rest)
    except (SystemExit, KeyError, typer.TyperException) as error:
        is_of_the_reader = str(error).endswith("' does not exist.")
        return None if is_of_the_reader else f"{call}: {error}"
    return None


def not_in_the_makefile(words: list[str]) -> str | None:
    made = (ROOT / "Makefile").read_text()
    known = set(re.findall(r"^([a-z-]+):", made, re.MULTILINE)) | set(re.findall(r"\b[A-Z_]+\b", made))
    unknown = {word.partition("=")[0] for word in words} - known
    return f"make has no {', '.join(sorted(unknown))}" if unknown else None


def as_mentioned(call: Call) -> Call | None:
    """The call that a sentence means: it may name a verb alone, or an option without its value."""
    if len(call.words) == 1 or call.words == ["keys", "revoke"]:
        return call if call.program == "make" else None
    return Call(call.program, [*call.words, "1"]) if takes_a_value(call) else call


def takes_a_value(call: Call) -> bool:
    verb, last = call.words[0], call.words[-1]
    options = lgp().commands[verb].params if call.program == "lgp" and verb in VERBS else []
    return any(last in each.opts and not each.is_flag for each in options if last.startswith("--"))


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_is_one_that_the_program_takes(page, capfd):
    meant = [*calls(fenced(page)), *filter(None, map(as_mentioned, calls(inline(page))))]
    assert list(filter(None, map(refusal, meant))) == [], capfd.readouterr().err


@pytest.mark.parametrize("page", PAGES)
def test_every_verb_in_a_sentence_is_there(page):
    assert {call.words[0] for call in calls(inline(page)) if call.program == "lgp"} <= set(VERBS)


@pytest.mark.parametrize(
    "line",
    ["lgp plan dev --no-such", "lgp fly", "lgp cost dev", "make fly", "make up NO=1", "make plan ARGS=--x",
     "python -m agent_server keys create --tenant acme", "a=$(lgp keys show)"],
)  # fmt: skip
def test_a_command_that_is_not_there_is_found(line):
    assert any(map(refusal, calls([line])))


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_a_page_names_is_there(page):
    known = {name.rpartition("/")[2] for name in files()}
    assert {name for name in re.findall(r"\btest_\w+\.py\b", text_of(page)) if name not in known} == set()
