"""Amounts of money as shops write them: ``1.299,00 EUR``, ``$1,299.00``, ``CHF 1'299.50``, ``₹1,299``, ``12,-``.

The text decides where it can. Where it cannot, as in ``1.299``, the decimal mark of the feed does (``mark_of``),
else the habit of the currency, else that of programs: a dot is a decimal mark.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# Source: ISO 4217, list one.
_ISO = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL "
    "HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG "
    "QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD "
    "TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG HRK"
)
CODES = frozenset(_ISO.split())
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_NO_DECIMALS = frozenset(
    {
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    }
)
_WITH_COMMA = (  # of countries that write 9,99
    "ARS BAM BGN BRL BYN CLP COP CRC CZK DKK EUR HRK HUF IDR ISK KZT MAD MKD MZN NOK PLN PYG RON RSD RUB SEK TRY "
    "UAH UYU VES VND"
)
_COMMA_CURRENCIES = frozenset(_WITH_COMMA.split())
# A sign that several currencies have stays as it is written, such as "kr" and "Rs"; a dollar is the American one.
_SIGNS = {
    "€": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "eur": "EUR",
    "$": "USD",
    "us$": "USD",
    "usd$": "USD",
    "c$": "CAD",
    "ca$": "CAD",
    "cad$": "CAD",
    "a$": "AUD",
    "au$": "AUD",
    "nz$": "NZD",
    "hk$": "HKD",
    "s$": "SGD",
    "sg$": "SGD",
    "mx$": "MXN",
    "nt$": "TWD",
    "r$": "BRL",
    "£": "GBP",
    "¥": "JPY",
    "円": "JPY",
    "cn¥": "CNY",
    "rmb": "CNY",
    "元": "CNY",
    "₹": "INR",
    "₩": "KRW",
    "원": "KRW",
    "₽": "RUB",
    "руб": "RUB",  # noqa: RUF001
    "₺": "TRY",
    "tl": "TRY",
    "₴": "UAH",
    "грн": "UAH",
    "₪": "ILS",
    "฿": "THB",
    "₫": "VND",
    "₱": "PHP",
    "₦": "NGN",
    "₸": "KZT",
    "zł": "PLN",
    "zl": "PLN",
    "kč": "CZK",
    "ft": "HUF",
    "lei": "RON",
    "лв": "BGN",
    "fr": "CHF",
    "sfr": "CHF",
    "rm": "MYR",
    "rp": "IDR",
    "kr": "kr",
    "rs": "Rs",
}
_FREE = frozenset({
    "free", "gratis", "kostenlos", "umsonst", "gratuit", "gratuite", "offert", "grátis", "gratuito", "gratuita",
    "za darmo", "darmowy",
})  # fmt: skip

_MARKS = str.maketrans({
    "\u066b": ".",  # Arabic decimal separator
    "\u066c": ",",  # Arabic thousands separator
    "\u2019": "'",
    "\u2212": "-",
    "\u2013": "-",
    "\u2014": "-",
})  # fmt: skip
_SPACES = re.compile(r"\s+")
_NUMBER = re.compile(r"[-+]?(?:\d[\d.,'\s]*\d|\d)")
_DASH_CENTS = re.compile(r"(?<=\d)[.,]-{1,2}(?!\d)")  # "12,-"
# Groups of three digits, or of two before the last as in India, or none.
_GROUPS = re.compile(r"\d{1,3}(?:[ ']\d{3})+|\d{1,3}(?:[.,]\d{2,3})*[.,]\d{3}|\d+")
_THOUSANDS = 3  # digits of a group
_MAX_CHARS = 64


class Money(NamedTuple):
    """An amount, with its digits as they were written, and its currency.

    Attributes:
        digits: A decimal number with a dot and without groups, such as ``1299.00``.
        currency: An ISO 4217 code, or a sign that several currencies have, such as ``kr``; empty if unknown.
    """

    digits: str
    currency: str = ""

    @property
    def amount(self) -> float:
        """The amount as a number."""
        return float(self.digits)

    def __str__(self) -> str:
        """The amount as Merchant feeds write it: ``1299.00 EUR``."""
        if not self.currency:
            return self.digits
        whole, _, cents = self.digits.partition(".")
        if self.currency not in _NO_DECIMALS:
            cents = cents.ljust(2, "0")
        return f"{whole}.{cents} {self.currency}" if cents else f"{whole} {self.currency}"


def money_of(text: str, *, mark: str | None = None, currency: str = "") -> Money | None:
    """Read an amount of money.

    Args:
        text: What was written.
        mark: The feed's decimal mark, ``.`` or ``,``; decides where the text does not.
        currency: What is meant where the text names no currency.

    Returns:
        The amount; None if the text is anything else, such as words or a range.

    Example:
        >>> [str(money_of(text)) for text in ("1.299,00 EUR", "$1,299.00", "CHF 1'299.50", "₹1,299", "free")]
        ['1299.00 EUR', '1299.00 USD', '1299.50 CHF', '1299.00 INR', '0']
        >>> str(money_of("1.299", mark=",")), str(money_of("1.299", mark="."))
        ('1299', '1.299')
    """
    found = _read(text, mark) if len(text) <= _MAX_CHARS else None
    return found._replace(currency=currency) if found is not None and not found.currency else found


def currency_of(text: str) -> str | None:
    """The currency that a code or a sign stands for; None if it is neither.

    Example:
        >>> currency_of("€"), currency_of("eur"), currency_of("Rs."), currency_of("pieces")
        ('EUR', 'EUR', 'Rs', None)
    """
    name = text.strip().strip(".:").strip()
    if name.upper() in CODES:
        return name.upper()
    return _SIGNS.get(name.casefold())


def mark_of(texts: Iterable[str]) -> str | None:
    """The decimal mark that most of some prices show; None if none of them tells.

    Example:
        >>> mark_of(["1.299", "9,99 €"]), mark_of(["1.299", "12"])
        (',', None)
    """
    votes: Counter[str] = Counter()
    for text in texts:
        number = _NUMBER.search(_plain(text))
        if number is not None:
            votes.update(_certain_mark(number.group()) or "")
    (best, count), (_, second) = (*votes.most_common(2), ("", 0), ("", 0))[:2]
    return best if count > second else None


@lru_cache(maxsize=4096)  # a feed has the same prices again and again
def _read(text: str, mark: str | None) -> Money | None:
    plain = _DASH_CENTS.sub("", _plain(text))
    if plain.casefold() in _FREE:
        return Money("0")
    numbers = list(_NUMBER.finditer(plain))
    if len(numbers) != 1:
        return None
    (number,) = numbers
    rest = [part for part in (plain[: number.start()].strip(), plain[number.end() :].strip()) if part.strip(".:")]
    names = {currency_of(part) for part in rest}
    if None in names or len(names) > 1:
        return None
    currency = next(iter(names)) if names else ""
    digits = _digits(number.group(), mark, currency or "")
    return None if digits is None else Money(digits, currency or "")


def _plain(text: str) -> str:
    """The text with plain spaces, marks and digits instead of no-break spaces, typographic marks and such."""
    if text.isascii():
        return _SPACES.sub(" ", text).strip()
    folded = unicodedata.normalize("NFKC", text).translate(_MARKS)
    digits = "".join(str(unicodedata.digit(letter)) if letter.isdigit() else letter for letter in folded)
    return _SPACES.sub(" ", digits).strip()


def _certain_mark(number: str) -> str | None:
    """The decimal mark of a number that can be read in one way only; None of another."""
    dots, commas = number.count("."), number.count(",")
    if dots and commas:
        return max(".,", key=number.rindex)
    if dots + commas == 0:
        return None
    mark = "." if dots else ","
    if dots + commas > 1:
        return "," if dots else "."  # what repeats parts groups
    whole, _, decimals = number.lstrip("+-").partition(mark)
    if len(decimals) != _THOUSANDS or whole == "0" or len(whole) > _THOUSANDS:
        return mark
    return None


def _digits(number: str, mark: str | None, currency: str) -> str | None:
    """A number without groups and with a dot; None if its groups are no groups."""
    sign, number = ("-", number[1:]) if number[0] == "-" else ("", number.lstrip("+"))
    decimal = _certain_mark(number) or _likely_mark(number, mark, currency)
    whole, _, decimals = number.partition(decimal)
    if not _GROUPS.fullmatch(whole) or decimal in whole or (decimals and not decimals.isdecimal()):
        return None
    whole = re.sub("[ '.,]", "", whole).lstrip("0") or "0"
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def _likely_mark(number: str, mark: str | None, currency: str) -> str:
    """The decimal mark of a number such as ``1.299`` or ``1,299``, or without any."""
    if currency in _THREE_DECIMALS:
        return "." if "." in number else ","
    if currency in CODES and currency not in _COMMA_CURRENCIES and "," in number:
        return "."  # "₹1,299"
    if mark is not None:
        return mark
    return "," if currency in _COMMA_CURRENCIES and "." in number else "."
