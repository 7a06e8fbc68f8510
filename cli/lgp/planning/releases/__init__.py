"""What an upgrade does to the stacks of the last release: `releases/graph` has what they are.

`baseline` writes a stack down as a release had it, `alarms` finds what today's program would lose of it, and
`announced` what of that operators have been told.
"""
