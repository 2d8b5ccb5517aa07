// What pages need of the browser: its time zone, the taste of who looks, dialogs.
(() => {
  const year = 365 * 24 * 3600;
  const keep = (name, value) => { document.cookie = `galaxy.${name}=${encodeURIComponent(value)}; path=/; max-age=${value ? year : 0}; samesite=lax`; };
  const read = name => document.cookie.split('; ').find(one => one.startsWith(`galaxy.${name}=`))?.split('=')[1];
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  if (decodeURIComponent(read('zone') ?? '') !== zone)
    keep('zone', zone);

  // By delegation: pages come and go.
  document.addEventListener('change', e => {
    const taste = e.target.dataset?.taste;
    if (!taste)
      return;
    // The server draws pages in the language and colours that the cookies name.
    keep(taste, e.target.value);
    location.reload();
  });

  // Who works by keyboard keeps the place: a button whose row moves, or that is disabled for a moment while pages draw themselves anew, gets its focus back.
  let kept = null;
  document.addEventListener('focusin', e => { kept = e.target; });
  document.addEventListener('pointerdown', () => { kept = null; }, true);
  const refocus = () => {
    if (kept?.isConnected && document.activeElement === document.body)
      kept.focus({ preventScroll: true });
  };
  new MutationObserver(refocus).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ['disabled'] });

  globalThis.galaxy = {
    zone: () => zone,
    open: dialog => {
      if (dialog.open)
        return;
      const asked = document.activeElement;
      dialog.addEventListener('close', () => { kept = asked; refocus(); }, { once: true });
      dialog.showModal();
    },
    close: dialog => dialog.close(),
    // To the end, once the new text is there.
    later: element => requestAnimationFrame(() => { if (element) element.scrollTop = element.scrollHeight; }),
    copy: text => navigator.clipboard?.writeText(text),
  };
})();
