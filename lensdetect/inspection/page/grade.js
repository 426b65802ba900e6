"use strict";
/* The page itself: who grades, what comes next, and what each key does. */

function byId(name) {
  return document.getElementById(name);
}

/* A new element; its text is text, whatever it holds. */
function made(kind, text, values = {}) {
  const element = Object.assign(document.createElement(kind), values);
  element.append(text);
  return element;
}

function press(button, isPressed) {
  button.setAttribute("aria-pressed", String(isPressed));
}

async function ask(path, body) {
  const how = {method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(body)};
  const answer = await fetch(path, body === undefined ? {} : how);
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(told.error), {status: answer.status});
  return told;
}

class Page {
  static AHEAD = 24;
  static KIND_KEYS = "qwertyu";

  // ---- beginning ---------------------------------------------------------------------------------------------------

  async start() {
    const token = new URLSearchParams(location.hash.slice(1)).get("token");
    let problem = "";
    if (token) {
      history.replaceState(null, "", location.pathname); // no link to be read over a shoulder
      await ask("api/session", {token}).catch((error) => (problem = error.message));
    }
    byId("sign-in-form").addEventListener("submit", (event) => this.signIn(event));
    byId("leave").addEventListener("click", () => this.leave());
    await this.open();
    if (problem) this.tell(problem);
  }

  async open() {
    try {
      this.work = await ask("api/work");
    } catch (error) {
      if (error.status !== 401) return this.tell(`The work cannot be fetched: ${error.message}`);
      return this.askWho();
    }
    this.show("");
    this.pictures = new Pictures();
    this.makeBook();
    byId("who").textContent = this.work.grader;
    byId("leave").hidden = false;
    if (this.work.finished) return this.showResults();
    this.makeViews();
    if (this.work.lessons.length && !this.book.said.length && !localStorage.getItem(this.trainedName)) {
      byId("num-lessons").textContent = String(this.work.lessons.length);
      return this.show("begin");
    }
    return this.goOn(this.book.nextOpen(-1));
  }

  makeBook() {
    const prefix = `lensdetect:${this.work.grading}:${this.work.grader}:`;
    this.trainedName = `lensdetect-trained:${this.work.grading}:${this.work.grader}`;
    this.book = new Book(this.work.keys, this.work.said);
    this.queue = new GradeQueue(prefix, () => this.showSaved());
    for (const [, item] of this.queue.waiting()) this.book.add(item);
    this.kept = new KeptView(this);
    this.queue.send();
  }

  makeViews() {
    this.one = new OneView(this.work, this.pictures);
    this.grid = new GridView(this.work, this.pictures, this.book, {
      onGrade: (key, grade, seconds) => this.say(key, grade, {seconds}),
      onChoose: () => this.showSaid(),
    });
    this.lessons = [];
    this.kind = "";
    this.place = 0;
    this.makeGrades();
    this.makeKinds();
    this.listen();
    this.makeKeys();
    for (const name of ["to-grid", "finish", "keys"]) byId(name).hidden = false;
    byId("keys").open = window.innerWidth > 700;
  }

  async askWho() {
    const {needs_token: needsToken} = await ask("api/session");
    this.needsToken = needsToken;
    this.kept = new KeptView();
    byId("sign-in-label").textContent = needsToken ? "your token" : "your name";
    byId("sign-in-help").textContent = needsToken
      ? "Open the link that you were given, or put its last part here, after token=."
      : "It stands beside your grades. Use the same name to go on another day.";
    this.show("sign-in");
    byId("sign-in-text").focus();
  }

  async signIn(event) {
    event.preventDefault();
    const text = byId("sign-in-text").value;
    try {
      await ask("api/session", this.needsToken ? {token: text.replace(/^.*token=/, "").trim()} : {name: text});
      location.reload();
    } catch (error) {
      this.tell(error.message);
    }
  }

  async leave() {
    await ask("api/session/end", {});
    location.reload();
  }

