"use strict";
/*
 * Grades on their way to the server: kept in this browser until the server says that it has them.
 *
 * Each is an entry of localStorage of its own, so that two windows of one grader take nothing from one another, and
 * has a UUID, so that the server counts once what is sent twice.
 */
class GradeQueue {
  static BATCH = 100; // with the longest notes, below what the server takes at once
  static FIRST_WAIT_MS = 1000;
  static LONGEST_WAIT_MS = 15000;

  /* prefix: of the entries, one for each search and grader. onChange: called when anything of the state changes. */
  constructor(prefix, onChange) {
    this.prefix = prefix;
    this.onChange = onChange;
    this.memory = new Map(); // where the browser keeps nothing
    this.refused = [];
    this.problem = "";
    this.signedOut = false;
    this.waitMs = GradeQueue.FIRST_WAIT_MS;
    this.lastMs = Math.max(0, ...this.waiting().map(([name]) => Number(name.slice(prefix.length, prefix.length + 15))));
    this.sending = null;
    window.addEventListener("online", () => this.send());
  }

  /* What waits, in the order in which it was made. */
  waiting() {
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
    const name = `${this.prefix}${String(this.lastMs).padStart(15, "0")}-${item.grade_id}`;
    try {
      localStorage.setItem(name, JSON.stringify(item));
    } catch {
      this.memory.set(name, JSON.stringify(item));
    }
    this.send();
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
      if (!(await this.sendSome(items.slice(0, GradeQueue.BATCH)))) {
        if (!this.signedOut) this.timer = setTimeout(() => this.send(), this.waitMs);
        this.waitMs = Math.min(2 * this.waitMs, GradeQueue.LONGEST_WAIT_MS);
        this.onChange();
        return false;
      }
      this.waitMs = GradeQueue.FIRST_WAIT_MS;
    }
    this.onChange();
    return true;
  }

  async sendSome(items) {
    const body = JSON.stringify({grades: items.map(([, item]) => item)});
    try {
      const answer = await fetch("api/grades", {method: "POST", headers: {"content-type": "application/json"}, body});
      this.signedOut = answer.status === 401;
      const told = await answer.json();
      if (!answer.ok) throw new Error(told.error ?? `the server answers ${answer.status}`);
      this.settle(items, told);
      this.problem = "";
      return true;
    } catch (error) {
      this.problem = error instanceof TypeError ? "no connection" : error.message;
      return false;
    }
  }

  /* Forget what the server has; what it refuses is shown and not sent again. */
  settle(items, told) {
    const kept = new Set(told.kept);
    for (const [name, item] of items) {
      const reason = told.refused[item.grade_id];
      if (!kept.has(item.grade_id) && reason === undefined) continue;
      if (reason !== undefined) this.refused.push({item, reason});
      localStorage.removeItem(name);
      this.memory.delete(name);
    }
    if (kept.size === 0 && Object.keys(told.refused).length === 0) throw new Error("the server keeps nothing");
  }
}
