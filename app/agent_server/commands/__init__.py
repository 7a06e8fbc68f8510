"""The commands of `python -m agent_server`, one module for each group of them.

`line` knows their arguments and imports nothing heavy: help and usage errors are told at once. A command's
module is imported when it is to run, and has it as a function that takes the arguments and returns the exit
code.
"""
