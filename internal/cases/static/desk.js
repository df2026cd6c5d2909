// The reader's side of reports. The passphrase unlocks the reader's keys in this tab; reports are asked for sealed and
// opened here. Keys and texts live in this tab alone: nothing is stored, and both are dropped when the page is left or
// nobody touches it for a quarter of an hour.
import {normalise, openBox, supported, unlockKey} from "./seal.js";
import {duplicates, propose} from "./triage.js";
import {ask, at, icon, foreign, lang, make, say, tag, tell, why} from "./desk_page.js";
import {showReport} from "./desk_report.js";

const idleMinutes = 15, pagesMost = 10;
const root = at("desk"), box = at("desk-said"), lockPanel = at("desk-unlock"), queue = at("desk-queue"), one = at("desk-one");
const filter = {which: at("desk-which"), state: at("desk-state"), sort: at("desk-sort"), find: at("desk-find")};
const order = {critical: 3, high: 2, medium: 1, low: 0};

let keys = [], reports = [], pressed = new Set(), idle = 0, drawn = 0;
const judged = new Map(); // by report: class and severity that the reader chose in this tab

const decoder = new TextDecoder("utf-8", {fatal: true});

// opened is the text of a box, by whichever of the keys it was sealed to.
async function opened(sealed, purpose) {
  const key = keys.find(k => sealed.wraps.some(w => w.to === k.id));
  if (!key) throw new Error(say("unopened"));
  return openBox(sealed, purpose, key);
}

async function read(view) {
  const r = {view, answers: null, proposal: null, twins: []};
  try {
    const a = JSON.parse(decoder.decode(await opened(view.box, "report")));
    r.answers = a !== null && typeof a === "object" ? a : {what: ""};
  } catch {
    return r;
  }
  if (!pressed.has(view.desk)) r.proposal = proposalOf(r.answers);
  return r;
}

const text = v => typeof v === "string" ? v : "";
const list = v => Array.isArray(v) ? v.filter(x => typeof x === "string") : [];

function proposalOf(a) {
  return propose({what: [text(a.what), text(a.more?.systems)].filter(Boolean).join("\n"), roads: list(a.roads), ongoing: text(a.ongoing), kind: text(a.kind), language: lang});
}

async function load() {
  const mine = ++drawn;
  tell(box, say("opening"));
  const found = [];
  let after = "";
  for (let n = 0; n < pagesMost; n++) {
    const page = await ask("GET", `/api/v1/reports/inbox?limit=200${filter.state.value ? `&state=${filter.state.value}` : ""}${after ? `&after=${encodeURIComponent(after)}` : ""}`);
    found.push(...page.reports);
    after = page.next;
    if (!after) break;
  }
  const read_ = await Promise.all(found.map(read));
  if (mine !== drawn || keys.length === 0) return;
  reports = read_;
  const byID = new Map(reports.map(r => [r.view.id, r]));
  const texts = reports.filter(r => r.answers).map(r => ({id: r.view.id, words: [text(r.answers.what), ...Object.values(r.answers.more ?? {}).map(text)].join("\n"), at: r.view.received}));
  for (const p of duplicates(texts, lang)) {
    byID.get(p.a).twins.push({with: p.b, why: p.why});
    byID.get(p.b).twins.push({with: p.a, why: p.why});
  }
  tell(box, "");
  draw();
}

export const titleOf = r => {
  if (!r?.answers) return say("unopened.title");
  const first = text(r.answers.what).trim().split(/\n/)[0];
  const letters = [...first];
  return letters.length === 0 ? say("title.empty") : letters.length > 90 ? `${letters.slice(0, 90).join("")}…` : first;
};

const verdict = r => judged.get(r.view.id) ?? r.proposal;

function age(received) {
  const hours = Math.floor((Date.now() - new Date(received).getTime()) / 3600000);
  if (hours < 1) return say("age.now");
  return hours < 48 ? say("age.hours", {n: hours}) : say("age.days", {n: Math.floor(hours / 24)});
}

