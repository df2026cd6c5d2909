// What words of a report speak for, and which reports speak of the same thing: the same rules, step by step, as the Go
// package triage. It runs on the device of who writes or reads; nothing leaves it.
import rules from "./triage_rules.js";

const most = 20000, comparedMost = 2000, pairsKept = 5000, namedMost = 200;
const likeness = 0.30, inCommon = 0.10, near = 14 * 24 * 3600 * 1000;
const kinds = ["incident", "near-miss", "approach", "suspicion"];
const severities = ["low", "medium", "high", "critical"];

const wordSet = text => new Set(text.split(" ").filter(Boolean));
const negators = wordSet(rules.negators), common = wordSet(rules.common);
const concepts = Object.keys(rules.concepts).sort().map(name => ({
  name, phrases: rules.concepts[name].split(",").map(readPhrase),
}));

function readPhrase(text) {
  return text.split(" ").filter(Boolean).map(w => {
    if (w === "~") return {gap: true};
    const before = w.startsWith("*");
    let bare = before ? w.slice(1) : w;
    const after = bare.endsWith("*");
    if (after) bare = bare.slice(0, -1);
    return {text: bare, before, after, gap: false};
  });
}

// letter folds a code point that is part of a word; a separator gives "".
function letter(ch, c) {
  if (c >= 0x61 && c <= 0x7a || c >= 0x30 && c <= 0x39) return ch;
  if (c >= 0x41 && c <= 0x5a) return String.fromCharCode(c + 32);
  if (c < 0xc0 || c === 0xd7 || c === 0xf7 || c >= 0x2000 && c <= 0x206f || c >= 0x3000 && c <= 0x303f || c >= 0xd800 && c <= 0xdfff ||
    c >= 0xfe00 && c <= 0xfe0f || c >= 0xff00 && c <= 0xff0f || c >= 0xfff0 && c <= 0xffff) return "";
  return Object.hasOwn(rules.fold, ch) ? rules.fold[ch] : ch;
}

// ends says whether ch closes a sentence (2), a clause (1) or neither.
function ends(ch, next) {
  if (ch === "\n" || ch === ";" || ch === "。" || ch === "؟") return 2;
  if (ch === "." || ch === "!" || ch === "?" || ch === ":") return next === undefined || next === " " || next === "\n" || next === "\r" || next === "\t" || next === "\0" ? 2 : 0;
  return ch === "," || ch === "(" || ch === ")" ? 1 : 0;
}

// spread is the code points of text, and where each begins; the last entry of at is where the last ends.
function spread(text) {
  const points = [], at = [];
  let i = 0;
  for (const ch of text) {
    at.push(i);
    if (points.length === most) return {points, at};
    points.push(ch);
    i += ch.length;
  }
  at.push(i);
  return {points, at};
}

function words(text) {
  const {points, at} = spread(text);
  const found = [];
  let open = false, sentence = 0, clause = 0;
  points.forEach((ch, i) => {
    const f = letter(ch, ch.codePointAt(0));
    if (f !== "") {
      if (!open) {
        found.push({text: "", from: at[i], to: 0, sentence, clause});
        open = true;
      }
      const w = found[found.length - 1];
      w.text += f;
      w.to = at[i + 1];
      return;
    }
    open = false;
    const e = ends(ch, points[i + 1]);
    if (e === 2) sentence++;
    if (e > 0) clause++;
  });
  return found;
}

function fits(p, w) {
  if (p.before && p.after) return w.includes(p.text);
  if (p.before) return w.endsWith(p.text);
  if (p.after) return w.startsWith(p.text);
  return w === p.text;
}

// follow is where the phrase from part k ends when it begins at word i, or -1. It stays in one sentence.
function follow(ws, p, k, i, sentence) {
  if (k === p.length) return i - 1;
  if (p[k].gap) {
    for (let skip = 0; skip < 5; skip++) {
      const to = follow(ws, p, k + 1, i + skip, sentence);
      if (to >= 0) return to;
    }
    return -1;
  }
  if (i >= ws.length || ws[i].sentence !== sentence || !fits(p[k], ws[i].text)) return -1;
  return follow(ws, p, k + 1, i + 1, sentence);
}

