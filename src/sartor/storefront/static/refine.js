// Dials, colors, filters: what is set is shown a moment later.
import { onPage, show } from './pages.js';

const SOON_MS = 250;
let waiting = 0;

/** The address that a form leads to; what was left as it came is not in it. */
function addressOf(form) {
  const params = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const field = form.elements[name];
    if (value === '' || name.endsWith('_was') || field?.dataset?.untouched === 'yes') continue;
    params.append(name, value);
  }
  const query = params.toString();
  return query ? `${form.getAttribute('action')}?${query}` : form.getAttribute('action');
}

/** Show what a form leads to, soon. */
export function refine(form, { delay = SOON_MS } = {}) {
  clearTimeout(waiting);
  waiting = setTimeout(() => show(addressOf(form), { parts: true, scroll: null }), delay);
}

/** Watch the form of the page. */
export function refineWhileSet() {
  onPage(() => {
    const form = document.querySelector('form[data-refine]');
    if (!form || form.dataset.watched) return;
    form.dataset.watched = 'yes';
    form.addEventListener('input', (event) => {
      const field = event.target;
      if (field.id === 'color-pick') pick(form, field.value);
      if (field.type === 'range') field.dataset.untouched = '';
      if (field.type === 'checkbox') twins(form, field);
      if (field.type === 'radio' && field.name === 'color') {
        for (const dial of form.querySelectorAll('input[type=range]')) dial.dataset.untouched = 'yes';
      }
      refine(form, { delay: field.type === 'range' || field.type === 'text' || field.type === 'color' || field.type === 'number' ? SOON_MS : 0 });
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      refine(form, { delay: 0 });
    });
  });
}

/** A color of one's own stands in a swatch of its own. */
function pick(form, color) {
  let own = form.querySelector('input[data-own]');
  if (!own) {
    own = Object.assign(document.createElement('input'), { type: 'radio', name: 'color', className: 'unseen' });
    own.dataset.own = 'yes';
    own.setAttribute('aria-label', 'Own color');
    form.querySelector('.pick').prepend(own);
  }
  own.value = color;
  own.checked = true;
  for (const dial of form.querySelectorAll('input[type=range]')) dial.dataset.untouched = 'yes';
}

function twins(form, field) {
  for (const each of form.querySelectorAll('input[type=checkbox]')) {
    if (each.value === field.value) each.checked = field.checked;
  }
}
