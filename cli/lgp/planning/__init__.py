"""The offline plan: a stack program run in this process, its resources written down instead of created."""
