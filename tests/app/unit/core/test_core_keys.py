import math
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_server.core.keys import SHOWN_LENGTH, hmac_of, is_well_formed, new_key

PEPPER = b"p" * 32


def test_a_key_has_at_least_190_secret_bits_beyond_what_is_shown_of_it() -> None:
    key = new_key()
    assert re.fullmatch(r"lgp_[0-9A-Za-z]{36}[0-9A-Za-z]{6}", key)
    assert (len(key) - SHOWN_LENGTH - 6) * math.log2(62) >= 190


def test_no_two_keys_are_alike() -> None:
    assert len({new_key() for _ in range(1000)}) == 1000


def test_a_new_key_is_well_formed() -> None:
    assert all(is_well_formed(new_key()) for _ in range(100))


def test_the_checksum_is_the_crc32_of_all_before_it_in_base_62() -> None:
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    for _ in range(100):
        key = new_key()
        value = 0
        for digit in key[-6:]:
            value = value * 62 + alphabet.index(digit)
        assert value == zlib.crc32(key[:-6].encode())


@given(position=st.integers(4, 45), other=st.sampled_from("0aZ-_ é\n"))
def test_every_typo_is_told(position: int, other: str) -> None:
    key = new_key()
    typo = key[:position] + other + key[position + 1 :]
    assert is_well_formed(typo) == (typo == key)


@pytest.mark.parametrize(
    "text", ["", "lgp_", "lgp_" + "a" * 42, "LGP_" + "a" * 42, "x" * 100_000, "lgp_" + "\x00" * 42]
)
def test_what_merely_looks_like_a_key_is_told(text: str) -> None:
    assert not is_well_formed(text)


def test_nothing_may_stand_around_a_key() -> None:
    key = new_key()
    assert not any(is_well_formed(text) for text in (f" {key}", f"{key}\n", f"{key}0", key[1:]))


def test_a_stored_key_depends_on_the_pepper_and_shows_nothing_of_the_key() -> None:
    key = new_key()
    stored = hmac_of(key, PEPPER)
    assert len(stored) == 32
    assert stored == hmac_of(key, PEPPER)
    assert stored != hmac_of(key, b"q" * 32)
    assert key.encode() not in stored