function chosen() {
  const words = filter.find.value.trim().toLowerCase();
  const shown = reports.filter(r => (!filter.which.value || r.view.desk === filter.which.value) &&
    (!words || JSON.stringify(r.answers ?? "").toLowerCase().includes(words)));
  const weight = r => order[verdict(r)?.severity] ?? -1;
  const time = r => new Date(r.view.received).getTime();
  return shown.sort({
    severity: (a, b) => weight(b) - weight(a) || time(a) - time(b), old: (a, b) => time(a) - time(b), new: (a, b) => time(b) - time(a),
  }[filter.sort.value]);
}

function row(r) {
  const labels = at("desk-rows").dataset, v = verdict(r);
  const link = make("a", {href: `/cases/reports/${r.view.id}`, "data-row": true}, foreign(titleOf(r)));
  link.addEventListener("click", e => {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    history.pushState(null, "", link.getAttribute("href"));
    open(r.view.id);
  });
  const twins = r.twins.slice(0, 1).map(t => make("span", {class: "sub"}, tag("warn", "alert", say("duplicate")), " ",
    say("duplicate.with"), " ", foreign(titleOf(reports.find(x => x.view.id === t.with))), "; ", reasons(t.why)));
  return make("tr", {},
    make("th", {scope: "row"}, link, ...twins),
    make("td", {"data-label": labels.class}, v ? className(v.class) : "", v ? make("span", {class: "sub"}, reasons(v.why ?? [])) : null),
    make("td", {"data-label": labels.severity}, v ? severityTag(v.severity) : ""),
    make("td", {"data-label": labels.age}, make("time", {datetime: r.view.received}, age(r.view.received))),
    make("td", {"data-label": labels.state}, stateTag(r.view)));
}

// reasons says why, in the words of the report: those that speak for the same stand together.
export function reasons(all) {
  const bySays = new Map();
  for (const w of all) bySays.set(w.says, [...bySays.get(w.says) ?? [], ...w.words ? [w.words] : []]);
  const out = make("span");
  for (const [says, words] of bySays) {
    if (out.hasChildNodes()) out.append("; ");
    words.forEach((w, i) => out.append(i ? ", " : "", make("q", {}, foreign(w))));
    out.append(words.length ? ": " : "", says);
  }
  return out;
}

const classNames = new Map([...document.querySelectorAll("#desk-classes li")].map(li => [li.dataset.key, li.textContent]));
export const classes = () => [...classNames];
export const className = c => classNames.get(c) ?? c;

export function severityTag(s) {
  return {critical: () => tag("bad", "alert", say("severity.critical")), high: () => tag("bad", "alert", say("severity.high")), medium: () => tag("warn", "clock", say("severity.medium"))}[s]?.() ?? tag("", "check", say("severity.low"));
}

export function stateTag(view) {
  const tones = {new: ["warn", "clock"], acknowledged: ["ok", "check"], "in-case": ["ok", "doc"], closed: ["", "lock"]};
  return tag(...tones[view.state] ?? ["", "clock"], say(`state.${view.state}`));
}

function draw() {
  one.hidden = true;
  one.replaceChildren();
  queue.hidden = false;
  const shown = chosen();
  at("desk-rows").replaceChildren(...shown.map(row), ...shown.length === 0 ? [make("tr", {}, make("td", {colspan: "5"}, say(reports.length === 0 ? "none" : "none.filter")))] : []);
  at("desk-count").textContent = say("opened", {n: shown.length});
}

