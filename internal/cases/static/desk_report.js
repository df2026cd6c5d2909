// One report as its reader sees it: answers, attachments, thread, who can read, and what may be done. Everything is built
// of elements and text; nothing that a reporter wrote becomes markup, an address or a picture.
import {keyID, rewrapFor, sealBox, verifyLog} from "./seal.js";
import {named} from "./triage.js";
import {ask, at, foreign, has, lang, make, once, Refused, say, tag, visible} from "./desk_page.js";
import {classes, className, reasons, severityTag, stateTag, titleOf} from "./desk.js";

const least = 8192, longest = 20000;
const roads = ["cyber", "insider", "acquisition", "export", "research", "unknown"];
const kinds = ["incident", "near-miss", "approach", "suspicion"];
const severities = ["low", "medium", "high", "critical"];
const questions = ["what", "noticed", "roads", "ongoing", "kind", "call", "may_know", "name"];
const decoder = new TextDecoder("utf-8", {fatal: true});

const text = v => typeof v === "string" ? v : "";
const panel = (title, note, ...inside) => make("section", {class: "panel"}, make("header", {}, make("h2", {}, title), note ? make("p", {}, note) : null), ...inside);
const body = (...inside) => make("div", {class: "body"}, ...inside);
const when = t => make("time", {datetime: t}, new Intl.DateTimeFormat(lang === "nl" ? "nl-NL" : "en-GB", {dateStyle: "medium", timeStyle: "short"}).format(new Date(t)));
const button = (label, act, tone = "") => {
  const b = make("button", {class: tone ? `button ${tone}` : "button", type: "button"}, label);
  b.addEventListener("click", act);
  return b;
};
const field = (id, label, help, control) => {
  control.id = id;
  if (help) control.setAttribute("aria-describedby", `${id}-help`);
  return make("div", {class: "field"}, make("label", {for: id}, label), help ? make("p", {class: "help", id: `${id}-help`}, help) : null, control);
};
const select = (all, now, name) => {
  const s = make("select", {}, ...all.map(v => make("option", {value: v}, name(v))));
  s.value = now;
  return s;
};

// showReport fills place with a report. c is what the page gives: the report, keys, and what to call when done.
export async function showReport(place, c) {
  const {view} = c.report;
  const main = [answersPanel(c)];
  if (c.report.answers) main.push(await filesPanel(c));
  main.push(await threadPanel(c));
  const aside = [statePanel(c), await readersPanel(c)];
  if (c.report.answers) {
    if (!c.pressed) aside.unshift(judgePanel(c));
    if (c.shares) aside.push(casePanel(c));
    if (c.shares && !c.pressed) aside.push(sharePanel(c));
  }
  const title = make("h2", {tabindex: "-1"}, foreign(titleOf(c.report)));
  const kept = place.dataset.report === view.id ? typed(place) : [];
  place.dataset.report = view.id;
  place.replaceChildren(make("div", {class: "form"},
    make("section", {class: "panel"}, make("header", {}, title),
      body(make("div", {class: "row"}, button(say("back"), c.back, "quiet"), stateTag(view), tag("", "lock", say(`sealed.${view.sealed_by === "server" ? "server" : "device"}`))))),
    make("div", {class: "cols"}, make("div", {}, ...main), make("div", {}, ...aside))));
  place.hidden = false;
  title.focus();
  for (const f of kept) retype(f);
}

// typed is what stands in the fields of a report and was not sent: whatever is done draws it anew, and no word is lost by that.
function typed(place) {
  return [...place.querySelectorAll("input[id], textarea[id], select[id]:not([id^=judge-])")].map(f => ({id: f.id, value: f.value, checked: f.checked, open: f.closest("details")?.open ?? false}));
}

function retype({id, value, checked, open}) {
  const f = at(id);
  if (!f) return;
  if (f.type === "checkbox") f.checked = checked;
  else f.value = value;
  const around = f.closest("details");
  if (around && open) around.open = true;
}

