"""What every layer may use: settings, errors, JSON, logs, the principal. Imports nothing of ours."""
