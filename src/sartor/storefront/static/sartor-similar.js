/**
 * <sartor-similar>: products that look like one product, on any page.
 *
 *   <script type="module" src="https://sartor.example/sartor-similar.js"></script>
 *   <sartor-similar product="15970" api="https://sartor.example" href="https://shop.example/p/{id}"></sartor-similar>
 *
 * The service has to allow the page's origin: sartor serve --cors https://shop.example
 *
 * Attributes
 *   product   id of the product
 *   api       address of the service; where it is left out, that which this module came from
 *   k         how many products, 6 by default
 *   href      address of a product's page, with {id} in place of its id; without it, the page of the service
 *   layout    "row" (scrolls sideways, the default) or "grid"
 *   heading   text above, "You may also like" by default; empty for none
 *   currency  sign before a price that has none of its own
 *
 * Events
 *   sartor-click   before a product is followed: detail { productId, position, recommendationId }; bubbles, and can be
 *                  prevented
 *   sartor-load    products are shown: detail { count, recommendationId }
 *   sartor-error   nothing could be loaded: detail { message }
 *
 * Styles: CSS variables, set on the element or above it
 *   --sartor-font, --sartor-heading-font, --sartor-heading-size
 *   --sartor-ink, --sartor-soft, --sartor-accent      text, quieter text, focus
 *   --sartor-tile, --sartor-radius, --sartor-ratio    photo: background, corners, width / height
 *   --sartor-gap, --sartor-card                       space between cards, least width of a card
 * and ::part(heading), ::part(card), ::part(photo), ::part(likeness), ::part(title), ::part(price), ::part(note),
 * ::part(state)
 */

const SERVICE = new URL('.', import.meta.url).href; // with the prefix that a proxy may have it below
const STYLE = `
:host { display: block; color: var(--sartor-ink, inherit); font: var(--sartor-font, inherit); }
:host([hidden]) { display: none; }
h2 { margin: 0 0 .75em; font: var(--sartor-heading-font, inherit); font-size: var(--sartor-heading-size, 1.375em); line-height: 1.2; }
ul { display: grid; gap: var(--sartor-gap, 1rem); margin: -4px; padding: 4px; list-style: none; }
.row { grid-auto-flow: column; grid-auto-columns: minmax(var(--sartor-card, 10rem), 1fr); overflow-x: auto; scroll-snap-type: x proximity; scrollbar-width: thin; }
.grid { grid-template-columns: repeat(auto-fill, minmax(min(var(--sartor-card, 10rem), 45%), 1fr)); }
li { min-width: 0; scroll-snap-align: start; }
a { display: block; color: inherit; text-decoration: none; border-radius: var(--sartor-radius, 10px); }
a:focus-visible { outline: 2px solid var(--sartor-accent, currentColor); outline-offset: 2px; }
.photo { position: relative; display: block; aspect-ratio: var(--sartor-ratio, 4 / 5); overflow: hidden; border-radius: var(--sartor-radius, 10px); background: var(--sartor-tile, #f4f3f0); }
img { display: block; width: 100%; height: 100%; object-fit: contain; mix-blend-mode: multiply; }
.title { display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; margin-top: .6em; font-size: .9375em; line-height: 1.35; }
a:hover .title { text-decoration: underline; }
.likeness { position: absolute; left: 8px; top: 8px; padding: .2em .65em; border-radius: 999px; background: #fff; color: #15171b; font-size: .8125em; line-height: 1.35; }
.price { display: block; color: var(--sartor-soft, inherit); font-size: .9375em; }
.note { margin: 0 0 .75em; color: var(--sartor-soft, inherit); }
.state { margin: 0; color: var(--sartor-soft, inherit); }
button { min-height: 44px; margin-left: .75em; padding: 0 1em; font: inherit; color: inherit; background: none; border: 1px solid currentColor; border-radius: 999px; cursor: pointer; }
.bone .photo { animation: breathe 1.4s ease-in-out infinite alternate; }
@keyframes breathe { to { opacity: .5; } }
@media (prefers-reduced-motion: reduce) { .bone .photo { animation: none; } }
`;

