"""Why there are no orders, by who must act.
It knows the contract's faults and no exchange.
"""

from dataclasses import dataclass

from componentize_py_types import Err
from wit_world.imports.types import (
    Fault_Misconfigured, Fault_Refused, Fault_Throttled, Fault_Unavailable, Fault_Unreadable, Fault_Unusable, Throttle,
)

# How much of an answer is repeated in a fault. Enough to recognise an error page by.
MOST_CHARS = 200


def unusable(message: str) -> Err:
    """The bot's fault. The message must not repeat a signature or a secret."""
    return Err(Fault_Unusable(clean(message)))


def unreadable(message: str) -> Err:
    """The adapter's: the reply is not what the exchange documents."""
    return Err(Fault_Unreadable(clean(message)))


def unavailable(message: str) -> Err:
    """The exchange's: out of service."""
    return Err(Fault_Unavailable(clean(message)))


def refused(message: str) -> Err:
    """The bot's as a rule, in the exchange's words."""
    return Err(Fault_Refused(clean(message)))


def throttled(message: str, retry_after_ms: int | None = None) -> Err:
    """Nobody's: the exchange wants fewer requests."""
    return Err(Fault_Throttled(Throttle(clean(message), retry_after_ms)))


@dataclass(frozen=True)
class Wording:
    """How an exchange words those failures that are not the bot's: parts of its texts, in any case of letters."""

    throttled: list[str]
    unavailable: list[str]
    misconfigured: list[str]

    def fault(self, words: str) -> Err:
        """The fault that an error text of the exchange stands for."""
        lower = words.lower()
        message = words if words.strip() else "the exchange gave no reason"
        if any(part.lower() in lower for part in self.throttled):
            return throttled(message)
        if any(part.lower() in lower for part in self.unavailable):
            return unavailable(message)
        if any(part.lower() in lower for part in self.misconfigured):
            return Err(Fault_Misconfigured(clean(message)))
        return refused(message)


def clean(text: str) -> str:
    """A text from outside on one line, without what cannot be shown, and cut."""
    text = "".join(char if char.isprintable() else " " for char in text.strip()[: MOST_CHARS + 1])
    return text if len(text) <= MOST_CHARS else text[: MOST_CHARS - 3] + "..."
