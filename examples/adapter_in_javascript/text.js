// Text to bytes and back: what other engines have as TextEncoder, TextDecoder and btoa.
// It knows no exchange.

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
// As many as a call can have arguments without the engine running out of stack.
const CHUNK = 8192;

/** The UTF-8 bytes of a text. */
export function utf8Bytes(text) {
  const byteByByte = unescape(encodeURIComponent(text));
  return Uint8Array.from(byteByByte, (char) => char.charCodeAt(0));
}

/** The text in UTF-8 bytes. Throws if they are none. */
export function utf8Text(bytes) {
  let byteByByte = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    byteByByte += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK));
  }
  return /[\x80-\xff]/.test(byteByByte) ? decodeURIComponent(escape(byteByByte)) : byteByByte;
}

/** Padded base64. */
export function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const [one, two = 0, three = 0] = bytes.subarray(at, at + 3);
    const bits = (one << 16) | (two << 8) | three;
    text += [18, 12, 6, 0].map((shift) => BASE64[(bits >> shift) & 63]).join("");
  }
  const padding = (3 - (bytes.length % 3)) % 3;
  return text.slice(0, text.length - padding) + "=".repeat(padding);
}
