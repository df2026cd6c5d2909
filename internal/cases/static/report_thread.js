// A conversation: the words open it on this device, what is said is sealed here. The words stay in this page; they are
// never sent, kept or put into an address.
import {fromBase64, openBox, receiptAccess, sealBox, supported, toBase64} from "./seal.js";
import {date, even, leastOf, listReaders, make, once, readersOf, say, send, show, sign} from "./report_send.js";
import {clear, leave} from "./report_leave.js";

const form = document.getElementById("enter");
const at = (id) => document.getElementById(id);
const decoder = new TextDecoder();
const longest = 20000;

let access; // what the words open with
let ready = null; // a message that was sealed and may have to be sent again

function wrong(text) {
  at("wrong-text").textContent = text;
  show("wrong", text !== "");
  if (text) at("wrong").focus();
}

const told = (came) => ({wrong: say("thread.wrong"), busy: say("thread.limited"), offline: say("thread.offline")})[came.kind] ?? say("thread.wrong");

async function enter() {
  wrong("");
  at("busy").textContent = say("thread.busy");
  at("open").setAttribute("aria-disabled", "true");
  try {
    access = await receiptAccess(at("words").value, fromBase64(form.dataset.salt));
    const came = await send("/api/v1/reports/thread", JSON.stringify({proof: toBase64(access.proof)}));
    if (came.kind !== "ok") return wrong(told(came));
    await talk(came.body);
    form.reset();
    form.remove();
  } catch {
    wrong(say("thread.wrong"));
  } finally {
    if (at("busy")) at("busy").textContent = "";
    at("open")?.removeAttribute("aria-disabled");
  }
}

async function opened(box, purpose) {
  if (!box) return null;
  try {
    return decoder.decode(await openBox(box, purpose, access.key));
  } catch {
    return null;
  }
}

async function reported(box) {
  const text = await opened(box, "report");
  try {
    return text === null ? null : JSON.parse(text).what;
  } catch {
    return null;
  }
}

function line(from, when, text) {
  const who = make("p", "from", make("b", "", say(`thread.from.${from}`)), " ", make("time", "", date(new Date(when))));
  const shut = say(from === "desk" ? "thread.unopened" : "thread.own");
  return make("li", from, who, text === null ? make("p", "note", shut) : make("p", "text", text));
}

// talk shows the conversation and a box to write back.
async function talk(view, note = "") {
  const lines = [line("reporter", view.received, await reported(view.box))];
  for (const m of view.messages ?? []) lines.push(line(m.from === "desk" ? "desk" : "reporter", m.at, await opened(m.box, "message")));
  const list = make("ol", "talk", ...lines);
  list.translate = false; // no browser hands it to somebody else to translate
  const quiet = (view.messages ?? []).some((m) => m.from === "desk") ? "" : make("p", "", say("thread.none"));
  const ends = make("p", "note", say("thread.ends", {date: date(new Date(view.ends))}));
  const state = make("p", "", say(`thread.state.${view.state}`));
  const said = make("p", "toast", sign("check"), make("span", "", note));
  said.setAttribute("role", "status");
  at("h1").textContent = say("thread.shown");
  at("lede")?.remove();
  wrong("");
  at("talk").replaceChildren(...(note ? [said] : []), state, list, quiet, ends, ...(await reply(view)));
  show("talk", true);
  scrollTo(0, 0);
  at("h1").focus();
}

async function reply(view) {
  const people = make("ul", "people");
  const panel = make("section", "panel", make("header", "", make("h2", "", say("thread.readers"))), make("div", "body", people));
  let readers;
  try {
    const found = await readersOf(view.desk);
    readers = [...found.own, ...(view.also === "team" ? found.team : [])];
  } catch {
    return [fault(say("fault.keys"))];
  }
  listReaders(people, readers);
  const box = make("div", "field");
  const label = make("label", "", say("thread.reply"));
  label.htmlFor = "say";
  const help = make("p", "help", say("thread.reply.help"));
  help.id = "say-h";
  const text = make("textarea");
  Object.assign(text, {id: "say", rows: 4, autocomplete: "off"});
  text.setAttribute("aria-describedby", "say-h");
  text.addEventListener("input", () => (ready = null));
  box.append(label, help, text);
  const button = make("button", "button primary large", say("thread.send"));
  button.id = "say-send";
  const done = make("a", "button large", say("thread.done"));
  done.href = document.querySelector("a.leave").href;
  done.dataset.leave = "";
  const busy = make("span", "note");
  busy.setAttribute("role", "status");
  const writing = make("form", "form", box, make("div", "row", button, done, busy));
  writing.addEventListener("submit", async (e) => {
    e.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    busy.textContent = say("send.busy");
    try {
      await write(view, readers, text, box);
    } finally {
      button.removeAttribute("aria-disabled");
      busy.textContent = "";
    }
  });
  return [writing, panel];
}

function fault(text) {
  const alert = make("div", "alert bad", sign("alert"), make("h2", "", say("fault.title")), make("p", "", text));
  alert.id = "fault";
  alert.setAttribute("role", "alert");
  alert.tabIndex = -1;
  return alert;
}

function complain(text) {
  at("fault")?.remove();
  const alert = fault(text);
  at("talk").prepend(alert);
  alert.focus();
}

async function write(view, readers, text, box) {
  at("fault")?.remove();
  box.querySelector(".error")?.remove();
  const words = text.value.trim();
  const over = new TextEncoder().encode(words).length - longest;
  if (words === "" || over > 0) {
    const error = make("p", "error", sign("alert"), make("span", "", over > 0 ? say("error.long", {n: over}) : say("thread.reply.empty")));
    error.id = "say-e";
    text.before(error);
    text.setAttribute("aria-describedby", "say-h say-e");
    return text.focus();
  }
  const own = view.box ? [access.key.public] : []; // who cannot read the report again had a reason
  ready ??= even({proof: toBase64(access.proof), once: once(), box: await sealBox("message", words, leastOf(view.desk), [...readers.map((r) => r.public), ...own])});
  const came = await send("/api/v1/reports/thread/message", ready);
  switch (came.kind) {
    case "ok":
      ready = null;
      return talk(came.body, say("thread.reply.sent"));
    case "changed":
      ready = null;
      view.desk = came.desk;
      await again(view, words);
      return complain(say("fault.again"));
    case "busy": return complain(say("fault.busy", {n: came.wait}));
    case "offline": return complain(say("fault.network"));
    default:
      ready = null;
      return complain(told(came));
  }
}

// again shows the conversation with the readers of now, and what was being written.
async function again(view, words) {
  await talk(view);
  if (at("say")) at("say").value = words;
}

async function start() {
  if (!form || !(await supported())) return;
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    if (at("open").getAttribute("aria-disabled") !== "true") enter();
  });
  addEventListener("pagehide", clear);
  addEventListener("pageshow", (e) => {
    if (e.persisted) leave(location.href);
  });
  show("seals-server", false);
  form.dataset.ready = "";
}

start();
