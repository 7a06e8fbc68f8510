"""What the bundled graphs share: the model, calls to it, the handbook and how a person is asked."""
