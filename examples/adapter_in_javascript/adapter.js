// The adapter of Poloniex, spot market, the interface since 2022.
// It knows that exchange's wire format and refuses to know anything else.
//
// Signing: `signature = base64(HMAC-SHA256(secret, text))`, the text being three lines: `GET`, `/orders`, and the query
// together with the time, sorted by name: `limit=2000&signTimestamp=<ms>&symbol=BTC_USDT`. The time itself goes into a
// header. Nothing expires and nothing is used up.
//
// Sources: api-docs.poloniex.com/spot, "Authentication" and "Open orders".

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

import * as decimal from "./decimal.js";
import * as members from "./members.js";
import * as replies from "./replies.js";
import { base64, utf8Bytes } from "./text.js";

const ORIGIN = "https://api.poloniex.com";
const PATH = "/orders";
const CALL = "open-orders";
// The largest page that the exchange sends, as it stands in the query.
const PAGE = "2000";
const PAGE_ORDERS = 2000;
// What an LP's client posts in `req`. Nothing else reaches the request.
const REQ = {
  limit: members.exactly(PAGE),
  symbol: members.text("A-Za-z0-9_:/-", "letters, digits and -_:/"),
  signTimestamp: members.digits(),
};
// How the exchange words its failures: parts of its error texts. What matches none is a refusal.
const WORDING = {
  throttled: ["code 429:", "too many requests"],
  unavailable: ["code 500:", "code 603:"],
  misconfigured: ["code 24101:"],
};

function describe() {
  return {
    exchange: "poloniex",
    version: "0.1.0",
    notes: [
      'The key needs "Read" and must have nothing else.',
      "A signed request has no documented expiry: who sees it can read these orders for as long as the key lives.",
      "A key bound to IP addresses works only if the pool's address is among them.",
      "The first 2000 open orders of the market are seen.",
    ],
    origin: ORIGIN,
    calls: [{
      name: CALL,
      origin: null,
      method: "get",
      path: PATH,
      parameters: [
        { name: "limit", place: "query", fixed: PAGE },
        { name: "symbol", place: "query", fixed: null },
      ],
      headers: ["key", "signTimestamp", "signature"],
      body: "none",
      signed: true,
      replyHeaders: ["retry-after"],
    }],
    lifetime: { tag: "unlimited" },
    nonce: "none",
    singleUse: false,
    binds: { method: true, host: false, path: true, parameters: true, market: true },
    orderIds: "exchange",
    marketParameters: [],
    credentialParameters: [],
    extras: [],
  };
}

function sign(query) {
  const symbol = symbolOf(query.market);
  const now = String(query.nowMs);
  const signature = hmac(sha256, utf8Bytes(query.secret), utf8Bytes(signedText(symbol, now)));
  return {
    members: [
      { name: "limit", value: { tag: "text", val: PAGE } },
      { name: "symbol", value: { tag: "text", val: symbol } },
      { name: "signTimestamp", value: { tag: "number", val: now } },
    ],
    sign: base64(signature),
  };
}

function start(submission) {
  const { symbol, signTimestamp } = members.take(submission.members, REQ);
  members.expectMarket("symbol", symbol, symbolOf(submission.market));
  const request = {
    call: CALL,
    method: "get",
    path: PATH,
    query: [{ name: "limit", value: PAGE }, { name: "symbol", value: symbol }],
    headers: [
      { name: "key", value: members.user(submission.user) },
      { name: "signTimestamp", value: signTimestamp },
      { name: "signature", value: members.base64Of32Bytes(submission.sign) },
    ],
    body: { tag: "none" },
  };
  const rising = members.whole("signTimestamp", signTimestamp);
  return {
    step: { tag: "send", val: { request, state: new Uint8Array(0) } },
    freshness: [{ nonce: signTimestamp, rising, expiresMs: null }],
    signed: submission.explain ? [signedText(symbol, signTimestamp)] : [],
  };
}

function resume(submission, state, reply) {
  const asked = symbolOf(submission.market);
  const found = replies.decode(reply, errorWords, WORDING);
  const orders = found.map((one) => openOrder(one, asked)).filter((order) => order !== null);
  const maybeTruncated = found.length >= PAGE_ORDERS;
  return { tag: "orders", val: { orders, account: null, maybeTruncated } };
}

export const adapter = { describe, sign, start, resume };

// An order of the reply, unless it is of another market, no limit order of the spot market, or not open. Its `amount`
// is in the quote currency, for market orders; `quantity` is in the base currency.
function openOrder(one, asked) {
  const text = replies.members(one);
  const wanted = ["id", "symbol", "accountType", "type", "state", "side", "price", "quantity", "filledQuantity"];
  const [id, symbol, account, type, state, word, price, quantity, filled] = wanted.map(text);
  const createTime = text("createTime");
  const isSpot = symbol === asked && account === "SPOT" && ["", "false"].includes(text("loan", ""));
  const isLimit = ["LIMIT", "LIMIT_MAKER"].includes(type);
  if (!isSpot || !isLimit || !["NEW", "PARTIALLY_FILLED"].includes(state)) return null;
  const left = decimal.minus(decimal.parse("quantity", quantity), decimal.parse("filledQuantity", filled));
  const side = replies.side(word, "BUY", "SELL");
  return replies.order(id, side, decimal.parse("price", price), left, replies.wholeMs(createTime));
}

// What an error says, with its code: `{"code": 400, "message": "…"}`.
function errorWords(found) {
  if (found === null || typeof found !== "object" || found.code === undefined) return null;
  const text = replies.members(found);
  return `code ${text("code")}: ${text("message", "")}`;
}

function symbolOf(market) {
  return `${market.base}_${market.quote}`;
}

function signedText(symbol, timestamp) {
  return `GET\n${PATH}\nlimit=${PAGE}&signTimestamp=${timestamp}&symbol=${encodeURIComponent(symbol)}`;
}
