"use strict";
/* What a grader has said so far: the same rule as on the server, the last grade that was not taken back holds. */
class Book {
  /* keys: of all pictures, in order. said: grades that were not taken back, in the order in which they were given. */
  constructor(keys, said) {
    this.keys = keys;
    this.places = new Map(keys.map((key, place) => [key, place]));
    this.items = [];
    this.said = [];
    for (const item of said) this.add(item);
  }

  /* Take in what was said, or taken back, here. */
  add(item) {
    if (!this.places.has(item.key) || this.items.some((one) => one.grade_id === item.grade_id)) return;
    this.items.push(item);
    this.hold(item);
  }

  hold(item) {
    if (item.undoes) this.said = this.said.filter((one) => one.grade_id !== item.undoes);
    else this.said.push(item);
  }

  /* Take out what the server refuses, as if it had not been said; true if there was any. */
  drop(items) {
    const ids = new Set(items.map((one) => one.grade_id));
    const left = this.items.filter((one) => !ids.has(one.grade_id));
    if (left.length === this.items.length) return false;
    this.items = left;
    this.said = [];
    for (const item of left) this.hold(item);
    return true;
  }

  /* The grade that holds, if there is one. */
  grade(key) {
    return this.said.findLast((one) => one.key === key);
  }

  get last() {
    return this.said[this.said.length - 1];
  }

  graded() {
    return new Set(this.said.map((one) => one.key));
  }

  /* Place of the next picture without a grade, after a place and then from the first one on; -1 if there is none. */
  nextOpen(after) {
    const graded = this.graded();
    const count = this.keys.length;
    for (let step = 1; step <= count; step++) {
      const place = (after + step) % count;
      if (!graded.has(this.keys[place])) return place;
    }
    return -1;
  }
}
