"""The exchange's answer: its JSON without binary floats, or the fault of whoever must act.
It knows no exchange.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Context, Decimal

from componentize_py_types import Err
from wit_world.imports.types import Order, Reply, Side

from faults import Wording, refused, throttled, unavailable, unreadable

# As exchanges write numbers: no blanks, no `NaN`, no `.5`. Longer ones are no price and no amount.
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
MOST_NUMBER_CHARS = 64
# Beyond this many digits before or behind the point, a number is absurd.
MOST_DIGITS = 38
# Differences of such numbers have fewer than 80 digits, so this rounds nothing.
EXACT = Context(prec=100)
# Python's reader of JSON exhausts the stack on what is nested without end, and a full stack cannot be caught.
MOST_DEPTH = 64
BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|([\[{])|([\]}])')
TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?(Z|\+00:00)?")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def decode(reply: Reply, error_words: Callable[[object], str | None], wording: Wording) -> list:
    """The list in a good answer. `error_words` says what an error says, and nothing of what is none."""
    try:
        text = reply.body.decode()
        found = None if is_too_deep(text) else json.loads(text, parse_int=str, parse_float=str, parse_constant=no_constant)
    except UnicodeDecodeError:
        text, found = "a body that is not text", None
    except ValueError:
        found = None
    is_success = 200 <= reply.status < 300
    if is_success and isinstance(found, list):
        return found
    words = error_words(found)
    begins = text.strip() or "nothing"
    said = words if words is not None else f"HTTP {reply.status}: {begins}"
    if reply.status in (418, 429):
        raise throttled(said, retry_after_ms(reply))
    if reply.status >= 500:
        raise unavailable(said)
    if words is not None:
        raise wording.fault(words)
    # What proxies and maintenance show.
    if begins.startswith("<"):
        raise unavailable(f"a web page instead of an answer, {said}")
    if 400 <= reply.status:
        raise refused(said)
    raise unreadable(f"the body is not the list of orders: {begins}")


class Members:
    """The members of an object as text, whether the exchange writes them as JSON strings or as numbers."""

    def __init__(self, found: object):
        if not isinstance(found, dict):
            raise unreadable("there is no object where one should be")
        self.found = found

    def __getitem__(self, name: str) -> str:
        if name not in self.found:
            raise unreadable(f"`{name}` is missing")
        return self.get(name)

    def get(self, name: str) -> str:
        """The same; the empty text for what is not there or null."""
        value = self.found.get(name)
        if isinstance(value, (list, dict)):
            raise unreadable(f"`{name}` is a list or object where a number or text should be")
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else value


def decimal(name: str, written: str) -> Decimal:
    """The number in a text, exactly."""
    if len(written) > MOST_NUMBER_CHARS or not NUMBER.fullmatch(written):
        raise unreadable(f"`{name}` of an order is not a decimal number")
    number = Decimal(written)
    if not number:
        return Decimal(0)
    if number.adjusted() > MOST_DIGITS or number.as_tuple().exponent < -MOST_DIGITS:
        raise unreadable(f"`{name}` of an order is a decimal number of too many digits")
    return number


def difference(whole: Decimal, part: Decimal) -> Decimal:
    """What is left, exactly: the ordinary minus sign of `decimal` would round to 28 digits."""
    return EXACT.subtract(whole, part)


def side(word: str, buy: str, sell: str) -> Side:
    """The side that the reply's word stands for."""
    if word not in (buy, sell):
        raise unreadable(f"the side of an order is `{word}`, not `{buy}` or `{sell}`")
    return Side.BID if word == buy else Side.ASK


def order(order_id: str, side: Side, price: Decimal, left: Decimal, opened_ms: int | None) -> Order | None:
    """An open order, or none if nothing is left of it."""
    if not order_id or not order_id.isprintable():
        raise unreadable("an order has no id")
    if price <= 0:
        raise unreadable(f"order {order_id} has the price {price}")
    if left < 0:
        raise unreadable(f"order {order_id} has the amount {left}")
    if left == 0:
        return None
    # `f` writes no exponent.
    return Order(order_id, side, f"{price:f}", f"{left:f}", opened_ms=opened_ms, closed_ms=None, extras=[])


def iso_ms(written: str) -> int | None:
    """`2025-10-09T08:53:20.123Z` in Unix milliseconds; nothing for what is no time, or none in UTC."""
    parts = TIME.fullmatch(written)
    if parts is None:
        return None
    try:
        at = datetime.fromisoformat(f"{parts[1]}T{parts[2]}+00:00")
    except ValueError:
        return None
    fraction_ms = int(((parts[3] or ".0")[1:] + "00")[:3])
    whole_ms = (at - EPOCH) // timedelta(milliseconds=1)
    return whole_ms + fraction_ms if whole_ms >= 0 else None


def is_too_deep(text: str) -> bool:
    """Whether lists and objects are nested deeper than any reply is."""
    # Most replies have so few brackets that they need not be counted one by one.
    if text.count("[") + text.count("{") <= MOST_DEPTH:
        return False
    depth = 0
    for token in BRACKETS.finditer(text):
        depth += 1 if token[1] else -1 if token[2] else 0
        if depth > MOST_DEPTH:
            return True
    return False


def retry_after_ms(reply: Reply) -> int | None:
    """How long a throttling exchange wants to be left alone, if it says so in seconds."""
    values = [header.value.strip() for header in reply.headers if header.name.lower() == "retry-after"]
    # Nine digits of seconds are thirty years.
    return int(values[0]) * 1000 if values and re.fullmatch("[0-9]{1,9}", values[0]) else None


def no_constant(word: str) -> None:
    """Python's reader takes `NaN` and `Infinity`, which are no JSON."""
    raise ValueError(word)


def warm_up() -> None:
    """Runs once what may import something: see the end of adapter.py."""
    is_too_deep("[" * MOST_DEPTH + "[")
    body = b'[{"id": 1, "price": 1.5e-3, "at": "2025-10-09T08:53:20.123Z", "text": "\\u00fc"}, NaN]'
    for ending in (body, body[:-6] + b"]", b"\xff"):
        try:
            decode(Reply(200, [], ending), lambda found: None, Wording([], [], []))
        except Err:
            pass
    f"{difference(decimal('one', '1.5e-3'), decimal('two', '1'))!s:.3}{Decimal('1e-8'):f}"
    iso_ms("2025-10-09T08:53:20.123Z")
    iso_ms("2025-13-09T08:53:20.123Z")
