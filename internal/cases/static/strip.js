// What tells of who made a file, taken out on the device, before it is sealed: the same bytes as the Go package strip.

const most = 64 << 20, entriesMost = 4096, unfoldMost = 32 << 20, damaged = "the file is damaged";

// NotCleaned says that a file was not cleaned, so nobody can vouch for what is inside; reason says why.
export class NotCleaned extends Error {
  constructor(name, reason) {
    super(`${JSON.stringify(name)}: ${reason}; it is not cleaned, and nobody can vouch for what is inside`);
    this.code = "not-cleaned";
    this.reason = reason;
  }
}

class Refused extends Error {}

const refuse = reason => { throw new Refused(reason); };

// strip is {out, removed}: the bytes without what tells of their maker, and what was removed. It throws NotCleaned.
export async function strip(name, data) {
  try {
    if (data.length > most) refuse("it is larger than 64 MiB");
    const c = {data, out: new Bytes(), removed: []};
    await clean(c, true);
    return {out: c.out.all(), removed: c.removed};
  } catch (e) {
    if (e instanceof Refused) throw new NotCleaned(name, e.message);
    throw e;
  }
}

// Bytes grows.
class Bytes {
  parts = [];
  length = 0;
  add(...parts) {
    for (const p of parts) {
      const b = p instanceof Uint8Array ? p : Uint8Array.from(p);
      this.parts.push(b);
      this.length += b.length;
    }
  }
  all() {
    const whole = new Uint8Array(this.length);
    let at = 0;
    for (const p of this.parts) {
      whole.set(p, at);
      at += p.length;
    }
    return whole;
  }
}

const ascii = (d, from, to) => String.fromCharCode(...d.subarray(from, to));
const begins = (d, text, at = 0) => ascii(d, at, at + text.length) === text;
const view = d => new DataView(d.buffer, d.byteOffset, d.byteLength);
const remove = (c, what) => { if (!c.removed.includes(what)) c.removed.push(what); };
const equal = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);

async function clean(c, archives) {
  const d = c.data;
  if (d[0] === 0xff && d[1] === 0xd8 && d[2] === 0xff) return jpeg(c);
  if (begins(d, "\x89PNG\r\n\x1a\n")) return png(c);
  if (begins(d, "GIF87a") || begins(d, "GIF89a")) return gif(c);
  if (d.length >= 12 && begins(d, "RIFF") && begins(d, "WEBP", 8)) return webp(c);
  if (archives && begins(d, "PK\x03\x04")) return office(c);
  if (begins(d, "%PDF")) refuse("a PDF keeps its history in ways that cannot be taken out safely");
  refuse("this kind of file is not known here");
}

function jpeg(c) {
  const d = c.data, v = view(d);
  c.out.add([0xff, 0xd8]);
  let turned = 0;
  for (let at = 2; ;) {
    while (at + 1 < d.length && d[at] === 0xff && d[at + 1] === 0xff) at++;
    if (at + 2 > d.length || d[at] !== 0xff) refuse(damaged);
    const marker = d[at + 1];
    if (marker === 0xd9) {
      c.out.add([0xff, 0xd9]);
      if (at + 2 < d.length) remove(c, "what follows the end");
      return;
    }
    if (at + 4 > d.length) refuse(damaged);
    const size = v.getUint16(at + 2);
    if (size < 2 || at + 2 + size > d.length || marker < 0xc0 || marker >= 0xd0 && marker <= 0xd8) refuse(damaged);
    const body = d.subarray(at + 4, at + 2 + size);
    let next = at + 2 + size;
    if (marker === 0xda) next = scanEnd(d, next);
    if (marker === 0xe0 && begins(body, "JFIF\0") && body.length >= 12) {
      c.out.add([0xff, 0xe0, 0, 16], body.subarray(0, 12), [0, 0]);
      if (body.length > 14) remove(c, "thumbnail");
    } else if (marker === 0xe1 && begins(body, "Exif\0\0")) {
      const o = orientation(body.subarray(6));
      if (o > 1 && turned === 0) {
        turned = o;
        c.out.add(turnedSegment(o));
      }
      if (!equal(d.subarray(at, next), turnedSegment(turned))) remove(c, "EXIF");
    } else if (marker === 0xee && begins(body, "Adobe")) {
      c.out.add(d.subarray(at, next));
    } else if (marker >= 0xe0 && marker <= 0xef || marker >= 0xf0) {
      remove(c, jpegName(marker, body));
    } else {
      c.out.add(d.subarray(at, next));
    }
    at = next;
  }
}

function jpegName(marker, body) {
  if (marker === 0xfe) return "comments";
  if (marker === 0xe1) return "XMP";
  return marker === 0xe2 && begins(body, "ICC_PROFILE\0") ? "colour profile" : "other data";
}

