// Passkeys: what the browser's authenticator is asked and answers. Buttons and forms that need it are hidden until this
// script runs where there are passkeys; a password does everything without it, but adding one.
const text = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const bytes = text => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), c => c.charCodeAt(0));

// Refused is what the node says of a request; its words are for the reader.
class Refused extends Error {}

async function ask(address, body) {
  const answer = await fetch(address, {
    method: "POST", headers: {"Content-Type": "application/json", "Accept": "application/json"}, body: JSON.stringify(body),
  });
  const says = await answer.json();
  if (!answer.ok) throw new Refused(says.detail || says.title);
  return says;
}

function answerOf(made) {
  const r = made.response, response = {clientDataJSON: text(r.clientDataJSON)};
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (r[name]) response[name] = text(r[name]);
  }
  return {id: made.id, rawId: text(made.rawId), type: made.type, response};
}

function listed(list) {
  return (list || []).map(c => ({...c, id: bytes(c.id)}));
}

async function present(question) {
  const o = question.publicKey;
  return answerOf(await navigator.credentials.get({
    publicKey: {...o, challenge: bytes(o.challenge), allowCredentials: listed(o.allowCredentials)},
  }));
}

async function create(question) {
  const o = question.publicKey;
  return answerOf(await navigator.credentials.create({
    publicKey: {...o, challenge: bytes(o.challenge), user: {...o.user, id: bytes(o.user.id)}, excludeCredentials: listed(o.excludeCredentials)},
  }));
}

async function logIn(button) {
  const begun = await ask("/login/passkey/begin", {});
  const done = await ask("/login/passkey", {key: begun.key, answer: await present(begun.question), next: button.dataset.next});
  location.assign(done.to);
}

async function prove(button) {
  const begun = await ask("/account/proof/begin", {});
  const {ticket} = await ask("/account/proof", {key: begun.key, answer: await present(begun.question)});
  const form = button.form;
  form.elements.ticket.value = ticket;
  form.requestSubmit();
}

async function add(form) {
  const proof = {password: form.elements.password.value, ticket: form.elements.ticket.value};
  form.elements.ticket.value = "";
  const begun = await ask("/account/passkeys/begin", proof);
  const done = await ask("/account/passkeys", {key: begun.key, answer: await create(begun.question), name: form.elements.name.value});
  location.assign(done.to);
}

// attempt runs what a button or a form is for, once at a time, and says below it when that fails.
async function attempt(what, at) {
  const says = at.closest("form, .ways").querySelector("[data-passkey-says]");
  says.hidden = true;
  try {
    await what(at);
  } catch (problem) {
    says.textContent = problem instanceof Refused && at.dataset.own !== undefined ? problem.message : says.dataset.failed;
    says.hidden = false;
  }
}

if (window.PublicKeyCredential) {
  for (const [name, what] of Object.entries({"log-in": logIn, "prove": prove})) {
    for (const button of document.querySelectorAll(`button[data-passkey="${name}"]`)) {
      button.hidden = false;
      button.addEventListener("click", () => attempt(what, button));
    }
  }
  for (const form of document.querySelectorAll("form[data-passkey=add]")) {
    form.hidden = false;
    form.addEventListener("submit", event => {
      event.preventDefault();
      attempt(add, form);
    });
  }
}