/** An element of a name, with attributes and children; texts are texts, never markup. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

class SartorSimilar extends HTMLElement {
  static observedAttributes = ['product', 'k', 'api', 'href', 'layout', 'heading', 'currency'];

  #root = this.attachShadow({ mode: 'open' });
  #asked = null;
  #planned = false;

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    this.#root.adoptedStyleSheets = [sheet];
    this.#root.addEventListener('click', (event) => this.#click(event));
  }

  connectedCallback() {
    this.#plan();
  }

  disconnectedCallback() {
    this.#asked?.abort();
  }

  attributeChangedCallback(_name, before, now) {
    if (before !== now && this.isConnected) this.#plan();
  }

  get #api() {
    return (this.getAttribute('api') || SERVICE).replace(/\/+$/, '');
  }

  get #k() {
    const text = this.getAttribute('k') ?? '6';
    const k = Number(text);
    const taken = k >= 1 ? Math.min(Math.floor(k), 48) : 6;
    if (taken !== k) console.warn(`sartor-similar: k is a whole number from 1 to 48, not "${text}"; it is ${taken} here`);
    return taken;
  }

  /** Several attributes that are set at once lead to one request. */
  #plan() {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      if (this.isConnected) this.#load();
    });
  }

  async #load() {
    this.#asked?.abort();
    const product = this.getAttribute('product');
    if (!product) {
      this.#show();
      return;
    }
    const asked = (this.#asked = new AbortController());
    this.#bones();
    try {
      const path = product.split('/').map(encodeURIComponent).join('/');
      const answer = await fetch(`${this.#api}/v1/products/${path}/similar?k=${this.#k}`, { signal: asked.signal });
      const found = await answer.json();
      if (!answer.ok) throw new Error(found.detail ?? answer.statusText);
      this.#products(found);
    } catch (error) {
      if (!asked.signal.aborted) this.#failed(error);
    }
  }

  #show(...children) {
    const text = this.getAttribute('heading') ?? 'You may also like';
    const heading = text && children.length ? [make('h2', { part: 'heading' }, text)] : [];
    this.#root.replaceChildren(...heading, ...children);
  }

  #list(items) {
    return make('ul', { class: this.getAttribute('layout') === 'grid' ? 'grid' : 'row' }, ...items);
  }

  #bones() {
    const bone = () => make('li', { class: 'bone', 'aria-hidden': 'true' }, make('span', { class: 'photo' }));
    this.setAttribute('aria-busy', 'true');
    this.#show(this.#list(Array.from({ length: this.#k }, bone)), make('p', { class: 'state', part: 'state', role: 'status' }, 'Loading…'));
  }

  #products({ hits, good, recommendation_id: recommendationId }) {
    this.removeAttribute('aria-busy');
    const note = good !== false ? [] : [make('p', { class: 'note', part: 'note' }, 'Nothing here is really close. These come nearest.')];
    if (hits.length) this.#show(...note, this.#list(hits.map((hit) => this.#card(hit, recommendationId))));
    else this.#show(make('p', { class: 'state', part: 'state', role: 'status' }, 'There is nothing like it yet.'));
    this.#tell('sartor-load', { count: hits.length, recommendationId });
  }

  #failed(error) {
    this.removeAttribute('aria-busy');
    const again = make('button', { type: 'button' }, 'Try again');
    again.addEventListener('click', () => this.#load());
    this.#show(make('p', { class: 'state', part: 'state', role: 'alert' }, 'Similar products could not be loaded.', again));
    this.#tell('sartor-error', { message: error.message });
  }

  #card(hit, recommendationId) {
    const { sha256, url, width_px: width, height_px: height } = hit.photo;
    const at = (px) => `${this.#api}${url}?size=${px}`;
    const title = hit.title || hit.product_id;
    const image = make('img', { src: at(320), srcset: `${at(160)} 160w, ${at(320)} 320w, ${at(640)} 640w`, sizes: '12rem', width, height, alt: '', loading: 'lazy', decoding: 'async', 'data-photo': sha256 });
    const likeness = hit.likeness === 'very close' ? [make('span', { class: 'likeness', part: 'likeness' }, 'Very close')] : [];
    const parts = [make('span', { class: 'photo', part: 'photo' }, image, ...likeness), make('span', { class: 'title', part: 'title' }, title)];
    const price = this.#price(hit.attributes);
    if (price) parts.push(make('span', { class: 'price', part: 'price' }, price));
    const link = make('a', { href: this.#address(hit.product_id), part: 'card' }, ...parts);
    link.dataset.product = hit.product_id;
    link.dataset.position = hit.position;
    link.dataset.recommendation = recommendationId;
    return make('li', {}, link);
  }

  #address(id) {
    const template = this.getAttribute('href');
    const address = template ? template.replaceAll('{id}', encodeURIComponent(id)) : `${this.#api}/product/${encodeURIComponent(id)}`;
    return /^\s*(javascript|data|vbscript):/i.test(address) ? '#' : address;
  }

  #price(attributes) {
    const text = String(attributes.sale_price ?? attributes.price ?? '');
    const [, amount, currency] = /^(\d+(?:\.\d+)?) ?([A-Z]{3})$/.exec(text) ?? [];
    if (currency) {
      try {
        return new Intl.NumberFormat(document.documentElement.lang || undefined, { style: 'currency', currency }).format(amount);
      } catch {
        return text;
      }
    }
    return /^\d+(\.\d+)?$/.test(text) ? `${this.getAttribute('currency') ?? ''}${text}` : text;
  }

  #click(event) {
    const link = event.target.closest?.('a');
    if (!link) return;
    const { product: productId, position, recommendation: recommendationId } = link.dataset;
    if (!this.#tell('sartor-click', { productId, position: Number(position), recommendationId })) event.preventDefault();
  }

  #tell(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: name === 'sartor-click' }));
  }
}

if (!customElements.get('sartor-similar')) customElements.define('sartor-similar', SartorSimilar);
