// The form of a report, and the one for somebody who is pressed: answers are checked, sealed on this device to the keys
// of who reads, and sent. Nothing leaves before Send; nothing is kept but a draft that was asked for. Where the browser
// cannot seal, this does nothing, and the form is what it is without script.
import {fromBase64, newReceipt, receiptAccess, sealBox, supported, toBase64} from "./seal.js";
import {propose} from "./triage.js";
import {strip} from "./strip.js";
import {ahead, quick, today} from "./report_when.js";
import {date, even, lang, leastOf, listReaders, make, months, once, readersOf, say, send, show, sign} from "./report_send.js";
import {clear} from "./report_leave.js";

const form = document.getElementById("form");
const at = (id) => document.getElementById(id);
const most = {files: 5, file: 10 << 20, all: 20 << 20, what: 20000, line: 200, more: 2000, call: 1000};
const later = ["systems", "know_how", "people", "organisation", "told"];
const encoder = new TextEncoder();

let desk; // whom it goes to
let readers; // checked
let ready = null; // what was sealed and may have to be sent again: {body, receipt, readers}
let guarded = false; // a receipt is shown that nobody has said to have written down

const pressed = () => form.dataset.kind === "pressed";
const value = (name) => (form.elements[name]?.value ?? "").trim();
const chosen = (name) => [...form.querySelectorAll(`input[name="${name}"]:checked`)].map((e) => e.value);
const named = () => !pressed() && chosen("named")[0] === "yes";

// Answers, and what is wrong with them.

function check() {
  const faults = [];
  const fault = (field, short, text, fill) => faults.push({field, short: say(short, fill), text: say(text, fill)});
  const need = (field, there, key) => there || fault(field, `${key}.short`, key);
  const fits = (field, text, limit) => {
    const n = encoder.encode(text).length - limit;
    if (n > 0) fault(field, "error.long.short", "error.long", {n, question: labelOf(field)});
  };
  need("what", value("what"), pressed() ? "error.asked" : "error.what");
  fits("what", value("what"), most.what);
  fits("call", value("call"), pressed() ? most.call : most.line);
  if (!pressed()) {
    const future = ahead(value("when"), months, today());
    if (future) fault("when", "error.future.short", "error.future", {wrote: date(future.wrote), meant: date(future.meant)});
    fits("when", value("when"), most.line);
    if (named()) {
      need("name", value("name"), "error.name");
      fits("name", value("name"), most.line);
    }
    for (const name of later) fits(`more-${name}`, value(name), most.more);
    checkFiles(fault);
  }
  return faults;
}

const filesOf = () => [...(form.elements.file?.files ?? [])];

function checkFiles(fault) {
  const files = filesOf();
  const all = files.reduce((n, f) => n + f.size, 0);
  if (files.length > most.files) fault("files", "error.files.short", "error.files.many", {n: files.length});
  else if (all > most.all || files.some((f) => f.size > most.file)) fault("files", "error.files.short", "error.files.large");
}

const labelOf = (field) => {
  const text = at(field)?.labels?.[0]?.textContent ?? at(field)?.closest("fieldset")?.querySelector("legend")?.textContent ?? "";
  return text.replace(/^\d\. |\?$/g, "");
};

function answers() {
  const a = {what: value("what"), noticed: "", roads: [], ongoing: "", call: value("call"), may_know: "desk", language: lang};
  if (pressed()) return {...a, more: {danger: chosen("danger")[0] ?? ""}};
  a.noticed = value("when") || quick(chosen("day")[0], today());
  a.roads = chosen("road");
  a.ongoing = chosen("on")[0] ?? "";
  a.may_know = chosen("who")[0] ?? "desk";
  if (named()) a.name = value("name");
  if (chosen("kind")[0]) a.kind = chosen("kind")[0];
  const more = later.map((name) => [name, value(name)]).filter(([, text]) => text);
  if (more.length) a.more = Object.fromEntries(more);
  const p = propose(a);
  a.proposed = {class: p.class, severity: p.severity, why: p.why.slice(0, 12).map((w) => `${w.words}: ${w.says}`)};
  return a;
}

