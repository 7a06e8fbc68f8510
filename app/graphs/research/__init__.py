"""Research: a question is split, looked up in parallel, and answered with numbered citations."""
