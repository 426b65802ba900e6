"use strict";
/* One picture at a time: large, with small panels of what else it shows. */
class OneView {
  constructor(work, pictures) {
    this.work = work;
    this.pictures = pictures;
    this.look = {stretch: "asinh", contrast: 1, band: -1, subtract: false, zoom: 1, invert: false};
    this.key = null;
    this.canvas = byId("large");
    this.makeTools();
    this.makePanels();
  }

  makeTools() {
    const select = byId("stretch");
    for (const [name, title] of Object.entries(LensViewer.stretches)) select.append(made("option", title, {value: name}));
    select.addEventListener("change", () => {
      this.change({stretch: select.value});
      select.blur(); // so that keys grade again
    });
    byId("contrast").addEventListener("input", (event) => this.change({contrast: Number(event.target.value)}));
    for (const [place, name] of ["colour", ...this.work.bands].entries()) {
      const button = made("button", name);
      button.addEventListener("click", () => this.change({band: place - 1}));
      byId("band-buttons").append(button);
    }
    byId("subtract").addEventListener("click", () => this.toggle("subtract"));
    byId("invert").addEventListener("click", () => this.toggle("invert"));
    byId("zoom").addEventListener("click", () => this.change({zoom: this.look.zoom === 1 ? 2 : 1}));
    this.showTools();
  }

  makePanels() {
    this.panels = [
      {title: () => "faint", look: () => ({stretch: "faint", band: -1, subtract: false})},
      {title: () => "no deflector", look: () => ({stretch: "faint", band: -1, subtract: true})},
      ...[0, -1].map((place) => ({
        title: () => this.work.bands[this.seenBands().at(place)],
        look: () => ({stretch: "asinh", band: this.seenBands().at(place), subtract: false}),
      })),
    ];
    for (const panel of this.panels) {
      panel.canvas = made("canvas", "", {width: 202, height: 202});
      panel.label = made("span", "");
      const button = made("button", "", {title: "show this large"});
      button.append(panel.canvas, panel.label);
      button.addEventListener("click", () => this.cutout && this.change(panel.look()));
      byId("panels").append(button);
    }
  }

  /* Bands of which the cutout has any pixel; a survey may lack some of an object. */
  seenBands() {
    const all = this.cutout.planes.map((plane, band) => band);
    const seen = all.filter((band) => this.cutout.planes[band].some(Number.isFinite));
    return seen.length ? seen : all;
  }

  toggle(name) {
    this.change({[name]: !this.look[name]});
  }

  nextStretch() {
    const names = Object.keys(LensViewer.stretches);
    this.change({stretch: names[(names.indexOf(this.look.stretch) + 1) % names.length]});
  }

  nextBand() {
    this.change({band: this.look.band + 1 < this.work.bands.length ? this.look.band + 1 : -1});
  }

  moreContrast(factor) {
    this.change({contrast: Math.min(4, Math.max(0.25, this.look.contrast * factor))});
  }

  change(look) {
    Object.assign(this.look, look);
    this.showTools();
    if (this.cutout) this.draw(this.canvas, this.look);
  }

  showTools() {
    const {stretch, contrast, band, subtract, zoom, invert} = this.look;
    byId("stretch").value = stretch;
    byId("contrast").value = String(contrast);
    [...byId("band-buttons").children].forEach((button, place) => press(button, place - 1 === band));
    press(byId("subtract"), subtract);
    press(byId("zoom"), zoom !== 1);
    press(byId("invert"), invert);
  }

  draw(canvas, look) {
    const {bands, pixel_scale_arcsec: pixelScale} = this.work;
    const shown = look.band < 0 ? undefined : [bands[look.band]];
    const options = {zoom: 1, contrast: 1, ...look, names: bands, bands: shown};
    LensViewer.draw(canvas, this.cutout, canvas === this.canvas ? {...options, pixelScale} : options);
  }

  /* Promise of having shown a picture; false if another one was asked for meanwhile, or it cannot be read. */
  async show(key) {
    this.key = key;
    this.cutout = this.pictures.now(key);
    this.startClock();
    if (!this.cutout) {
      this.blank("loading");
      try {
        const cutout = await this.pictures.get(key);
        if (this.key !== key) return false;
        this.cutout = cutout;
      } catch (error) {
        if (this.key === key) this.blank(error.message);
        return false;
      }
      this.startClock();
    }
    byId("no-picture").hidden = true;
    this.canvas.dataset.key = key;
    this.draw(this.canvas, this.look);
    // the large picture is on the screen first
    requestAnimationFrame(() => setTimeout(() => this.drawPanels(key), 0));
    return true;
  }

  drawPanels(key) {
    if (this.key !== key || !this.cutout) return;
    for (const panel of this.panels) {
      panel.label.textContent = panel.title();
      this.draw(panel.canvas, panel.look());
    }
  }

  blank(text) {
    for (const canvas of [this.canvas, ...this.panels.map((panel) => panel.canvas)]) {
      canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    }
    delete this.canvas.dataset.key;
    byId("no-picture").textContent = text;
    byId("no-picture").hidden = false;
  }

  get isShown() {
    return this.canvas.dataset.key === this.key;
  }

  // ---- time: while the page is seen --------------------------------------------------------------------------------

  startClock() {
    this.looked = 0;
    this.since = document.hidden ? null : performance.now();
  }

  pauseClock() {
    this.looked = this.seconds() * 1000;
    this.since = document.hidden ? null : performance.now();
  }

  seconds() {
    return (this.looked + (this.since === null ? 0 : performance.now() - this.since)) / 1000;
  }
}