function scanEnd(d, at) {
  for (; at + 1 < d.length; at++) {
    if (d[at] === 0xff && d[at + 1] !== 0 && d[at + 1] !== 0xff && (d[at + 1] < 0xd0 || d[at + 1] > 0xd7)) return at;
  }
  return d.length;
}

const turnedSegment = o => Uint8Array.of(0xff, 0xe1, 0, 34, 0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, o, 0, 0, 0, 0, 0, 0);

function orientation(t) {
  if (t.length < 8) return 0;
  const little = t[0] === 0x49, v = view(t), first = v.getUint32(4, little);
  if (first + 2 > t.length) return 0;
  const count = v.getUint16(first, little);
  for (let i = 0; i < count; i++) {
    const at = first + 2 + 12 * i;
    if (at + 12 > t.length) return 0;
    if (v.getUint16(at, little) === 0x112) {
      const o = v.getUint16(at + 8, little);
      return o >= 1 && o <= 8 ? o : 0;
    }
  }
  return 0;
}

const pngKept = new Set(["IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "sBIT", "bKGD", "hIST", "pHYs", "acTL", "fcTL", "fdAT"]);
const pngNames = new Map([["tEXt", "text"], ["zTXt", "text"], ["iTXt", "text"], ["eXIf", "EXIF"], ["tIME", "time"], ["iCCP", "colour profile"]]);

function png(c) {
  const d = c.data, v = view(d);
  c.out.add(d.subarray(0, 8));
  for (let at = 8; ;) {
    if (at + 12 > d.length) refuse(damaged);
    const size = v.getUint32(at);
    if (size > d.length - at - 12) refuse(damaged);
    const next = at + 12 + size, kind = ascii(d, at + 4, at + 8);
    if (at === 8 && kind !== "IHDR") refuse(damaged);
    if (pngKept.has(kind)) c.out.add(d.subarray(at, next));
    else remove(c, pngNames.get(kind) ?? "other data");
    if (kind === "IEND") {
      if (next < d.length) remove(c, "what follows the end");
      return;
    }
    at = next;
  }
}

function gif(c) {
  const d = c.data;
  if (d.length < 13) refuse(damaged);
  let at = 13 + colours(d[10]);
  if (at > d.length) refuse(damaged);
  c.out.add(d.subarray(0, at));
  while (at < d.length) {
    let next = 0, name = "";
    if (d[at] === 0x3b) {
      c.out.add([0x3b]);
      if (at + 1 < d.length) remove(c, "what follows the end");
      return;
    } else if (d[at] === 0x2c) {
      if (at + 10 > d.length) refuse(damaged);
      next = at + 10 + colours(d[at + 9]) + 1;
    } else if (d[at] === 0x21) {
      if (at + 3 > d.length) refuse(damaged);
      next = at + 2;
      name = gifExtension(d, at);
    } else {
      refuse(damaged);
    }
    next = blocksEnd(d, next);
    if (next < 0) refuse(damaged);
    if (name === "") c.out.add(d.subarray(at, next));
    else remove(c, name);
    at = next;
  }
  refuse(damaged);
}

// gifExtension is what an extension would tell, or "" where it is kept.
function gifExtension(d, at) {
  if (d[at + 1] === 0xf9) return "";
  if (d[at + 1] === 0xfe) return "comments";
  if (d[at + 1] === 0xff && at + 14 <= d.length) {
    const name = ascii(d, at + 3, at + 14);
    if (name === "NETSCAPE2.0" || name === "ANIMEXTS1.0") return "";
    if (name === "XMP DataXMP") return "XMP";
  }
  return "other data";
}

const colours = packed => packed & 0x80 ? 3 << (packed & 7) + 1 : 0;

function blocksEnd(d, at) {
  while (at < d.length) {
    const size = d[at];
    at += 1 + size;
    if (size === 0) return at;
  }
  return -1;
}

const webpKept = new Set(["VP8 ", "VP8L", "ALPH", "ANIM", "ANMF"]);
const webpNames = new Map([["EXIF", "EXIF"], ["XMP ", "XMP"], ["ICCP", "colour profile"]]);

function webp(c) {
  const d = c.data, v = view(d), end = v.getUint32(4, true) + 8;
  if (end > d.length || end < 12) refuse(damaged);
  if (end < d.length) remove(c, "what follows the end");
  const head = d.slice(0, 12);
  c.out.add(head);
  for (let at = 12; at < end;) {
    if (at + 8 > end) refuse(damaged);
    const size = v.getUint32(at + 4, true);
    if (at + 8 + size > end) refuse(damaged);
    const next = Math.min(at + 8 + size + size % 2, end), kind = ascii(d, at, at + 4);
    if (webpKept.has(kind)) {
      c.out.add(d.subarray(at, next));
    } else if (kind === "VP8X") {
      if (size < 10) refuse(damaged);
      const chunk = d.slice(at, next);
      chunk[8] &= ~(0x20 | 0x08 | 0x04);
      c.out.add(chunk);
    } else {
      remove(c, webpNames.get(kind) ?? "other data");
    }
    at = next;
  }
  view(head).setUint32(4, c.out.length - 8, true);
}

const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const whole = new Map([
  ["docprops/core.xml", head + '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'],
  ["docprops/app.xml", head + '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"/>'],
  ["docprops/custom.xml", head + '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"/>'],
  ["meta.xml", '<?xml version="1.0" encoding="UTF-8"?>\n<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" office:version="1.2"><office:meta/></office:document-meta>'],
]);

// rewrites see bytes, not letters, and only the white space of ASCII: Go's expressions see the same.
const attributes = "(?:author|initials|userId|providerId|lastModifiedBy|userName)", w = "[\\t\\n\\f\\r ]";
const elements = "(?:author|dc:creator|meta:creator-initials|meta:initial-creator|loext:sender-initials|text:sender-[a-z]+|text:author-[a-z]+|text:creator|text:initial-creator|text:printed-by)";
const rewrites = [
  ["names", `((?:^|[\\t\\n\\f\\r "'])[A-Za-z0-9]*:?${attributes}${w}*=${w}*")[^"]+(")`, "$1$2"],
  ["names", `((?:^|[\\t\\n\\f\\r "'])[A-Za-z0-9]*:?${attributes}${w}*=${w}*')[^']+(')`, "$1$2"],
  ["names", `(<[A-Za-z0-9]*:?person${w}[^>]*\\bdisplayName${w}*=${w}*")[^"]+(")`, "$1$2"],
  ["names", `(<p:cmAuthor${w}[^>]*\\bname${w}*=${w}*")[^"]+(")`, "$1$2"],
  ["names", `(<${elements}(?:${w}[^>]*)?>)[^<]+(</)`, "$1$2"],
  ["paths", `(<[A-Za-z0-9]*:?absPath${w}[^>]*\\burl${w}*=${w}*")[^"]+(")`, "$1$2"],
  ["paths", `(\\bTarget${w}*=${w}*")(?:[Ff][Ii][Ll][Ee]:[^"]*|[A-Za-z]:[\\\\/][^"]*|\\\\\\\\[^"]*)(")`, "$1file:///$2"],
  ["printers", `(config:name="Printer[A-Za-z]*"(?:${w}[^>]*)?>)[^<]+(</)`, "$1$2"],
].map(([what, find, by]) => ({what, find: new RegExp(find, "g"), by}));

const held = [
  ["vbaproject", "it holds macros"], ["embeddings/", "it holds other documents"], ["object 1/", "it holds other documents"],
  ["activex/", "it holds controls"], ["_xmlsignatures/", "it is signed, and the signature names its maker"],
  ["meta-inf/documentsignatures", "it is signed, and the signature names its maker"],
];

// Names and texts of archives are held as one character a byte, so that nothing is decoded and nothing changes.
const latin = d => {
  let s = "";
  for (let i = 0; i < d.length; i += 8192) s += ascii(d, i, i + 8192);
  return s;
};
const bytes = s => Uint8Array.from(s, ch => ch.charCodeAt(0));
const lower = s => s.replace(/[A-Z]/g, ch => String.fromCharCode(ch.charCodeAt(0) + 32));

async function office(c) {
  const entries = readArchive(c.data), names = new Set();
  for (const e of entries) {
    const name = lower(e.name);
    if (names.has(name)) refuse("two of its parts have the same name");
    names.add(name);
    for (const [part, reason] of held) if (name.includes(part)) refuse(reason);
  }
  if (!names.has("[content_types].xml") && !(names.has("mimetype") && names.has("content.xml"))) refuse("an archive that is no office document is not known here");
  const total = entries.filter(e => isPicture(e.name) || isText(e.name)).reduce((n, e) => n + e.size, 0);
  if (total > unfoldMost) refuse("its parts unfold to more than 32 MiB");
  const kept = [];
  for (const e of entries) kept.push(await part(c, e));
  writeArchive(c.out, kept);
}

const isPicture = name => /\.(jpg|jpeg|png|gif|webp)$/.test(lower(name)), isText = name => /\.(xml|rels|vml)$/.test(lower(name));

async function part(c, e) {
  const name = lower(e.name);
  if (whole.has(name)) {
    remove(c, "document properties");
    return stored(e.name, bytes(whole.get(name)));
  }
  if (name.includes("printersettings")) {
    remove(c, "printers");
    return stored(e.name, new Uint8Array());
  }
  const picture = isPicture(name);
  if (!picture && !isText(name)) return e;
  const body = await unfold(e);
  let cleaned;
  if (picture) {
    const inner = {data: body, out: new Bytes(), removed: []};
    try {
      await clean(inner, false);
    } catch (error) {
      if (error instanceof Refused) refuse("a picture in it is of no kind that is known here");
      throw error;
    }
    cleaned = inner.out.all();
    for (const what of inner.removed) remove(c, what);
  } else {
    cleaned = rewritten(c, body);
  }
  return equal(cleaned, body) ? e : stored(e.name, cleaned);
}

function rewritten(c, body) {
  if (body.length > 1 && (body[0] === 0xfe || body[0] === 0xff || body[0] === 0 || body[1] === 0)) refuse("a part of it is in an encoding that is not known here");
  const before = latin(body);
  let text = before;
  for (const r of rewrites) {
    const after = text.replace(r.find, r.by);
    if (after !== text) remove(c, r.what);
    text = after;
  }
  return text === before ? body : bytes(text);
}

async function unfold(e) {
  let body = e.body;
  if (e.method === 8) {
    try {
      body = await inflate(e.body, e.size);
    } catch {
      refuse(damaged);
    }
  }
  if (body.length !== e.size || crc32(body) !== e.crc) refuse(damaged);
  return body;
}

// inflate reads no more than one byte beyond size.
async function inflate(folded, size) {
  const reader = new Blob([folded]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const out = new Bytes();
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return out.all();
    out.add(value);
    if (out.length > size) {
      await reader.cancel().catch(() => {});
      return out.all();
    }
  }
}

const table = Uint32Array.from({length: 256}, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ n >>> 1 : n >>> 1;
  return n >>> 0;
});

function crc32(d) {
  let crc = 0xffffffff;
  for (const b of d) crc = table[(crc ^ b) & 0xff] ^ crc >>> 8;
  return (crc ^ 0xffffffff) >>> 0;
}

const stored = (name, body) => ({name, method: 0, crc: crc32(body), size: body.length, body});

function readArchive(d) {
  const v = view(d);
  let end = -1;
  for (let at = d.length - 22; at >= 0 && at > d.length - 22 - 65536; at--) {
    if (v.getUint32(at, true) === 0x06054b50) {
      end = at;
      break;
    }
  }
  if (end < 0) refuse(damaged);
  const count = v.getUint16(end + 10, true);
  if (count > entriesMost) refuse("it has more than 4,096 parts");
  const entries = [];
  let at = v.getUint32(end + 16, true), total = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || v.getUint32(at, true) !== 0x02014b50) refuse(damaged);
    const e = readEntry(d, v, at, end);
    total += e.body.length;
    if (total > d.length) refuse(damaged);
    entries.push(e);
    at += 46 + v.getUint16(at + 28, true) + v.getUint16(at + 30, true) + v.getUint16(at + 32, true);
  }
  return entries;
}