// denied says whether a word that denies stands in the same clause, up to four words before or two after.
function denied(ws, from, to) {
  for (let i = Math.max(0, from - 4); i <= Math.min(ws.length - 1, to + 2); i++) {
    if ((i < from || i > to) && ws[i].clause === ws[from].clause && negators.has(ws[i].text)) return true;
  }
  return false;
}

// Phrases by their first word, so that a text is read in one go however many there are.
const exact = new Map(), prefixed = new Map(), starred = [];
for (const c of concepts) {
  for (const phrase of c.phrases) {
    const first = phrase[0], b = {concept: c.name, phrase};
    const list = first.before ? starred : first.after ? listOf(prefixed, first.text) : listOf(exact, first.text);
    list.push(b);
  }
}

function listOf(map, key) {
  if (!map.has(key)) map.set(key, []);
  return map.get(key);
}

// begins are the phrases that may begin with w.
function begins(w) {
  const all = [...exact.get(w) ?? [], ...starred];
  for (let i = 1; i <= w.length; i++) all.push(...prefixed.get(w.slice(0, i)) ?? []);
  return all;
}

function read(text) {
  const ws = words(text), found = {};
  ws.forEach((w, i) => {
    const ends = new Map();
    for (const b of begins(w.text)) {
      const end = follow(ws, b.phrase, 0, i, w.sentence);
      if (end >= 0) ends.set(b.concept, Math.max(ends.get(b.concept) ?? 0, end));
    }
    for (const [name, end] of ends) (found[name] ??= []).push({from: i, to: end, denied: denied(ws, i, end)});
  });
  return {text, words: ws, found};
}

const atoms = list => (list ?? "").split(" ").filter(Boolean);

// spans are those of an atom: "name", "+name" not denied, "-name" denied.
function spans(d, atom) {
  const sign = atom[0] === "+" || atom[0] === "-" ? atom[0] : "";
  const all = d.found[atom.slice(sign.length)] ?? [];
  return sign === "" ? all : all.filter(s => s.denied === (sign === "-"));
}

const anyOf = (want, have) => !want || want.length === 0 || have.some(h => want.includes(h));
const isClass = (want, c) => !want || want.length === 0 || want.some(w => w === c || w.endsWith("/") && c.startsWith(w));

// holds gives the words by which a rule fits, or null.
function holds(d, r, a, cls) {
  if (!anyOf(r.roads, a.roads) || !anyOf(r.kinds, [a.kind]) || !anyOf(r.ongoing, [a.ongoing]) || !isClass(r.classes, cls)) return null;
  if (atoms(r.unless).some(x => spans(d, x).length > 0)) return null;
  const also = [];
  for (const x of atoms(r.also)) {
    const s = spans(d, x);
    if (s.length === 0) return null;
    also.push(s[0]);
  }
  if (!r.if) return quote(d, also);
  const found = together(d, atoms(r.if));
  return found && quote(d, [...found, ...also]);
}

// together is one span of every atom, all in the first sentence that has them all, or null.
function together(d, list) {
  for (const first of spans(d, list[0])) {
    const found = [first];
    for (const atom of list.slice(1)) {
      const s = spans(d, atom).find(s => d.words[s.from].sentence === d.words[first.from].sentence);
      if (!s) break;
      found.push(s);
    }
    if (found.length === list.length) return found;
  }
  return null;
}

// quote is the words of spans as they stand in the text, each once, in the order of the text.
function quote(d, list) {
  const whole = [];
  for (const s of [...list].sort((a, b) => a.from - b.from || a.to - b.to)) {
    const last = whole[whole.length - 1];
    if (last && s.from <= last.to) last.to = Math.max(last.to, s.to);
    else whole.push({from: s.from, to: s.to});
  }
  return whole.map(s => d.text.slice(d.words[s.from].from, d.words[s.to].to)).join(" … ");
}

const says = (r, lang) => (lang === "nl" ? r.nl : r.en) ?? "";

