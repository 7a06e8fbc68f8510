"""The alert rules by what they watch; `pure/alerts.py` puts them together."""
