"""The client's `req`: its declared members, and nothing else, comes out of here.
It knows no exchange. Values are not repeated in its sentences: some are secrets.
"""

import re
from dataclasses import dataclass

from wit_world.imports.types import Member, Scalar_Number

from faults import unusable

# Longer names, symbols and times do not exist; 20 are the digits of the largest 64-bit number.
MOST_CHARS = 64
MOST_DIGITS = 20
# API keys are up to a hundred characters long at the exchanges known so far.
MOST_USER_CHARS = 256


@dataclass(frozen=True)
class Declared:
    """One member that `req` can have."""

    pattern: re.Pattern
    # What would be right, for the bot to read.
    right: str
    # Whether it may arrive as a JSON number, too: the digits are what is signed.
    is_number: bool
    is_optional: bool


def text(chars: str, words: str) -> Declared:
    """A JSON string of these characters, which are those between the brackets of a regular expression."""
    right = f"a text of 1 to {MOST_CHARS} characters: {words}"
    return Declared(re.compile(f"[{chars}]{{1,{MOST_CHARS}}}"), right, is_number=False, is_optional=False)


def digits(is_optional: bool = False) -> Declared:
    """A whole number, as a JSON number or as text."""
    right = f"a whole number of at most {MOST_DIGITS} digits"
    return Declared(re.compile(f"[0-9]{{1,{MOST_DIGITS}}}"), right, is_number=True, is_optional=is_optional)


def take(members: list[Member], declared: dict[str, Declared]) -> dict[str, str]:
    """The declared members by name; those that were left out are empty."""
    taken = {}
    for member in members:
        wanted = declared.get(member.name)
        if wanted is None:
            names = ", ".join(f"`{name}`" for name in declared)
            raise unusable(f"`req` has a member `{member.name[:MOST_CHARS]}`; it should have {names} and nothing else")
        if member.name in taken:
            raise unusable(f"`req` has the member `{member.name}` twice")
        is_number = isinstance(member.value, Scalar_Number)
        if (is_number and not wanted.is_number) or not wanted.pattern.fullmatch(member.value.value):
            raise unusable(f"`req.{member.name}` should be {wanted.right}")
        taken[member.name] = member.value.value
    for name, wanted in declared.items():
        if name not in taken and not wanted.is_optional:
            raise unusable(f"`req` lacks the member `{name}`")
        taken.setdefault(name, "")
    return taken


def whole(name: str, written: str) -> int:
    """The whole number in a member that was declared as digits."""
    number = int(written)
    # The contract carries times as 64 bits; half of that leaves room to add to them.
    if number >= 2**63:
        raise unusable(f"`req.{name}` should be a whole number below 2^63")
    return number


def expect_market(name: str, signed: str, asked: str) -> None:
    """Refuses what was signed for another market than the one that is asked for."""
    if signed != asked:
        raise unusable(f"`req.{name}` should be `{asked}` for this market; the request was signed for `{signed}`")


def user(key: str, chars: str, words: str) -> str:
    """The API key, which goes into a header or a query."""
    if not re.fullmatch(f"[{chars}]{{1,{MOST_USER_CHARS}}}", key):
        raise unusable(f"`user` should be the API key: 1 to {MOST_USER_CHARS} characters: {words}")
    return key


def hexadecimal(sign: str, count: int) -> str:
    """The signature, if it is so many hexadecimal digits."""
    if not re.fullmatch(f"[0-9A-Fa-f]{{{count}}}", sign):
        raise unusable(f"the signature should be {count} hexadecimal digits; it is not")
    return sign
