// Days in people's own words: the same as pages_report_when.go.

const forms = [
  /(?:^|[^0-9])(?<y>[0-9]{4})[-/.](?<m>[0-9]{1,2})[-/.](?<d>[0-9]{1,2})(?:[^0-9]|$)/u,
  /(?:^|[^0-9])(?<d>[0-9]{1,2})[ ./-]+(?<m>[0-9]{1,2})[ ./-]+(?<y>[0-9]{4})(?:[^0-9]|$)/u,
  /(?:^|[^0-9])(?<d>[0-9]{1,2})\.?[ -]+(?<name>\p{L}{3,})\.?,?[ -]+(?<y>[0-9]{4})(?:[^0-9]|$)/u,
  /(?<name>\p{L}{3,})\.?[ ]+(?<d>[0-9]{1,2}),?[ ]+(?<y>[0-9]{4})(?:[^0-9]|$)/u,
];

// day makes a date that does not move with the clock of the device: noon of the day, in UTC.
const day = (y, m, d) => {
  const t = new Date(0);
  t.setUTCFullYear(y, m - 1, d);
  t.setUTCHours(12);
  return t;
};
const real = (t, m) => t.getUTCMonth() === m - 1;

/** Today on this device. @returns {Date} */
export const today = () => {
  const now = new Date();
  return day(now.getFullYear(), now.getMonth() + 1, now.getDate());
};

function dateIn(text, months) {
  for (const form of forms) {
    const g = form.exec(text)?.groups;
    if (!g) continue;
    const given = g.name?.toLowerCase();
    const month = given ? months.findIndex((m) => m.toLowerCase().startsWith(given)) + 1 : Number(g.m);
    const found = day(Number(g.y), month, Number(g.d));
    if (month >= 1 && month <= 12 && Number(g.y) > 0 && Number(g.d) > 0 && real(found, month)) return found;
  }
  return null;
}

/**
 * A day in own words that comes after today, and the day that was probably meant; null where there is none.
 * @param {string} own
 * @param {string[]} months twelve names
 * @param {Date} now of {@link today}
 * @returns {{wrote: Date, meant: Date}|null}
 */
export function ahead(own, months, now) {
  const wrote = dateIn(own, months);
  if (!wrote || wrote <= now) return null;
  const month = wrote.getUTCMonth() + 1;
  let meant = wrote;
  for (let back = 0; back < 8; back++) {
    meant = day(now.getUTCFullYear() - back, month, wrote.getUTCDate());
    if (real(meant, month) && meant <= now) break;
  }
  return {wrote, meant};
}

/** A day as 2026-11-22. @param {Date} t */
export const iso = (t) => t.toISOString().slice(0, 10);

/**
 * A quick answer as a date that reads alike in every language.
 * @param {string} chosen "today", "yesterday", "week" or ""
 * @param {Date} now
 */
export function quick(chosen, now) {
  const back = (n) => day(now.getUTCFullYear(), now.getUTCMonth() + 1, now.getUTCDate() - n);
  switch (chosen) {
    case "today": return iso(now);
    case "yesterday": return iso(back(1));
    case "week": return `${iso(back((now.getUTCDay() + 6) % 7))} – ${iso(now)}`;
    default: return "";
  }
}