// classes are those that may be chosen, with what each is called.
export function classes(lang) {
  return rules.classes.map(c => ({id: c.id, name: says(c, lang)}));
}

// propose says what the words of answers {what, roads, ongoing, kind, language} suggest: {class, severity, kind,
// why: [{words, says}]}.
export function propose(answers) {
  const a = {what: answers.what ?? "", roads: answers.roads ?? [], ongoing: answers.ongoing ?? "", kind: answers.kind ?? "", language: answers.language ?? ""};
  const d = read(a.what);
  let why = [];
  if (!kinds.includes(a.kind)) {
    const k = kindOf(d, a);
    a.kind = k.kind;
    if (k.says) why.push({words: k.words, says: k.says});
  }
  const c = classOf(d, a);
  const s = severityOf(d, a, c.rule);
  return {class: c.rule.id, severity: s.severity, kind: a.kind, why: [...c.why, ...why, ...s.why]};
}

function kindOf(d, a) {
  let best = {kind: "incident", weight: 0};
  for (const k of rules.kinds) {
    const found = holds(d, k, a, "");
    if (found !== null && k.w > best.weight) best = {kind: k.kind, weight: k.w, words: found, says: says(k, a.language)};
  }
  return best;
}

function classOf(d, a) {
  const found = {};
  for (const r of rules.rules) {
    const w = holds(d, r, a, "");
    if (w !== null) (found[r.class] ??= []).push({words: w, weight: r.w});
  }
  let best = null, top = rules.least - 1;
  for (const c of rules.classes) {
    const sum = (found[c.id] ?? []).reduce((n, w) => n + w.weight, 0);
    if (sum > top) [best, top] = [c, sum];
  }
  if (!best) {
    const r = rules.defaults.find(r => holds(d, r, a, "") !== null);
    return {rule: rules.classes.find(c => c.id === r.class), why: [{words: "", says: says(r, a.language)}]};
  }
  const why = [];
  for (const w of found[best.id].sort((x, y) => y.weight - x.weight)) {
    if (w.words !== "" && why.length < 3 && !why.some(x => x.words === w.words)) why.push({words: w.words, says: says(best, a.language)});
  }
  return {rule: best, why};
}

function severityOf(d, a, c) {
  const base = Object.hasOwn(c.base, a.kind) ? c.base[a.kind] : c.base[""];
  let points = 4 * Math.max(0, severities.indexOf(base)) + 2, floor = null;
  const moved = [];
  for (const r of rules.severity) {
    const w = holds(d, r, a, c.id);
    if (w === null) continue;
    if (r.floor) {
      floor = r;
      continue;
    }
    points += r.w;
    moved.push({words: w, says: says(r, a.language), weight: Math.abs(r.w)});
  }
  const step = Math.min(3, Math.floor(Math.max(0, points) / 4));
  if (floor && step < severities.indexOf(floor.floor)) return {severity: floor.floor, why: [{words: "", says: says(floor, a.language)}]};
  moved.sort((x, y) => y.weight - x.weight);
  return {severity: severities[step], why: moved.slice(0, 2).map(({words, says}) => ({words, says}))};
}

const inWords = (lang, en, nl) => lang === "nl" ? nl : en;

// duplicates are the pairs of reports [{id, words, at}] that name the same rare thing or are nearly the same in words,
// the most alike first: [{a, b, score, why}]. at is a time that Date reads, or nothing.
export function duplicates(reports, lang) {
  const all = reports.slice(0, comparedMost).map(compared), within = new Map();
  for (const c of all) for (const term of [...c.order, ...c.named.map(n => "\0" + n)]) within.set(term, (within.get(term) ?? 0) + 1);
  for (const c of all) weigh(c, within, all.length);
  const pairs = [];
  for (let i = 0; i < all.length; i++) {
    for (let j = i + 1; j < all.length; j++) {
      const p = alike(all[i], all[j], within, all.length, lang);
      if (p) pairs.push(p);
    }
  }
  return pairs.sort((x, y) => y.score - x.score).slice(0, pairsKept);
}

