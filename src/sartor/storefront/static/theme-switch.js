// Light or dark, remembered.

/** Have the button in the masthead switch it. */
export function switchTheme() {
  const button = document.getElementById('theme');
  const system = matchMedia('(prefers-color-scheme: dark)');
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : system.matches);
  const show = () => button.setAttribute('aria-pressed', String(isDark()));
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    try {
      localStorage.setItem('sartor-theme', root.dataset.theme);
    } catch {
      // no storage: it lasts as long as the page
    }
    show();
  });
  system.addEventListener('change', show);
  show();
}