  listen() {
    const clicks = {
      back: () => this.back(), undo: () => this.undo(), skip: () => this.skip(), finish: () => byId("sure").showModal(),
      "to-grid": () => this.toggleGrid(), "page-back": () => this.grid.turnPage(-1),
      "page-on": () => this.grid.turnPage(1), rest: () => this.grid.sayNoToTheRest(),
      "begin-training": () => this.train(), "no-training": () => this.endTraining(),
    };
    for (const [name, act] of Object.entries(clicks)) byId(name).addEventListener("click", act);
    document.addEventListener("keydown", (event) => this.onKey(event));
    document.addEventListener("visibilitychange", () => this.one.pauseClock());
    window.addEventListener("online", () => this.view === "one" && !this.one.isShown && this.goOn(this.place));
    window.addEventListener("resize", () => this.view === "grid" && this.grid.fit());
    byId("sure").addEventListener("close", () => byId("sure").returnValue === "yes" && this.finish());
    setInterval(() => this.showClock(), 1000);
  }

  // ---- what is on the screen ---------------------------------------------------------------------------------------

  show(name) {
    this.view = name;
    for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== name;
    byId(name === "grid" ? "grid-say" : "one").append(byId("say")); // what can be said is the same in both
    byId("to-grid").textContent = name === "grid" ? "one by one" : "grid";
    this.tell("");
  }

  tell(text) {
    byId("message").textContent = text;
    byId("message").hidden = !text;
  }

  showSaved() {
    const {queue} = this;
    const waiting = queue.waiting().length;
    let text = waiting ? `${waiting} not sent yet${queue.problem ? `: ${queue.problem}` : ""}` : "all saved";
    if (queue.signedOut) text = `${waiting} not sent yet: reload this page and sign in again`;
    if (!queue.isKeptOnDisk) text += "; this browser keeps nothing, do not close it";
    const refused = queue.refused();
    if (refused.length) text += `; ${refused.length} refused: ${refused[0][1].refused}`;
    byId("saved").textContent = text;
    byId("saved").classList.toggle("bad", Boolean(waiting && queue.problem) || refused.length > 0);
    this.kept.show();
    this.takeOut(refused);
  }

  /* What was refused counts as not graded. */
  takeOut(refused) {
    if (!this.book.drop(refused.map(([, item]) => item))) return;
    this.showCount();
    if (this.view === "one" || this.view === "grid") this.showSaid();
  }

  showCount() {
    const count = this.book.graded().size;
    byId("progress").max = Math.max(this.book.keys.length, 1);
    byId("progress").value = count;
    byId("count").textContent = `${count} of ${this.book.keys.length}`;
    const times = this.book.said.slice(-50).map((one) => one.seconds).sort((one, other) => one - other);
    if (!times.length) return;
    const middle = times[Math.floor(times.length / 2)];
    const left = Math.ceil(((this.book.keys.length - count) * middle) / 60);
    byId("pace").textContent = `${middle.toFixed(1)} s each, ${left} min left`;
  }

  showClock() {
    if (this.view === "one") byId("clock").textContent = `${Math.floor(this.one.seconds())} s`;
  }

  makeGrades() {
    for (const step of this.work.scale) {
      const button = made("button", "", {className: "grade", title: step.rule});
      button.dataset.grade = String(step.grade);
      button.append(made("kbd", step.label), made("strong", ` ${step.name} `), made("span", step.rule, {className: "rule"}));
      button.addEventListener("click", () => this.grade(step.grade));
      byId("grades").append(button);
      byId("rule-list").append(made("dt", `${step.label} ${step.name}`), made("dd", step.rule)); // where there is no room
    }
  }

  makeKinds() {
    for (const [place, kind] of this.work.kinds.entries()) {
      const button = made("button", `${kind} `);
      button.dataset.kind = kind;
      button.append(made("kbd", Page.KIND_KEYS[place]));
      button.addEventListener("click", () => this.chooseKind(kind));
      byId("kinds").append(button);
    }
  }

  showSaid() {
    const said = this.lessons.length ? undefined : this.book.grade(this.key);
    for (const button of byId("grades").children) press(button, said !== undefined && Number(button.dataset.grade) === said.grade);
    this.kind = said?.kind ?? "";
    byId("note").value = said?.note ?? "";
    this.showKind();
  }