function answersPanel(c) {
  const a = c.report.answers;
  if (!a) return panel(say("answers"), "", body(make("p", {}, say("unopened"))));
  const facts = make("dl", {class: "pairs"});
  const put = (label, value) => facts.append(make("div", {}, make("dt", {}, label), make("dd", {}, value)));
  for (const q of questions) put(say(`q.${q}`), answer(q, a[q]));
  for (const [q, v] of Object.entries(a.more ?? {})) {
    if (text(v) !== "") put(has(`q.${q}`) ? say(`q.${q}`) : foreign(q), make("div", {class: "said"}, foreign(v)));
  }
  return panel(say("answers"), "", body(facts));
}

function answer(q, v) {
  const known = (prefix, x) => has(`${prefix}.${x}`) ? say(`${prefix}.${x}`) : foreign(x);
  if (q === "roads") {
    const all = Array.isArray(v) ? v.filter(x => typeof x === "string") : [];
    return all.length === 0 ? say("not-given") : make("span", {}, ...all.flatMap((x, i) => i ? [", ", known("road", x)] : [known("road", x)]));
  }
  if (text(v) === "") return say("not-given");
  if (q === "kind") return known("kind", v);
  if (q === "ongoing" || q === "may_know") return known("v", v);
  return make("div", {class: "said"}, foreign(v));
}

// Files are opened here and saved as files of no kind; nothing of them is shown but name and type, as text.
async function filesPanel(c) {
  const {view} = c.report;
  if (view.files.length === 0) return panel(say("files"), "", body(make("p", {}, say("files.none"))));
  const list = make("ul", {class: "plain"});
  view.files.forEach((f, i) => {
    const about = make("span", {}, `${i + 1}`), open = button(say("file.open"), async () => {
      open.disabled = true;
      about.textContent = say("file.opening");
      try {
        const {name, type, data} = await readFile(c, f);
        about.replaceChildren(foreign(name), " ", make("span", {class: "note"}, say("file.type"), " ", foreign(type)));
        save(name, data);
      } catch (error) {
        about.textContent = say("file.damaged");
        c.fault(error);
      } finally {
        open.disabled = false;
      }
    });
    list.append(make("li", {class: "row"}, about, open));
  });
  return panel(say("files"), "", body(make("p", {class: "note"}, say("file.warn")), list));
}

async function readFile(c, f) {
  const sealed = await ask("GET", `/api/v1/reports/inbox/${c.report.view.id}/files/${encodeURIComponent(f.id)}`);
  const bytes = await c.opened(sealed, "file"), end = bytes.indexOf(10);
  const head = JSON.parse(decoder.decode(bytes.subarray(0, end)));
  return {name: text(head.name), type: text(head.type), data: bytes.subarray(end + 1)};
}

