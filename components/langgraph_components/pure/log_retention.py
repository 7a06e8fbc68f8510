"""How long CloudWatch keeps log events."""

RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The values that `PutRetentionPolicy` knows, in days."""


def retention(days: int) -> int:
    """The same number, if CloudWatch knows it.

    Raises:
        ValueError: lists those that it knows.
    """
    if days not in RETENTION_DAYS:
        told = f"should be one of {', '.join(map(str, RETENTION_DAYS))} days (got {days})"
        raise ValueError(told)
    return days