  showKind() {
    for (const button of byId("kinds").children) press(button, button.dataset.kind === this.kind);
    if (this.view === "grid") this.grid.refresh(this.kind);
  }

  // ---- going about -------------------------------------------------------------------------------------------------

  get key() {
    if (this.lessons.length) return this.lessons[0];
    return this.view === "grid" ? this.grid.key : this.book.keys[this.place];
  }

  /* Show the picture of a place; -1 says that there is none left. */
  async goOn(place, since) {
    this.showCount();
    if (place < 0) return this.show("all-done");
    if (this.view !== "one") this.show("one");
    this.place = place;
    byId("place").textContent = `picture ${place + 1}`;
    byId("lesson").hidden = true;
    this.showSaid();
    const shown = this.one.show(this.key);
    this.pictures.ahead(this.upcoming(place));
    if ((await shown) && since !== undefined) measure(since);
  }

  upcoming(place) {
    const graded = this.book.graded();
    const keys = [...this.book.keys.slice(place + 1), ...this.book.keys.slice(0, place)];
    return keys.filter((key) => !graded.has(key)).slice(0, Page.AHEAD);
  }

  back() {
    if (this.lessons.length) return;
    if (this.view === "all-done") this.goOn(this.book.places.get(this.book.last?.key) ?? 0);
    else if (this.view === "grid") this.grid.move(-1);
    else if (this.place > 0) this.goOn(this.place - 1);
  }

  skip() {
    if (this.lessons.length) this.nextLesson();
    else if (this.view === "grid") this.grid.move(1);
    else if (this.view === "one") this.goOn((this.place + 1) % this.book.keys.length, performance.now());
  }

  toggleGrid() {
    if (this.lessons.length || !["one", "grid", "all-done"].includes(this.view)) return;
    if (this.view === "grid") return this.goOn(this.book.places.get(this.grid.key) ?? 0);
    this.show("grid");
    this.grid.open(this.place);
  }

  // ---- saying ------------------------------------------------------------------------------------------------------

  /* Grade what is shown and go on. */
  grade(grade) {
    const since = performance.now();
    if (this.lessons.length) return this.answer(grade);
    if (this.view === "grid" && this.grid.isShown) {
      this.say(this.grid.key, grade, {...this.typed, seconds: this.grid.seconds()});
      this.grid.move(1);
    } else if (this.view === "one" && this.one.isShown) {
      this.say(this.key, grade, {...this.typed, seconds: this.one.seconds()});
      this.goOn(this.book.nextOpen(this.place), since);
    }
  }

  /* What is said beside the grade. */
  get typed() {
    return {kind: this.kind, note: byId("note").value};
  }

  say(key, grade, {kind = "", note = "", seconds}) {
    this.put({key, grade, kind, note, seconds: Math.min(seconds, 86400)});
  }

  put(item) {
    const whole = {grade_id: newUuid(), graded_at: new Date().toISOString(), ...item};
    this.book.add(whole);
    this.queue.add(whole);
    this.showCount();
  }

  undo() {
    const {last} = this.book;
    if (!last || this.lessons.length) return;
    this.put({key: last.key, undoes: last.grade_id});
    const place = this.book.places.get(last.key);
    if (this.view === "grid") this.grid.open(place);
    else this.goOn(place);
  }

  chooseKind(kind) {
    if (!["one", "grid"].includes(this.view)) return;
    this.kind = this.kind === kind ? "" : kind;
    this.showKind();
  }

  // ---- training ----------------------------------------------------------------------------------------------------

  train() {
    this.lessons = [...this.work.lessons];
    this.show("one");
    this.showLesson();
  }

  showLesson() {
    this.told = false;
    byId("lesson").hidden = true;
    byId("place").textContent = `training: ${this.lessons.length} left`;
    this.showSaid();
    this.one.show(this.key);
    this.pictures.ahead(this.lessons.slice(1));
  }

  async answer(grade) {
    if (this.told || !this.one.isShown) return;
    this.told = true;
    const {is_lens: isLens, einstein_radius_arcsec: radius} = await ask(`api/lessons/${this.key}`);
    const what = isLens ? `a simulated lens, Einstein radius ${radius}\u2033` : "a galaxy that is no lens";
    const right = isLens === grade > 0;
    byId("lesson").textContent = `${right ? "Yes" : "Not so"}: this is ${what}. Go on with \u2192.`;
    byId("lesson").hidden = false;
  }

