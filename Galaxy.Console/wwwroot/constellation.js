// The cluster as a picture: coordinators in the middle, services around them, devices outside in as many rings as they need. Drawn on a canvas, because a
// thousand devices are as cheap there as three.
const Colours = ['leader', 'node', 'service', 'device', 'gone', 'near', 'far', 'slow', 'cut', 'unknown', 'ink', 'dim'];

// One call for each picture: the first makes the sky, which ends itself when its canvas has left the page.
// Without a canvas: the person has gone to another page meanwhile.
globalThis.galaxySky = (canvas, picture) => { if (canvas) (canvas.sky ??= new Sky(canvas)).show(JSON.parse(picture)); };

const fontOf = star => `${star.kind === 'leader' ? '600 ' : ''}11px system-ui, sans-serif`;

class Sky {
  constructor(canvas) {
    this.canvas = canvas;
    this.stars = [];
    this.links = [];
    this.colours = {};
    this.frames = 0;
    this.still = matchMedia('(prefers-reduced-motion: reduce)');
    this.resize = new ResizeObserver(() => this.fit());
    this.resize.observe(canvas.parentElement);
    canvas.addEventListener('pointermove', e => this.hover(e));
    canvas.addEventListener('pointerleave', () => this.point(null));
    canvas.addEventListener('click', () => { if (this.over) location.assign(this.over.href); });
    this.theme = new MutationObserver(() => this.readColours());
    this.theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    this.scheme = matchMedia('(prefers-color-scheme: dark)');
    this.scheme.addEventListener('change', this.recolour = () => this.readColours());
    this.readColours();
    this.fit();
    this.turn = requestAnimationFrame(time => this.frame(time));
  }

  readColours() {
    const probe = document.createElement('span');
    this.canvas.parentElement.append(probe);
    for (const name of Colours) {
      probe.style.color = `var(--sky-${name})`;
      this.colours[name] = getComputedStyle(probe).color;
    }
    probe.style.color = 'var(--card)';
    this.card = getComputedStyle(probe).color;
    probe.remove();
    if (this.scale)
      this.draw(performance.now());
  }

  fit() {
    const width = this.canvas.parentElement.clientWidth;
    this.width = width;
    this.height = Math.max(260, Math.min(width * 0.8, 520));
    const scale = Math.min(devicePixelRatio || 1, 2);
    this.canvas.width = width * scale;
    this.canvas.height = this.height * scale;
    this.canvas.style.height = `${this.height}px`;
    this.scale = scale;
    this.place();
    // A new size wipes the canvas, and the next frame may never come: for who wants no motion, or on a tab behind others.
    this.draw(performance.now());
  }

  show({ stars, links }) {
    const began = performance.now();
    this.stars = stars.map(([id, kind, up, load]) => ({
      id, kind, up, load,
      href: kind === 'device' ? `/ui/devices/${encodeURIComponent(id)}` : '/ui/nodes',
    }));
    this.byId = new Map(this.stars.map(star => [star.id, star]));
    this.links = links.map(([from, to, way]) => ({ from: this.byId.get(from), to: this.byId.get(to), way })).filter(link => link.from && link.to);
    this.place();
    this.draw(began);
    this.shownMs = performance.now() - began;
  }

  place() {
    const of = kinds => this.stars.filter(star => kinds.includes(star.kind));
    const half = Math.min(this.width / 2 - 30, this.height / 2 * 1.15) - 14;
    // On a narrow screen the inner rings take more of it: coordinators must not stand on each other's names.
    this.ring(of(['leader', 'node']), Math.max(half * 0.34, Math.min(half * 0.45, 52)), 11, -90);
    this.ring(of(['service']), Math.max(half * 0.64, Math.min(half * 0.78, 90)), 6, -70);
    const devices = of(['device']);
    // As many rings as devices need; the more there are, the smaller they get.
    const rings = Math.max(1, Math.min(6, Math.ceil(devices.length / 60)));
    const size = devices.length > 200 ? 2.5 : devices.length > 60 ? 3.5 : 5;
    const each = Math.ceil(devices.length / rings);
    for (let i = 0; i < rings; i++)
      this.ring(devices.slice(i * each, (i + 1) * each), half * (rings === 1 ? 0.98 : 0.8 + 0.24 * (i + 1) / rings), size, -45 + i * 4);
    this.leader = this.stars.find(star => star.kind === 'leader');
    this.named = devices.length <= 24;
    this.placeNames();
  }

  // Below a star, or above it, where neither another star nor a name is; nowhere, if there is no room: the pointer tells it. Coordinators are always named.
  placeNames() {
    const pen = this.canvas.getContext('2d');
    const taken = this.stars.map(star => ({ star, left: star.x - star.r - 2, right: star.x + star.r + 2, top: star.y - star.r - 2, bottom: star.y + star.r + 2 }));
    const rank = star => ['leader', 'node', 'service', 'device'].indexOf(star.kind);
    for (const star of [...this.stars].sort((one, other) => rank(one) - rank(other))) {
      star.name = null;
      if (star.kind === 'device' && !this.named)
        continue;
      pen.font = fontOf(star);
      const text = star.id.length > 22 ? star.id.slice(0, 21) + '…' : star.id;
      const half = pen.measureText(text).width / 2;
      const x = Math.min(Math.max(star.x, half + 2), this.width - half - 2);
      const places = [star.y + star.r + 13, star.y - star.r - 6].map(y => ({ star, text, x, y, left: x - half, right: x + half, top: y - 9, bottom: y + 3 }));
      const free = places.find(place => !taken.some(other => other.star !== star
        && place.left < other.right && place.right > other.left && place.top < other.bottom && place.bottom > other.top));
      star.name = free ?? (rank(star) < 2 ? places[0] : null);
      if (star.name)
        taken.push(star.name);
    }
  }

