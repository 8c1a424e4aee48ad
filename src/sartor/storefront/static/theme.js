// Runs before the first paint: the theme that was chosen, and that scripts run at all.
(() => {
  const root = document.documentElement;
  root.classList.add('js');
  try {
    const chosen = localStorage.getItem('sartor-theme');
    if (chosen === 'dark' || chosen === 'light') root.dataset.theme = chosen;
  } catch {
    // no storage: the system's theme it is
  }
})();
