"""API keys as text: `lgp_`, a secret of 36 characters, and a checksum of 6, all in base 62.

The checksum tells a typo, and a scanner a string that merely looks like a key, without a database. It
proves nothing: whether a key is good is for `storage.keys` to say.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib

PREFIX = "lgp_"
SECRET_LENGTH = 36
"""214 bits; the four characters that lists show leave 190."""
CHECKSUM_LENGTH = 6
SHOWN_LENGTH = len(PREFIX) + 4
"""What lists and logs may show of a key, so that its owner can tell it."""

TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
"""A tenant's name: a label of the store's namespaces too, which admit no periods."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}")
"""A key's name: who the audit says has acted."""

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}}")


def new_key() -> str:
    """Return a new key of 46 characters; nobody can make it again."""
    head = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_LENGTH))
    return head + _checksum(head)


def is_well_formed(text: str) -> bool:
    """Whether the text has the shape of a key and its checksum fits."""
    if not _SHAPE.fullmatch(text):
        return False
    return text[-CHECKSUM_LENGTH:] == _checksum(text[:-CHECKSUM_LENGTH])


def hmac_of(key: str, pepper: bytes) -> bytes:
    """Return the 32 bytes by which a key is stored and found; nobody without the pepper can make them."""
    return hmac.digest(pepper, key.encode(), hashlib.sha256)


def _checksum(head: str) -> str:
    """CRC-32 in base 62, the most significant digit first, padded with zeros."""
    value, digits = zlib.crc32(head.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        value, digit = divmod(value, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
