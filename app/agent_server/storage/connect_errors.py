"""Why a connection could not be made: what asking again may cure, told apart from what it never will.

libpq gives a failed connection no SQLSTATE, only a text. Where that text is in another language the cause
is taken for one that time may cure, which costs a start some waiting, and nothing else.
"""

import re

from psycopg import Error
from psycopg.conninfo import conninfo_to_dict

from agent_server.core.errors import ConfigurationError, DatabaseUnavailable, ServerError

_REFUSED = (
    # TLS first: a server that admits only TLS says no more than that about a client without
    (
        r"certificate verify failed",
        "TLS: its certificate is signed by no CA of sslrootcert={root}, or its time is over",
    ),
    (r"does not match host name", "TLS: its certificate is for another host name"),
    (r"does not support SSL", "TLS: it speaks none, and sslmode={mode} asks for it"),
    (
        r"root certificate file .* does not exist|could not read root certificate file",
        "TLS: the CA file of sslrootcert={root} cannot be read",
    ),
    (r"could not (?:read|load) (?:certificate|private key) file", "TLS: our own certificate cannot be read"),
    (r"valid client certificate|certificate required", "TLS: it asks for a certificate of ours"),
    (r"unsupported protocol|alert protocol version", "TLS: no version that both sides speak"),
    (r"sslmode|sslrootcert", "TLS: sslmode={mode} does not go with sslrootcert={root}"),
    (r"no pg_hba\.conf entry|pg_hba\.conf rejects", "its pg_hba.conf does not admit {user} from here"),
    (r"no password supplied", "it asks for a password, and there is none"),
    (r"PAM authentication failed", "it refuses the IAM token of {user}"),
    (r"authentication failed", "it refuses the password of {user}, or knows no such role"),
    (r"role .* does not exist", "it knows no role {user}"),
    (r"is not permitted to log in", "the role {user} may not log in"),
    (r"database .* does not exist|no such database", "it has no database {dbname}"),
    (r"permission denied for database", "the role {user} may not connect to the database {dbname}"),
)
_AWAY = (
    (r"[Cc]onnection refused|No such file or directory", "nothing listens there"),
    (r"failed to resolve|could not translate", "its name does not resolve"),
    (r"timeout expired|timed out", "it does not answer in time"),
    (r"too many (?:clients|connections)|remaining connection slots", "it takes no more connections"),
    (r"starting up|shutting down|in recovery", "it is starting or stopping"),
)


def unreachable(error: Error, conninfo: str) -> ServerError:
    """Return what a failed connection means, in one sentence that names the server and never a password.

    ConfigurationError where the server, or TLS, refuses us: another try would be refused as well.
    DatabaseUnavailable for all else: nothing listens, no answer, too many connections, a restart.
    """
    said, parts = str(error), conninfo_to_dict(conninfo)
    known = {
        "user": str(parts.get("user") or "that of this process"),
        "dbname": str(parts.get("dbname") or parts.get("user") or ""),
        "mode": str(parts.get("sslmode") or "prefer"),
        "root": str(parts.get("sslrootcert") or "~/.postgresql/root.crt"),
    }
    where = f"The database at {_address(parts)}"
    for pattern, sentence in _REFUSED:
        if re.search(pattern, said):
            return ConfigurationError(f"{where} refuses us: {sentence.format(**known)}.")
    reason = next((words for pattern, words in _AWAY if re.search(pattern, said)), "")
    return DatabaseUnavailable(f"{where} is not available{': ' * bool(reason)}{reason}.")


def _address(parts: dict[str, str | int | None]) -> str:
    host = str(parts.get("host") or parts.get("hostaddr") or "the local socket")
    return f"{host} port {parts.get('port') or 5432}"