function readEntry(d, v, at, end) {
  const flags = v.getUint16(at + 8, true), method = v.getUint16(at + 10, true), folded = v.getUint32(at + 20, true), size = v.getUint32(at + 24, true);
  const name = v.getUint16(at + 28, true), from = v.getUint32(at + 42, true);
  if (flags & 1) refuse("it is encrypted");
  if (method !== 0 && method !== 8) refuse("it is compressed in a way that is not known here");
  if (46 + name > end - at || from + 30 > d.length || method === 0 && folded !== size) refuse(damaged);
  if (v.getUint32(from, true) !== 0x04034b50) refuse(damaged);
  const body = from + 30 + v.getUint16(from + 26, true) + v.getUint16(from + 28, true);
  if (body + folded > d.length) refuse(damaged);
  return {name: latin(d.subarray(at + 46, at + 46 + name)), method, crc: v.getUint32(at + 16, true), size, body: d.subarray(body, body + folded)};
}

function writeArchive(out, entries) {
  const directory = new Bytes();
  for (const e of entries) {
    const at = out.length, name = bytes(e.name), h = new Uint8Array(26), v = view(h);
    v.setUint16(0, 20, true);
    v.setUint16(2, 0x800, true);
    v.setUint16(4, e.method, true);
    v.setUint16(8, 0x21, true);
    v.setUint32(10, e.crc, true);
    v.setUint32(14, e.body.length, true);
    v.setUint32(18, e.size, true);
    v.setUint16(22, name.length, true);
    out.add(bytes("PK\x03\x04"), h, name, e.body);
    const place = new Uint8Array(14);
    view(place).setUint32(10, at, true);
    directory.add(bytes("PK\x01\x02\x14\x00"), h, place, name);
  }
  const tail = new Uint8Array(22), v = view(tail), start = out.length;
  v.setUint32(0, 0x06054b50, true);
  v.setUint16(8, entries.length, true);
  v.setUint16(10, entries.length, true);
  v.setUint32(12, directory.length, true);
  v.setUint32(16, start, true);
  out.add(directory.all(), tail);
}
