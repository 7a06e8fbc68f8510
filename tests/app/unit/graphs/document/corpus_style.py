"""How a document of the corpus writes its numbers and dates."""

import random
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905 (shorter)
)
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


@dataclass(frozen=True)
class Style:
    """Separators of numbers, the place of the currency, and the form of dates."""

    group: str
    point: str
    money_form: str
    """Of `symbol`, `code`, `amount`; such as `{symbol}{amount}`."""
    date_form: str
    currency: str

    def number(self, value: Decimal, places: int = 2) -> str:
        text = f"{value:,.{places}f}"
        return text.replace(",", "\0").replace(".", self.point).replace("\0", self.group)

    def money(self, value: Decimal) -> str:
        return self.money_form.format(
            symbol=SYMBOLS[self.currency], code=self.currency, amount=self.number(value)
        )

    def bare(self, value: Decimal) -> str:
        return self.number(value)

    def count(self, value: Decimal) -> str:
        return self.number(value, 0 if value == value.to_integral_value() else 2)

    def day(self, day: date) -> str:
        return write_date(day, self.date_form)


def write_date(day: date, form: str) -> str:
    month = MONTHS[day.month - 1]
    suffix = "th" if 10 <= day.day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return form.format(
        y=day.year,
        yy=day.year % 100,
        m=day.month,
        d=day.day,
        month=month,
        mon=month[:3],
        ordinal=f"{day.day}{suffix}",
    )


def pick(rng: random.Random, currency: str, moneys: dict[str, tuple[tuple[str, str, str], ...]],
         dates: dict[str, tuple[str, ...]]) -> Style:  # fmt: skip
    group, point, form = rng.choice(moneys[currency])
    return Style(group, point, form, rng.choice(dates[currency]), currency)
