// A reader's own key: made here, locked by a passphrase that never leaves this page.
import {makeKey, newPassphrase, passphraseFault, supported} from "./seal.js";
import {ask, at, lang, say, tell, why} from "./desk_page.js";

const panel = at("key-make"), form = panel.querySelector("form"), box = at("key-said");

function offer() {
  at("offered").textContent = newPassphrase(lang);
}

function fault(own, again) {
  if (own !== "") {
    const wrong = passphraseFault(own);
    if (wrong) return say(`key.${wrong}`);
  }
  const want = own === "" ? at("offered").textContent : own;
  return same(want, again, own === "") ? "" : say("key.different");
}

// The offered words may be typed with other spacing and case; one's own passphrase is taken as it is.
function same(want, given, words) {
  const plain = s => words ? s.trim().toLowerCase().split(/[\s-]+/).join(" ") : s;
  return plain(want) === plain(given);
}

form.addEventListener("submit", async e => {
  e.preventDefault();
  const own = at("own").value, wrong = fault(own, at("again").value);
  if (wrong) {
    tell(box, wrong, "bad");
    return;
  }
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  tell(box, say("key.making"));
  try {
    const {locked} = await makeKey(own === "" ? at("offered").textContent : own);
    await ask("POST", "/api/v1/reports/keys", locked);
    form.reset();
    at("offered").textContent = "";
    location.reload();
  } catch (error) {
    tell(box, why(error), "bad");
  } finally {
    button.disabled = false;
  }
});

at("another").addEventListener("click", offer);
addEventListener("pagehide", () => {
  form.reset();
  at("offered").textContent = "";
});
addEventListener("pageshow", e => { if (e.persisted) offer(); });

if (await supported()) {
  offer();
  panel.hidden = false;
} else {
  tell(box, say("key.unsupported"), "bad");
}