function showFaults(faults) {
  for (const p of form.querySelectorAll(".error")) p.remove();
  for (const e of form.querySelectorAll("[aria-invalid]")) e.removeAttribute("aria-invalid");
  for (const f of faults) {
    const control = at(f.field);
    const box = control.closest(".field");
    const text = make("p", "error", sign("alert"), make("span", "", f.text));
    text.id = `${f.field}-e`;
    (box.querySelector(".help") ?? box.querySelector("legend, label")).after(text);
    control.setAttribute("aria-invalid", "true");
    const by = (control.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && at(id) && id !== text.id);
    control.setAttribute("aria-describedby", [...by, text.id].join(" "));
    control.closest("details")?.setAttribute("open", "");
  }
  const summary = at("errors");
  summary.hidden = !faults.length;
  if (!faults.length) return;
  summary.querySelector("h2").textContent = say("error.title", {n: faults.length});
  summary.querySelector("ul").replaceChildren(...faults.map((f) => {
    const link = make("a", "", f.short);
    link.href = `#${f.field}`;
    return make("li", "", link);
  }));
  summary.focus();
}

function showFault(text) {
  const box = at("fault");
  box.hidden = !text;
  if (!text) return;
  box.querySelector("p").textContent = text;
  box.focus();
}

// Sealing and sending.

async function sealed() {
  const a = answers();
  const team = a.may_know === "team";
  const keys = [...readers.own, ...(team ? readers.team : [])].map((r) => r.public);
  const post = {to: desk.alias, once: once()};
  if (team) post.also = "team";
  let receipt = "";
  const own = [];
  if (!named()) {
    receipt = newReceipt(lang);
    const access = await receiptAccess(receipt, fromBase64(desk.salt));
    post.thread = {proof: toBase64(access.proof), public: access.key.public};
    a.reply = access.key.public; // sealed too, so that nobody puts another key in its place
    if (!pressed()) own.push(access.key.public); // who is pressed may be made to give the words away
  }
  post.box = await sealBox("report", JSON.stringify(a), leastOf(desk), [...keys, ...own]);
  const files = pressed() ? [] : filesOf();
  if (files.length) post.files = [];
  for (const file of files) post.files.push(await sealFile(file, keys));
  return {body: even(post), receipt, readers: [...readers.own, ...(team ? readers.team : [])]};
}

async function sealFile(file, keys) {
  let bytes = new Uint8Array(await file.arrayBuffer());
  if (chosen("strip").length) {
    try {
      bytes = (await strip(file.name, bytes)).out;
    } catch {
      throw new Unclean(file.name);
    }
  }
  const head = encoder.encode(`${JSON.stringify({name: file.name, type: file.type})}\n`);
  const text = new Uint8Array(head.length + bytes.length);
  text.set(head);
  text.set(bytes, head.length);
  return sealBox("file", text, leastOf(desk), keys);
}

class Unclean extends Error {}

async function submit() {
  showFault("");
  const faults = check();
  showFaults(faults);
  if (faults.length) return;
  busy(true);
  try {
    ready ??= await sealed();
    await arrived(await send("/api/v1/reports", ready.body));
  } catch (e) {
    ready = null;
    if (e instanceof Unclean) showFaults([{field: "files", short: say("error.strip.short"), text: say("error.strip", {file: e.message})}]);
    else showFault(say("fault.text"));
  } finally {
    busy(false);
  }
}

async function arrived(came) {
  switch (came.kind) {
    case "ok": return shown(came.body);
    case "changed":
      ready = null;
      return (await trust(came.desk)) ? showFault(say("fault.again")) : undefined;
    case "busy": return showFault(say("fault.busy", {n: came.wait}));
    case "offline": return showFault(say("fault.network"));
    case "large": ready = null; return showFault(say("fault.large"));
    default: ready = null; return showFault(say("fault.text"));
  }
}

function busy(yes) {
  const button = at("send");
  if (!button) return; // it was sent, and the form is gone
  if (yes) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
  at("busy").textContent = yes ? say("send.busy") : "";
}

// What is shown once it has arrived.

