'use strict';

// Filters the list of routes while typing. Without this script the field stays hidden.
const filter = document.getElementById('filter');
filter.hidden = false;
filter.addEventListener('input', () => {
  const words = filter.value.toLowerCase().split(/\s+/);
  for (const link of document.querySelectorAll('nav a[data-route]')) {
    const text = link.dataset.route.toLowerCase();
    link.parentElement.hidden = !words.every((word) => text.includes(word));
  }
});

// "/" jumps to the filter, as people are used to.
document.addEventListener('keydown', (event) => {
  if (event.key === '/' && document.activeElement !== filter) {
    event.preventDefault();
    filter.focus();
  }
});

// Puts a copy button above each command.
for (const command of document.querySelectorAll('pre.curl')) {
  const button = document.createElement('button');
  button.className = 'copy';
  button.type = 'button';
  button.textContent = 'Copy';
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(command.textContent);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
  command.before(button);
}
