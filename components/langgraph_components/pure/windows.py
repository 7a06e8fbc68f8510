"""When AWS may work on a store: windows of each day and of the week, in UTC."""

import re

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
WEEK = len(DAYS) * DAY
"""Minutes."""

_CLOCK = r"([01]\d|2[0-3]):([0-5]\d)"
_NAMED = rf"({'|'.join(DAYS)}):{_CLOCK}"
_DAILY = re.compile(f"{_CLOCK}-{_CLOCK}")
_WEEKLY = re.compile(f"{_NAMED}-{_NAMED}")


def daily(window: str) -> str:
    """The same window, if it is `hh:mm-hh:mm`.

    Raises:
        ValueError: says so.
    """
    if not _DAILY.fullmatch(window):
        told = f"should be hh:mm-hh:mm in UTC (got {window!r})"
        raise ValueError(told)
    return window


def weekly(window: str, besides: str | None) -> str:
    """The same window, if it is `ddd:hh:mm-ddd:hh:mm`, and no daily one falls into it: AWS refuses that.

    Raises:
        ValueError: says so.
    """
    if not _WEEKLY.fullmatch(window):
        told = f"should be ddd:hh:mm-ddd:hh:mm in UTC (got {window!r})"
        raise ValueError(told)
    if besides is not None and _overlap(besides, window):
        told = f"should not overlap the daily window {besides} (got {window!r})"
        raise ValueError(told)
    return window


def _overlap(of_day: str, of_week: str) -> bool:
    begin, end = (_minutes(moment) for moment in of_day.split("-"))
    first, last = (_minutes(moment) for moment in of_week.split("-"))
    length, whole = (end - begin) % DAY, (last - first) % WEEK
    starts = [day * DAY + begin for day in range(len(DAYS))]
    # each begins while the other lasts; the week ends where it begins
    return any((start - first) % WEEK < whole or (first - start) % WEEK < length for start in starts)


def _minutes(moment: str) -> int:
    """Since midnight, or since the beginning of the week where a day is named."""
    *day, hours, minutes = moment.split(":")
    since = DAYS.index(day[0]) * DAY if day else 0
    return since + int(hours) * 60 + int(minutes)