// save hands a file to the browser under a name that no system runs.
function save(name, data) {
  const plain = visible(name).replace(/[\\/:*?"<>|\u0000-\u001f]/g, "_").replace(/^[.\s]+/, "_").slice(0, 120) || "attachment";
  const href = URL.createObjectURL(new Blob([data], {type: "application/octet-stream"}));
  const link = make("a", {href, download: plain});
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}

async function threadPanel(c) {
  const {view} = c.report, list = make("ol", {class: "plain"});
  for (const m of view.messages) {
    let said;
    try {
      said = foreign(decoder.decode(await c.opened(m.box, "message")));
    } catch {
      said = say("thread.unopened");
    }
    list.append(make("li", {}, make("p", {class: "note"}, make("b", {}, say(m.from === "reporter" ? "thread.reporter" : "thread.desk")), " ", when(m.at)), make("div", {class: "said"}, said)));
  }
  const inside = [view.messages.length ? list : make("p", {}, say("thread.none"))];
  if (!view.reporter) inside.push(make("p", {class: "note"}, say("answer.cannot")));
  else if (view.state !== "closed") inside.push(answerForm(c));
  return panel(say("thread"), view.thread ? say("thread.yes") : say("thread.no"), body(...inside));
}

function answerForm(c) {
  const box = make("textarea", {rows: "4", maxlength: String(longest)}), form = make("form", {class: "form"},
    field("answer", say("answer"), say("answer.help"), box), make("div", {class: "row"}, make("button", {class: "button primary", type: "submit"}, say("answer.send"))));
  const word = once();
  form.addEventListener("submit", async e => {
    e.preventDefault();
    if (box.value.trim() === "") return c.fault(new Error(say("answer.empty")));
    const send = form.querySelector("[type=submit]");
    send.disabled = true;
    try {
      const {view} = c.report;
      // The report itself names the key of its reporter; the node may show another one.
      if (c.report.answers?.reply !== view.reporter) throw new Error(say("untrusted", {name: say("thread.reporter")}));
      const readers = await trusted(view, view.readers);
      const sealed = await sealBox("message", box.value.trim(), least, [view.reporter, ...readers.map(r => r.public)]);
      await ask("POST", `/api/v1/reports/inbox/${view.id}/messages`, {box: sealed, once: word});
      if (box.value.trim() === words) box.value = "";
      await c.again(say("answer.sent"));
    } catch (error) {
      c.fault(error instanceof Refused && error.status === 409 ? new Error(say("answer.changed")) : error);
    } finally {
      send.disabled = false;
    }
  });
  return form;
}

// trusted are readers whose keys stand in force in the desk's own list of keys, or in its team's; one that does not is
// an error: the node may have put in a key of its own.
async function trusted(view, readers) {
  const desk = await ask("GET", `/api/v1/reports/desks/${encodeURIComponent(view.desk)}`);
  const logs = [desk, ...view.also === "team" && desk.team ? [desk.team] : []];
  const inForce = new Map();
  for (const d of logs) {
    const {inForce: ids, keys} = await verifyLog(d.log);
    for (const id of ids) inForce.set(id, keys[id]);
  }
  for (const r of readers) {
    if (inForce.get(r.key) !== r.public || await keyID(r.public) !== r.key) throw new Error(say("untrusted", {name: visible(r.name)}));
  }
  return readers;
}

function judgePanel(c) {
  const {id} = c.report.view, p = c.report.proposal, now = c.judged.get(id) ?? p;
  const cls = select(classes().map(([k]) => k), now.class, className), severity = select(severities, now.severity, s => say(`severity.${s}`));
  const change = () => {
    c.judged.set(id, {class: cls.value, severity: severity.value, why: [{words: "", says: say("note.judged")}]});
    c.say(say("judge.saved"));
  };
  cls.addEventListener("change", change);
  severity.addEventListener("change", change);
  const theirs = c.report.answers.proposed;
  const other = theirs && (theirs.class !== p.class || theirs.severity !== p.severity) ?
    make("p", {class: "note"}, say("proposed.reporter"), " ", foreign(classes().some(([k]) => k === theirs.class) ? className(theirs.class) : text(theirs.class))) : null;
  const twins = c.report.twins.map(t => make("li", {}, foreign(c.titles.get(t.with) ?? ""), ": ", reasons(t.why)));
  return panel(say("judge"), "", body(
    make("p", {}, severityTag(now.severity), " ", className(now.class)), make("p", {class: "note"}, say("why"), " ", p.why.length ? reasons(p.why) : say("why.none")), other,
    make("div", {class: "form"}, field("judge-class", say("class"), "", cls), field("judge-severity", say("severity"), say("judge.help"), severity)),
    twins.length ? make("div", {}, make("h3", {}, say("duplicate")), make("ul", {}, ...twins)) : null));
}

function statePanel(c) {
  const {view} = c.report, inside = [];
  const act = (name, label, done) => button(label, async e => {
    e.currentTarget.disabled = true;
    try {
      await ask("POST", `/api/v1/reports/inbox/${view.id}/${name}`);
      await c.again(done);
    } catch (error) {
      c.fault(error);
      e.target.disabled = false;
    }
  }, name === "acknowledge" ? "primary" : "");
  for (const [key, at] of [["deadline.acknowledge", view.acknowledge_by], ["deadline.feedback", view.feedback_by]]) {
    if (at) inside.push(make("p", {class: "note"}, say(key), " ", when(at)));
  }
  const row = make("div", {class: "row"});
  if (view.state === "new") row.append(act("acknowledge", say("acknowledge"), say("acknowledged")));
  row.append(view.state === "closed" ? act("reopen", say("reopen"), say("reopened")) : act("close", say("close"), say("closed")));
  return panel(say(`state.${view.state}`), "", body(...inside, row));
}

async function readersPanel(c) {
  const {view} = c.report, list = make("ul", {class: "plain"});
  const missing = new Set(view.missing.map(r => r.key));
  for (const r of view.readers) {
    list.append(make("li", {}, foreign(r.name), missing.has(r.key) ? make("span", {}, " ", tag("warn", "clock", say("readers.missing"))) : null, make("p", {class: "note mono"}, r.fingerprint)));
  }
  const inside = [make("p", {class: "note"}, say("readers.help")), list];
  if (view.missing.length > 0 && c.report.answers) inside.push(make("div", {class: "row"}, button(say("rewrap"), () => rewrap(c))));
  inside.push(make("p", {}, make("a", {href: `/cases/desks/${encodeURIComponent(view.desk)}`}, say("more"))));
  return panel(say("readers"), "", body(...inside));
}

// rewrap gives readers that came later the keys of what this report holds, as far as this reader can open it.
async function rewrap(c) {
  const {view} = c.report;
  try {
    const to = (await trusted(view, view.missing)).map(r => r.public);
    const wrapsOf = (sealed, purpose) => {
      const key = c.keys.find(k => sealed.wraps.some(w => w.to === k.id));
      return key ? rewrapFor(sealed, purpose, key, to) : null;
    };
    const out = {report: await wrapsOf(view.box, "report") ?? [], messages: {}, files: {}};
    for (const m of view.messages) {
      const wraps = await wrapsOf(m.box, "message");
      if (wraps) out.messages[m.id] = wraps;
    }
    for (const f of view.files) {
      const wraps = await wrapsOf(await ask("GET", `/api/v1/reports/inbox/${view.id}/files/${encodeURIComponent(f.id)}`), "file");
      if (wraps) out.files[f.id] = wraps;
    }
    const after = await ask("POST", `/api/v1/reports/inbox/${view.id}/wraps`, out);
    await c.again(say(after.missing.length > 0 ? "rewrap.partial" : "rewrapped", {n: to.length}));
  } catch (error) {
    c.fault(error);
  }
}

// observables are addresses, domains, hashes and systems that the report names, each to be chosen.
function observables(a) {
  return named([text(a.what), ...Object.values(a.more ?? {}).map(text)].join("\n")).slice(0, 50);
}

function typeOf(value) {
  if (value.includes("@")) return "email";
  if (/^[0-9.]+$/.test(value)) return "ipv4";
  if (/^[0-9a-f]+$/.test(value)) return {32: "md5", 40: "sha1", 64: "sha256"}[value.length] ?? "";
  return value.includes(".") ? "domain" : "";
}

function choices(name, values) {
  return values.map((v, i) => {
    const box = make("input", {type: "checkbox", id: `${name}-${i}`, value: v});
    return make("p", {}, box, " ", make("label", {for: `${name}-${i}`}, make("code", {}, v.replaceAll(".", "[.]"))));
  });
}

function casePanel(c) {
  const {view, answers: a} = c.report;
  if (view.case) return panel(say("case"), "", body(make("p", {}, make("a", {href: `/cases/${encodeURIComponent(view.case)}`}, say("case.go")))));
  const now = c.judged.get(view.id) ?? c.report.proposal;
  const title = make("input", {type: "text", maxlength: "200", required: true}), summary = make("textarea", {rows: "3", maxlength: "20000"}), aware = make("input", {type: "datetime-local"});
  const kind = select(kinds, kinds.includes(a.kind) ? a.kind : now?.kind ?? "incident", k => say(`kind.${k}`));
  aware.value = localInput(new Date());
  const road = roads.map(r => {
    const box = make("input", {type: "checkbox", id: `case-road-${r}`, value: r});
    box.checked = Array.isArray(a.roads) && a.roads.includes(r);
    return make("label", {}, box, make("span", {}, say(`road.${r}`)));
  });
  const values = choices("case-value", observables(a).filter(v => typeOf(v)));
  const form = make("form", {class: "form"}, make("div", {class: "alert warn"}, make("h3", {}, say("case.warn"))),
    field("case-title", say("case.title"), "", title), field("case-summary", say("case.summary"), say("case.summary.help"), summary),
    field("case-aware", say("case.aware"), say("case.aware.help"), aware), field("case-kind", say("case.kind"), "", kind),
    make("fieldset", {class: "field"}, make("legend", {}, say("case.roads")), make("div", {class: "choice"}, ...road)),
    values.length ? make("fieldset", {class: "field"}, make("legend", {}, say("case.values")), make("p", {class: "help"}, say("case.values.help")), ...values) : null,
    make("div", {class: "row"}, make("button", {class: "button", type: "submit"}, say("case.open"))));
  form.addEventListener("submit", e => {
    e.preventDefault();
    const judged = c.judged.get(view.id) ?? c.report.proposal;
    openCase(c, form, {
      title: title.value.trim(), summary: summary.value.trim(), kind: kind.value, roads: [...form.querySelectorAll("[id^=case-road-]:checked")].map(b => b.value), report: view.id,
      aware: new Date(aware.value || Date.now()).toISOString(), ...judged ? {class: judged.class, severity: judged.severity} : {},
      observables: [...form.querySelectorAll("[id^=case-value-]:checked")].map(b => ({type: typeOf(b.value), value: b.value})),
    });
  });
  return panel(say("case"), "", body(make("details", {}, make("summary", {}, say("case.open")), form), make("details", {}, make("summary", {}, say("case.link")), linkForm(c))));
}

async function openCase(c, form, asked) {
  const send = form.querySelector("[type=submit]");
  send.disabled = true;
  try {
    const opened = await ask("POST", "/api/v1/cases", asked);
    const {view} = c.report;
    if ((await ask("GET", `/api/v1/reports/inbox/${view.id}`)).case !== opened.id) await ask("PUT", `/api/v1/reports/inbox/${view.id}/case`, {case: opened.id});
    await c.again(say("case.opened"));
  } catch (error) {
    c.fault(error);
  } finally {
    send.disabled = false;
  }
}

function linkForm(c) {
  const id = make("input", {type: "text", required: true, spellcheck: "false"}), form = make("form", {class: "form"},
    field("case-id", say("case.link"), say("case.link.help"), id), make("div", {class: "row"}, make("button", {class: "button", type: "submit"}, say("case.link.save"))));
  form.addEventListener("submit", async e => {
    e.preventDefault();
    try {
      await ask("PUT", `/api/v1/reports/inbox/${c.report.view.id}/case`, {case: id.value.trim().split("/").pop()});
      await c.again(say("case.linked"));
    } catch (error) {
      c.fault(error);
    }
  });
  return form;
}

// localInput is a time as a field of a form takes it.
function localInput(t) {
  return new Date(t.getTime() - t.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

// What is safe to share leaves from the case, where there is one. Without a case a form takes along what was chosen and
// written here, and nothing else of the report; its page shows all that would leave.
function sharePanel(c) {
  const {view} = c.report, help = make("p", {}, say("share.help"));
  if (view.case) return panel(say("share"), "", body(help, make("p", {}, make("a", {class: "button", href: `/cases/${encodeURIComponent(view.case)}/release`}, say("share.go")))));
  const values = choices("share-value", observables(c.report.answers).filter(v => typeOf(v)));
  for (const box of values.map(v => v.querySelector("input"))) {
    box.name = "values";
    box.value = `${typeOf(box.value)} ${box.value}`;
  }
  const hidden = (name, value) => make("input", {type: "hidden", name, value});
  const form = make("form", {class: "form", method: "post", action: "/cases/release"}, hidden("report", view.id), hidden("start", "yes"),
    values.length ? make("fieldset", {class: "field"}, make("legend", {}, say("share.values")), ...values) : null,
    field("share-title", say("share.title"), "", make("input", {type: "text", name: "title", maxlength: "200"})),
    field("share-text", say("share.text"), say("share.text.help"), make("textarea", {name: "text", rows: "3", maxlength: "20000"})),
    make("div", {class: "row"}, make("button", {class: "button", type: "submit"}, say("share.go"))));
  return panel(say("share"), "", body(help, make("details", {}, make("summary", {}, say("share.go")), form)));
}
