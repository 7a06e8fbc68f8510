"""Reads invoices, receipts and contracts, cross-checks them, and files them or asks a person.

`graph.py` is the pipeline and `agents.py` its five agents. The agents are thin; what they know is in small
modules without side effects, each usable on its own: `normalise`, `lexicon`, `dates`, `numerals`, `page`,
`classify`, `extract*`, `validate`, `risk`.
"""
