"""Bare graphs (the floor), our server and the listing it set out from: `python -m tests.bench`."""
