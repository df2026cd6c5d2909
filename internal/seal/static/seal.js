// Sealing in the browser: what package seal does in Go, over WebCrypto. Both are held to the vectors of RFC 9180 and to
// each other by a test. Nothing here talks to a server, keeps anything, or writes to the page.
//
// Bytes are Uint8Array. In boxes and locked keys, which travel as JSON, they are standard base64; public keys are
// unpadded base64url, as their Go counterparts print them.

import {words as wordLists} from "./words.js";

/**
 * @typedef {{to: string, enc: string, key: string}} Wrap
 * @typedef {{v: number, wraps: Wrap[], nonce: string, body: string}} Box
 * @typedef {{public: string, iterations: number, salt: string, nonce: string, key: string}} LockedKey
 * @typedef {{public: string, id: string, private: CryptoKey}} Key a key that opens; its private half cannot be exported
 * @typedef {{n: number, at: string, did: string, key: string, name: string, by: string, prev: string, hash: string}} LogEntry
 */

/** Iterations of PBKDF2-HMAC-SHA-256 for new locks and for receipts. */
export const iterations = 600000;

/** How many readers a box can have. */
export const maxWraps = 64;

const context = "polder seal 1\n";
const encoder = new TextEncoder();

/** What may go wrong in opening; code is "not-for-key", "damaged", "passphrase", "key", "log", "receipt" or "input". */
export class SealError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = "SealError";
    this.code = code;
  }
}

const damaged = () => new SealError("damaged", "this was damaged, or sealed for another purpose");
const badKey = () => new SealError("key", "a public key is 43 characters of base64url for a point of X25519");

/**
 * Whether this browser can seal: a secure context with X25519 in WebCrypto.
 * @returns {Promise<boolean>}
 */
export async function supported() {
  if (!globalThis.isSecureContext || !globalThis.crypto?.subtle) {
    return false;
  }
  try {
    const key = await importSeed(new Uint8Array(32).fill(1));
    return (await publicOf(key)).length === 32;
  } catch {
    return false;
  }
}

// Bytes.

/** @param {...(Uint8Array|string)} parts @returns {Uint8Array} */
export function concat(...parts) {
  const all = parts.map((p) => (typeof p === "string" ? encoder.encode(p) : p));
  const out = new Uint8Array(all.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of all) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** @param {Uint8Array} bytes @returns {string} standard base64 */
export function toBase64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(text);
}

/** @param {string} text standard base64 @returns {Uint8Array} */
export function fromBase64(text) {
  if (typeof text !== "string" || text.length % 4 !== 0 || /[^A-Za-z0-9+/=]/.test(text)) {
    throw damaged();
  }
  let raw;
  try {
    raw = atob(text);
  } catch {
    throw damaged();
  }
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) {
    out[i] = raw.charCodeAt(i);
  }
  return out;
}

/** @param {Uint8Array} bytes @returns {string} */
export function toHex(bytes) {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Compares in a time that does not depend on where they differ. @param {Uint8Array} a @param {Uint8Array} b */
export function sameBytes(a, b) {
  let or = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) {
    or |= a[i] ^ (b[i] ?? 0);
  }
  return or === 0;
}

/** @param {number} n @returns {Uint8Array} */
function random(n) {
  return crypto.getRandomValues(new Uint8Array(n));
}

/** @param {Uint8Array} data @returns {Promise<Uint8Array>} */
async function sha256(data) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

// Keys.

