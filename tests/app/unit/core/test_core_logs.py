import json
import subprocess
import sys
import time
from typing import Any

import pytest

from agent_server.core.logs import masked

PRELUDE = """
import logging, sys, structlog
from agent_server.core.logs import configure_logs
from agent_server.core.settings import Settings
configure_logs(Settings.model_validate(
    {{"database_url": "postgresql://u:hunter2@h/d", "log_format": "{form}", "log_level": "{level}"}}
), at_least="{least}")
log = structlog.get_logger()
"""


def logged(statements: str, *, form: str = "json", level: str = "INFO", least: str = "DEBUG") -> list[str]:
    """The lines on stderr of a process that executes the statements; stdout stays empty."""
    script = PRELUDE.format(form=form, level=level, least=least) + statements
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return done.stderr.removesuffix("\n").split("\n")


def events(statements: str, **options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logged(statements, **options)]


def test_an_event_is_one_line_of_json_with_what_is_bound_to_the_context() -> None:
    [event] = events(
        "structlog.contextvars.bind_contextvars(request_id='r', run_id='u')\nlog.info('done', seconds=1.5)"
    )
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "done", "level": "info", "request_id": "r", "run_id": "u", "seconds": 1.5}


def test_libraries_log_the_same_way() -> None:
    [event] = events(
        "structlog.contextvars.bind_contextvars(run_id='u')\n"
        "logging.getLogger('psycopg.pool').warning('lost %s', 3, extra={'size': 5})"
    )
    assert (event["event"], event["level"], event["logger"]) == ("lost 3", "warning", "psycopg.pool")
    assert (event["run_id"], event["size"]) == ("u", 5)


def test_an_exception_is_a_field_with_frames_and_without_locals() -> None:
    told = events(
        "def f():\n    local = 'hunter2'\n    raise ValueError('no')\n"
        "for logger in (log, logging.getLogger('x')):\n"
        "    try: f()\n    except ValueError: logger.exception('failed')"
    )
    assert len(told) == 2
    for event in told:
        [raised] = event["exception"]
        assert (raised["exc_type"], raised["exc_value"]) == ("ValueError", "no")
        assert raised["frames"][-1]["name"] == "f"
        assert "hunter2" not in json.dumps(event)


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    "secret",
    [
        "connecting to postgresql://me:SECRET@host:5432/db failed",
        "connecting to redis://:SECRET@host",
        "host=h password=SECRET user=u",
        "host=h password='SECRET x' user=u",
        "Bearer lgp_abcdSECRETSECRETSECRETSECRETSECRETSECRET123456",
        "sk-ant-SECRETSECRETSECRET",
        "db.example:5432/?Action=connect&X-Amz-Security-Token=SECRET%2F&X-Amz-Signature=SECRET",
    ],
)
def test_no_secret_is_printed(secret: str, form: str) -> None:
    lines = logged(
        f"secret = {secret!r}\n"
        "log.info(secret, field=secret, nested={'a': [secret]})\n"
        "logging.getLogger('x').warning('%s', secret)\n"
        "try: raise RuntimeError(secret)\n"
        "except RuntimeError: log.exception('failed')",
        form=form,
    )
    assert len(lines) >= 3
    assert "SECRET" not in "\n".join(lines)


@pytest.mark.parametrize(
    "text", ["://:", "://a:b", "password='", "password=", "lgp_abcd", "sk-", "://a", "PassWord=a '"]
)
def test_masking_takes_a_time_that_grows_with_the_text_only(text: str) -> None:
    started = time.monotonic()
    masked(text * (200_000 // len(text)))
    assert time.monotonic() - started < 1


def test_a_password_may_hold_what_urls_do_not_admit() -> None:
    assert masked("x://u:a/b:c?d#e@h y://:p@h") == "x://u:***@h y://:***@h"


@pytest.mark.parametrize("form", ["json", "console"])
def test_long_texts_are_cut_and_what_is_secret_of_them_is_not_laid_bare(form: str) -> None:
    written = logged(
        "text = 'x' * 3950 + ' postgresql://u:' + 'SECRET' * 100 + '@h ' + 'x' * 10**6\n"
        "log.info('a', field=text, nested=[{'b': text}])\n"
        "logging.getLogger('x').warning(text)\n"
        "try: raise RuntimeError(text)\n"
        "except RuntimeError: log.exception('failed')",
        form=form,
    )
    assert "SECRET" not in "".join(written)
    assert all(len(line) < 20_000 for line in written)


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_text_from_outside_forges_a_line(form: str) -> None:
    lines = logged(
        "text = 'a\\r\\nb\\x1b[31mc\\x85d\\u2028e'\nlog.info(text, field=text)\n"
        "logging.getLogger('x').warning(text)",
        form=form,
    )
    assert len(lines) == 2
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize("form", ["json", "console"])
def test_anything_can_be_logged(form: str) -> None:
    assert (
        len(logged("log.info('x', a='\\ud800', b=object(), c={1, 2}, d=2**70, e=b'\\xff')", form=form)) == 1
    )


def test_the_level_holds_for_ours_and_for_libraries() -> None:
    said = "log.info('a'); log.warning('b'); l = logging.getLogger('x'); l.info('c'); l.warning('d')"
    assert [event["event"] for event in events(said, level="WARNING")] == ["b", "d"]
    assert [event["event"] for event in events(said, least="WARNING")] == ["b", "d"]


def test_clients_everyday_requests_are_not_logged() -> None:
    said = "logging.getLogger('httpx').info('GET …'); logging.getLogger('httpx').warning('bad')"
    assert [event["event"] for event in events(said)] == ["bad"]
