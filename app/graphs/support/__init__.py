"""A support conversation that answers from the handbook and hands over to a person when it should."""
