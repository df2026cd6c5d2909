// What a page of the console must keep. Each function returns the faults it found, as sentences.
(() => {
  const shown = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const name = (e) => {
    const text = (e.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `<${e.tagName.toLowerCase()}${e.id ? "#" + e.id : ""}${e.classList.length ? "." + [...e.classList].join(".") : ""}> “${text}”`;
  };
  const all = (selector) => [...document.querySelectorAll(selector)];

  const labelled = (e) => {
    if (e.getAttribute("aria-label")?.trim()) return true;
    const by = e.getAttribute("aria-labelledby");
    if (by && by.split(/\s+/).some((id) => document.getElementById(id)?.textContent.trim())) return true;
    if (e.labels?.length && [...e.labels].some((l) => l.textContent.trim())) return true;
    if (e.tagName === "INPUT" && (e.type === "hidden" || e.type === "submit")) return true;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(e.tagName)) return false;
    return !!e.textContent.trim() || !!e.querySelector("[aria-label], title");
  };

  window.page = () => {
    const faults = [];
    const h1 = all("h1");
    if (h1.length !== 1) faults.push(`there are ${h1.length} h1, there must be one`);
    if (!document.title.trim()) faults.push("the page has no title");
    if (!document.documentElement.lang) faults.push("the page has no language");
    if (all("main").length !== 1) faults.push("there is not one main");
    const ids = new Map();
    for (const e of all("[id]")) ids.set(e.id, (ids.get(e.id) || 0) + 1);
    for (const [id, n] of ids) if (n > 1) faults.push(`id “${id}” is there ${n} times`);
    for (const attr of ["for", "aria-labelledby", "aria-describedby", "aria-controls", "popovertarget", "commandfor"])
      for (const e of all(`[${attr}]`))
        for (const id of e.getAttribute(attr).split(/\s+/)) if (!ids.has(id)) faults.push(`${attr} of ${name(e)} leads to “${id}”, which is not there`);
    for (const e of all('[href^="#"]')) if (!ids.has(e.getAttribute("href").slice(1))) faults.push(`link of ${name(e)} leads to “${e.getAttribute("href")}”, which is not there`);
    for (const e of all("a[href], button, input, select, textarea, summary, [role=region], [role=img], svg[role], dialog, nav, aside"))
      if (!labelled(e)) faults.push(`${name(e)} has no name`);
    for (const e of all("[style]")) faults.push(`${name(e)} has a style attribute`);
    for (const e of all("*")) for (const a of e.attributes) if (/^on/i.test(a.name)) faults.push(`${name(e)} has ${a.name}`);
    for (const e of all("script:not([src]), style, iframe, object, embed, base, meta[http-equiv]")) faults.push(`${name(e)} must not be in a page`);
    for (const e of all("a[href], form[action]")) {
      const to = e.getAttribute("href") ?? e.getAttribute("action");
      if (/^\s*(javascript|data|vbscript):/i.test(to)) faults.push(`${name(e)} leads to ${to.slice(0, 40)}`);
    }
    for (const t of all("table")) if (!t.querySelector("th")) faults.push(`${name(t)} has no head`);
    return faults;
  };

  // colour makes any CSS colour red, green, blue and alpha by painting it.
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const paint = canvas.getContext("2d", { willReadFrequently: true });
  const colours = new Map();
  const colour = (css) => {
    if (!colours.has(css)) {
      paint.clearRect(0, 0, 1, 1);
      paint.fillStyle = "#000";
      paint.fillStyle = css;
      paint.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
      colours.set(css, [r, g, b, a / 255]);
    }
    return colours.get(css);
  };
  const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = ([r, g, b]) => {
    const f = (c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const ratio = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  // ground is the colour that shows behind an element's text; seen keeps what was found in one look at the page.
  const ground = (e, seen) => {
    if (!e) return [...colour("Canvas").slice(0, 3), 1];
    if (!seen.has(e)) {
      const c = colour(getComputedStyle(e).backgroundColor);
      seen.set(e, c[3] === 1 ? c : over(c, ground(e.parentElement, seen)));
    }
    return seen.get(e);
  };
  // inPicture is the colour of the shape that a text of a picture stands on.
  const inPicture = (e) => {
    const shape = e.closest(".node")?.querySelector(".box") ?? (e.classList.contains("on") ? e.previousElementSibling : null);
    return shape ? colour(getComputedStyle(shape).fill) : null;
  };

  window.contrast = () => {
    const faults = [];
    const seen = new Map();
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let n = walk.nextNode(); n; n = walk.nextNode()) {
      const e = n.parentElement;
      if (!n.data.trim() || !shown(e) || e.closest("title, script, noscript, option, .sr, .skip, :disabled")) continue;
      const style = getComputedStyle(e);
      const svg = e instanceof SVGElement;
      const below = (svg && inPicture(e)) || ground(svg ? e.ownerSVGElement : e, seen);
      const text = over(colour(svg ? style.fill : style.color), below);
      const r = ratio(text, below);
      if (r < 4.5) faults.push(`text of ${name(e)} has contrast ${r.toFixed(2)}, under 4.5`);
    }
    return faults;
  };

  // area is where a target can be hit: its label's, or the whole row where the link covers it.
  const area = (e) => {
    const label = /^(radio|checkbox)$/.test(e.type) && e.closest("label");
    if (label) return label.getBoundingClientRect();
    const after = getComputedStyle(e, "::after");
    if (after.position === "absolute" && after.content !== "none") return (e.offsetParent ?? e).getBoundingClientRect();
    return e.getBoundingClientRect();
  };
  const inline = (e) => getComputedStyle(e).display === "inline" && [...e.parentElement.childNodes].some((n) => n.nodeType === 3 && n.data.trim());

  // clipped tells what is only there for screen readers and for who tabs to it.
  const clipped = (e) => {
    for (let at = e; at; at = at.parentElement) if (getComputedStyle(at).clipPath === "inset(50%)") return true;
    return !!e.closest(".skip");
  };

  window.layout = () => {
    const faults = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) {
      const wide = all("main *").filter((e) => shown(e) && e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest(".scroll, .picture, pre"));
      faults.push(`the page scrolls sideways: ${root.scrollWidth} px; look at ${wide.slice(0, 3).map(name).join(", ")}`);
    }
    const targets = all("a[href], button, input:not([type=hidden]), select, textarea, summary").filter((e) => shown(e) && !clipped(e));
    const areas = targets.map(area);
    targets.forEach((e, i) => {
      const r = areas[i];
      if (r.width === 0 || (r.width >= 23.9 && r.height >= 23.9) || inline(e)) return;
      const [x, y] = [r.left + r.width / 2, r.top + r.height / 2];
      const near = targets.find((o, j) => {
        if (o === e || o.contains(e) || e.contains(o) || areas[j].width === 0) return false;
        const dx = Math.max(areas[j].left - x, 0, x - areas[j].right);
        const dy = Math.max(areas[j].top - y, 0, y - areas[j].bottom);
        return Math.hypot(dx, dy) < 12;
      });
      if (near) faults.push(`${name(e)} is ${r.width.toFixed(0)} × ${r.height.toFixed(0)} px, under 24, and ${name(near)} is too near`);
    });
    return faults;
  };
})()
