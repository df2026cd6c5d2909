// A reader's own key: made here, locked by a passphrase that never leaves this page, and locked anew with another one.
import {makeKey, newPassphrase, normalise, openBox, passphraseFault, relockKey, supported, toBase64} from "./seal.js";
import {ask, at, lang, say, tell, why} from "./desk_page.js";

const box = at("key-said");

// choose is a form in which a passphrase is taken or made: its fields have the names of before.
function choose(panel, before) {
  const form = panel.querySelector("form"), own = at(`${before}own`), again = at(`${before}again`), offered = at(`${before}offered`);
  const offer = () => { offered.textContent = newPassphrase(lang); };
  const clear = () => {
    form.reset();
    offered.textContent = "";
  };
  at(`${before}another`).addEventListener("click", offer);
  addEventListener("pagehide", clear);
  addEventListener("pageshow", e => { if (e.persisted) offer(); });
  return {
    form, clear, words: () => own.value === "" ? offered.textContent : own.value,
    fault: () => fault(own.value, offered.textContent, again.value),
    show() {
      offer();
      panel.hidden = false;
    },
  };
}

function fault(own, offered, again) {
  if (own !== "") {
    const wrong = passphraseFault(own);
    if (wrong) return say(`key.${wrong}`);
  }
  return normalise(own === "" ? offered : own) === normalise(again) ? "" : say("key.different");
}

// on does something with a form that was filled in without a fault; what goes wrong is said.
function on(chosen, doing, act) {
  chosen.form.addEventListener("submit", async e => {
    e.preventDefault();
    const wrong = chosen.fault();
    if (wrong) {
      tell(box, wrong, "bad");
      return;
    }
    const button = chosen.form.querySelector("[type=submit]");
    button.disabled = true;
    tell(box, say(doing));
    try {
      await act();
    } catch (error) {
      tell(box, why(error), "bad");
    } finally {
      button.disabled = false;
    }
  });
}

async function make() {
  const {locked} = await makeKey(making.words());
  await ask("POST", "/api/v1/reports/keys", locked);
  making.clear();
  location.reload();
}

// change locks every key that the old passphrase opens with the new one.
async function change() {
  const old = at("change-old").value, next = changing.words(), held = (await ask("GET", "/api/v1/reports/keys")).keys;
  let n = 0;
  for (const k of held) {
    if (await relock(k, old, next)) n++;
  }
  if (n === 0) {
    tell(box, say("wrong-passphrase"), "bad");
    return;
  }
  changing.clear();
  changing.show();
  tell(box, say("key.changed", {n}), "ok");
}

// relock is false where the old passphrase does not open the key. The node must show that it keeps the new lock.
async function relock(k, old, next) {
  let made;
  try {
    made = await relockKey(k.locked, old, next);
  } catch (error) {
    if (error.code === "passphrase") return false;
    throw error;
  }
  const path = `/api/v1/reports/keys/${encodeURIComponent(k.id)}`;
  const proof = await openBox((await ask("GET", `${path}/challenge`)).box, "relock", made.key);
  const {locked} = await ask("PUT", path, {locked: made.locked, proof: toBase64(proof)});
  if (Object.keys(made.locked).some(name => locked[name] !== made.locked[name])) throw new Error(say("key.not-kept"));
  return true;
}

const making = choose(at("key-make"), ""), changing = at("key-change") && choose(at("key-change"), "change-");
on(making, "key.making", make);
if (changing) {
  const without = changing.fault;
  changing.fault = () => without() || (normalise(changing.words()) === normalise(at("change-old").value) ? say("key.unchanged") : "");
  on(changing, "key.changing", change);
}

if (await supported()) {
  changing?.show();
  making.show();
} else {
  tell(box, say("key.unsupported"), "bad");
}
