/* What the report does by itself: a filter by class, the opacity of overlays, enlarged pictures. All is there without it, too. */
(() => {
  'use strict';
  const one = selector => document.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const bar = one('#bar'), chosen = one('#class'), overlay = one('#overlay'), viewer = one('#viewer');
  const photos = all('.photo'), start = 65;

  function show() {
    document.documentElement.style.setProperty('--overlay', overlay.value / 100);
    const wanted = chosen.value;
    for (const photo of photos) photo.hidden = wanted !== '' && !photo.dataset.classes.split(' ').includes(wanted);
    for (const gallery of all('.gallery')) {
      const rows = all('.photo', gallery), more = gallery.querySelector('details');
      gallery.querySelector('.none').hidden = !rows.length || rows.some(row => !row.hidden);
      if (more) {
        const left = all('.photo', more).filter(row => !row.hidden).length;
        more.hidden = !left;
        if (wanted !== '') more.open = true;
        more.querySelector('summary').textContent = `More photos: ${left}`;
      }
    }
    const count = photos.filter(photo => !photo.hidden).length;
    one('#count').textContent = wanted === '' ? '' : `${count} of ${photos.length} photos`;
  }

  function keep() {
    const state = new URLSearchParams();
    const option = chosen.selectedOptions[0];
    if (option.dataset.name !== undefined) state.set('class', option.dataset.name);
    if (Number(overlay.value) !== start) state.set('overlay', overlay.value);
    history.replaceState(null, '', String(state) ? `#${state}` : location.pathname + location.search);
  }

  function restore() {
    // anchors of sections leave the filter as it is
    if (location.hash && !location.hash.includes('=')) return;
    const state = new URLSearchParams(location.hash.slice(1));
    const option = [...chosen.options].find(item => item.dataset.name === state.get('class'));
    chosen.value = option ? option.value : '';
    overlay.value = state.get('overlay') ?? start;
  }

  if (bar) {
    bar.hidden = false;
    restore();
    show();
    bar.addEventListener('submit', event => event.preventDefault());
    for (const control of [chosen, overlay]) {
      control.addEventListener('input', show);
      control.addEventListener('change', keep);
    }
    addEventListener('hashchange', () => { restore(); show(); });
  }

  let current = null;
  const seen = () => all('.photo .picture').filter(picture => !picture.closest('[hidden]'));
  const captionOf = picture => picture.nextElementSibling.textContent;

  function enlarge(picture) {
    current = picture;
    const photo = picture.closest('.photo'), copy = document.createElement('div'), frame = viewer.querySelector('.frame');
    copy.className = picture.className;
    copy.style.aspectRatio = picture.style.aspectRatio;
    copy.style.setProperty('--photo', photo.style.getPropertyValue('--photo'));
    const [width, height] = picture.style.aspectRatio.split('/').map(Number);
    copy.style.width = `min(92vw, 60rem, calc((100vh - 9rem) * ${width / height}))`;
    for (const image of all('img', picture)) copy.append(image.cloneNode());
    frame.replaceChildren(copy);
    viewer.querySelector('.caption').textContent = `${photo.querySelector('h3').textContent}: ${captionOf(picture)}`;
    if (!viewer.open) viewer.showModal();
  }

  function step(by) {
    const pictures = seen(), next = pictures[pictures.indexOf(current) + by];
    if (next) enlarge(next);
  }

  function stepPhoto(by) {
    const rows = photos.filter(photo => !photo.hidden);
    const next = rows[rows.indexOf(current.closest('.photo')) + by];
    if (!next) return;
    const pictures = all('.picture', next);
    enlarge(pictures.find(picture => captionOf(picture) === captionOf(current)) || pictures[0]);
  }

  for (const picture of all('.photo .picture')) picture.addEventListener('click', () => enlarge(picture));
  viewer.addEventListener('click', event => {
    const by = event.target.dataset.step;
    if (event.target === viewer || by === '0') viewer.close();
    else if (by) step(Number(by));
  });
  viewer.addEventListener('keydown', event => {
    const moves = { ArrowRight: () => step(1), ArrowLeft: () => step(-1), ArrowDown: () => stepPhoto(1), ArrowUp: () => stepPhoto(-1) };
    if (moves[event.key]) { event.preventDefault(); moves[event.key](); }
  });
  viewer.addEventListener('close', () => {
    const more = current.closest('details');
    if (more) more.open = true;
    current.scrollIntoView({ block: 'nearest' });
    current.focus();
  });
})();
