// The client's `req`: its declared members, and nothing else, comes out of here.
// It knows no exchange. Values are not repeated in its sentences: some are secrets.

import { unusable } from "./faults.js";

// Longer names, symbols and times do not exist; 20 are the digits of the largest 64-bit number.
const MOST_CHARS = 64;
const MOST_DIGITS = 20;
// API keys are up to a hundred characters long at the exchanges known so far.
const MOST_USER_CHARS = 256;

/** A JSON string of these characters, which are those between the brackets of a regular expression. */
export function text(chars, words) {
  const right = `a text of 1 to ${MOST_CHARS} characters: ${words}`;
  return { pattern: new RegExp(`^[${chars}]{1,${MOST_CHARS}}$`), right, isNumber: false };
}

/** A whole number, as a JSON number or as text: the digits are what is signed. */
export function digits() {
  const right = `a whole number of at most ${MOST_DIGITS} digits`;
  return { pattern: new RegExp(`^[0-9]{1,${MOST_DIGITS}}$`), right, isNumber: true };
}

/** A value that can only be this one, of letters and digits. */
export function exactly(only) {
  return { pattern: new RegExp(`^${only}$`), right: `\`${only}\`, which is all that this pool asks for`, isNumber: true };
}

/** The declared members by name. */
export function take(members, declared) {
  const taken = new Map();
  for (const { name, value } of members) {
    if (!Object.hasOwn(declared, name)) {
      const names = Object.keys(declared).map((known) => `\`${known}\``).join(", ");
      throw unusable(`\`req\` has a member \`${name.slice(0, MOST_CHARS)}\`; it should have ${names} and nothing else`);
    }
    const { pattern, right, isNumber } = declared[name];
    if (taken.has(name)) throw unusable(`\`req\` has the member \`${name}\` twice`);
    if ((value.tag === "number" && !isNumber) || !pattern.test(value.val)) {
      throw unusable(`\`req.${name}\` should be ${right}`);
    }
    taken.set(name, value.val);
  }
  const missing = Object.keys(declared).find((name) => !taken.has(name));
  if (missing !== undefined) throw unusable(`\`req\` lacks the member \`${missing}\``);
  return Object.fromEntries(taken);
}

/** The whole number in a member that was declared as digits: exact, so below 2^53. */
export function whole(name, written) {
  const number = Number(written);
  if (!Number.isSafeInteger(number)) throw unusable(`\`req.${name}\` should be a whole number below 2^53`);
  return number;
}

/** Refuses what was signed for another market than the one that is asked for. */
export function expectMarket(name, signed, asked) {
  if (signed !== asked) {
    throw unusable(`\`req.${name}\` should be \`${asked}\` for this market; the request was signed for \`${signed}\``);
  }
}

/** The API key, which goes into a header. */
export function user(key) {
  if (key.length > MOST_USER_CHARS || !/^[!-~]+$/.test(key)) {
    throw unusable(`\`user\` should be the API key: 1 to ${MOST_USER_CHARS} visible ASCII characters`);
  }
  return key;
}

/** The signature, if it is 32 bytes in padded base64. */
export function base64Of32Bytes(sign) {
  // The last character before the padding holds four bits, the other two of which are zero.
  if (!/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(sign)) {
    throw unusable("the signature should be 32 bytes in base64; it is not");
  }
  return sign;
}
