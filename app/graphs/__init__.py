"""The graphs that ship: real work without a model key, better with one."""
