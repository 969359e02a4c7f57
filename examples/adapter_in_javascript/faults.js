// Why there are no orders, by who must act. A function of the contract throws them.
// It knows the contract's faults and no exchange.

// How much of an answer is repeated in a fault. Enough to recognise an error page by.
const MOST_CHARS = 200;

/** The bot's fault. The message must not repeat a signature or a secret. */
export const unusable = (message) => ({ tag: "unusable", val: clean(message) });

/** The adapter's: the reply is not what the exchange documents. */
export const unreadable = (message) => ({ tag: "unreadable", val: clean(message) });

/** The exchange's: out of service. */
export const unavailable = (message) => ({ tag: "unavailable", val: clean(message) });

/** The bot's as a rule, in the exchange's words. */
export const refused = (message) => ({ tag: "refused", val: clean(message) });

/** The operator's: the exchange does not know the market. */
export const misconfigured = (message) => ({ tag: "misconfigured", val: clean(message) });

/** Nobody's: the exchange wants fewer requests. */
export const throttled = (message, retryAfterMs) => {
  return { tag: "throttled", val: { message: clean(message), retryAfterMs } };
};

/** The fault that an error text of the exchange stands for. */
export function byWording(wording, words) {
  const lower = words.toLowerCase();
  const isAmong = (parts) => parts.some((part) => lower.includes(part.toLowerCase()));
  const message = words.trim() === "" ? "the exchange gave no reason" : words;
  if (isAmong(wording.throttled)) return throttled(message, null);
  if (isAmong(wording.unavailable)) return unavailable(message);
  if (isAmong(wording.misconfigured)) return misconfigured(message);
  return refused(message);
}

// A text from outside on one line, without control characters and halves of characters, and cut.
function clean(text) {
  const chars = Array.from(text.slice(0, 4 * MOST_CHARS).trim());
  const visible = chars.map((char) => (/[\p{Cc}\p{Cs}]/u.test(char) ? " " : char));
  return visible.length <= MOST_CHARS ? visible.join("") : `${visible.slice(0, MOST_CHARS - 3).join("")}...`;
}
