"""Windows of a day and of the week: their form, and that one never falls into the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph_components.pure import windows
from langgraph_components.pure.windows import DAY, DAYS, WEEK


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


def of_week(minute):
    return f"{DAYS[minute // DAY]}:{clock(minute % DAY)}"


def lasting(begin, length, whole):
    """The minutes that it lasts, over the end of the day or the week if need be."""
    return {(begin + passed) % whole for passed in range(length)}


@given(st.integers(0, DAY - 1), st.integers(30, 600), st.integers(0, WEEK - 1), st.integers(30, 2 * DAY))
def test_a_weekly_window_is_refused_exactly_where_a_daily_one_falls_into_it(begin, length, first, whole):
    daily = f"{clock(begin)}-{clock((begin + length) % DAY)}"
    weekly = f"{of_week(first)}-{of_week((first + whole) % WEEK)}"
    meet = {minute % DAY for minute in lasting(first, whole, WEEK)} & lasting(begin, length, DAY)
    assert windows.weekly(weekly, None) == weekly
    if not meet:
        assert windows.weekly(weekly, daily) == weekly
        return
    with pytest.raises(ValueError, match=f"should not overlap the daily window {daily}"):
        windows.weekly(weekly, daily)


@pytest.mark.parametrize(
    "wrong", ["", "2-3", "24:00-01:00", "02:60-03:00", "02:00-03:00\n", "mon:02:00-03:00"]
)
def test_a_window_of_the_day_is_two_times_of_the_day(wrong):
    assert windows.daily("23:30-00:30") == "23:30-00:30"
    with pytest.raises(ValueError, match="should be hh:mm-hh:mm in UTC"):
        windows.daily(wrong)


@pytest.mark.parametrize("wrong", ["", "3-4", "02:00-03:00", "Sun:03:00-Sun:04:00", "sun:03:00-sun:24:00"])
def test_a_window_of_the_week_names_its_days(wrong):
    assert windows.weekly("sun:23:30-mon:00:30", None) == "sun:23:30-mon:00:30"
    with pytest.raises(ValueError, match="should be ddd:hh:mm-ddd:hh:mm in UTC"):
        windows.weekly(wrong, None)