function compared(t) {
  const at = t.at ? new Date(t.at).getTime() : NaN;
  const c = {id: t.id, at: at <= -62135596800000 ? NaN : at, terms: new Map(), whole: new Map(), named: named(t.words)};
  let before = "";
  for (const w of words(t.words)) {
    const letters = [...w.text];
    if (common.has(w.text) || letters.length < 3) continue;
    const stem = letters.slice(0, 6).join("");
    if (!c.whole.has(stem)) c.whole.set(stem, w.text);
    for (const term of before === "" ? [stem] : [stem, before + " " + stem]) c.terms.set(term, (c.terms.get(term) ?? 0) + 1);
    before = stem;
  }
  c.order = [...c.terms.keys()];
  return c;
}

function weigh(c, within, reports) {
  c.weight = new Map();
  let sum = 0;
  for (const term of c.order) {
    const w = Math.sqrt(Math.min(3, c.terms.get(term))) * Math.sqrt(reports / within.get(term) + 1);
    c.weight.set(term, w);
    sum += w * w;
  }
  c.length = Math.sqrt(sum);
}

// What more than a tenth of all reports name, and more than three, is no sign: it is likely the organisation's own.
function alike(a, b, within, reports, lang) {
  const shared = a.named.filter(n => within.get("\0" + n) <= 3 + Math.floor(reports / 10) && b.named.includes(n)), rare = [];
  let product = 0;
  for (const term of a.order) {
    if (!b.weight.has(term)) continue;
    product += a.weight.get(term) * b.weight.get(term);
    if (!term.includes(" ")) rare.push(term);
  }
  const same = a.length > 0 && b.length > 0 ? product / (a.length * b.length) : 0;
  const close = Math.abs(a.at - b.at) <= near;
  let score = shared.length > 0 ? 0.7 + 0.2 * same + 0.05 * Math.min(2, shared.length - 1) : same;
  if (close) score += 0.05;
  score = Math.round(Math.min(1, score) * 100) / 100;
  if (same < likeness && shared.length === 0) return null;
  const why = shared.slice(0, 3).map(n => ({words: n, says: inWords(lang, "both name it", "beide noemen het")}));
  if (same >= inCommon && rare.length > 0) {
    rare.sort((x, y) => within.get(x) - within.get(y));
    why.push({words: rare.slice(0, 5).map(stem => a.whole.get(stem)).join(", "), says: inWords(lang, "words that both use", "woorden die beide gebruiken")});
  }
  if (close) why.push({words: "", says: inWords(lang, "they came within two weeks", "ze kwamen binnen twee weken na elkaar")});
  return {a: a.id, b: b.id, score, why};
}

// named is what a text names: addresses, domains, hashes, vulnerabilities, systems; lower case, each once, in order.
export function named(text) {
  const found = new Set();
  const run = /[A-Za-z0-9.:\-_@/[\]]+/g;
  const {at} = spread(text);
  for (const m of text.slice(0, at[at.length - 1]).matchAll(run)) {
    const n = nameOf(m[0]);
    if (n !== "" && found.size < namedMost) found.add(n);
  }
  return [...found];
}

function nameOf(run) {
  let s = run.toLowerCase().replaceAll("[.]", ".").replaceAll("[:]", ":").replaceAll("[@]", "@");
  s = s.replace(/^[[\].:\-_/@]+/, "").replace(/[[\].:\-_/@]+$/, "");
  const scheme = s.indexOf("://");
  if (scheme >= 0) s = s.slice(scheme + 3);
  s = s.split("/", 1)[0].split(":", 1)[0];
  const sign = s.indexOf("@");
  if (sign >= 0) return isDomain(s.slice(sign + 1)) ? s : "";
  return isHash(s) || isIPv4(s) || isDomain(s) || isSystem(s) ? s : "";
}

const isHash = s => /^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})$/.test(s);
const isIPv4 = s => /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/.test(s);
const isDomain = s => s.length >= 6 && /^([a-z0-9-]{2,63}\.)+[a-z]{2,24}$/.test(s);
const isSystem = s => s.length >= 5 && s.length <= 64 && /^[a-z]{2}[a-z0-9_-]*$/.test(s) && /[-_]/.test(s) && /[0-9]/.test(s);
