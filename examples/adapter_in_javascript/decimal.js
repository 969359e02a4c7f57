// Decimal numbers, exactly: `units / 10^scale` with whole units. Never JavaScript's own numbers, which are binary.
// It knows no exchange.

import { unreadable } from "./faults.js";

// As exchanges write numbers: no blanks, no `NaN`, no `.5`.
const NUMBER = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([-+]?[0-9]{1,3}))?$/;
// Longer texts are no price and no amount.
const MOST_CHARS = 64;
// Beyond this many digits behind the point, or zeros before it, a number is absurd.
const MOST_SHIFT = 38;

/** The number in a text; `name` is the reply's name for it. */
export function parse(name, written) {
  const parts = written.length <= MOST_CHARS ? NUMBER.exec(written) : null;
  if (parts === null) throw unreadable(`\`${name}\` of an order is not a decimal number`);
  const [, sign, whole, fraction = "", exponent = "0"] = parts;
  const units = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
  if (units === 0n) return { units, scale: 0 };
  const scale = fraction.length - Number(exponent);
  if (Math.abs(scale) > MOST_SHIFT) {
    throw unreadable(`\`${name}\` of an order is a decimal number of too many digits`);
  }
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 };
}

/** The exact difference. */
export function minus(one, other) {
  const scale = Math.max(one.scale, other.scale);
  const at = (number) => number.units * 10n ** BigInt(scale - number.scale);
  return { units: at(one) - at(other), scale };
}

/** The number without an exponent. */
export function show({ units, scale }) {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const point = digits.length - scale;
  const fraction = scale > 0 ? `.${digits.slice(point)}` : "";
  return (units < 0n ? "-" : "") + digits.slice(0, point) + fraction;
}
