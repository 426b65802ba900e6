"use strict";
/*
 * The report of a search: draws the cards that are seen, sorts and filters them, and shows one large.
 * What comes from catalogues goes into the page as text alone; addresses are those that the page came with.
 */
const LensReport = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const cards = [...document.querySelectorAll(".card")];
  const rows = data.rows.map((row, place) => ({...row, card: cards[place]}));
  let shown = rows;

  // ---- cutouts, from the files beside the page -------------------------------------------------------------------

  const MOST_KEPT = 200;
  const kept = new Map(); // key -> promise of a cutout; the oldest goes first
  const waiting = new Map(); // key -> what to do when its file has come

  function load(key) {
    const promise = kept.get(key) ?? request(key);
    kept.delete(key);
    kept.set(key, promise);
    promise.catch(() => kept.delete(key));
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
    return promise;
  }

  function request(key) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      waiting.set(key, resolve);
      script.onload = () => script.remove();
      script.onerror = () => {
        script.remove();
        reject(new Error(`report/${key}.js is not beside this page: keep the two together`));
      };
      script.src = `report/${key}.js`;
      document.head.append(script);
    }).then(LensViewer.unpackText);
  }

  /* Called by the file of a cutout. */
  function take(key, text) {
    waiting.get(key)?.(text);
    waiting.delete(key);
  }

  // ---- cards -----------------------------------------------------------------------------------------------------

  const look = {bands: "", stretch: "asinh", subtract: false};

  function options(row, {bands, ...rest}) {
    const axes = row.axes.length ? row.axes : undefined;
    const scales = {pixelScale: data.pixelScale, zeroPoints: data.zeroPoints};
    return {names: data.bands, bands: bands ? [bands] : undefined, axes, ...scales, ...rest};
  }

  async function drawCard(row) {
    const canvas = row.card.querySelector("canvas");
    if (!canvas || !row.key) return;
    try {
      const cutout = await load(row.key);
      if (!row.seen) return;
      canvas.width = canvas.height = Math.round(canvas.clientWidth * devicePixelRatio);
      LensViewer.draw(canvas, cutout, options(row, look));
    } catch (error) {
      canvas.replaceWith(lost(error.message));
    }
  }

  function lost(message) {
    const note = document.createElement("span");
    note.className = "lost";
    note.textContent = `No picture: ${message}`;
    return note;
  }

  /* Only cards that are seen, or nearly, hold pixels. */
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const {target, isIntersecting} of entries) {
        const row = rows[Number(target.dataset.place)];
        row.seen = isIntersecting;
        if (isIntersecting) drawCard(row);
        else clear(target.querySelector("canvas"));
      }
    },
    {rootMargin: "400px"},
  );

  function clear(canvas) {
    if (canvas) canvas.width = canvas.height = 1;
  }

  function redraw() {
    rows.filter((row) => row.seen).forEach(drawCard);
  }

  // ---- sort and filter -------------------------------------------------------------------------------------------

  const value = (id) => find(id)?.value ?? "";

  function wanted() {
    const words = value("find").toLowerCase().split(/\s+/).filter(Boolean);
    const [flag, tile, logit, probability] = ["flag", "tile", "logit", "probability"].map(value);
    const tests = [
      (row) => words.every((word) => row.text.includes(word)),
      (row) => hasFlag(row, flag),
      (row) => !tile || row.tile === tile,
      (row) => logit === "" || row.logit >= Number(logit),
      (row) => probability === "" || row.probability >= Number(probability),
      (row) => asked(row.known, value("known")),
      (row) => asked(row.nearMiss, value("near")),
    ];
    return rows.filter((row) => tests.every((test) => test(row)));
  }

  function hasFlag(row, choice) {
    if (choice === "") return true;
    if (choice === "none") return !row.flags.length;
    if (choice === "some") return row.flags.length > 0;
    return row.flags.includes(choice.slice(1)) === (choice[0] === "+");
  }

  const asked = (is, choice) => choice === "" || is === (choice === "only");

  function inOrder(some) {
    const [, down, name] = value("sort").match(/^(-?)(.*)$/);
    const sign = down ? -1 : 1;
    return [...some].sort((one, two) => sign * compare(one[name], two[name]) || one.rank - two.rank);
  }

  function compare(one, two) {
    if (typeof one === "string") return one.localeCompare(two, "en", {numeric: true});
    return one - two;
  }

  function bestOfScenes(some) {
    const taken = new Set();
    const best = [...some].sort((one, two) => one.rank - two.rank).filter((row) => !taken.has(row.scene) && taken.add(row.scene));
    return new Set(best);
  }

  function update() {
    let some = wanted();
    if (find("scene")?.checked) {
      const best = bestOfScenes(some);
      some = some.filter((row) => best.has(row));
    }
    shown = inOrder(some);
    find("cards").replaceChildren(...shown.map((row) => row.card));
    find("nothing").hidden = shown.length > 0;
    sayCount();
  }

  function sayCount() {
    find("count").textContent = `${shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
  }

  function reset() {
    for (const id of ["find", "flag", "tile", "logit", "probability", "known", "near"]) if (find(id)) find(id).value = "";
    find("sort").value = "rank";
    if (find("scene")) find("scene").checked = false;
    update();
  }

  // ---- out of the page -------------------------------------------------------------------------------------------

  /* Cells are safe for spreadsheets as they come; here they are only put together. */
  function csv() {
    const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
    const lines = [data.columns, ...shown.map((row) => row.cells)].map((cells) => cells.map(quoted).join(","));
    return `${lines.join("\n")}\n`;
  }

  function download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv()], {type: "text/csv"}));
    link.download = "candidates_shown.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  async function copyPosition(row) {
    const text = row.card.querySelector(".position").textContent;
    try {
      await navigator.clipboard.writeText(text);
      say(`copied ${text}`);
    } catch {
      say(`the browser does not let this page copy: ${text}`);
    }
  }

  function say(text) {
    find("count").textContent = text;
    find("stage-count").textContent = text;
  }

  // ---- the large view --------------------------------------------------------------------------------------------

  const stage = find("stage");
  const first = {bands: "", stretch: "asinh", contrast: 0, zoom: 1, subtract: false, invert: false}; // contrast: power of 2
  const large = {row: null, ...first};

  function open(row) {
    Object.assign(large, {row, bands: look.bands, stretch: look.stretch, subtract: look.subtract});
    if (!stage.open) stage.showModal();
    tell(row);
    drawLarge();
  }

  function tell(row) {
    const {card} = row;
    find("stage-title").textContent = `${row.rank}: ${card.querySelector(".id").textContent}`;
    find("stage-count").textContent = `${shown.indexOf(row) + 1} of ${shown.length}`;
    const parts = [...card.querySelectorAll("p")].map((part) => part.cloneNode(true));
    find("facts").replaceChildren(...parts);
    const more = data.more.map(([place, name]) => [name, row.cells[place]]);
    for (const chip of card.querySelectorAll(".chip[title]")) more.push([chip.textContent, chip.title]);
    find("more").replaceChildren(...more.map(line));
  }

  function line([name, text]) {
    const [tr, th, td] = ["tr", "th", "td"].map((tag) => document.createElement(tag));
    [th.textContent, td.textContent] = [name, text];
    th.scope = "row";
    tr.append(th, td);
    return tr;
  }

  async function drawLarge() {
    showControls();
    const {row} = large;
    const canvas = find("large");
    try {
      if (!row.key) throw new Error(row.card.querySelector(".lost").textContent);
      const cutout = await load(row.key);
      if (row !== large.row) return;
      canvas.hidden = find("strip").hidden = false;
      find("stage-lost").hidden = true;
      LensViewer.draw(canvas, cutout, options(row, {...large, contrast: 2 ** large.contrast}));
      drawStrip(cutout);
      fetchAhead();
    } catch (error) {
      canvas.hidden = find("strip").hidden = true;
      find("stage-lost").hidden = false;
      find("stage-lost").textContent = error.message;
    }
  }

  /* Colours, each band alone, and what is left without the galaxy's smooth light. */
  const strip = [
    {title: "colour", change: () => ({bands: ""}), isOn: () => large.bands === ""},
    ...data.bands.map((band) => ({title: band, change: () => ({bands: band}), isOn: () => large.bands === band})),
    {title: "less galaxy", change: () => ({subtract: !large.subtract}), isOn: () => large.subtract, shows: {subtract: true}},
  ];

  function makeStrip() {
    for (const part of strip) {
      part.button = document.createElement("button");
      part.canvas = document.createElement("canvas");
      part.canvas.width = part.canvas.height = 160;
      part.button.type = "button";
      part.button.append(part.canvas, part.title);
      part.button.onclick = () => change(part.change());
    }
    find("strip").append(...strip.map((part) => part.button));
  }

  function drawStrip(cutout) {
    for (const part of strip) {
      part.button.setAttribute("aria-pressed", String(part.isOn()));
      const shows = {...large, zoom: 1, contrast: 2 ** large.contrast, ...(part.shows ?? part.change())};
      LensViewer.draw(part.canvas, cutout, {...options(large.row, shows), pixelScale: 0, compass: false});
    }
  }

  function fetchAhead() {
    const place = shown.indexOf(large.row);
    for (const row of [shown[place + 1], shown[place + 2], shown[place - 1]]) if (row?.key) load(row.key).catch(() => {});
  }

  function go(step) {
    const place = shown.indexOf(large.row) + step;
    if (place >= 0 && place < shown.length) {
      large.row = shown[place];
      tell(large.row);
      drawLarge();
    }
  }

  function showControls() {
    for (const id of ["contrast", "zoom"]) find(id).value = large[id];
    find("large-stretch").value = large.stretch;
    find("large-subtract").checked = large.subtract;
    find("invert").checked = large.invert;
  }

  function change(changes) {
    Object.assign(large, changes);
    drawLarge();
  }

  function closed() {
    const {card} = large.row;
    card.scrollIntoView({block: "nearest"});
    card.querySelector(".picture").focus();
    sayCount();
  }

  // ---- keys ------------------------------------------------------------------------------------------------------

  const within = (number, low, high) => Math.min(Math.max(number, low), high);
  const after = (names, name) => names[(names.indexOf(name) + 1) % names.length];
  const stretches = Object.keys(LensViewer.stretches);

  const STAGE_KEYS = {
    ArrowRight: () => go(1),
    ArrowLeft: () => go(-1),
    j: () => go(1),
    k: () => go(-1),
    b: () => change({bands: after(["", ...data.bands], large.bands)}),
    s: () => change({stretch: after(stretches, large.stretch)}),
    d: () => change({subtract: !large.subtract}),
    i: () => change({invert: !large.invert}),
    "+": () => change({contrast: within(large.contrast + 0.5, -2, 4)}),
    "=": () => change({contrast: within(large.contrast + 0.5, -2, 4)}),
    "-": () => change({contrast: within(large.contrast - 0.5, -2, 4)}),
    z: () => change({zoom: within(large.zoom * 1.5, 1, 6)}),
    x: () => change({zoom: within(large.zoom / 1.5, 1, 6)}),
    0: () => change(first),
    c: () => copyPosition(large.row),
  };
  const LIST_KEYS = {
    j: () => step(1),
    k: () => step(-1),
    "/": () => find("find").focus(),
    c: () => focused() && copyPosition(focused()),
  };

  const focused = () => shown.find((row) => row.card.contains(document.activeElement));

  function step(by) {
    const place = focused() ? within(shown.indexOf(focused()) + by, 0, shown.length - 1) : 0;
    shown[place]?.card.querySelector(".picture").focus();
  }

  function pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || isTyped(event)) return;
    const action = (stage.open ? STAGE_KEYS : LIST_KEYS)[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  }

  /* Whether a key belongs to the control that has the focus. */
  function isTyped({target, key}) {
    if (target.matches("input[type=search], input[type=number], select")) return true;
    return target.matches("input[type=range]") && key.startsWith("Arrow");
  }

  // ---- begin -----------------------------------------------------------------------------------------------------

  function choices(select, pairs) {
    select.replaceChildren(...pairs.map(([name, title]) => new Option(title, name)));
  }

  function listen() {
    for (const id of ["sort", "flag", "tile", "known", "near", "scene"]) find(id)?.addEventListener("change", update);
    for (const id of ["find", "logit", "probability"]) find(id).addEventListener("input", update);
    for (const button of [find("reset"), document.querySelector(".reset")]) button.onclick = reset;
    document.querySelector("form").onsubmit = (event) => event.preventDefault();
    find("download").onclick = download;
    for (const id of ["bands", "stretch"]) find(id).onchange = () => { look[id] = value(id); redraw(); };
    find("subtract").onchange = () => { look.subtract = find("subtract").checked; redraw(); };
    find("cards").addEventListener("click", clicked);
    document.addEventListener("keydown", pressed);
    listenOnStage();
  }

  function clicked(event) {
    const card = event.target.closest(".card");
    if (event.target.closest(".picture")) open(rows[Number(card.dataset.place)]);
    if (event.target.closest(".copy")) copyPosition(rows[Number(card.dataset.place)]);
  }

  function listenOnStage() {
    for (const id of ["contrast", "zoom"]) find(id).oninput = () => change({[id]: Number(value(id))});
    find("large-stretch").onchange = () => change({stretch: value("large-stretch")});
    find("large-subtract").onchange = () => change({subtract: find("large-subtract").checked});
    find("invert").onchange = () => change({invert: find("invert").checked});
    find("as-first").onclick = () => change(first);
    find("previous").onclick = () => go(-1);
    find("next").onclick = () => go(1);
    find("close").onclick = () => stage.close();
    find("facts").onclick = (event) => event.target.closest(".copy") && copyPosition(large.row);
    stage.onclose = closed;
  }

  if (rows.length) {
    // on a narrow page candidates come first as well
    find("filters").open = innerWidth > 600;
    makeStrip();
    choices(find("bands"), [["", "colour"], ...data.bands.map((band) => [band, band])]);
    for (const id of ["stretch", "large-stretch"]) choices(find(id), Object.entries(LensViewer.stretches));
    listen();
    update();
    rows.forEach(({card}) => watcher.observe(card));
  }
  return {take};
})();
