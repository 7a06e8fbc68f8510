"""What a stack costs a month, and what the managed platform would take instead.

    recording = lgp.planning.program.plan(folder, "prod").recording
    found = estimate(recording, Usage(runs_per_day=50_000))
    found.monthly.likely                       # USD
    difference(before, found).changes          # of two plans, for a change under review

Both are pure: no network, no clock. Prices and assumptions are the two tables beside this file; where a plan
has a resource that they do not price, `Estimate.unpriced` names it with the reason.
"""

from lgp.costing.estimating import Change, Difference, Estimate, Line, difference, estimate
from lgp.costing.usage import Usage

__all__ = ["Change", "Difference", "Estimate", "Line", "Usage", "difference", "estimate"]
