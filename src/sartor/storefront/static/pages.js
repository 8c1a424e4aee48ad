// One page becomes the next without a reload: <main> is swapped, the address kept, back and forward work.

const main = () => document.getElementById('main');
/** What the paths of this shop begin with, where a proxy has it below a prefix; else empty. */
export const root = document.documentElement.dataset.root ?? '';

let current = location.pathname + location.search; // what is shown
const TOAST_MS = 8000;
let fading = 0;
let asked = 0; // requests so far, so that a late answer does not replace a newer one

/** Say something to who listens instead of looking. */
export function say(text) {
  document.getElementById('status').textContent = text;
}

/** Show that something went wrong, for a while. */
export function toast(text) {
  const box = document.getElementById('toast');
  box.textContent = text;
  box.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => (box.hidden = true), TOAST_MS);
}

/** Call something now, and whenever the page was replaced. */
export function onPage(call) {
  document.addEventListener('sartor:page', call);
  call();
}

/** Mark the page as waiting, or no longer so. */
export function busy(is) {
  document.documentElement.classList.toggle('busy', is);
  main().setAttribute('aria-busy', String(is));
}

/**
 * Show the page of an address.
 * @param {string} address
 * @param {{push?: boolean, parts?: boolean, scroll?: number}} how push: keep the address; parts: replace only what changed,
 *   leaving what is being used; scroll: where to stand, or stay.
 */
export async function show(address, how = {}) {
  const number = ++asked;
  busy(true);
  try {
    const answer = await fetch(address, { headers: { Accept: 'text/html' } });
    const text = await answer.text();
    if (number !== asked) return;
    if (!(answer.headers.get('content-type') ?? '').includes('text/html')) throw new Error('no page');
    replace(text, answer.url + new URL(address, location.href).hash, how);
  } catch {
    if (number === asked) location.assign(address); // the browser shows what is wrong
  } finally {
    if (number === asked) busy(false);
  }
}

/** Put the text of a page in place of this one. */
export function replace(text, address, { push = true, parts = false, scroll = 0 } = {}) {
  const next = new DOMParser().parseFromString(text, 'text/html');
  const fresh = next.getElementById('main');
  if (push && address !== location.href) {
    history.replaceState({ ...history.state, scroll: window.scrollY }, '');
    history.pushState({}, '', address);
  }
  current = new URL(address).pathname + new URL(address).search;
  document.title = next.title;
  if (!document.activeElement?.closest('.words')) {
    document.getElementById('q').value = next.getElementById('q')?.value ?? '';
  }
  const focused = nameOf(document.activeElement);
  const unfolded = new Map([...document.querySelectorAll('main details[id]')].map((each) => [each.id, each.open]));
  const same = main().dataset.page === fresh.dataset.page;
  const inParts = parts && same && swapParts(main(), fresh);
  if (!inParts) main().replaceWith(document.adoptNode(fresh));
  main().dataset.said = fresh.dataset.said;
  if (same) {
    for (const [id, open] of unfolded) {
      const details = document.getElementById(id);
      if (details) details.open = open;
    }
    find(focused)?.focus({ preventScroll: true });
  } else {
    main().focus({ preventScroll: true });
  }
  if (scroll !== null) window.scrollTo(0, scroll);
  say(main().dataset.said);
  document.dispatchEvent(new CustomEvent('sartor:page'));
}

/** Have links within the pages shown without a reload. */
export function followLinks() {
  history.scrollRestoration = 'manual';
  const start = history.state?.scroll;
  if (start) requestAnimationFrame(() => window.scrollTo(0, start));
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href]');
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const there = new URL(link.href);
    if (there.origin !== location.origin || link.target || link.hasAttribute('data-append')) return;
    if (there.hash && there.pathname === location.pathname && there.search === location.search) return;
    if (!there.pathname.startsWith(`${root}/`) || !/^\/(results|favorites|product\/.*)?$/.test(there.pathname.slice(root.length))) return;
    event.preventDefault();
    const stays = there.pathname === location.pathname && there.pathname !== `${root}/product`;
    show(there.href, { parts: stays, scroll: stays ? null : 0 }).then(() => {
      if (there.hash) document.getElementById(there.hash.slice(1))?.scrollIntoView();
    });
  });
  document.querySelector('.words').addEventListener('submit', (event) => {
    event.preventDefault();
    const words = new FormData(event.target).get('q').trim();
    show(words ? `${root}/?q=${encodeURIComponent(words)}` : `${root}/`);
  });
  window.addEventListener('popstate', (event) => {
    if (location.pathname + location.search === current) return; // only another place on this page
    show(location.href, { push: false, scroll: event.state?.scroll ?? 0 });
  });
  window.addEventListener('pagehide', () => history.replaceState({ ...history.state, scroll: window.scrollY }, ''));
}

/** Replace the marked parts of a page by those of another; not possible where they have different ones. */
function swapParts(old, fresh) {
  const names = (root) => [...root.querySelectorAll('[data-part]')].map((each) => each.dataset.part).join();
  if (names(old) !== names(fresh)) return false;
  for (const part of fresh.querySelectorAll('[data-part]')) {
    old.querySelector(`[data-part="${part.dataset.part}"]`).replaceWith(document.adoptNode(part));
  }
  syncFields(old.querySelector('#refine'), fresh.querySelector('#refine'));
  const [still, moved] = [old.querySelector('#crop'), fresh.querySelector('#crop')];
  if (still && moved && still.querySelector('img').src !== moved.querySelector('img').src) {
    still.replaceWith(document.adoptNode(moved));
  }
  return true;
}

/** Give the fields that stay, other than the one in use, what the new page says. */
function syncFields(old, fresh) {
  if (!old || !fresh) return;
  const hidden = (form) => [...form.children].filter((each) => each.type === 'hidden');
  for (const each of hidden(old)) each.remove();
  old.prepend(...hidden(fresh).map((each) => document.adoptNode(each)));
  const sheets = [old, fresh].map((form) => form.querySelector('#sheet > summary'));
  if (sheets[0] && sheets[1]) sheets[0].replaceChildren(...sheets[1].childNodes);
  const swatches = [old, fresh].map((form) => form.querySelector('.swatches'));
  if (swatches[0] && swatches[1] && !swatches[0].contains(document.activeElement)) swatches[0].replaceWith(document.adoptNode(swatches[1]));
  for (const field of fresh.querySelectorAll('input[type=range], select')) {
    const mine = old.elements[field.name];
    if (!mine || mine === document.activeElement) continue;
    mine.value = field.value;
    if (field.dataset.untouched !== undefined) mine.dataset.untouched = field.dataset.untouched;
  }
}

function nameOf(element) {
  if (!element || !main().contains(element)) return null;
  return { id: element.id, name: element.name, value: element.type === 'checkbox' || element.type === 'radio' ? element.value : null, href: element.getAttribute('href'), label: element.getAttribute('aria-label') };
}

function find(was) {
  if (!was) return null;
  if (was.id) return document.getElementById(was.id);
  return [...main().querySelectorAll('a, button, input, select, summary')].find(
    (each) => (was.name && each.name === was.name && (was.value === null || each.value === was.value)) || (was.href && each.getAttribute('href') === was.href),
  );
}
