// Hearts and "not for me": shown at once, sent behind, and taken back where that did not work.
import { ask, isKnown } from './consent.js';
import { root, say, toast } from './pages.js';

const SAID = { like: 'Added to your favorites', dislike: 'Not for you, and left out of what is picked for you', '': 'Taken back' };
const latest = new Map(); // by product: the number of its last wish, so that an older answer changes nothing
let number = 0;
let sending = Promise.resolve(); // one after another, in the order of the clicks

/** Have them taken wherever they are. */
export function takeOpinions() {
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('button[form=opinion]');
    if (!button) return;
    event.preventDefault();
    const { name: kind, value: id } = button;
    if (isKnown()) wish(kind, id, button);
    else ask(kind, id, (said) => settle(id, said));
  });
}

function wish(kind, id, button) {
  const before = button.closest('.opinion').dataset.opinion;
  const mine = ++number;
  latest.set(id, mine);
  show(id, kind === 'undo' ? '' : kind, button);
  const send = async () => {
    const answer = await fetch(`${root}/opinion`, { method: 'POST', body: new URLSearchParams({ [kind]: id }), headers: { Accept: 'application/json' } });
    if (answer.status === 403 && (await answer.json()).type?.endsWith('needs-consent')) {
      document.getElementById('opinion').dataset.known = 'no'; // the cookie is gone
      if (latest.get(id) === mine) show(id, before);
      ask(kind, id, (said) => settle(id, said));
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const said = await answer.json();
    if (latest.get(id) === mine) settle(id, said);
  };
  sending = sending.then(send).catch(() => {
    if (latest.get(id) !== mine) return;
    show(id, before);
    toast('That was not saved. Check the connection, and try again.');
  });
}

function settle(id, { opinion, favorites }) {
  document.getElementById('opinion').dataset.known = 'yes';
  show(id, opinion);
  const count = document.getElementById('favorites-count');
  count.textContent = String(favorites);
  count.hidden = favorites === 0;
  say(SAID[opinion]);
}

/** Show what is thought of a product wherever it stands; what was pressed may be gone then, and hands the focus on. */
function show(id, opinion, pressed = null) {
  for (const place of document.querySelectorAll('.opinion')) {
    if (place.dataset.of !== id) continue;
    const had = place.contains(document.activeElement) || place.contains(pressed);
    place.dataset.opinion = opinion;
    const [like, pass, undo] = ['.like', '.pass', '.undo'].map((name) => place.querySelector(name));
    like.name = opinion === 'like' ? 'undo' : 'like';
    like.setAttribute('aria-pressed', String(opinion === 'like'));
    if (!had || !pressed) continue;
    if (opinion === 'dislike') undo.focus({ preventScroll: true });
    else if (pressed === undo) pass.focus({ preventScroll: true });
  }
}
