// What the scripts of the reader's side share: texts of the page, elements with text in them, and asking the node.

const said = new Map([...document.querySelectorAll("#desk-says li")].map(li => [li.dataset.key, li.textContent]));

// say is a text of the page; {name} is filled from pairs. A number n chooses between key.one and key.other.
export function say(key, pairs = {}) {
  const text = said.get(key) ?? said.get(`${key}.${pairs.n === 1 ? "one" : "other"}`) ?? key;
  return text.replace(/\{([a-z]+)\}/g, (whole, name) => Object.hasOwn(pairs, name) ? String(pairs[name]) : whole);
}

export const has = key => said.has(key);
export const lang = document.documentElement.lang === "nl" ? "nl" : "en";
export const at = id => document.getElementById(id);

// make is an element. Attributes are set as text; whatever else is given becomes text or stands in it as it is.
export function make(tag, attributes = {}, ...inside) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) e.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) e.setAttribute(name, value);
  }
  e.append(...inside.flat().filter(x => x !== null && x !== undefined && x !== ""));
  return e;
}

// foreign is a text of somebody else: its direction is its own, and control and bidi characters are shown.
export function foreign(text, tag = "bdi") {
  return make(tag, {dir: "auto"}, visible(text));
}

// visible shows characters that would hide or turn text.
export function visible(text) {
  return String(text ?? "").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    ch => `⟨U+${ch.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

// Refused is an answer of the node that is no success.
export class Refused extends Error {
  constructor(status, body) {
    super(body?.detail ?? String(status));
    this.status = status;
    this.body = body;
  }
}

// ask asks the node and gives its answer as JSON; it throws a Refused, or a TypeError where nothing answers.
export async function ask(method, path, body) {
  const answer = await fetch(path, {
    method, credentials: "same-origin", cache: "no-store", redirect: "error",
    headers: {"Accept": "application/json", ...body === undefined ? {} : {"Content-Type": "application/json"}},
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  let parsed = null;
  try {
    parsed = text === "" ? null : JSON.parse(text);
  } catch {
    // an answer that is no JSON says nothing more than its status
  }
  if (!answer.ok) throw new Refused(answer.status, parsed);
  return parsed;
}

// why is what an error says to a person.
export function why(error) {
  if (error instanceof Refused) return say("refused", {why: visible(error.message)});
  return error instanceof TypeError ? say("offline") : visible(error.message);
}

// tell shows a line on top, in the tone of class ("", "ok", "warn", "bad"); focus moves there where it is a fault.
export function tell(box, text, tone = "") {
  box.className = tone ? `alert ${tone}` : "alert";
  box.querySelector("h2").textContent = text;
  box.hidden = text === "";
  if (tone === "bad") box.focus();
}

// icon is one of the page's signs.
export function icon(name) {
  const use = [...document.querySelectorAll("#desk-icons use")].find(u => u.getAttribute("href").endsWith(`i-${name}`));
  return use ? use.closest("svg").cloneNode(true) : null;
}

export const tag = (tone, sign, text) => make("span", {class: tone ? `tag ${tone}` : "tag"}, icon(sign), text);

// random is a word of 32 characters that no other request has.
export const once = () => [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, "0")).join("");
