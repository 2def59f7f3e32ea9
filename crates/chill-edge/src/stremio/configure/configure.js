// Saves round trips on the configure page: the sample list follows what is typed, tokens are checked in place, the link
// is copied. Without it every button posts the form, and the page works the same.
'use strict';

const form = document.getElementById('settings');
const WAIT_MS = 350;

const set = (element, text) => { if (element) element.textContent = text; };

async function ask(body) {
  const answer = await fetch(form.action, { method: 'POST', headers: { accept: 'application/json' }, body });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer.json();
}

function isCredential(name) {
  return /^(s\d+\.(auth|t|keep)|i\d+\.(n|u|ak|keep))$/.test(name);
}

// The sample list needs no credential, so none is sent.
function choices() {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (!isCredential(name)) body.append(name, value);
  body.set('do', 'preview');
  return body;
}

let latest = 0;
async function preview() {
  latest += 1;
  const mine = latest;
  try {
    const { preview: list, mistakes } = await ask(choices());
    if (mine === latest) show(list, mistakes);
  } catch {
    if (mine === latest) set(document.getElementById('count'), 'The server cannot be reached; the list is not up to date.');
  }
}

function show(list, mistakes) {
  for (const name of ['sort', 'filter', 'tn', 'td', 'total', 'each', 'preferred', 'required']) {
    const wrong = mistakes.find((mistake) => mistake.name === name);
    const input = document.getElementById(name);
    set(document.getElementById(`${name}-wrong`), wrong?.message ?? '');
    if (wrong) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  }
  document.querySelectorAll('pre.place').forEach((place) => place.remove());
  if (mistakes.length > 0) {
    set(document.getElementById('count'), 'Something above is not right; the list is not up to date.');
    return;
  }
  set(document.getElementById('count'), `${list.streams.length} shown, ${list.hidden} hidden`);
  document.getElementById('preview').replaceChildren(...list.streams.map((stream) => {
    const item = document.createElement('li');
    for (const [kind, text] of [['name', stream.name], ['about', stream.description]]) {
      const part = document.createElement('span');
      part.className = kind;
      part.textContent = text;
      item.append(part);
    }
    return item;
  }));
}

async function check(button) {
  const slot = button.dataset.slot;
  const verdict = document.getElementById(`verdict-${slot}`);
  const body = new URLSearchParams({ do: `check-${slot}` });
  const prefix = slot.startsWith('i') ? `${slot}.` : `s${slot}.`;
  for (const [name, value] of new FormData(form)) if (name.startsWith(prefix)) body.append(name, value);
  verdict.classList.remove('good');
  set(verdict, slot.startsWith('i') ? 'Asking the indexer…' : 'Asking the store…');
  button.disabled = true;
  try {
    const { good, message } = await ask(body);
    verdict.classList.toggle('good', good);
    set(verdict, message);
  } catch {
    set(verdict, 'The server cannot be reached. Try again.');
  } finally {
    button.disabled = false;
    button.focus();
  }
}

async function copy(link) {
  try {
    await navigator.clipboard.writeText(link.value);
  } catch {
    // Without HTTPS there is no clipboard; the old way still works.
    link.select();
    document.execCommand('copy');
  }
  set(document.getElementById('copied'), 'Copied');
}

let timer;
function soon() {
  clearTimeout(timer);
  timer = setTimeout(preview, WAIT_MS);
}

form.addEventListener('input', (event) => { if (!isCredential(event.target.name)) soon(); });
form.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button?.dataset.slot !== undefined) {
    event.preventDefault();
    check(button);
  } else if (button?.id === 'refresh') {
    event.preventDefault();
    clearTimeout(timer);
    preview();
  }
});

const button = document.getElementById('copy');
if (button) {
  button.hidden = false;
  button.addEventListener('click', () => copy(document.getElementById('link')));
}
