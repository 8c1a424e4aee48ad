// A box on the photo: drawn, moved and pulled with a pointer, or moved and resized with the arrow keys.
import { onPage } from './pages.js';
import { refine } from './refine.js';

const LEAST = 0.05; // of a side
const STEP = 0.02;
const NAMES = ['x', 'y', 'w', 'h'];
const WAIT_MS = 350;

/** Put a box on the photo of the page. */
export function cropPhoto() {
  onPage(() => {
    const figure = document.querySelector('[data-crop]:not([data-watched])');
    if (figure) new Crop(figure);
    document.querySelector('[data-crop]')?.dispatchEvent(new Event('sartor:read'));
  });
}

class Crop {
  constructor(figure) {
    figure.dataset.watched = 'yes';
    this.figure = figure;
    this.area = figure.querySelector('.crop-area');
    this.fields = NAMES.map((name) => figure.querySelector(`[name=${name}]`));
    this.box = document.createElement('div');
    this.box.className = 'crop-box';
    this.box.tabIndex = 0;
    this.box.setAttribute('role', 'group');
    this.box.setAttribute('aria-roledescription', 'region');
    for (const corner of ['nw', 'ne', 'sw', 'se']) {
      const handle = document.createElement('span');
      handle.className = `crop-handle ${corner}`;
      handle.dataset.corner = corner;
      this.box.append(handle);
    }
    this.area.append(this.box);
    this.read();
    figure.addEventListener('sartor:read', () => [this.area, ...this.fields].some((part) => part.contains(document.activeElement)) || this.read());
    this.area.addEventListener('pointerdown', (event) => this.press(event));
    this.box.addEventListener('keydown', (event) => this.key(event));
    for (const field of this.fields) field.addEventListener('input', () => this.typed());
  }

  /** Take the region from the address, which is always right; without one, show where the product is. */
  read() {
    const shares = (text) => text?.split(',').map(Number);
    const isRegion = (numbers) => numbers?.length === 4 && numbers.every(Number.isFinite);
    const asked = shares(new URLSearchParams(location.search).get('box'));
    const suggested = shares(this.figure.dataset.suggested);
    this.set(isRegion(asked) ? asked : [0, 0, 1, 1]);
    if (!isRegion(asked) && isRegion(suggested)) this.suggest(suggested);
  }

  /** Draw a region that is not searched yet: a press on it, or Enter, searches it. */
  suggest(region) {
    this.set(region);
    this.fields.forEach((field) => (field.value = ''));
    this.box.classList.add('suggested');
    this.box.setAttribute('aria-label', `${this.box.getAttribute('aria-label')} Enter searches this region alone.`);
  }

  get isWhole() {
    return this.region[2] > 0.995 && this.region[3] > 0.995;
  }

  set([x, y, w, h]) {
    w = Math.min(1, Math.max(LEAST, w));
    h = Math.min(1, Math.max(LEAST, h));
    this.region = [Math.min(1 - w, Math.max(0, x)), Math.min(1 - h, Math.max(0, y)), w, h];
    const percent = this.region.map((share) => `${Math.round(1000 * share) / 10}`);
    ['left', 'top', 'width', 'height'].forEach((side, place) => (this.box.style[side] = `${percent[place]}%`));
    this.box.classList.remove('suggested');
    this.box.classList.toggle('whole', this.isWhole);
    this.fields.forEach((field, place) => (field.value = this.isWhole ? '' : percent[place]));
    this.box.setAttribute(
      'aria-label',
      `Region to search: ${this.isWhole ? 'the whole photo' : `${percent[2]} by ${percent[3]} percent, from ${percent[0]}, ${percent[1]}`}. Arrow keys move it, with Shift they resize it, Escape takes the whole photo.`,
    );
  }

  /** Search the region that is drawn. */
  take() {
    this.set(this.region);
    this.search();
  }

  search(delay = 0) {
    const form = document.getElementById('refine');
    if (form) refine(form, { delay });
  }

  press(event) {
    if (event.button) return;
    event.preventDefault();
    const rect = this.area.getBoundingClientRect();
    const at = (e) => [(e.clientX - rect.left) / rect.width, (e.clientY - rect.top) / rect.height].map((share) => Math.min(1, Math.max(0, share)));
    const start = at(event);
    const before = this.region;
    const isSuggested = this.box.classList.contains('suggested');
    const corner = event.target.dataset.corner;
    const moves = !corner && event.target === this.box && !this.isWhole && !isSuggested;
    const fixed = corner ? [before[0] + (corner.includes('w') ? before[2] : 0), before[1] + (corner.includes('n') ? before[3] : 0)] : start;
    let moved = false;
    const move = (e) => {
      const now = at(e);
      moved ||= Math.hypot(...now.map((share, side) => share - start[side])) > 0.02;
      if (!moved) return;
      if (moves) this.set([before[0] + now[0] - start[0], before[1] + now[1] - start[1], before[2], before[3]]);
      else this.set([Math.min(fixed[0], now[0]), Math.min(fixed[1], now[1]), Math.abs(now[0] - fixed[0]), Math.abs(now[1] - fixed[1])]);
    };
    const end = (e) => {
      for (const [name, call] of listeners) this.area.removeEventListener(name, call);
      if (e.type === 'pointercancel') isSuggested ? this.suggest(before) : this.set(before);
      else if (moved) this.search();
      else if (isSuggested && event.target === this.box) this.take();
    };
    const listeners = [['pointermove', move], ['pointerup', end], ['pointercancel', end]];
    this.area.setPointerCapture(event.pointerId);
    for (const [name, call] of listeners) this.area.addEventListener(name, call);
    this.box.focus({ preventScroll: true });
  }

  key(event) {
    const step = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (event.key === 'Enter' && this.box.classList.contains('suggested')) this.set(this.region);
    else if (event.key === 'Escape') this.set([0, 0, 1, 1]);
    else if (!step) return;
    else if (event.shiftKey) this.set([this.region[0], this.region[1], Math.min(1 - this.region[0], this.region[2] + step[0]), Math.min(1 - this.region[1], this.region[3] + step[1])]);
    else this.set([this.region[0] + step[0], this.region[1] + step[1], this.region[2], this.region[3]]);
    event.preventDefault();
    this.search(WAIT_MS);
  }

  typed() {
    if (!this.fields.every((field) => field.value !== '' && field.checkValidity())) return;
    const active = document.activeElement;
    const text = active?.value;
    this.set(this.fields.map((field) => Number(field.value) / 100));
    if (this.fields.includes(active)) active.value = text;
    this.search(WAIT_MS);
  }
}
