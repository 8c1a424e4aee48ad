// The question whether a visitor may be remembered: answered where it stands, as a note or over the page.
import { root, say, toast } from './pages.js';

const here = () => location.pathname + location.search;
const form = () => document.getElementById('opinion');

/** Whether this visitor is remembered, as far as this page knows. */
export const isKnown = () => form().dataset.known === 'yes';

/** Have both answers taken without leaving the page. */
export function takeAnswers() {
  document.addEventListener('submit', async (event) => {
    const asked = event.target.closest?.('form[data-consent]');
    if (!asked || !event.submitter) return;
    const answer = event.submitter.value;
    if (document.getElementById('main').contains(asked) && !asked.closest('[data-consent-note]')) return; // a page of its own
    event.preventDefault();
    const buttons = [...asked.querySelectorAll('button')];
    for (const button of buttons) button.disabled = true;
    try {
      const body = new URLSearchParams([...new FormData(asked), ['answer', answer]]);
      const taken = await fetch(`${root}/remember`, { method: 'POST', body, headers: { Accept: 'application/json' } });
      if (!taken.ok) throw new Error(String(taken.status));
      settle(asked, answer, await taken.json());
    } catch {
      for (const button of buttons) button.disabled = false;
      toast('That did not get through. Try again in a moment.');
    }
  });
}

/**
 * Ask over the page, for something that was wished for.
 * @param {string} kind what: like, dislike or undo
 * @param {string} id of which product
 * @param {(said: {opinion: string, favorites: number}) => void} then told what was done after a yes
 */
export async function ask(kind, id, then) {
  const address = `${root}/remember?${new URLSearchParams({ [kind]: id, back: here() })}`;
  try {
    const answer = await fetch(address, { headers: { Accept: 'text/html' } });
    if (!answer.ok) throw new Error(String(answer.status));
    const question = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('question');
    if (!question) throw new Error('already known');
    const dialog = document.createElement('dialog');
    dialog.className = 'ask';
    dialog.tabIndex = -1;
    dialog.setAttribute('aria-labelledby', 'question-title');
    dialog.append(document.adoptNode(question));
    dialog.addEventListener('close', () => dialog.remove());
    dialog.addEventListener('sartor:answer', (event) => then(event.detail));
    dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
    document.body.append(dialog);
    dialog.showModal();
    dialog.focus(); // what it says comes before its first link
  } catch {
    location.assign(address);
  }
}

function settle(asked, answer, said) {
  const dialog = asked.closest('dialog');
  if (answer === 'yes') form().dataset.known = 'yes';
  for (const note of document.querySelectorAll('[data-consent-note]')) {
    if (note.contains(document.activeElement)) document.getElementById('main').focus({ preventScroll: true });
    note.remove();
  }
  say(answer === 'yes' ? 'This shop remembers you here from now on.' : 'Nothing is remembered.');
  if (answer === 'yes' && dialog) dialog.dispatchEvent(new CustomEvent('sartor:answer', { detail: said }));
  dialog?.close();
}
