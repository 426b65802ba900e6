"use strict";
/* Cutouts from the server, those that come next fetched ahead. */
class Pictures {
  static KEPT = 120;
  static AT_ONCE = 4;

  constructor() {
    this.promises = new Map();
    this.ready = new Map();
    this.wanted = [];
    this.busy = 0;
  }

  /* Promise of a cutout; rejected with a message for the grader. */
  get(key) {
    if (!this.promises.has(key)) this.promises.set(key, this.fetch(key));
    return this.promises.get(key);
  }

  /* The cutout if it is here already. */
  now(key) {
    return this.ready.get(key);
  }

  async fetch(key) {
    try {
      const answer = await fetch(`api/pictures/${encodeURIComponent(key)}`);
      if (!answer.ok) throw new Error((await answer.json()).error);
      const cutout = await LensViewer.unpack(await answer.arrayBuffer());
      this.keep(key, cutout);
      return cutout;
    } catch (error) {
      this.promises.delete(key); // another try is made when it is asked for again
      if (error instanceof TypeError) throw new Error("no connection: the picture comes when there is one again");
      throw error;
    }
  }

  keep(key, cutout) {
    this.ready.set(key, cutout);
    for (const old of this.ready.keys()) {
      if (this.ready.size <= Pictures.KEPT) break;
      this.ready.delete(old);
      this.promises.delete(old);
    }
  }

  /* Fetch these soon, the first first. */
  ahead(keys) {
    this.wanted = keys.filter((key) => !this.promises.has(key));
    this.more();
  }

  more() {
    while (this.busy < Pictures.AT_ONCE && this.wanted.length) {
      this.busy++;
      // what fails is tried again when it is shown
      this.get(this.wanted.shift())
        .then((cutout) => LensViewer.withoutDeflector(cutout), () => {})
        .finally(() => {
          this.busy--;
          this.more();
        });
    }
  }
}