  nextLesson() {
    this.lessons.shift();
    if (this.lessons.length) this.showLesson();
    else this.endTraining();
  }

  endTraining() {
    this.lessons = [];
    localStorage.setItem(this.trainedName, "yes");
    this.goOn(this.book.nextOpen(-1));
  }

  // ---- finishing ---------------------------------------------------------------------------------------------------

  async finish() {
    if (!(await this.queue.send())) return this.tell("Not all grades are sent yet: finish when they are.");
    try {
      await ask("api/finish", {});
    } catch (error) {
      return this.tell(error.message);
    }
    location.reload();
  }

  async showResults() {
    this.show("results");
    for (const name of ["finish", "to-grid", "keys"]) byId(name).hidden = true;
    this.showCount();
    byId("pace").textContent = "";
    try {
      new ResultsView(this.work, this.pictures).show(await ask("api/results"));
    } catch (error) {
      this.tell(error.message);
    }
  }

  // ---- keys --------------------------------------------------------------------------------------------------------

  makeKeys() {
    const grades = this.work.scale.map((step) => [step.label.toLowerCase(), step.label, step.name, () => this.grade(step.grade)]);
    const kinds = this.work.kinds.map((kind, place) => [Page.KIND_KEYS[place], Page.KIND_KEYS[place], kind, () => this.chooseKind(kind)]);
    const rows = [
      ...grades,
      ...kinds,
      ["n", "n", "write a note", () => byId("note").focus()],
      ["arrowright", "\u2192", "skip, or go on", () => this.skip()],
      ["arrowleft", "\u2190", "back", () => this.back()],
      ["backspace", "\u232b", "undo the last grade", () => this.undo()],
      ["g", "g", "grid, and back", () => this.toggleGrid()],
      ["d", "d", "take the deflector away", () => this.one.toggle("subtract")],
      ["s", "s", "next stretch", () => this.one.nextStretch()],
      ["v", "v", "next band", () => this.one.nextBand()],
      ["z", "z", "zoom", () => byId("zoom").click()],
      ["i", "i", "inverted", () => this.one.toggle("invert")],
      ["+", "+", "more contrast", () => this.one.moreContrast(1.25)],
      ["-", "\u2212", "less contrast", () => this.one.moreContrast(0.8)],
      ["arrowdown", "\u2193", "grid: a row down", () => this.view === "grid" && this.grid.move(this.grid.columns)],
      ["arrowup", "\u2191", "grid: a row up", () => this.view === "grid" && this.grid.move(-this.grid.columns)],
      ["pagedown", "PgDn", "grid: next page", () => this.view === "grid" && this.grid.turnPage(1)],
      ["pageup", "PgUp", "grid: page before", () => this.view === "grid" && this.grid.turnPage(-1)],
      [".", ".", "grid: no to the rest of the page", () => this.view === "grid" && this.grid.sayNoToTheRest()],
      ["f", "f", "finish", () => byId("sure").showModal()],
    ];
    this.acts = new Map(rows.map(([key, , , act]) => [key, act]));
    for (const [, shown, text] of rows) {
      const term = made("dt", "");
      term.append(made("kbd", shown));
      byId("key-list").append(term, made("dd", text));
    }
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("sure").open) return;
    if (event.target.matches("input:not([type=range]), select")) {
      if (["Escape", "Enter"].includes(event.key)) event.target.blur();
      return;
    }
    const act = this.acts.get(event.key.toLowerCase());
    if (!act || !["one", "grid", "all-done"].includes(this.view)) return;
    event.preventDefault();
    act();
  }
}

/* Time from a key to the picture that it asked for, for the benchmark. */
function measure(since) {
  requestAnimationFrame(() => performance.measure("next picture", {start: since, end: performance.now()}));
}

/* crypto.randomUUID is there on secure pages only, and a laboratory's server may speak plain HTTP. */
function newUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

const page = new Page();
page.start();
