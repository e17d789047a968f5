"""Whether a word stands in a header's text, whatever its case, accents, width, punctuation and script."""

import re
import unicodedata
from functools import lru_cache

_EAST_ASIAN = "\u1100-\u11ff\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_EAST_ASIAN}]+|\d+|[^\W\d_{_EAST_ASIAN}]+")
_IS_EAST_ASIAN = re.compile(rf"[{_EAST_ASIAN}]")
_CASE_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ACCENTS = re.compile(r"[\u0300-\u036f]")


def holds(text: str, word: str) -> bool:
    """Whether ``text`` holds ``word``: a whole word or phrase; with a final ``*`` the beginning of one.

    East Asian words may stand anywhere in the text, since their scripts do not set words apart.
    """
    tokens, sought = _tokens(text), _tokens(word.rstrip("*"))
    if not sought:
        return False
    if _IS_EAST_ASIAN.search(word):
        return "".join(sought) in "".join(tokens)
    phrase = f" {' '.join(sought)}" if word.endswith("*") else f" {' '.join(sought)} "
    return phrase in f" {' '.join(tokens)} "


@lru_cache(maxsize=8192)
def _tokens(text: str) -> tuple[str, ...]:
    """Runs of letters of one script, and runs of digits: 'C-Spine2 Flexão' is c, spine, 2, flexao."""
    text = unicodedata.normalize("NFKC", text)
    text = _CASE_BOUNDARY.sub(" ", text)
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", text.casefold()))
    return tuple(_TOKEN.findall(unicodedata.normalize("NFC", bare)))
