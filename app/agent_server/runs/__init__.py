"""Runs: who executes them, their leases, their event logs, and what clients may ask of them."""
