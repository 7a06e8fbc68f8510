"""`lgp plan --graph FILE.svg`: a stack as a picture, the same bytes for the same plan.

`groups` tells what is in which box, `flow` which box needs which, `rows` in which row and order they stand,
`placing` where exactly, `svg` how it looks.
"""

from lgp.planning.drawing.svg import drawn

__all__ = ["drawn"]
