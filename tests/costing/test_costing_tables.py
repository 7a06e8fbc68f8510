"""The two tables, and what may be put in the place of their entries."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgp.costing.ranges import Range, exactly, total
from lgp.costing.tables import (
    OPTIONAL,
    YOURS,
    shipped_assumptions,
    shipped_prices,
    with_file,
    with_settings,
)
from lgp.errors import UsageProblem

BOUND = st.floats(0, 1e6)


def settled(*given: str):
    return with_settings(shipped_prices(), shipped_assumptions(), given)


def test_every_price_has_a_source_that_is_named_and_a_day():
    table = shipped_prices()
    assert all(price.source in table.sources and price.unit for price in table.prices.values())
    assert table.as_of == date(2026, 11, 23)
    assert table.region == "us-east-1"


def test_every_source_is_used_or_named_by_another_one():
    table = shipped_prices()
    used = {price.source for price in table.prices.values()}
    text = " ".join(table.sources.values())
    explained = {"spot", "multi_az", "lcu"}  # how a thing is billed, not what it costs
    assert table.sources.keys() - used - explained == {key for key in () if f"[{key}]" in text}


def test_the_least_certain_large_figure_has_bounds_that_hold_what_the_sources_say():
    price = shipped_prices().prices["db.m7g.xlarge"].usd
    assert price.low <= 0.306
    assert price.high >= 0.337


def test_every_assumption_says_where_it_is_from():
    told = [each.why for each in shipped_assumptions().values()]
    assert all(len(why) > 4 for why in told)
    assert sum(why.startswith("measured") for why in told) >= 9


def test_a_setting_makes_an_assumption_exact():
    _, assumptions = settled("server_ms_per_run=250")
    assert assumptions["server_ms_per_run"].value == exactly(250)
    assert assumptions["server_ms_per_run"].why == YOURS
    assert assumptions["body_kib_per_run"] == shipped_assumptions()["body_kib_per_run"]


def test_a_setting_makes_a_price_exact():
    prices, _ = settled("nat_hour = 0.048")
    assert prices.prices["nat_hour"].usd == exactly(0.048)
    assert prices.prices["nat_hour"].source == YOURS
    assert shipped_prices().prices["nat_hour"].usd == exactly(0.045)


@pytest.mark.parametrize("key", ["db.r8g.large", "ec2.c8gn.2xlarge", "cache.r7g.large", *OPTIONAL])
def test_a_price_may_be_added_for_an_instance_and_for_what_has_none(key):
    prices, _ = settled(f"{key}=0.5")
    assert prices.prices[key].usd == exactly(0.5)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("nat_hours=1", "no price 'nat_hours'"),
        ("nat_hour", "write KEY=NUMBER"),
        ("nat_hour=", "no number of at least 0"),
        ("nat_hour=cheap", "no number of at least 0"),
        ("nat_hour=-1", "no number of at least 0"),
        ("nat_hour=inf", "no number of at least 0"),
        ("peak_factor=nan", "no number of at least 0"),
        ("=3", "no price ''"),
    ],
    ids=["unknown", "no-sign", "empty", "word", "negative", "infinite", "nan", "no-key"],
)
def test_a_setting_that_is_none_is_refused_with_its_key(pair, said):
    with pytest.raises(UsageProblem, match=said):
        settled(pair)


def test_a_file_replaces_prices_and_says_of_which_region_and_day(tmp_path):
    path = tmp_path / "ireland.toml"
    path.write_text(
        'region = "eu-west-1"\nas_of = 2027-01-02\n[prices]\n'
        'nat_hour = 0.048\n"db.m7g.xlarge" = { usd = 0.37, low = 0.36, high = 0.4 }\n'
    )
    table = with_file(shipped_prices(), path)
    assert (table.region, table.as_of) == ("eu-west-1", date(2027, 1, 2))
    assert table.prices["nat_hour"].usd == exactly(0.048)
    assert table.prices["db.m7g.xlarge"].usd == Range(0.36, 0.37, 0.4)
    assert table.prices["key"] == shipped_prices().prices["key"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[prices]\nnat_hours = 1", "no price 'nat_hours'"),
        ("[price]\nnat_hour = 1", "price: give as_of, region and a table"),
        ("prices = 3", "prices: give as_of"),
        ("[prices]\nnat_hour = 'much'", "'much' is no number"),
        ("[prices]\nnat_hour = true", "True is no number"),
        ("[prices]\nnat_hour = { low = 1 }", "None is no number"),
        ("[prices]\nnat_hour = { usd = 1, low = 2 }", "in this order"),
        ("not toml", "prices.toml"),
    ],
    ids=["unknown", "table", "no-table", "word", "bool", "no-usd", "order", "syntax"],
)
def test_a_file_that_is_wrong_is_refused_in_one_line(tmp_path, text, said):
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(UsageProblem, match=said):
        with_file(shipped_prices(), path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageProblem, match="No such file"):
        with_file(shipped_prices(), tmp_path / "none.toml")


class TestRanges:
    @given(st.tuples(BOUND, BOUND, BOUND), st.tuples(BOUND, BOUND, BOUND))
    def test_sums_and_products_keep_their_order(self, one, other):
        a, b = Range(*sorted(one)), Range(*sorted(other))
        for made in (a + b, a * b, a * 2, a.at_least(b.likely), a.at_most(b.likely), a.rounded(), a.per(b)):
            assert made.low <= made.likely <= made.high

    @pytest.mark.parametrize("bounds", [(2, 1, 3), (1, 3, 2), (-1, 0, 0)])
    def test_what_is_no_range_cannot_be_made(self, bounds):
        with pytest.raises(ValueError, match="no range"):
            Range(*bounds)

    def test_a_total_is_to_cents(self):
        assert total([exactly(0.1), exactly(0.2)]) == exactly(0.3)
        assert total([]) == exactly(0)
