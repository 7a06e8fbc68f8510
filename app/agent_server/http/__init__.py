"""The HTTP edge: routes, bodies, answers, problems, access."""