/** @param {Uint8Array} bytes @returns {string} the text form of a public key */
export function formatKey(bytes) {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Reads the text form of a public key, and refuses points of small order.
 * @param {string} text
 * @returns {Promise<Uint8Array>}
 */
export async function parseKey(text) {
  if (typeof text !== "string" || !/^[A-Za-z0-9_-]{43}$/.test(text)) {
    throw badKey();
  }
  const bytes = fromBase64(text.replaceAll("-", "+").replaceAll("_", "/") + "=");
  const above = bytes[31] === 0x7f && bytes[0] >= 0xed && bytes.subarray(1, 31).every((b) => b === 0xff);
  if (formatKey(bytes) !== text || bytes[31] > 0x7f || above) {
    throw badKey();
  }
  try {
    await exchange(await importSeed(new Uint8Array(32)), bytes);
  } catch {
    throw new SealError("key", "that public key is a point of small order: what is sealed to it would be open to everybody");
  }
  return bytes;
}

/** @param {Uint8Array} bytes of a public key @returns {Promise<string>} */
async function idOf(bytes) {
  return toHex((await sha256(bytes)).subarray(0, 16));
}

/** The id of a public key in text form. @param {string} key @returns {Promise<string>} */
export async function keyID(key) {
  return idOf(await parseKey(key));
}

/**
 * What people compare: six groups of five digits.
 * @param {string} key a public key in text form
 * @returns {Promise<string>}
 */
export async function fingerprint(key) {
  const hash = await sha256(concat("polder fingerprint 1\n", await parseKey(key)));
  const groups = [];
  for (let i = 0; i < 6; i++) {
    const n = hash.subarray(5 * i, 5 * i + 5).reduce((sum, b) => sum * 256 + b, 0);
    groups.push(String(n % 100000).padStart(5, "0"));
  }
  return groups.join(" ");
}

/** @param {Uint8Array} seed of a private key @returns {Promise<CryptoKey>} it cannot be exported */
function importSeed(seed) {
  const pkcs8 = new Uint8Array(48);
  pkcs8.set([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20]);
  pkcs8.set(seed, 16);
  const key = crypto.subtle.importKey("pkcs8", pkcs8, {name: "X25519"}, false, ["deriveBits"]);
  return key.finally(() => pkcs8.fill(0));
}

/** @param {CryptoKey} key @param {Uint8Array} other a public key @returns {Promise<Uint8Array>} what both sides share */
async function exchange(key, other) {
  const pub = await crypto.subtle.importKey("raw", other, {name: "X25519"}, true, []);
  const shared = new Uint8Array(await crypto.subtle.deriveBits({name: "X25519", public: pub}, key, 256));
  if (shared.every((b) => b === 0)) {
    throw badKey();
  }
  return shared;
}

/** @param {CryptoKey} key @returns {Promise<Uint8Array>} its public half */
function publicOf(key) {
  const base = new Uint8Array(32);
  base[0] = 9;
  return exchange(key, base);
}

/**
 * The key of a seed of 32 bytes.
 * @param {Uint8Array} seed
 * @returns {Promise<Key>}
 */
export async function keyOfSeed(seed) {
  if (seed.length !== 32) {
    throw new SealError("input", "the seed of a key has 32 bytes");
  }
  const key = await importSeed(seed);
  const pub = await publicOf(key);
  return {public: formatKey(pub), id: await idOf(pub), private: key};
}

// HPKE, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256.

const kemSuite = concat("KEM", new Uint8Array([0, 0x20]));
const hpkeSuite = (aead) => concat("HPKE", new Uint8Array([0, 0x20, 0, 1, 0, aead]));

async function hmac(key, data) {
  // An empty key means a key of zeros, which WebCrypto wants to see.
  const raw = key.length > 0 ? key : new Uint8Array(32);
  const k = await crypto.subtle.importKey("raw", raw, {name: "HMAC", hash: "SHA-256"}, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", k, data));
}

function extract(suite, salt, label, ikm) {
  return hmac(salt, concat("HPKE-v1", suite, label, ikm));
}

/** At most 32 bytes are asked for, so one block is enough. */
async function expand(suite, prk, label, info, length) {
  const labeled = concat(new Uint8Array([length >> 8, length & 255]), "HPKE-v1", suite, label, info);
  return (await hmac(prk, concat(labeled, new Uint8Array([1])))).subarray(0, length);
}

async function schedule(shared, enc, recipient, info, aead) {
  const prk = await extract(kemSuite, new Uint8Array(0), "eae_prk", shared);
  const secret = await expand(kemSuite, prk, "shared_secret", concat(enc, recipient), 32);
  const suite = hpkeSuite(aead);
  const none = new Uint8Array(0);
  const both = concat(
    new Uint8Array([0]),
    await extract(suite, none, "psk_id_hash", none),
    await extract(suite, none, "info_hash", info),
  );
  const main = await extract(suite, secret, "secret", none);
  const key = await expand(suite, main, "key", both, aead === 1 ? 16 : 32);
  const nonce = await expand(suite, main, "base_nonce", both, 12);
  return {key: await importAES(key), nonce};
}

function importAES(key) {
  return crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
}

const gcm = (nonce, aad) => ({name: "AES-GCM", iv: nonce, additionalData: aad});

/**
 * Seals one text to a public key with HPKE.
 * @param {Uint8Array} recipient public key
 * @param {Uint8Array} info
 * @param {Uint8Array} aad
 * @param {Uint8Array} text
 * @param {{aead?: number, ephemeral?: Uint8Array}} [o] aead 1 is AES-128-GCM, 2 (usual) AES-256-GCM; ephemeral is the
 *   seed of the sender's key, given by tests only
 * @returns {Promise<{enc: Uint8Array, sealed: Uint8Array}>}
 */
export async function hpkeSeal(recipient, info, aad, text, o = {}) {
  const seed = o.ephemeral ? o.ephemeral.slice() : random(32);
  const own = await importSeed(seed);
  seed.fill(0);
  const enc = await publicOf(own);
  const {key, nonce} = await schedule(await exchange(own, recipient), enc, recipient, info, o.aead ?? 2);
  const sealed = new Uint8Array(await crypto.subtle.encrypt(gcm(nonce, aad), key, text));
  return {enc, sealed};
}

/**
 * Opens what {@link hpkeSeal} made.
 * @param {Uint8Array} enc
 * @param {Key} own
 * @param {Uint8Array} info
 * @param {Uint8Array} aad
 * @param {Uint8Array} sealed
 * @param {{aead?: number}} [o]
 * @returns {Promise<Uint8Array>}
 */
export async function hpkeOpen(enc, own, info, aad, sealed, o = {}) {
  try {
    const shared = await exchange(own.private, enc);
    const {key, nonce} = await schedule(shared, enc, await parseKey(own.public), info, o.aead ?? 2);
    return new Uint8Array(await crypto.subtle.decrypt(gcm(nonce, aad), key, sealed));
  } catch {
    throw damaged();
  }
}

// Padding.

const prefix = 32;
const maxText = 2 ** 28;

function padme(n) {
  if (n < 2) {
    return n;
  }
  const e = 31 - Math.clz32(n);
  const unit = 2 ** Math.max(e - (32 - Math.clz32(e)), 0);
  return Math.ceil(n / unit) * unit;
}

/**
 * How many bytes a text of n bytes has after padding: at least `least`, and above that at most twelve in a hundred more.
 * @param {number} n @param {number} least @returns {number}
 */
export function padmeSize(n, least) {
  return padme(Math.max(n + prefix, least, prefix));
}

/** @param {Uint8Array} text @param {number} least @returns {Uint8Array} */
export function pad(text, least) {
  if (text.length > maxText || least > maxText || least < 0) {
    throw new SealError("input", `a text has at most ${maxText} bytes, not ${text.length}`);
  }
  const out = new Uint8Array(padmeSize(text.length, least));
  new DataView(out.buffer).setUint32(prefix - 4, text.length);
  out.set(text, prefix);
  return out;
}

/** @param {Uint8Array} padded @returns {Uint8Array} */
export function unpad(padded) {
  if (padded.length < prefix) {
    throw damaged();
  }
  const n = new DataView(padded.buffer, padded.byteOffset, prefix).getUint32(prefix - 4);
  const zero = (b) => b === 0;
  if (!padded.subarray(0, prefix - 4).every(zero) || n > padded.length - prefix || !padded.subarray(prefix + n).every(zero)) {
    throw damaged();
  }
  return padded.slice(prefix, prefix + n);
}

// Boxes.

function checkPurpose(purpose) {
  if (typeof purpose !== "string" || !/^[a-z-]{1,32}$/.test(purpose)) {
    throw new SealError("input", "a purpose is made of up to 32 letters a-z and dashes");
  }
}

const wrapInfo = (purpose) => encoder.encode(context + purpose + "\n");

/** @returns {Promise<Wrap[]>} one for each key that is named */
async function wrapTo(purpose, contentKey, nonce, body, keys) {
  const bound = await sha256(concat(nonce, body));
  const wraps = [];
  for (const key of new Set(keys)) {
    const recipient = await parseKey(key);
    const {enc, sealed} = await hpkeSeal(recipient, wrapInfo(purpose), bound, contentKey);
    wraps.push({to: await idOf(recipient), enc: toBase64(enc), key: toBase64(sealed)});
  }
  if (wraps.length > maxWraps) {
    throw new SealError("input", `a box has at most ${maxWraps} readers`);
  }
  return wraps;
}

/**
 * Seals a text to public keys.
 * @param {string} purpose "report", "message" or "file"; a box opens for the same purpose only
 * @param {Uint8Array|string} text
 * @param {number} least smallest padded size in bytes
 * @param {string[]} keys public keys in text form
 * @returns {Promise<Box>}
 */
export async function sealBox(purpose, text, least, keys) {
  checkPurpose(purpose);
  if (keys.length === 0) {
    throw new SealError("input", "sealed to nobody; name at least one key");
  }
  const contentKey = random(32);
  const nonce = random(12);
  const padded = pad(typeof text === "string" ? encoder.encode(text) : text, least);
  const aes = await importAES(contentKey);
  const body = new Uint8Array(await crypto.subtle.encrypt(gcm(nonce, encoder.encode(context + purpose)), aes, padded));
  padded.fill(0);
  const wraps = await wrapTo(purpose, contentKey, nonce, body, keys);
  contentKey.fill(0);
  return {v: 1, wraps, nonce: toBase64(nonce), body: toBase64(body)};
}

/** @returns {Promise<{contentKey: Uint8Array, nonce: Uint8Array, body: Uint8Array}>} */
async function unwrap(box, purpose, key) {
  checkPurpose(purpose);
  const wrap = (box?.wraps ?? []).find((w) => w.to === key.id);
  if (!wrap) {
    throw new SealError("not-for-key", "this was not sealed to that key");
  }
  const nonce = fromBase64(box.nonce);
  const body = fromBase64(box.body);
  if (box.v !== 1 || nonce.length !== 12) {
    throw damaged();
  }
  const bound = await sha256(concat(nonce, body));
  const contentKey = await hpkeOpen(fromBase64(wrap.enc), key, wrapInfo(purpose), bound, fromBase64(wrap.key));
  if (contentKey.length !== 32) {
    throw damaged();
  }
  return {contentKey, nonce, body};
}

/**
 * Opens a box. Throws a {@link SealError}: "not-for-key" where it has no wrap for the key, "damaged" where that does not open.
 * @param {Box} box
 * @param {string} purpose
 * @param {Key} key
 * @returns {Promise<Uint8Array>}
 */
export async function openBox(box, purpose, key) {
  const {contentKey, nonce, body} = await unwrap(box, purpose, key);
  const aes = await importAES(contentKey);
  contentKey.fill(0);
  let padded;
  try {
    padded = await crypto.subtle.decrypt(gcm(nonce, encoder.encode(context + purpose)), aes, body);
  } catch {
    throw damaged();
  }
  return unpad(new Uint8Array(padded));
}

/**
 * Wraps of a box's content key for more readers, made by one who can open it. Keys that have one are passed over.
 * @param {Box} box
 * @param {string} purpose
 * @param {Key} key
 * @param {string[]} more public keys in text form
 * @returns {Promise<Wrap[]>}
 */
export async function rewrapFor(box, purpose, key, more) {
  const {contentKey, nonce, body} = await unwrap(box, purpose, key);
  const have = new Set(box.wraps.map((w) => w.to));
  const keys = [];
  for (const k of new Set(more)) {
    if (!have.has(await keyID(k))) {
      keys.push(k);
    }
  }
  if (have.size + keys.length > maxWraps) {
    throw new SealError("input", `a box has at most ${maxWraps} readers`);
  }
  const wraps = await wrapTo(purpose, contentKey, nonce, body, keys);
  contentKey.fill(0);
  return wraps;
}

// Words that people type.

const folds = [
  "a àáâãäåāăąÀÁÂÃÄÅĀĂĄ", "c çćĉċčÇĆĈĊČ", "d ďđĎĐ", "e èéêëēĕėęěÈÉÊËĒĔĖĘĚ", "g ĝğġģĜĞĠĢ", "h ĥħĤĦ",
  "i ìíîïĩīĭįıÌÍÎÏĨĪĬĮİ", "j ĵĴ", "k ķĶ", "l ĺļľłĹĻĽŁ", "n ñńņňÑŃŅŇ", "o òóôõöøōŏőÒÓÔÕÖØŌŎŐ", "r ŕŗřŔŖŘ",
  "s śŝşšșŚŜŞŠȘ", "t ţťŧțŢŤŦȚ", "u ùúûüũūŭůűųÙÚÛÜŨŪŬŮŰŲ", "w ŵŴ", "y ýÿŷÝŶŸ", "z źżžŹŻŽ", "ij ĳĲ", "ss ßẞ", "ae æÆ", "oe œŒ",
];
const plain = new Map(folds.flatMap((l) => {
  const [to, from] = l.split(" ");
  return Array.from(from, (c) => [c, to]);
}));
const between = new Set(
  " \t\n\v\f\r,.-_+\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" +
  "\u2010\u2011\u2012\u2013\u2014\u2015\u2028\u2029\u202f\u205f\u2212\u3000");
const unseen = /[\u00ad\u200b\u200c\u200d\u2060\ufeff\u0300-\u036f]/u;

/**
 * How words are read that people typed: small letters without accents, one space between them.
 * @param {string} words @returns {string}
 */
export function normalise(words) {
  let out = "";
  let gap = false;
  for (const c of words) {
    if (between.has(c)) {
      gap = out !== "";
      continue;
    }
    if (unseen.test(c)) {
      continue;
    }
    out += (gap ? " " : "") + (plain.get(c) ?? (c >= "A" && c <= "Z" ? c.toLowerCase() : c));
    gap = false;
  }
  return out;
}

async function stretch(words, salt, rounds) {
  const key = await crypto.subtle.importKey("raw", encoder.encode(normalise(words)), "PBKDF2", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits({name: "PBKDF2", hash: "SHA-256", salt, iterations: rounds}, key, 256);
  return new Uint8Array(bits);
}

// Keys that a passphrase opens.

/**
 * What is wrong with a passphrase that somebody made: "short" (fewer than 16 characters), "long" (more than 1000), "same"
 * (one character over and over), or "" where nothing is.
 * @param {string} passphrase @returns {string}
 */
export function passphraseFault(passphrase) {
  const chars = Array.from(normalise(passphrase));
  if (chars.length < 16) {
    return "short";
  }
  if (chars.length > 1000) {
    return "long";
  }
  return chars.every((c) => c === chars[0]) ? "same" : "";
}

const lockBound = (pub) => concat("polder key 1\n", pub);

/**
 * Locks the private key of a seed with a passphrase.
 * @param {Uint8Array} seed 32 bytes; the caller wipes it
 * @param {string} passphrase
 * @returns {Promise<LockedKey>}
 */
export async function lockKey(seed, passphrase) {
  if (passphraseFault(passphrase) !== "") {
    throw new SealError("passphrase", "a passphrase has at least 16 characters, not all the same");
  }
  const key = await keyOfSeed(seed);
  const salt = random(16);
  const nonce = random(12);
  const aes = await importAES(await stretch(passphrase, salt, iterations));
  const bound = lockBound(await parseKey(key.public));
  const sealed = new Uint8Array(await crypto.subtle.encrypt(gcm(nonce, bound), aes, seed));
  return {public: key.public, iterations, salt: toBase64(salt), nonce: toBase64(nonce), key: toBase64(sealed)};
}

/**
 * Makes a key and locks it.
 * @param {string} passphrase
 * @returns {Promise<{key: Key, locked: LockedKey}>}
 */
export async function makeKey(passphrase) {
  const seed = random(32);
  try {
    return {locked: await lockKey(seed, passphrase), key: await keyOfSeed(seed)};
  } finally {
    seed.fill(0);
  }
}

/** The seed of a locked key; the caller wipes it. */
async function lockedSeed(locked, passphrase) {
  const pub = await parseKey(locked.public);
  const [salt, nonce, sealed] = [locked.salt, locked.nonce, locked.key].map(fromBase64);
  const rounds = locked.iterations;
  if (!Number.isInteger(rounds) || rounds < 100000 || rounds > 10000000 || salt.length !== 16 || nonce.length !== 12 || sealed.length !== 48) {
    throw new SealError("input", "this is no locked key");
  }
  const aes = await importAES(await stretch(passphrase, salt, rounds));
  try {
    return new Uint8Array(await crypto.subtle.decrypt(gcm(nonce, lockBound(pub)), aes, sealed));
  } catch {
    throw new SealError("passphrase", "that passphrase does not open this key");
  }
}

async function keyLockedAs(locked, seed) {
  const key = await keyOfSeed(seed);
  if (key.public !== locked.public) {
    throw new SealError("passphrase", "that passphrase does not open this key");
  }
  return key;
}

/**
 * Opens a locked key. A wrong passphrase is a {@link SealError} with code "passphrase", and no more.
 * @param {LockedKey} locked
 * @param {string} passphrase
 * @returns {Promise<Key>}
 */
export async function unlockKey(locked, passphrase) {
  const seed = await lockedSeed(locked, passphrase);
  try {
    return await keyLockedAs(locked, seed);
  } finally {
    seed.fill(0);
  }
}

/**
 * Opens a locked key with one passphrase and locks the same key with another. It throws as unlockKey and lockKey do.
 * @param {LockedKey} locked
 * @param {string} passphrase
 * @param {string} next
 * @returns {Promise<{key: Key, locked: LockedKey}>}
 */
export async function relockKey(locked, passphrase, next) {
  const seed = await lockedSeed(locked, passphrase);
  try {
    return {key: await keyLockedAs(locked, seed), locked: await lockKey(seed, next)};
  } finally {
    seed.fill(0);
  }
}

// Receipts.

function drawWords(lang) {
  const list = wordLists[lang === "nl" ? "nl" : "en"];
  return Array.from(crypto.getRandomValues(new Uint16Array(6)), (n) => list[n % 2048]).join(" ");
}

/** Six words of the list of a language ("en", "nl"; others get English words): 66 bits. @param {string} lang @returns {string} */
export function newReceipt(lang) {
  return drawWords(lang);
}

/** Six words to lock a key with. @param {string} lang @returns {string} */
export function newPassphrase(lang) {
  return drawWords(lang);
}

/**
 * What keeps words from being a receipt, for who types them: {problem: "count", count} or {problem: "word", at} with the
 * place (from 1) of a word that is in no list; problem is "" where nothing is.
 * @param {string} words
 * @returns {{problem: string, count?: number, at?: number}}
 */
export function receiptFault(words) {
  const list = normalise(words).split(" ").filter((w) => w !== "");
  if (list.length !== 6) {
    return {problem: "count", count: list.length};
  }
  const known = new Set([...wordLists.en, ...wordLists.nl]);
  const at = list.findIndex((w) => !known.has(w));
  return at < 0 ? {problem: ""} : {problem: "word", at: at + 1};
}

/**
 * What a receipt opens with: the proof for the server, and the key that reads the thread. It takes up to a second, on purpose.
 * @param {string} words
 * @param {Uint8Array} salt the node's public salt
 * @returns {Promise<{proof: Uint8Array, key: Key}>}
 */
export async function receiptAccess(words, salt) {
  if (salt.length < 16 || salt.length > 1024) {
    throw new SealError("input", "the salt of receipts has from 16 to 1024 bytes");
  }
  const stretched = await stretch(words, concat("polder receipt 1\n", salt), iterations);
  const hkdf = await crypto.subtle.importKey("raw", stretched, "HKDF", false, ["deriveBits"]);
  stretched.fill(0);
  const derive = async (info) => new Uint8Array(await crypto.subtle.deriveBits(
    {name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: encoder.encode(info)}, hkdf, 256));
  const seed = await derive("polder receipt key 1");
  const key = await keyOfSeed(seed);
  seed.fill(0);
  return {proof: await derive("polder receipt proof 1"), key};
}

// The log of a desk's keys.

/**
 * Verifies a key log, and says who reads. Throws a {@link SealError} with code "log" where an entry was changed, left out or
 * put in, or could not have happened after those before it.
 * @param {LogEntry[]} entries
 * @returns {Promise<{inForce: string[], waiting: string[], keys: Object<string, string>}>} ids, and public keys by id
 */
export async function verifyLog(entries) {
  if (!Array.isArray(entries) || entries.length > 4096) {
    throw new SealError("log", "the key log is no list of at most 4096 entries");
  }
  const state = {inForce: [], waiting: [], keys: Object.create(null)};
  let prev = "";
  let at = "";
  for (const [i, e] of entries.entries()) {
    const wrong = await entryFault(e, i + 1, prev, at) || await applyEntry(state, e);
    if (wrong) {
      throw new SealError("log", `entry ${i + 1} of the key log ${wrong}`);
    }
    prev = e.hash;
    at = e.at;
  }
  return state;
}

const control = /[\u0000-\u001f\u007f]/;

async function entryFault(e, n, prev, at) {
  const fields = [e?.at, e?.did, e?.key, e?.name, e?.by, e?.prev, e?.hash];
  if (fields.some((f) => typeof f !== "string") || e.n !== n) {
    return "is not an entry with its number";
  }
  if (e.prev !== prev) {
    return "does not follow the one before it: something was changed or left out";
  }
  if (e.hash !== await entryHash(e)) {
    return "does not have its own hash: it was changed";
  }
  if (!/^[2-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(e.at) || Number.isNaN(Date.parse(e.at))) {
    return "has a time that is no full second from the year 2000 on";
  }
  if (e.at < at) {
    return "is older than the one before it";
  }
  if ([e.name, e.by].some((s) => encoder.encode(s).length > 300 || control.test(s))) {
    return "has a name that is too long, or has characters that are not shown";
  }
  return "";
}

async function entryHash(e) {
  const lines = ["polder key log 1", String(e.n), e.at, e.did, e.key, e.name, e.by, e.prev];
  return toHex(await sha256(encoder.encode(lines.join("\n"))));
}

async function applyEntry(s, e) {
  const id = await keyID(e.key);
  const reads = s.inForce.includes(id);
  const waits = s.waiting.includes(id);
  const others = (list) => list.filter((k) => k !== id);
  s.keys[id] = e.key;
  switch (e.did) {
    case "added":
      if (reads || waits) {
        return "adds a key that is there";
      }
      (s.inForce.length === 0 ? s.inForce : s.waiting).push(id);
      return "";
    case "confirmed":
      if (!waits || !s.inForce.includes(e.by)) {
        return "confirms a key that does not wait for it, or by a key that is not in force";
      }
      s.waiting = others(s.waiting);
      s.inForce.push(id);
      return "";
    case "removed":
      if (!reads && !waits) {
        return "removes a key that is not there";
      }
      s.inForce = others(s.inForce);
      s.waiting = others(s.waiting);
      return "";
    default:
      return "says neither added, confirmed nor removed";
  }
}
