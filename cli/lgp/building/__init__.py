"""Images of a `langgraph.json`: what it asks for, what is wrong with it, its build context, the engine."""
