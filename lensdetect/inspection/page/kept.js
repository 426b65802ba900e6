"use strict";
/*
 * What is kept in this browser and not in the log of the server: shown with the reason, to be sent again or taken
 * away as a table that `lensdetect grades --merge` reads.
 *
 * The page knows a picture by its key alone, and so does the table; the database of the grading knows the object.
 */
class KeptView {
  static COLUMNS = ["key", "grader", "grade", "kind", "note", "seconds", "graded_at", "why"];
  static NAME = /^lensdetect:([0-9a-f]{16}):([^:]+):\d{15}-/;
  /* What a spreadsheet would run. */
  static FORMULA = /^[=+\-@\t\r]/;

  /* own: the queue, work and book of who is signed in; nothing where nobody is. */
  constructor(own = null) {
    this.own = own;
    for (const [name, act] of Object.entries({
      "kept-again": () => this.sendAgain(), "kept-save": () => this.save(), "kept-forget": () => this.forget(),
    })) byId(name).onclick = act;
    this.show();
  }

  /* All that is kept of anybody, and not on its way: rows with grader and grading beside what was said. */
  rows() {
    const {queue} = this.own ?? {};
    const rows = [];
    for (const [name, item] of queue ? [...queue.refused(), ...(queue.signedOut ? queue.waiting() : [])] : []) {
      rows.push({name, item, grader: this.own.work.grader, why: item.refused ?? "you are signed out: sign in again", isOwn: true});
    }
    for (const name of Object.keys(localStorage).sort()) {
      const [, grading, grader] = name.match(KeptView.NAME) ?? [];
      if (!grader || (queue && name.startsWith(queue.prefix))) continue;
      const item = JSON.parse(localStorage.getItem(name));
      const where = this.own && grading !== this.own.work.grading ? "it is of another grading" : `sign in as ${grader}`;
      rows.push({name, item, grader, why: item.refused ?? where, isOwn: false});
    }
    return rows;
  }

  show() {
    const rows = this.rows();
    const own = rows.filter((row) => row.isOwn);
    byId("kept").hidden = !rows.length;
    if (!rows.length) return;
    byId("kept-count").textContent = rows.length === 1 ? "1 grade is" : `${rows.length} grades are`;
    byId("kept-rows").replaceChildren(...rows.map((row) => this.row(row)));
    byId("kept-again").hidden = !own.length;
    byId("kept-forget").hidden = !own.some((row) => row.item.refused !== undefined) || !this.isSaved;
  }

  row({item, grader, why, isOwn}) {
    const {work, book} = this.own ?? {};
    const place = isOwn ? book.places.get(item.key) : undefined;
    const step = isOwn ? work.scale.find((one) => one.grade === item.grade) : undefined;
    const cells = [
      place === undefined ? "" : `picture ${place + 1}`, grader, item.undoes ? "a grade taken back" : step?.label ?? item.grade,
      item.kind ?? "", item.note ?? "", new Date(item.graded_at).toLocaleString(), why,
    ];
    const row = made("tr", "");
    row.append(...cells.map((text, place) => made("td", String(text), {className: place === 4 ? "note" : ""})));
    return row;
  }

  /* The grades that hold among these: none that was taken back, and of each picture the last. */
  table() {
    const found = new Map();
    for (const {item, grader, why} of this.rows()) {
      if (item.undoes) found.delete(item.undoes);
      else found.set(item.grade_id, {...item, grader, why});
    }
    const last = new Map([...found.values()].map((one) => [`${one.grader}:${one.key}`, one]));
    return [KeptView.COLUMNS, ...[...last.values()].map((one) => KeptView.COLUMNS.map((name) => one[name] ?? ""))];
  }

  save() {
    const cell = (value) => {
      const text = typeof value === "string" && KeptView.FORMULA.test(value) ? `'${value}` : String(value);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const csv = this.table().map((row) => `${row.map(cell).join(",")}\r\n`).join("");
    const link = made("a", "", {href: URL.createObjectURL(new Blob([csv], {type: "text/csv"})), download: "grades_kept.csv"});
    link.click();
    URL.revokeObjectURL(link.href);
    this.isSaved = true;
    this.show();
  }

  sendAgain() {
    const {queue, book} = this.own;
    for (const [, item] of queue.refused()) book.add(item);
    queue.sendAgain();
    this.own.showCount();
  }

  forget() {
    this.own.queue.forgetRefused();
  }
}
