"""What a name of a company, a shop or a person looks like, and where it ends."""

import re

from graphs.document.normalise import words
from graphs.document.vocabulary import AMOUNTS, COLUMNS, DAYS, KINDS, NUMBERS, PARTIES

LENGTHS = range(2, 81)
"""The lengths of a name that are believed, in characters."""

_SUFFIX = (
    r"(?:inc|incorporated|llc|l\.l\.c|ltd|limited|llp|lp|plc|corp|corporation|co|company|gmbh|ag|kg|ug|se|e\.?k|sarl|"
    r"s\.a\.r\.l|sas|s\.a|sa|s\.l|sl|srl|s\.r\.l|s\.p\.a|spa|b\.v|bv|n\.v|nv|oy|oyj|ab|as|a/s|aps|pty|pte|pvt|sdn|bhd|lda|kft|"
    r"zrt|s\.?r\.?o|sp\. ?z ?o\.? ?o|d\.o\.o)\b\.?"
)
_HAS_SUFFIX = re.compile(rf"[\s,]{_SUFFIX}(?:[\s,)]|$)", re.IGNORECASE)
_ENDS_WITH_SUFFIX = re.compile(rf"[\s,]{_SUFFIX}\W*$", re.IGNORECASE)
_STARTS_WITH_SUFFIX = re.compile(rf"{_SUFFIX}(?:[\s,(]|$)", re.IGNORECASE)
_COMMA = re.compile(rf",(?!\s*{_SUFFIX}(?:[\s,]|$))(?!\s*\S+(?: \S+)? (?:&|and) )", re.IGNORECASE)
_NEXT_SENTENCE = (
    r"(?<=[a-z]{3})\.\s+(?=(?-i:The|This|It|Each|Both|In|On|For|[A-Z]\w+ (?:shall|will|is|has|agrees))\b)"
)
_DESCRIPTION = (
    r"\s+(?:hereinafter|hereafter|whose|having|represented|residing|registered|located|of \d+|"
    r"incorporated (?:in|under)|with (?:its|a|company|offices|registered|seat)|VAT|tax id|tel|phone|acting|"
    r"as (?:the )?[\"A-Z])\b|"
    r",?\s+an? [A-Za-z]+ (?:corporation|company|limited|partnership)"
)
_END = re.compile(
    rf"{_NEXT_SENTENCE}|\s*;|\s*\((?![^()]{{1,20}}\)\s*{_SUFFIX})|{_DESCRIPTION}|\s+\"|\s+-\s|\s{{2}}",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^[\s:;,.\"'*-]*(?:(?:the\s+)?[A-Za-z]+:\s+)?(?:\(?(?:\d|[ab]|i{1,3})[).]\s+)?(?:the company )?",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"^\W*\d|\b(?:street|road|avenue|lane|drive|blvd|boulevard|suite|floor|p\.?o\.? box|postcode|zip|"
    r"st\.|rd\.|ave\.?|strasse|straße|rue)\s*(?:\d|,|$)",
    re.IGNORECASE,
)
_FOREIGN = re.compile(r"[@=%#:$€£]|www\.|https?:|\.com\b|\d{4,}|\w{5}\.\s+\w")


_CAPITAL = r"[A-Z0-9][\w.&'-]{0,40}"
_SMALL = "of|the|for|de|des|du|da|di|del|della|dei|la|le|van|von|der|den|und|et|y|e|og|och|and"
SENTENCE_NAME = rf"{_CAPITAL}(?:,? (?:&|plc|(?:(?:{_SMALL}) ){{0,3}}{_CAPITAL})){{0,7}}"
"""The pattern of a name within a sentence: words with capitals, and what may connect them."""

_SENTENCE_NAME = re.compile(rf"\W*(?:the\s+)?({SENTENCE_NAME})")


def leading_name(text: str) -> str:
    """Return the name that a part of a sentence begins with, up to the first word without a capital."""
    text = clean_name(text)
    match = _SENTENCE_NAME.match(text)
    return clean_name(match[1]) if match else text


def has_suffix(text: str) -> bool:
    """Tell whether a name ends like that of a company: Ltd, GmbH, Inc and the like."""
    return bool(_HAS_SUFFIX.search(text))


def ends_with_suffix(text: str) -> bool:
    """Tell whether a text ends with the suffix of a company."""
    return bool(_ENDS_WITH_SUFFIX.search(text))


def starts_with_suffix(text: str) -> bool:
    """Tell whether a text is the rest of a company's name: `Co. (UK) Ltd`."""
    return bool(_STARTS_WITH_SUFFIX.match(text))


def clean_name(text: str) -> str:
    """Cut a name off where an address, a role or a description begins."""
    text = _LEAD.sub("", text)
    for end in (_END.search(text), _COMMA.search(text)):
        text = text[: end.start()] if end else text
    text = text.strip(" ,;:\"'-")
    return text if has_suffix(text) else text.rstrip(".")


def is_name(text: str) -> bool:
    """Tell whether a text may be a name: no address, no mail address, no number, no label."""
    if len(text) not in LENGTHS or _FOREIGN.search(text) or not words(text):
        return False
    return text[0].isalnum() and (has_suffix(text) or not (_ADDRESS.search(text) or is_label(text)))


def is_label(text: str) -> bool:
    """Tell whether a text is a label, or the title of a document, and nothing else."""
    lexicons = (PARTIES, DAYS, AMOUNTS, NUMBERS, COLUMNS, *KINDS.values())
    return any(lexicon.whole(text) for lexicon in lexicons)