function shown(posted) {
  const {receipt, readers: can} = ready;
  ready = null;
  forget();
  form.reset();
  form.remove();
  for (const id of ["errors", "fault", "draft-found", "draft-ask", "now", "h-write", "alone"]) at(id)?.remove();
  document.querySelector(".help-now")?.remove();
  at("h1").textContent = say("sent.title");
  if (at("lede")) at("lede").textContent = say("sent.lede");
  show("with-receipt", receipt !== "");
  show("with-name", receipt === "");
  if (receipt === "") at("number").textContent = say("sent.named", {id: posted.id ?? ""});
  at("receipt").textContent = receipt;
  listReaders(document.querySelector("#with-readers .people"), can);
  at("h-who").textContent = say("before.readers", {n: can.length});
  show("confirming", receipt !== "");
  show("tools", true);
  show("copy", !!navigator.clipboard);
  show("sent", true);
  guarded = receipt !== "";
  scrollTo(0, 0);
  at("h1").focus();
}

function guard() {
  at("confirm").addEventListener("change", (e) => {
    guarded = !e.target.checked;
    at("wait").textContent = "";
  });
  at("done").addEventListener("click", (e) => {
    if (!guarded) return;
    e.preventDefault();
    at("wait").textContent = say("sent.wait");
    at("confirm").focus();
  });
  at("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(at("receipt").textContent);
    at("copied").textContent = say("sent.copied");
  });
  at("print").addEventListener("click", () => print());
  addEventListener("beforeunload", (e) => {
    if (guarded) e.preventDefault();
  });
  document.addEventListener("report-leave", () => (guarded = false));
  addEventListener("pagehide", clear);
  addEventListener("pageshow", (e) => {
    if (e.persisted) location.reload();
  });
}

// The draft, on this device and only on request.

const place = () => `polder report draft ${form.dataset.desk}`;
const kept = () => {
  try {
    return JSON.parse(localStorage.getItem(place()) ?? "null");
  } catch {
    return null;
  }
};
function forget() {
  try {
    localStorage.removeItem(place());
  } catch {
    // this browser keeps nothing, so there is nothing to forget
  }
}

function draft() {
  if (!at("draft") || !("localStorage" in window)) return;
  const ask = (yes) => {
    show("draft-ask", yes);
    if (yes) {
      at("draft-ask").scrollIntoView({block: "center"});
      at("h-draft").focus();
    }
  };
  show("draft", true);
  at("draft").addEventListener("click", () => ask(true));
  at("draft-cancel").addEventListener("click", () => {
    ask(false);
    at("draft").focus();
  });
  at("draft-keep").addEventListener("click", () => {
    const fields = [...new FormData(form)].filter(([name, v]) => name !== "once" && typeof v === "string");
    localStorage.setItem(place(), JSON.stringify(fields));
    ask(false);
    at("busy").textContent = say("draft.kept");
    at("draft").focus();
  });
  at("draft-use").addEventListener("click", () => {
    fill(kept() ?? []);
    show("draft-found", false);
    at("what").focus();
  });
  at("draft-delete").addEventListener("click", () => {
    forget();
    show("draft-found", false);
    at("busy").textContent = say("draft.deleted");
  });
  show("draft-found", kept() !== null);
}

function fill(fields) {
  for (const box of form.querySelectorAll("input[type=checkbox]")) box.checked = false;
  for (const [name, v] of fields) {
    for (const e of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (e.type === "checkbox" || e.type === "radio") e.checked ||= e.value === v;
      else if (e.type !== "file") e.value = v;
    }
  }
}

// trust checks who reads, and shows it with the fingerprints that this device computes.
async function trust(of) {
  try {
    readers = await readersOf(of);
  } catch {
    readers = null;
    showFault(say("fault.keys"));
    show("send", false);
    return false;
  }
  desk = of;
  const lists = document.querySelectorAll("#readers .people");
  if (lists[0]) listReaders(lists[0], readers.own);
  if (lists[1]) listReaders(lists[1], readers.team);
  const count = document.querySelector("#readers > p");
  if (count && lists[0]) count.textContent = say("before.readers", {n: readers.own.length});
  return true;
}

async function start() {
  if (!form || !at("send") || !(await supported())) return;
  // From here on the form is never sent as it is: if the keys do not hold together, nothing is.
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    if (readers && at("send").getAttribute("aria-disabled") !== "true") submit();
  });
  form.addEventListener("input", () => (ready = null));
  for (const link of form.querySelectorAll("a[href^='/']")) {
    link.target = "_blank"; // a look at who reads must not cost what was written
    link.rel = "noopener";
  }
  guard();
  if (!(await trust(JSON.parse(form.dataset.view)))) return;
  show("seals-server", false);
  show("seals-device", true);
  draft();
  form.dataset.ready = "";
}

start();
