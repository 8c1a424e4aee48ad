// Photos that are dropped, pasted or picked go up at once, made smaller where that saves time.
import { onPage, replace, say } from './pages.js';

const MOST = 8;
const SIDE_PX = 1600; // the engine looks at far fewer
const SMALL_BYTES = 1_500_000;

/** Have every upload form take them; what is dropped or pasted anywhere goes to the first. */
export function takePhotos() {
  onPage(() => {
    for (const form of document.querySelectorAll('form[data-upload]:not([data-watched])')) watch(form);
  });
  const first = () => document.querySelector('form[data-upload]');
  document.addEventListener('paste', (event) => {
    const photos = photosIn(event.clipboardData);
    if (photos.length && first()) send(first(), photos);
  });
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files') || !first()) return;
    event.preventDefault();
    (event.target.closest?.('form[data-upload]') ?? first()).classList.add('over');
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) unmark();
  });
  document.addEventListener('drop', (event) => {
    if (!event.dataTransfer?.types.includes('Files') || !first()) return;
    event.preventDefault();
    unmark();
    const form = event.target.closest?.('form[data-upload]') ?? first();
    const photos = photosIn(event.dataTransfer);
    if (photos.length) send(form, photos);
    else fail(form, 'That is no photo. Drop a JPEG, PNG or WebP file.');
  });
}

function unmark() {
  for (const form of document.querySelectorAll('form.over')) form.classList.remove('over');
}

function photosIn(transfer) {
  return [...(transfer?.files ?? [])].filter((file) => file.type.startsWith('image/'));
}

function watch(form) {
  form.dataset.watched = 'yes';
  for (const input of form.querySelectorAll('input[type=file]')) {
    input.addEventListener('change', () => {
      if (input.files.length) send(form, [...input.files]);
      input.value = '';
    });
  }
  form.addEventListener('submit', (event) => event.preventDefault());
}

async function send(form, photos) {
  if (form.getAttribute('aria-busy') === 'true') return;
  if (photos.length + form.querySelectorAll('[name=kept]').length > MOST) {
    fail(form, `At most ${MOST} photos at once.`);
    return;
  }
  start(form, photos);
  const body = new FormData();
  for (const kept of form.querySelectorAll('[name=kept]')) body.append('kept', kept.value);
  for (const photo of photos) body.append('photo', await smaller(photo), photo.name || 'photo');
  const request = new XMLHttpRequest();
  request.open('POST', form.action);
  request.setRequestHeader('Accept', 'text/html');
  request.upload.addEventListener('progress', (event) => {
    if (event.lengthComputable) tell(form, (100 * event.loaded) / event.total, 'Uploading…');
  });
  request.upload.addEventListener('load', () => tell(form, null, 'Looking closely…'));
  request.addEventListener('load', () => {
    stop(form);
    if (request.status < 400) replace(request.responseText, request.responseURL);
    else fail(form, detailOf(request.responseText));
  });
  request.addEventListener('error', () => {
    stop(form);
    fail(form, 'The upload did not get through. Check the connection and the size of the photo, and try again.');
  });
  request.send(body);
}

function detailOf(text) {
  const page = new DOMParser().parseFromString(text, 'text/html');
  return page.getElementById('problem-detail')?.textContent.trim() ?? 'That did not work. Try again in a moment.';
}

/** A large photo, reduced and upright; as it is where this browser cannot read it. */
async function smaller(photo) {
  if (photo.size <= SMALL_BYTES) return photo;
  try {
    const bitmap = await createImageBitmap(photo, { imageOrientation: 'from-image' });
    const scale = Math.min(1, SIDE_PX / Math.max(bitmap.width, bitmap.height));
    const canvas = Object.assign(document.createElement('canvas'), { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
    const context = canvas.getContext('2d');
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return (await new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.9))) ?? photo;
  } catch {
    return photo;
  }
}

function start(form, photos) {
  form.setAttribute('aria-busy', 'true');
  form.querySelector('.upload-error').hidden = true;
  const previews = form.querySelector('.upload-previews');
  previews.replaceChildren(...photos.map((photo) => Object.assign(new Image(), { src: URL.createObjectURL(photo), alt: photo.name })));
  previews.hidden = false;
  form.querySelector('.upload-buttons').hidden = true;
  tell(form, 0, 'Uploading…');
  say('Uploading');
}

function tell(form, percent, text) {
  const state = form.querySelector('.upload-state');
  state.hidden = false;
  const progress = state.querySelector('progress');
  if (percent === null) progress.removeAttribute('value');
  else progress.value = percent;
  state.querySelector('span').textContent = text;
}

function stop(form) {
  form.setAttribute('aria-busy', 'false');
  for (const image of form.querySelectorAll('.upload-previews img')) URL.revokeObjectURL(image.src);
  form.querySelector('.upload-previews').hidden = true;
  form.querySelector('.upload-state').hidden = true;
  form.querySelector('.upload-buttons').hidden = false;
}

function fail(form, text) {
  const error = form.querySelector('.upload-error');
  error.textContent = text;
  error.hidden = false;
}
