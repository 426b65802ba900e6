"use strict";
/* How it went: told when a grader has finished. */
class ResultsView {
  constructor(work, pictures) {
    this.work = work;
    this.pictures = pictures;
  }

  show(results) {
    byId("figures").replaceChildren(...this.rows(results).map(([name, value]) => {
      const row = made("tr", "");
      row.append(made("th", name), made("td", value));
      return row;
    }));
    const answers = [...results.answers].sort((one, other) => this.weight(one) - this.weight(other));
    byId("answers").replaceChildren(...answers.map((answer) => this.card(answer)));
    if (!answers.length) byId("answers").append(made("p", "Nothing was mixed in, and you recognised nothing."));
  }

  rows({graded, figures}) {
    const share = (name) => {
      const [value, low, high] = ["", "_low", "_high"].map((end) => figures[name + end]);
      if (value === null || value === undefined) return "none of them was graded";
      return `${percent(value)} (${percent(low)} to ${percent(high)} at 95 % confidence)`;
    };
    return [
      ["graded", String(graded)],
      ["median time", figures.median_seconds ? `${figures.median_seconds.toFixed(1)} s` : "not known"],
      [`lenses recognised, of ${figures.num_lenses ?? 0}`, share("recall")],
      [`duds taken for lenses, of ${figures.num_duds ?? 0}`, share("false_alarms")],
      [`the same grade when shown again, of ${figures.num_repeats ?? 0}`, share("repeated")],
    ];
  }

  /* What was missed comes first, then false alarms, then the rest. */
  weight({planted, grade}) {
    if (planted === "lens" || planted === "known") return grade ? 2 : 0;
    return planted === "dud" && grade ? 1 : 3;
  }

  card(answer) {
    const canvas = made("canvas", "", {width: 202, height: 202});
    const card = made("div", "", {className: "cell"});
    const said = this.work.scale.find((step) => step.grade === answer.grade);
    card.append(canvas, made("p", `${this.what(answer)}. You said ${said.label} (${said.name}).`));
    this.pictures.get(answer.key).then((cutout) => {
      const {bands: names, pixel_scale_arcsec: pixelScale} = this.work;
      LensViewer.draw(canvas, cutout, {names, stretch: "asinh", contrast: 1, zoom: 1, pixelScale});
    }, (error) => canvas.replaceWith(made("p", error.message)));
    return card;
  }

  what({id, planted, about}) {
    if (planted === "lens") return `A simulated lens, Einstein radius ${about.einstein_radius_arcsec}\u2033`;
    if (planted === "dud") return "A galaxy that is no lens";
    if (planted === "known") return `A known lens, ${about.known_lens}${about.known_grade ? ` (${about.known_grade})` : ""}`;
    const probability = Number.isFinite(about.probability) ? `, probability ${about.probability.toPrecision(2)}` : "";
    return `${id}${about.rank ? `, rank ${about.rank}` : ""}${probability}`;
  }
}

function percent(value) {
  return `${Math.round(100 * value)} %`;
}
