"""The tables that an estimate reckons with: list prices and assumptions, each with its bounds and its reason.

`prices.toml` and `assumptions.toml` beside this file are the truth; a file of the user's, and `--set`,
replace single entries.
"""

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast

from lgp.costing.ranges import Range, exactly
from lgp.errors import UsageProblem

FOLDER = Path(__file__).resolve().parent
YOURS = "yours"
"""The source of a price, and the reason of an assumption, that the user gave."""

INSTANCE = re.compile(r"^(ec2|db|cache)\.[a-z0-9-]+\.[a-z0-9]+$")
"""Keys that may be added: every other price has its place in the code."""

OPTIONAL = ("managed_traces_1000",)
"""Prices without a figure of ours: what they price is not counted until the user gives one."""


@dataclass(frozen=True)
class Price:
    """USD for one unit."""

    key: str
    usd: Range
    unit: str
    source: str
    """A key of the table's sources, or `YOURS`."""


@dataclass(frozen=True)
class PriceTable:
    """Prices by key, of one region on one day."""

    as_of: date
    region: str
    prices: Mapping[str, Price]
    sources: Mapping[str, str]

    def find(self, key: str) -> Price | None:
        """The price, if there is one."""
        return self.prices.get(key)


@dataclass(frozen=True)
class Assumption:
    """A number that the plan does not hold."""

    key: str
    value: Range
    unit: str
    why: str


Assumptions = Mapping[str, Assumption]


@cache
def shipped_prices() -> PriceTable:
    """The table that comes with this package."""
    read = tomllib.loads((FOLDER / "prices.toml").read_text(encoding="utf-8"))
    prices = {key: _price(key, entry) for key, entry in read["prices"].items()}
    return PriceTable(read["as_of"], read["region"], prices, read["sources"])


@cache
def shipped_assumptions() -> Assumptions:
    """The assumptions that come with this package."""
    read = tomllib.loads((FOLDER / "assumptions.toml").read_text(encoding="utf-8"))
    return {key: _assumption(key, entry) for key, entry in read["assumptions"].items()}


def _price(key: str, entry: Mapping[str, Any]) -> Price:
    usd = float(entry["usd"])
    bounds = Range(float(entry.get("low", usd)), usd, float(entry.get("high", usd)))
    return Price(key, bounds, entry["unit"], entry["source"])


def _assumption(key: str, entry: Mapping[str, Any]) -> Assumption:
    value = Range(float(entry["low"]), float(entry["likely"]), float(entry["high"]))
    return Assumption(key, value, entry["unit"], entry["why"])


def with_file(table: PriceTable, path: Path) -> PriceTable:
    """The table with a file's prices: `region`, `as_of`, `[prices]`: `key = USD` or `{ usd, low, high }`.

    Raises:
        UsageProblem: the file cannot be read, or names what has no price here.
    """
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"--prices {path}: {getattr(error, 'strerror', None) or error}"
        raise UsageProblem(message) from None
    prices = dict(table.prices)
    for key, entry in _entries(path, read).items():
        prices[key] = _given_price(table, key, _bounds(f"{path}: {key}", entry))
    dated = read.get("as_of", table.as_of)
    day = dated if isinstance(dated, date) else table.as_of
    return replace(table, prices=prices, region=str(read.get("region", table.region)), as_of=day)


def _entries(path: Path, read: Mapping[str, Any]) -> dict[str, Any]:
    found: Any = read.get("prices", {})
    unknown = sorted(read.keys() - {"as_of", "region", "prices", "sources"})
    if unknown or not isinstance(found, dict):
        message = (
            f"--prices {path}: {', '.join(unknown) or 'prices'}: give as_of, region and a table [prices]"
        )
        raise UsageProblem(message)
    return cast("dict[str, Any]", found)


def _bounds(place: str, entry: Any) -> Range:
    given: dict[str, Any] = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {"usd": entry}
    usd = _number(place, given.get("usd"))
    low, high = _number(place, given.get("low", usd)), _number(place, given.get("high", usd))
    if not low <= usd <= high:
        message = f"{place}: low, usd and high must be in this order"
        raise UsageProblem(message)
    return Range(low, usd, high)


def _number(place: str, given: Any) -> float:
    """A finite number that is not negative, whether as text or as a number."""
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = math.nan
    if isinstance(given, bool) or not math.isfinite(value) or value < 0:
        message = f"{place}: {given!r} is no number of at least 0"
        raise UsageProblem(message)
    return value


def _given_price(table: PriceTable, key: str, usd: Range) -> Price:
    known = table.prices.get(key)
    if known is None and not INSTANCE.match(key) and key not in OPTIONAL:
        message = f"there is no price {key!r}; `lgp cost --json` names them all"
        raise UsageProblem(message)
    unit = known.unit if known else "hour" if INSTANCE.match(key) else "thousand"
    return Price(key, usd, unit, YOURS)


def with_settings(
    prices: PriceTable, assumptions: Assumptions, given: Iterable[str]
) -> tuple[PriceTable, Assumptions]:
    """Both tables with each `KEY=NUMBER`; the number is then exact.

    Raises:
        UsageProblem: no such key, or no number.
    """
    new_prices, new_assumptions = dict(prices.prices), dict(assumptions)
    for pair in given:
        key, separator, text = pair.partition("=")
        key = key.strip()
        if not separator:
            message = f"--set {pair}: write KEY=NUMBER"
            raise UsageProblem(message)
        value = exactly(_number(f"--set {key}", text.strip()))
        if key in new_assumptions:
            new_assumptions[key] = replace(new_assumptions[key], value=value, why=YOURS)
        else:
            new_prices[key] = _given_price(prices, key, value)
    return replace(prices, prices=new_prices), new_assumptions
