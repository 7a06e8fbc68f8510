"""The damage that scanning does: confused digits, broken spacing, blank lines, hyphens, shouted labels.

Every kind of damage leaves a document readable for a person without guessing.
"""

import random
import re

LOOKALIKES = {"0": "O", "1": "lI", "5": "S", "8": "B"}
NUMBER = re.compile(r"(?<![A-Za-z])\d[\d.,]*\d(?![A-Za-z])")


def scan(text: str, rng: random.Random) -> str:
    """Damage a document as a mediocre scanner does."""
    text = NUMBER.sub(lambda match: _confuse(match.group(), rng), text)
    text = _break_numbers(text, rng)
    lines = [_shout(line, rng) for line in text.split("\n")]
    spaced = [piece for line in lines for piece in ((line, "") if rng.random() < 0.12 else (line,))]
    return _hyphenate("\n".join(spaced), rng)


def _confuse(number: str, rng: random.Random) -> str:
    """Replace some digits by letters that look like them, always fewer than half of them."""
    digits = [index for index, char in enumerate(number) if char.isdigit()]
    candidates = [index for index in digits if number[index] in LOOKALIKES]
    rng.shuffle(candidates)
    chosen = {index for index in candidates[: (len(digits) - 1) // 2] if rng.random() < 0.3}
    return "".join(rng.choice(LOOKALIKES[char]) if at in chosen else char for at, char in enumerate(number))


def _break_numbers(text: str, rng: random.Random) -> str:
    """Put a space beside some decimal or thousands separators."""
    pattern = re.compile(r"(?<=\d)([.,])(?=\d\d\d?(?:\D|$))")
    return pattern.sub(lambda m: rng.choice((f" {m[1]}", f"{m[1]} ")) if rng.random() < 0.08 else m[1], text)


def _shout(line: str, rng: random.Random) -> str:
    """Change the case of some labels (what stands before a colon)."""
    label, colon, value = line.partition(":")
    if not colon or rng.random() > 0.3 or len(label) > 30:
        return line
    mixed = "".join(char.upper() if rng.random() < 0.5 else char.lower() for char in label)
    return rng.choice((label.upper(), label.lower(), mixed)) + colon + value


def _hyphenate(text: str, rng: random.Random) -> str:
    """Break a long lower-case word of running text over two lines, now and then."""

    def broken(match: re.Match[str]) -> str:
        word = match.group()
        return f"{word[:4]}-\n{word[4:]}" if rng.random() < 0.25 else word

    lines = text.split("\n")
    return "\n".join(
        re.sub(r"\b[a-z]{9,}\b", broken, line) if len(line) > 60 and "  " not in line else line
        for line in lines
    )
