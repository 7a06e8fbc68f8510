"""The one log of a process: a line an event on stderr, ours and that of every library alike.

`LOG_FORMAT=json` writes an object a line: `event`, `level`, `timestamp` (UTC), what was bound to the
context (`request_id`, `run_id`, …), and an exception as a list with its frames, never with their locals.
"""

import logging
import re
import sys
from io import StringIO
from typing import Any, Literal, TextIO, cast

import orjson
import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import ExceptionRenderer, JSONRenderer, TimeStamper, add_log_level
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_logger_name
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, ExcInfo, Processor

from agent_server.core import jsonio
from agent_server.core.errors import shorten
from agent_server.core.settings import Settings

QUIET = ("anthropic", "asyncio", "httpcore", "httpx", "openai", "watchfiles")
"""Libraries whose everyday events are of no interest here: warnings and worse only."""
FRAMES = 20
"""Of an exception, nearest to where it was raised."""

VALUE_CHARACTERS = 4000
"""Of any text in an event, its exception's included, so much is written."""

_LEVELS = 6  # of lists and dicts, down to the text of an exception in a group of groups
_MASK = "***"
_SECRETS = (
    # Each match ends where another may begin, or a text full of beginnings would take a time that grows with
    # its square.
    (re.compile(r"(://[^/?#\s\"'@:]*:)(?:(?!://)[^\s\"'@])+@"), rf"\g<1>{_MASK}@"),
    (re.compile(r"(?i)(\bpassword=)('[^']*'|[^\s\"'&]+)"), rf"\g<1>{_MASK}"),
    (re.compile(r"\b(lgp_[0-9A-Za-z]{4})[0-9A-Za-z]{30,}"), rf"\g<1>{_MASK}"),
    (re.compile(r"\b(sk-)[0-9A-Za-z_-]{16,}"), rf"\g<1>{_MASK}"),
    (re.compile(r"(X-Amz-(?:Signature|Security-Token)=)[^\s\"'&]+"), rf"\g<1>{_MASK}"),
)
_CONTROL = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160), 0x2028, 0x2029)}


def configure_logs(settings: Settings, *, at_least: Literal["DEBUG", "WARNING"] = "DEBUG") -> None:
    """Send everything that is logged to stderr, as the settings say; nothing below `at_least`."""
    level = max(getattr(logging, settings.log_level), getattr(logging, at_least))
    rendered = _rendering(settings.log_format)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_common(), *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                add_logger_name,
                ExtraAdder(),
                *_common(),
            ],
            processors=[ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(capture=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def masked(text: str) -> str:
    """Return the text without passwords of URLs, API keys and the like."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _common() -> list[Processor]:
    return [add_log_level, TimeStamper(fmt="iso", utc=True)]


def _rendering(log_format: Literal["json", "console"]) -> list[Processor]:
    if log_format == "json":
        exceptions = ExceptionDictTransformer(show_locals=False, max_frames=FRAMES)
        return [ExceptionRenderer(exceptions), _cut, JSONRenderer(serializer=_json), _mask]
    colors = sys.stderr.isatty()
    return [_cut, _one_line, ConsoleRenderer(colors=colors, exception_formatter=_traceback), _mask]


def _cut(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {key: _bounded(value, _LEVELS) for key, value in event.items()}


def _bounded(value: Any, levels: int) -> Any:
    """Cut what is too long, masked before: half a secret would not be known as one."""
    if isinstance(value, str):
        return value if len(value) <= VALUE_CHARACTERS else shorten(masked(value), VALUE_CHARACTERS)
    if levels and isinstance(value, dict):
        return {key: _bounded(item, levels - 1) for key, item in cast("dict[Any, Any]", value).items()}
    if levels and isinstance(value, list):
        return [_bounded(item, levels - 1) for item in cast("list[Any]", value)]
    return value


def _traceback(stream: TextIO, error: ExcInfo) -> None:
    """Write a traceback for people; of a long one its beginning and its end."""
    whole = StringIO()
    plain_traceback(whole, error)
    text = whole.getvalue()
    if len(text) > 4 * VALUE_CHARACTERS:
        text = masked(text)
        text = f"{text[: 2 * VALUE_CHARACTERS]}…{text[-2 * VALUE_CHARACTERS :]}"
    stream.write(text)


def _json(event: EventDict, **_: Any) -> str:
    try:
        return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        return jsonio.dumps(event).decode()  # slower, but it carries lone surrogates and the like


def _mask(_logger: Any, _method: str, rendered: Any) -> str:
    return masked(rendered)


def _one_line(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Show control characters, so that no text from outside can forge a line or colour the terminal."""
    return {
        key: value.translate(_CONTROL) if isinstance(value, str) else value for key, value in event.items()
    }
