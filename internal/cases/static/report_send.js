// What the form and the conversation of a reporter share: texts of the page, who reads, and sending. Nothing here keeps
// anything, and requests go to this node alone, with no cookie.
import {verifyLog, fingerprint, keyID} from "./seal.js";

const says = document.getElementById("says");
const texts = new Map([...(says?.content.querySelectorAll("[data-say]") ?? [])].map((e) => [e.dataset.say, e.textContent]));

/** The language of the page. */
export const lang = says?.dataset.lang ?? "en";
/** The names of the months. */
export const months = (says?.dataset.months ?? "").split("|");

/** A text of the page with its names filled in; "n" chooses between one and many. @param {string} key @param {object} [fill] */
export function say(key, fill = {}) {
  const text = texts.get(key) ?? texts.get(key + (fill.n === 1 ? ".one" : ".other")) ?? "";
  return text.replace(/\{([a-z]+)\}/g, (whole, name) => (name in fill ? String(fill[name]) : whole));
}

/** A day as people write it. @param {Date} t */
export const date = (t) => say("date", {day: t.getUTCDate(), month: months[t.getUTCMonth()], year: t.getUTCFullYear()});

/** The smallest size that texts to a desk are padded to; a node cannot make it smaller. @param {object} desk */
export const leastOf = (desk) => Math.max(8192, Math.min(desk.limits.least, desk.limits.max_text) || 0);

/** An element with a class and what is in it: texts and elements. @returns {HTMLElement} */
export function make(name, className, ...inside) {
  const e = document.createElement(name);
  if (className) e.className = className;
  e.append(...inside);
  return e;
}

/** A sign of the sprite. @param {string} name */
export function sign(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  for (const [k, v] of [["width", "16"], ["height", "16"], ["aria-hidden", "true"]]) svg.setAttribute(k, v);
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

// trusted is one desk's readers as its log has them in force: every one of them by the name that stands there, and nobody
// else.
async function trusted(desk) {
  const log = await verifyLog(desk.log ?? []);
  const names = new Map((desk.log ?? []).map((e) => [e.key, e.name]));
  const readers = [];
  for (const r of desk.readers ?? []) {
    const id = await keyID(r.public);
    if (!log.inForce.includes(id)) throw new Error(`the key of ${r.name} is not in force in the log of the desk`);
    if (names.get(r.public) !== r.name) throw new Error(`${r.name} has another name in the log of the desk`);
    if (readers.some((other) => other.id === id)) throw new Error(`the key of ${r.name} is shown twice`);
    readers.push({name: r.name, public: r.public, id, fingerprint: await fingerprint(r.public)});
  }
  if (readers.length !== log.inForce.length) throw new Error("the log of the desk has other readers");
  return readers;
}

/**
 * Who reads for a desk, checked against the log of its keys (trust.md S30). Throws where they do not agree; nothing may be
 * sealed then.
 * @param {object} desk as GET /api/v1/reports/desks/ALIAS gives it
 * @returns {Promise<{own: object[], team: object[]}>}
 */
export async function readersOf(desk) {
  return {own: await trusted(desk), team: desk.team ? await trusted(desk.team) : []};
}

/** Lists readers with the fingerprints that this device has computed. @param {HTMLElement} into @param {object[]} readers */
export function listReaders(into, readers) {
  into.replaceChildren(...readers.map((r) => make("li", "", sign("person"), make("span", "", make("b", "", r.name), make("code", "print", r.fingerprint)))));
}

/**
 * JSON that is as long as that of any other report or message of its kind: filled up to a whole number of steps.
 * @param {object} body
 */
export function even(body) {
  const step = 16384;
  const bare = JSON.stringify({...body, pad: ""});
  const size = new TextEncoder().encode(bare).length;
  return JSON.stringify({...body, pad: "0".repeat(Math.ceil(size / step) * step - size)});
}

/** What came of sending: kind is "ok", "changed" (desk is new), "wrong", "large", "busy" (wait in seconds), "offline" or "fault". */
const outcome = async (answer) => {
  switch (answer.status) {
    case 404: return {kind: "wrong"};
    case 413: return {kind: "large"};
    case 429: case 503: return {kind: "busy", wait: Math.max(1, Number(answer.headers.get("Retry-After")) || 30)};
    case 409: {
      const told = await answer.json().catch(() => null);
      return told?.desk ? {kind: "changed", desk: told.desk} : {kind: "fault"};
    }
    default: return answer.ok ? {kind: "ok", body: await answer.json()} : {kind: "fault"};
  }
};

const waits = [0, 1000, 3000];
const patience = 200000; // a little longer than the node's own, in milliseconds

/**
 * Sends a body, and the very same again where the network fails: the server takes it once.
 * @param {string} path
 * @param {string} body
 */
export async function send(path, body) {
  for (const wait of waits) {
    if (wait) await new Promise((done) => setTimeout(done, wait));
    try {
      const answer = await fetch(path, {method: "POST", body, headers: {"Content-Type": "application/json"}, credentials: "omit", cache: "no-store",
        redirect: "error", referrerPolicy: "no-referrer", signal: AbortSignal.timeout(patience)});
      return await outcome(answer);
    } catch {
      // the network failed, before or after the server had it
    }
  }
  return {kind: "offline"};
}

/** A word for one sending. */
export const once = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

/** Shows or hides. @param {string} id @param {boolean} yes */
export function show(id, yes) {
  const e = document.getElementById(id);
  if (e) e.hidden = !yes;
}
