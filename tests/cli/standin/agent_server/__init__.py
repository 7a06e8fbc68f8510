"""A stand-in for the server, with the contract's surface and no LangGraph: it starts in a tenth of a second.

Put its parent folder on PYTHONPATH. Its graphs are those of LANGGRAPH_CONFIG; each is a file whose Python is
executed once at the start, and what a graph does is told by its name (see `answers`).
"""
