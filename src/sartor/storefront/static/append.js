// "Show more" hangs the next products below those that are there.
import { busy, root, say } from './pages.js';

/** Have it do so wherever it is. */
export function showMore() {
  document.addEventListener('click', async (event) => {
    const link = event.target.closest?.('a[data-append]');
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    if (link.getAttribute('aria-disabled') === 'true') return;
    link.setAttribute('aria-disabled', 'true');
    const address = link.href;
    busy(true);
    try {
      const answer = await fetch(address, { headers: { Accept: 'text/html' } });
      if (!answer.ok) throw new Error(String(answer.status));
      append(new DOMParser().parseFromString(await answer.text(), 'text/html'), link);
      if (location.pathname === `${root}/results`) history.replaceState(history.state, '', address);
    } catch {
      location.assign(address);
    } finally {
      busy(false);
    }
  });
}

function append(page, link) {
  const grid = document.getElementById('grid');
  const there = new Set([...grid.children].map((card) => card.dataset.product));
  const fresh = [...page.querySelectorAll('#grid > li')].filter((card) => !there.has(card.dataset.product));
  grid.append(...fresh.map((card) => document.adoptNode(card)));
  const more = page.querySelector('a[data-append]');
  const total = page.querySelector('.found-head .total');
  if (total) document.querySelector('.found-head .total')?.replaceChildren(...total.childNodes);
  if (more) {
    link.href = more.getAttribute('href');
    link.removeAttribute('aria-disabled');
  } else {
    link.closest('.more').remove();
  }
  fresh[0]?.querySelector('.card-title a')?.focus({ preventScroll: true });
  say(`${fresh.length} more products`);
}
