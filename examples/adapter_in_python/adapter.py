"""The adapter of HitBTC, spot market, interface version 3.
It knows that exchange's wire format and refuses to know anything else.

Signing: `signature = hex(HMAC-SHA256(secret, text))`, the text being
`GET/api/3/spot/order?symbol=BTCUSDT<ms><window>`. What is sent is
`Authorization: HS256 base64(key:signature:<ms>:<window>)`. No nonce: a request can be used again within its window.

Sources: api.hitbtc.com, "Authentication" and "Get all active spot orders".
"""

import base64
import hashlib
import hmac

from wit_world import exports
from wit_world.imports.types import (
    Binding, Body_None_, BodyKind, Call, Description, Field, Freshness, Lifetime_Milliseconds, Market, Member, Method,
    NonceKind, Order, OrderIdScope, OrderList, Parameter, Pending, Place, Reply, Request, Scalar_Number, Scalar_Text,
    Signed, SignQuery, Started, Step_Orders, Step_Send, Submission,
)

import members
import replies
from faults import Wording, unusable

ORIGIN = "https://api.hitbtc.com"
PATH = "/api/3/spot/order"
CALL = "open-orders"
# The longest window that the exchange accepts, and the one it takes if none is given.
MAX_WINDOW_MS = 60_000
DEFAULT_WINDOW_MS = 10_000
# What an LP's client posts in `req`. Nothing else reaches the request.
REQ = {
    "symbol": members.text("A-Z0-9", "capital letters and digits"),
    "timestamp": members.digits(),
    "window": members.digits(is_optional=True),
}
# How the exchange words its failures: parts of its error texts. What matches none is a refusal.
WORDING = Wording(
    throttled=["code 429:"],
    unavailable=["code 500:", "code 503:", "code 504:", "code 20010:"],
    misconfigured=["code 2001:"],
)


class Adapter(exports.Adapter):
    def describe(self) -> Description:
        symbol = Parameter(name="symbol", place=Place.QUERY, fixed=None)
        call = Call(
            name=CALL, origin=None, method=Method.GET, path=PATH, parameters=[symbol], headers=["Authorization"],
            body=BodyKind.NONE, signed=True, reply_headers=["retry-after"],
        )
        return Description(
            exchange="hitbtc",
            version="0.1.0",
            notes=[
                "The key needs the right to read orders and must not have the right to place or cancel them.",
                "A signed request lives for its window, a minute at most.",
                "A key bound to IP addresses works only if the pool's address is among them.",
            ],
            origin=ORIGIN,
            calls=[call],
            lifetime=Lifetime_Milliseconds(MAX_WINDOW_MS),
            nonce=NonceKind.NONE,
            single_use=False,
            binds=Binding.METHOD | Binding.PATH | Binding.PARAMETERS | Binding.MARKET,
            order_ids=OrderIdScope.EXCHANGE,
            market_parameters=[],
            credential_parameters=[],
            extras=[],
        )

    def sign(self, query: SignQuery) -> Signed:
        symbol, now = symbol_of(query.market), str(query.now_ms)
        text = signed_text(symbol, now, str(MAX_WINDOW_MS))
        signed = [
            Member("symbol", Scalar_Text(symbol)),
            Member("timestamp", Scalar_Number(now)),
            Member("window", Scalar_Number(str(MAX_WINDOW_MS))),
        ]
        return Signed(members=signed, sign=hmac_sha256(query.secret, text))

    def start(self, submission: Submission) -> Started:
        req = members.take(submission.members, REQ)
        symbol, timestamp, window = req["symbol"], req["timestamp"], req["window"]
        members.expect_market("symbol", symbol, symbol_of(submission.market))
        signed_ms = members.whole("timestamp", timestamp)
        window_ms = members.whole("window", window) if window else DEFAULT_WINDOW_MS
        if window_ms > MAX_WINDOW_MS:
            raise unusable(f"`req.window` should be at most {MAX_WINDOW_MS}")
        # No character of these can be a colon, which is what tells the parts apart.
        user = members.user(submission.user, "A-Za-z0-9._~-", "letters, digits and -._~")
        parts = [user, members.hexadecimal(submission.sign, 64), timestamp] + ([window] if window else [])
        token = base64.b64encode(":".join(parts).encode()).decode()
        request = Request(
            call=CALL, method=Method.GET, path=PATH, query=[Field("symbol", symbol)],
            headers=[Field("Authorization", f"HS256 {token}")], body=Body_None_(),
        )
        freshness = Freshness(nonce=timestamp, rising=signed_ms, expires_ms=signed_ms + window_ms)
        signed = [signed_text(symbol, timestamp, window)] if submission.explain else []
        return Started(step=Step_Send(Pending(request, b"")), freshness=[freshness], signed=signed)

    def resume(self, submission: Submission, state: bytes, reply: Reply) -> Step_Orders:
        asked = symbol_of(submission.market)
        found = replies.decode(reply, error_words, WORDING)
        read = [open_order(one, asked) for one in found]
        orders = [order for order in read if order is not None]
        return Step_Orders(OrderList(orders=orders, account=None, maybe_truncated=False))


def open_order(one: dict, asked: str) -> Order | None:
    """An order of the reply, unless it is of another market, no limit order, or waits beside the book."""
    text = replies.Members(one)
    symbol, kind, status = text["symbol"], text["type"], text["status"]
    order_id, word, quantity, filled = text["id"], text["side"], text["quantity"], text["quantity_cumulative"]
    price, created_at = text.get("price"), text.get("created_at")
    if symbol != asked or kind != "limit" or status not in ("new", "partiallyFilled"):
        return None
    side = replies.side(word, "buy", "sell")
    left = replies.difference(replies.decimal("quantity", quantity), replies.decimal("quantity_cumulative", filled))
    return replies.order(order_id, side, replies.decimal("price", price), left, replies.iso_ms(created_at))


def error_words(found: object) -> str | None:
    """What an error says, with its code: `{"error": {"code": 1002, "message": "…", "description": "…"}}`."""
    error = found.get("error") if isinstance(found, dict) else None
    if not isinstance(error, dict) or "code" not in error:
        return None
    text = replies.Members(error)
    return f"code {text['code']}: {text.get('message')}. {text.get('description')}".rstrip(". ")


def symbol_of(market: Market) -> str:
    return market.base + market.quote


def signed_text(symbol: str, timestamp: str, window: str) -> str:
    return f"GET{PATH}?symbol={symbol}{timestamp}{window}"


def hmac_sha256(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


# Python imports some modules only when they are needed, and the component has no files to import them from. What ran
# once while it was built is part of it: so everything below `start`, `sign` and `resume` that might import runs here.
hmac_sha256("warm", "up")
replies.warm_up()
