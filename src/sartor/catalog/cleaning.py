"""Texts of feeds without what nobody is to read: HTML, entities, and characters that are not seen."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from sartor.catalog.source import Case

if TYPE_CHECKING:
    from sartor.catalog.source import Findings
    from sartor.types import AttributeValue

# Zero-width space, soft hyphen, word joiner, byte order mark, and marks of direction. Joiners (U+200C, U+200D)
# stay: they belong to the spelling of Persian and Hindi, and to emoji.
_UNSEEN = "\u200b\u00ad\u2060\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
_INLINE = "a|abbr|b|big|del|em|font|i|ins|label|mark|s|small|span|strike|strong|sub|sup|u"
_BLOCK = (
    "article|aside|blockquote|br|button|center|code|dd|div|dl|dt|figure|footer|form|h[1-6]|header|hr|iframe|img|input|"
    "li|link|meta|nav|ol|p|pre|section|svg|table|tbody|td|tfoot|th|thead|tr|ul|video"
)
_SUSPECT = re.compile(f"[<&\u00a0{_UNSEEN}{_CONTROL}]")
_NO_TEXT = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_INLINE_TAG = re.compile(rf"</?(?:{_INLINE})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_BLOCK_TAG = re.compile(rf"</?(?:{_BLOCK})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_UNREAD = re.compile(f"[{_UNSEEN}{_CONTROL}]")
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_MIN_EXPONENT = 9  # spreadsheets write numbers of twelve digits and more so; an article 1E3 may be one's name


def cleaned(text: str) -> str:
    r"""A text without tags of HTML, entities and unseen characters; whitespace in a row of them becomes one space.

    Only tags that HTML has are taken for such, so ``size <40`` and ``I <3 it`` stay; a URL stays as it is.

    Example:
        >>> cleaned("<p>Nice &amp; cool</p><b>Lin</b>en\u200b"), cleaned("sizes <40"), cleaned("A&B")
        ('Nice & cool Linen', 'sizes <40', 'A&B')
    """
    if _SUSPECT.search(text) is None or "://" in text.partition(" ")[0]:
        return text
    told = unescape(text) if _is_escaped(text) else text  # HTML that was escaped once more
    told = _NO_TEXT.sub(" ", told)
    told = _BLOCK_TAG.sub(" ", _INLINE_TAG.sub("", told))
    told = _UNREAD.sub("", _ENTITY.sub(lambda entity: unescape(entity.group()), told))
    return told if told == text else " ".join(told.split())


def is_shortened(product_id: str) -> bool:
    """Whether an id is what a spreadsheet makes of a long number.

    Example:
        >>> is_shortened("1.23E+12"), is_shortened("4,00638E+12"), is_shortened("1E3"), is_shortened("A1E+12")
        (True, True, False, False)
    """
    if _SHORTENED.fullmatch(product_id) is None:
        return False
    return int(re.split("[eE]", product_id)[1]) >= _MIN_EXPONENT


class Cleaner:
    """Cleans the texts of one feed, and counts them."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def text(self, text: str, location: str) -> str:
        """The text, cleaned."""
        told = cleaned(text)
        if told != text:
            self._findings.add(Case.CLEANED_TEXTS, f"{text[:60]} ({location})")
        return told

    def value(self, value: AttributeValue, location: str) -> AttributeValue:
        """The value of an attribute, its texts cleaned; one of which nothing is left stays as it was."""
        if isinstance(value, str):
            return self.text(value, location) or value
        if isinstance(value, tuple):
            return tuple(self.text(each, location) or each for each in value)
        return value


def _is_escaped(text: str) -> bool:
    return "&lt;" in text and "<" not in text
