import os


def schema_fingerprint() -> str:
    return os.environ.get("STANDIN_SCHEMA", "abc123")
