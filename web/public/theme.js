// Before first paint, so that a chosen theme does not flash the other one. A file of its own: the
// Content-Security-Policy allows no inline scripts.
try {
  const theme = localStorage.getItem('tiffin.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; then the system's theme it is.
}
