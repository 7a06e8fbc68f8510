"""What the components decide, as plain functions: no module here imports pulumi."""
