"use strict";
/* Many pictures at once; one of them is chosen, and grades are of that one. */
class GridView {
  /* onGrade: called with what "no to the rest" says; onChoose: when another picture is chosen. */
  constructor(work, pictures, book, {onGrade, onChoose}) {
    this.work = work;
    this.pictures = pictures;
    this.book = book;
    this.onGrade = onGrade;
    this.onChoose = onChoose;
    this.first = 0;
    this.chosen = 0;
  }

  get columns() {
    return Math.max(2, Math.floor((byId("cells").clientWidth || 800) / 190));
  }

  get count() {
    return this.columns * (this.columns > 3 ? 4 : 6);
  }

  get keys() {
    return this.book.keys.slice(this.first, this.first + this.count);
  }

  get key() {
    return this.keys[this.chosen];
  }

  /* Show the page on which a place is. */
  open(place) {
    const count = this.count;
    this.first = Math.floor(Math.max(place, 0) / count) * count;
    this.chosen = Math.max(place, 0) - this.first;
    this.drawPage();
  }

  turnPage(step) {
    const first = this.first + step * this.count;
    if (first >= 0 && first < this.book.keys.length) this.open(first);
  }

  /* Draw again where the window has room for another number of columns. */
  fit() {
    if (this.columns !== this.drawn) this.open(this.first + this.chosen);
  }

  drawPage() {
    const keys = this.keys;
    this.drawn = this.columns;
    byId("cells").style.gridTemplateColumns = `repeat(${this.drawn}, minmax(0, 1fr))`;
    byId("cells").replaceChildren(...keys.map((key, place) => this.cell(key, place)));
    this.since = performance.now();
    this.said = 0;
    byId("page-place").textContent = `${this.first + 1} to ${this.first + keys.length} of ${this.book.keys.length}`;
    this.pictures.ahead(this.book.keys.slice(this.first + keys.length, this.first + 2 * keys.length));
    this.choose(Math.min(this.chosen, keys.length - 1));
  }

  cell(key, place) {
    const canvas = made("canvas", "", {width: 202, height: 202});
    const cell = made("div", "", {className: "cell", tabIndex: -1});
    cell.setAttribute("role", "option");
    cell.dataset.key = key;
    cell.append(canvas, made("span", "", {className: "told"}));
    cell.addEventListener("click", () => this.choose(place));
    this.pictures.get(key).then(
      (cutout) => {
        const {bands: names, pixel_scale_arcsec: pixelScale} = this.work;
        LensViewer.draw(canvas, cutout, {names, stretch: "asinh", contrast: 1, zoom: 1, pixelScale});
        cell.dataset.shown = "yes";
      },
      (error) => canvas.replaceWith(made("p", error.message)),
    );
    this.tell(cell, key);
    return cell;
  }

  /* What was said of a picture; kind: chosen for it, with no grade yet. */
  tell(cell, key, kind = "") {
    const said = this.book.grade(key);
    const step = said && this.work.scale.find((one) => one.grade === said.grade);
    const text = step ? [step.label, said.kind].filter(Boolean).join(" ") : "";
    cell.querySelector(".told").textContent = kind && kind !== said?.kind ? `${text} ${kind}?`.trim() : text;
    cell.classList.toggle("graded", Boolean(step));
  }

  /* kind: what is chosen for the chosen picture. */
  refresh(kind) {
    [...byId("cells").children].forEach((cell, place) => this.tell(cell, cell.dataset.key, place === this.chosen ? kind : ""));
  }

  choose(place) {
    this.chosen = Math.max(0, Math.min(place, this.keys.length - 1));
    [...byId("cells").children].forEach((cell, number) => {
      cell.setAttribute("aria-selected", String(number === this.chosen));
      if (number === this.chosen) cell.scrollIntoView({block: "nearest"});
    });
    this.onChoose();
  }

  move(step) {
    const place = this.first + this.chosen + step;
    if (place < 0 || place >= this.book.keys.length) this.choose(this.chosen);
    else if (place < this.first || place >= this.first + this.keys.length) this.open(place);
    else this.choose(place - this.first);
  }

  get isShown() {
    return byId("cells").children[this.chosen]?.dataset.shown === "yes";
  }

  /* Time since the last grade on this page, or since it came up. */
  seconds() {
    const now = performance.now();
    const seconds = (now - this.since) / 1000;
    this.since = now;
    return seconds;
  }

  /* Say no to all of this page that is seen and has no grade. */
  sayNoToTheRest() {
    const open = this.keys.filter((key, place) => !this.book.grade(key) && byId("cells").children[place].dataset.shown);
    const each = this.seconds() / Math.max(open.length, 1);
    for (const key of open) this.onGrade(key, 0, each);
    this.onChoose();
  }
}
