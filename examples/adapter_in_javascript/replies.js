// The exchange's answer: its JSON with every digit kept, or the fault of whoever must act.
// It knows no exchange.

import * as decimal from "./decimal.js";
import { byWording, refused, throttled, unavailable, unreadable } from "./faults.js";
import { utf8Text } from "./text.js";

// Deeper replies do not exist, and reading them would exhaust the stack.
const MOST_DEPTH = 64;
// What matters of a JSON text: its strings, its brackets, and its numbers with the colon that must not follow them.
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}]|-?[0-9][-+.0-9eE]*(\s*:)?/g;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/;
const TIME = /^[0-9]{1,15}$/;

/** The list in a good answer. `errorWords` says what an error says, and null of what is none. */
export function decode(reply, errorWords, wording) {
  const { status } = reply;
  const { text, found } = read(reply.body);
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess && Array.isArray(found)) return found;
  const words = errorWords(found);
  const begins = text.trim().slice(0, 200) || "nothing";
  const said = words ?? `HTTP ${status}: ${begins}`;
  if (status === 418 || status === 429) throw throttled(said, retryAfterMs(reply));
  if (status >= 500) throw unavailable(said);
  if (words !== null) throw byWording(wording, words);
  // What proxies and maintenance show.
  if (begins.startsWith("<")) throw unavailable(`a web page instead of an answer, ${said}`);
  if (status >= 400) throw refused(said);
  throw unreadable(`the body is not the list of orders: ${begins}`);
}

/** A function that gives an object's members as text, whether they are JSON strings or numbers. */
export function members(found) {
  if (found === null || typeof found !== "object" || Array.isArray(found)) {
    throw unreadable("there is no object where one should be");
  }
  return (name, otherwise) => {
    const value = Object.hasOwn(found, name) ? found[name] : otherwise;
    if (value === undefined) throw unreadable(`\`${name}\` is missing`);
    if (value === null) return "";
    if (typeof value === "object") {
      throw unreadable(`\`${name}\` is a list or object where a number or text should be`);
    }
    return String(value);
  };
}

/** The side that the reply's word stands for. */
export function side(word, buy, sell) {
  if (word === buy) return "bid";
  if (word === sell) return "ask";
  throw unreadable(`the side of an order is \`${word}\`, not \`${buy}\` or \`${sell}\``);
}

/** An open order, or null if nothing is left of it. */
export function order(id, side, price, left, openedMs) {
  if (!/^[!-~]+$/.test(id)) throw unreadable("an order has no id");
  if (price.units <= 0n) throw unreadable(`order ${id} has the price ${decimal.show(price)}`);
  if (left.units < 0n) throw unreadable(`order ${id} has the amount ${decimal.show(left)}`);
  if (left.units === 0n) return null;
  return { id, side, price: decimal.show(price), amount: decimal.show(left), openedMs, closedMs: null, extras: [] };
}

/** Unix milliseconds; null for what is no time. */
export function wholeMs(written) {
  return TIME.test(written) ? Number(written) : null;
}

// JSON.parse makes binary numbers of all numbers; between quotes they stay as they are written.
function read(body) {
  let text;
  try {
    text = utf8Text(body);
  } catch {
    return { text: "a body that is not text", found: null };
  }
  try {
    return { text, found: JSON.parse(withNumbersQuoted(text)) };
  } catch {
    return { text, found: null };
  }
}

function withNumbersQuoted(text) {
  const pieces = [];
  let end = 0;
  let depth = 0;
  // `replace` would look for all tokens before it is told of the first.
  for (const { 0: token, 1: colon, index } of text.matchAll(TOKENS)) {
    if (token === "[" || token === "{") depth += 1;
    if (token === "]" || token === "}") depth -= 1;
    if (depth > MOST_DEPTH) throw new RangeError("nested too deep");
    if (colon === undefined && NUMBER.test(token)) {
      pieces.push(text.slice(end, index), `"${token}"`);
      end = index + token.length;
    }
  }
  return pieces.join("") + text.slice(end);
}

function retryAfterMs(reply) {
  const header = reply.headers.find(({ name }) => name.toLowerCase() === "retry-after");
  // Nine digits of seconds are thirty years.
  return header !== undefined && /^ *[0-9]{1,9} *$/.test(header.value) ? Number(header.value) * 1000 : null;
}