// open shows one report.
async function open(id) {
  const mine = ++drawn;
  tell(box, say("opening"));
  try {
    const view = await ask("GET", `/api/v1/reports/inbox/${encodeURIComponent(id)}`);
    const kept = reports.find(r => r.view.id === id), r = await read(view);
    if (mine !== drawn || keys.length === 0) return;
    r.twins = kept?.twins ?? [];
    tell(box, "");
    queue.hidden = true;
    await showReport(one, {
      report: r, keys, opened, judged, pressed: pressed.has(view.desk), shares: root.hasAttribute("data-shares"), titles: new Map(reports.map(x => [x.view.id, titleOf(x)])),
      again: note => open(id).then(() => note && tell(box, note, "ok")), fault: error => tell(box, why(error), "bad"), say: note => tell(box, note, "ok"), back,
    });
    if (mine !== drawn) one.replaceChildren();
  } catch (error) {
    if (mine === drawn) tell(box, why(error), "bad");
  }
}

async function back() {
  history.pushState(null, "", "/cases/reports");
  await route();
  at("desk-rows").querySelector("[data-row]")?.focus();
}

async function route() {
  const id = location.pathname.split("/")[3] ?? "";
  try {
    if (reports.length === 0 || !id) await load();
    if (id) await open(decodeURIComponent(id));
  } catch (error) {
    tell(box, why(error), "bad");
  }
}

function lock(note) {
  drawn++;
  keys = [];
  reports = [];
  judged.clear();
  clearTimeout(idle);
  at("desk-rows").replaceChildren();
  one.replaceChildren();
  filter.find.value = "";
  queue.hidden = one.hidden = true;
  lockPanel.hidden = false;
  tell(box, note);
}

function touched() {
  clearTimeout(idle);
  if (keys.length > 0) idle = setTimeout(() => lock(say("locked.idle")), idleMinutes * 60000);
}

// unlocked is the key that a passphrase opens, as it was typed or, of six words, however they were typed; or null.
async function unlocked(locked, passphrase) {
  const plain = normalise(passphrase);
  for (const words of plain !== passphrase && plain.split(" ").length === 6 ? [passphrase, plain] : [passphrase]) {
    try {
      return await unlockKey(locked, words);
    } catch (error) {
      if (error.code !== "passphrase") throw error;
    }
  }
  return null;
}

lockPanel?.querySelector("form").addEventListener("submit", async e => {
  e.preventDefault();
  const field = at("passphrase"), passphrase = field.value, button = lockPanel.querySelector("[type=submit]");
  if (button.disabled) return;
  button.disabled = true;
  tell(box, say("opening"));
  try {
    const held = (await ask("GET", "/api/v1/reports/keys")).keys.sort((a, b) => b.current - a.current);
    const open = [];
    for (const k of held) {
      const key = await unlocked(k.locked, passphrase);
      if (key) open.push(key);
    }
    if (open.length === 0) {
      tell(box, say("wrong-passphrase"), "bad");
      return;
    }
    field.value = "";
    keys = open;
    pressed = new Set((await ask("GET", "/api/v1/desks")).desks.filter(d => d.kind === "pressed").map(d => d.alias));
    lockPanel.hidden = true;
    touched();
    await route();
    if (!queue.hidden) at("desk-rows").querySelector("[data-row]")?.focus();
  } catch (error) {
    tell(box, why(error), "bad");
  } finally {
    button.disabled = false;
  }
});

for (const f of [filter.which, filter.sort]) f.addEventListener("change", draw);
filter.find.addEventListener("input", draw);
filter.state.addEventListener("change", () => load().catch(error => tell(box, why(error), "bad")));
at("desk-filter")?.addEventListener("submit", e => e.preventDefault());
at("desk-lock")?.addEventListener("click", () => lock(say("locked")));
for (const kind of ["keydown", "pointerdown", "scroll"]) addEventListener(kind, touched, {passive: true});
addEventListener("popstate", () => { if (keys.length > 0) route(); });
addEventListener("pagehide", () => {
  at("passphrase").value = "";
  lock(say("locked.leave"));
});

if (root) {
  if (await supported()) lockPanel.hidden = false;
  else tell(box, say("key.unsupported"), "bad");
}
