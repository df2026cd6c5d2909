// An invitation travels in the fragment of a link, which no server is ever sent. On the page that takes invitations it
// goes into the form; on the way there, over the log-in, it stays in the address of the form.
"use strict";

const invitation = /^#(polderinvite_[a-z2-7]+)$/.exec(location.hash);
if (invitation) {
  const field = document.querySelector("form.invitation #invitation");
  if (field) {
    field.value = invitation[1];
    history.replaceState(null, "", location.pathname);
  } else {
    for (const form of document.querySelectorAll("form.invitation")) form.action += invitation[0];
  }
}