  ring(stars, radius, size, from) {
    stars.forEach((star, i) => {
      const angle = (from + 360 * i / stars.length) * Math.PI / 180;
      star.x = this.width / 2 + radius * Math.cos(angle);
      star.y = this.height / 2 + radius * Math.sin(angle) * 0.82 - 4;
      star.r = size;
    });
  }

  frame(time) {
    if (!this.canvas.isConnected) {
      this.stop();
      return;
    }
    if (!this.still.matches)
      this.draw(time);
    this.frames++;
    this.turn = requestAnimationFrame(next => this.frame(next));
  }

  draw(time) {
    const pen = this.canvas.getContext('2d');
    pen.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    this.drawWays(pen);
    if (!this.still.matches)
      this.drawPulses(pen, time);
    for (const star of this.stars)
      this.drawStar(pen, star, time);
    for (const star of this.stars)
      this.drawName(pen, star);
    if (this.over)
      this.drawTip(pen, this.over);
  }

  drawWays(pen) {
    pen.lineWidth = 1;
    if (this.leader) {
      pen.strokeStyle = this.colours.unknown;
      pen.globalAlpha = this.stars.length > 100 ? 0.25 : 0.5;
      pen.beginPath();
      for (const star of this.stars) {
        if (star.up && (star.kind === 'service' || star.kind === 'device')) {
          pen.moveTo(this.leader.x, this.leader.y);
          pen.lineTo(star.x, star.y);
        }
      }
      pen.stroke();
      pen.globalAlpha = 1;
    }
    for (const link of this.links) {
      pen.strokeStyle = this.colours[link.way];
      pen.lineWidth = 2;
      pen.setLineDash(link.way === 'cut' ? [3, 4] : []);
      pen.beginPath();
      pen.moveTo(link.from.x, link.from.y);
      pen.lineTo(link.to.x, link.to.y);
      pen.stroke();
    }
    pen.setLineDash([]);
  }

  // What the leader says travels to the other coordinators.
  drawPulses(pen, time) {
    for (const link of this.links) {
      if (link.way === 'cut' || (link.from !== this.leader && link.to !== this.leader))
        continue;
      const [from, to] = link.from === this.leader ? [link.from, link.to] : [link.to, link.from];
      const share = (time / 1600) % 1;
      pen.fillStyle = this.colours[link.way];
      pen.beginPath();
      pen.arc(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share, 2.5, 0, 2 * Math.PI);
      pen.fill();
    }
  }

  drawStar(pen, star, time) {
    pen.beginPath();
    pen.arc(star.x, star.y, star.r, 0, 2 * Math.PI);
    if (star.up) {
      pen.fillStyle = this.colours[star.kind];
      pen.fill();
      if (star.kind === 'leader') {
        pen.strokeStyle = this.colours.leader;
        pen.globalAlpha = 0.5;
        pen.beginPath();
        pen.arc(star.x, star.y, star.r + 4 + (this.still.matches ? 0 : Math.sin(time / 500)), 0, 2 * Math.PI);
        pen.stroke();
        pen.globalAlpha = 1;
      } else if (star.load > 0) {
        // A ring around the busy, as long as their load.
        pen.strokeStyle = this.colours.ink;
        pen.lineWidth = 1.5;
        pen.beginPath();
        pen.arc(star.x, star.y, star.r + 2, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.min(1, star.load));
        pen.stroke();
      }
    } else {
      pen.strokeStyle = this.colours.gone;
      pen.setLineDash([2, 2]);
      pen.stroke();
      pen.setLineDash([]);
    }
  }

  drawName(pen, star) {
    if (!star.name)
      return;
    pen.fillStyle = star.kind === 'leader' ? this.colours.ink : this.colours.dim;
    pen.font = fontOf(star);
    pen.textAlign = 'center';
    pen.lineJoin = 'round';
    pen.lineWidth = 3;
    pen.strokeStyle = this.card;
    pen.strokeText(star.name.text, star.name.x, star.name.y);
    pen.fillText(star.name.text, star.name.x, star.name.y);
  }

  drawTip(pen, star) {
    const text = star.id;
    pen.font = '600 12px system-ui, sans-serif';
    const width = pen.measureText(text).width + 14;
    const x = Math.min(Math.max(star.x, width / 2 + 2), this.width - width / 2 - 2);
    const y = Math.max(star.y - star.r - 16, 12);
    pen.fillStyle = this.colours.ink;
    pen.beginPath();
    pen.roundRect(x - width / 2, y - 11, width, 20, 5);
    pen.fill();
    pen.fillStyle = this.card;
    pen.textAlign = 'center';
    pen.fillText(text, x, y + 3);
  }

  hover(e) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [e.clientX - box.left, e.clientY - box.top];
    let best = null, least = 14;
    for (const star of this.stars) {
      const away = Math.hypot(star.x - x, star.y - y) - star.r;
      if (away < least)
        [best, least] = [star, away];
    }
    this.point(best);
  }

  point(star) {
    if (this.over === star)
      return;
    this.over = star;
    if (this.still.matches)
      this.draw(performance.now());
    this.canvas.style.cursor = star ? 'pointer' : 'default';
  }

  stop() {
    this.resize.disconnect();
    this.theme.disconnect();
    this.scheme.removeEventListener('change', this.recolour);
  }
}
