"use strict";
/*
 * Grades on their way to the server: kept in this browser until the server says that it has them.
 *
 * Each is an entry of localStorage of its own, so that two windows of one grader take nothing from one another, and
 * has a UUID, so that the server counts once what is sent twice. What the server refuses for good stays, with the
 * reason in "refused", and is sent again when the grader wants it.
 */
class GradeQueue {
  static BATCH = 100; // with the longest notes, below what the server takes at once
  static FIRST_WAIT_MS = 1000;
  static LONGEST_WAIT_MS = 15000;
  /* Of the answers that refuse (4xx): sign in again, and three that ask for patience. */
  static NOT_FINAL = [401, 408, 425, 429];

  /* prefix: of the entries, one for each search and grader. onChange: called when anything of the state changes. */
  constructor(prefix, onChange) {
    this.prefix = prefix;
    this.onChange = onChange;
    this.memory = new Map(); // where the browser keeps nothing
    this.batch = GradeQueue.BATCH;
    this.problem = "";
    this.signedOut = false;
    this.waitMs = GradeQueue.FIRST_WAIT_MS;
    this.lastMs = Math.max(0, ...this.entries().map(([name]) => Number(name.slice(prefix.length, prefix.length + 15))));
    this.sending = null;
    window.addEventListener("online", () => this.send());
    window.addEventListener("storage", () => this.onChange()); // another window of this grader
  }

  /* What waits, in the order in which it was made: pairs of the name of the entry and what was said. */
  waiting() {
    return this.entries().filter(([, item]) => item.refused === undefined);
  }

  /* What the server refused for good. */
  refused() {
    return this.entries().filter(([, item]) => item.refused !== undefined);
  }

  entries() {
    const names = new Set(this.memory.keys());
    for (let place = 0; place < localStorage.length; place++) {
      const name = localStorage.key(place);
      if (name.startsWith(this.prefix)) names.add(name);
    }
    return [...names].sort().map((name) => [name, JSON.parse(this.memory.get(name) ?? localStorage.getItem(name))]);
  }

  get isKeptOnDisk() {
    return this.memory.size === 0;
  }

  add(item) {
    // a clock that is set back must not bring an undo before its grade
    this.lastMs = Math.max(Date.now(), this.lastMs + 1);
    this.keep(`${this.prefix}${String(this.lastMs).padStart(15, "0")}-${item.grade_id}`, item);
    this.send();
  }

  keep(name, item) {
    try {
      localStorage.setItem(name, JSON.stringify(item));
      this.memory.delete(name);
    } catch {
      this.memory.set(name, JSON.stringify(item));
    }
  }

  /* Send once more what was refused, too. */
  sendAgain() {
    for (const [name, {refused, ...item}] of this.refused()) this.keep(name, item);
    return this.send();
  }

  /* Remove what was refused: the grader has it, or does not want it. */
  forgetRefused() {
    for (const [name] of this.refused()) this.forget(name);
    this.onChange();
  }

  forget(name) {
    localStorage.removeItem(name);
    this.memory.delete(name);
  }

  /* Promise of having tried to send all that waits: true if nothing waits any more. */
  send() {
    this.sending ??= this.sendAll().finally(() => {
      this.sending = null;
    });
    return this.sending;
  }

  async sendAll() {
    clearTimeout(this.timer);
    for (let items = this.waiting(); items.length; items = this.waiting()) {
      this.onChange();
      if (!(await this.sendSome(items.slice(0, this.batch)))) {
        if (!this.signedOut) this.timer = setTimeout(() => this.send(), this.waitMs);
        this.waitMs = Math.min(2 * this.waitMs, GradeQueue.LONGEST_WAIT_MS);
        this.onChange();
        return false;
      }
      this.waitMs = GradeQueue.FIRST_WAIT_MS;
    }
    this.batch = GradeQueue.BATCH;
    this.onChange();
    return true;
  }

  async sendSome(items) {
    const body = JSON.stringify({grades: items.map(([, item]) => item)});
    try {
      const answer = await fetch("api/grades", {method: "POST", headers: {"content-type": "application/json"}, body});
      this.signedOut = answer.status === 401;
      const told = await answer.json().catch(() => ({}));
      const reason = told.error ?? `the server answers ${answer.status}`;
      const isFinal = answer.status >= 400 && answer.status < 500 && !GradeQueue.NOT_FINAL.includes(answer.status);
      if (isFinal) this.refuse(items, reason);
      else if (!answer.ok) throw new Error(reason);
      else this.settle(items, told);
      this.problem = "";
      return true;
    } catch (error) {
      this.problem = error instanceof TypeError ? "no connection" : error.message;
      return false;
    }
  }

  /* All of these were refused together: which of them it is, is seen when each is sent alone. */
  refuse(items, reason) {
    if (items.length > 1) this.batch = 1;
    else for (const [name, item] of items) this.keep(name, {...item, refused: reason});
  }

  /* Forget what the server has; what it refuses stays and is not sent again unasked. */
  settle(items, {kept = [], refused = {}}) {
    for (const [name, item] of items) {
      const reason = refused[item.grade_id];
      if (reason !== undefined) this.keep(name, {...item, refused: reason});
      else if (kept.includes(item.grade_id)) this.forget(name);
    }
    if (!kept.length && !Object.keys(refused).length) throw new Error("the server keeps nothing");
  }
}
