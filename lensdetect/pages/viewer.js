"use strict";
/*
 * Draws cutouts of galaxies on canvases, from their floats: every stretch, band, contrast and zoom is computed here.
 *
 *   const cutout = await LensViewer.unpack(bytes);        // as lensdetect.pages.pack_cutout made them
 *   LensViewer.draw(canvas, cutout, {names: ["u", "g", "r", "i"], stretch: "asinh", pixelScale: 0.2});
 *
 * A cutout is {height, width, planes}: one Float32Array a band, row by row from the bottom up, NaN where there is no
 * pixel. The default picture is that of lensdetect.figures.lupton_rgb, number for number (a test compares them):
 * an asinh of the mean of three bands sets the brightness, the ratio of the bands the colour (Lupton+ 2004, PASP 116,
 * 133). The viewer takes no names from catalogues and writes no markup.
 */
const LensViewer = (() => {
  // On one zero point these make a spiral grey, an elliptical orange and a young arc blue.
  const WEIGHTS = {g: 1.61, r: 1.0, i: 0.686, z: 0.525};
  const BEST_BANDS = ["g", "r", "i"];
  const SOFTENING_SIGMA = 3;
  const BLACK_SIGMA = -1;
  const FAINTEST_WHITE_SIGMA = 35;
  const FAINT_WHITE_SIGMA = 12;
  const WHITE_QUANTILE = 0.998;
  const MASKED_GREY = 64;
  const LOG_RANGE = 300;

  /* How brightness b in sigma is shown, with w shown white. */
  const STRETCHES = {
    asinh: {title: "asinh", curve: (b, w) => Math.asinh(b / SOFTENING_SIGMA) / Math.asinh(w / SOFTENING_SIGMA)},
    faint: {title: "faint arcs", white: FAINT_WHITE_SIGMA, curve: (b, w) => Math.asinh(b / 2) / Math.asinh(w / 2)},
    sqrt: {title: "square root", curve: (b, w) => Math.sqrt(b / w)},
    log: {title: "logarithm", curve: (b, w) => Math.log1p((LOG_RANGE * b) / w) / Math.log1p(LOG_RANGE)},
    linear: {title: "linear", curve: (b, w) => b / w},
  };

  // ---- unpacking -------------------------------------------------------------------------------------------------

  /* Promise of a cutout from packed bytes (Uint8Array or ArrayBuffer); rejected where they are damaged. */
  async function unpack(packed) {
    const bytes = packed instanceof Uint8Array ? packed : new Uint8Array(packed);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (String.fromCharCode(...bytes.subarray(0, 4)) !== "LDC1") throw new Error("this is no packed cutout");
    const [height, width, count] = [4, 6, 8].map((place) => view.getUint16(place, true));
    const steps = Array.from({length: count}, (_, band) => view.getFloat32(12 + 4 * band, true));
    const codes = await inflate(bytes.subarray(12 + 4 * count));
    const size = height * width;
    if (codes.length !== 4 * count * size) throw new Error("a packed cutout was cut short");
    const planes = steps.map((step, band) => decode(codes.subarray(4 * band * size, 4 * (band + 1) * size), step));
    return {height, width, planes};
  }

  async function inflate(bytes) {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  function decode(parted, step) {
    const size = parted.length / 4;
    const plane = new Float32Array(size);
    for (let place = 0; place < size; place++) {
      const code =
        parted[place] +
        256 * (parted[size + place] + 256 * (parted[2 * size + place] + 256 * parted[3 * size + place]));
      const steps = Math.floor(code / 2);
      plane[place] = code === 0 ? NaN : (code % 2 ? steps : -steps) * step;
    }
    return plane;
  }

  /* The same from text: packed bytes in base64. */
  function unpackText(text) {
    return unpack(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  }

  // ---- numbers ---------------------------------------------------------------------------------------------------

  function sorted(values) {
    return Float32Array.from(values).filter(Number.isFinite).sort();
  }

  /* Quantile of sorted values, linear between neighbours. */
  function quantile(ordered, share) {
    if (!ordered.length) return NaN;
    const place = share * (ordered.length - 1);
    const low = Math.floor(place);
    const high = Math.min(low + 1, ordered.length - 1);
    return ordered[low] + (place - low) * (ordered[high] - ordered[low]);
  }

  const median = (values) => quantile(sorted(values), 0.5);

  /* Robust noise of a plane: 1.4826 times the median deviation. */
  function skySigma(plane) {
    const middle = median(plane);
    const sigma = 1.4826 * median(plane.map((value) => Math.abs(value - middle)));
    return sigma > 0 ? sigma : 1;
  }

  /* What follows from a cutout is computed once and kept with it. */
  function kept(cutout, name, make) {
    cutout.kept ??= {};
    cutout.kept[name] ??= make();
    return cutout.kept[name];
  }

  const sigmasOf = (cutout) => kept(cutout, "sigmas", () => cutout.planes.map(skySigma));

  // ---- the smooth light of the deflector -------------------------------------------------------------------------

  /*
   * Cutout without the smooth light about its middle: in each band the median of elliptical rings, without
   * what stands out above it as an arc does, made to fall outwards. Centre, axis ratio and angle are those of all
   * bands together, from moments under a Gaussian of the same shape (Bernstein & Jarvis 2002, AJ 123, 583).
   */
  function withoutDeflector(cutout) {
    return kept(cutout, "residual", () => {
      const radii = ellipticalRadii(cutout, galaxyShape(cutout));
      const planes = cutout.planes.map((plane) => subtractRings(plane, radii));
      return {height: cutout.height, width: cutout.width, planes};
    });
  }

  /* All bands in units of their noise, added up, with the sky at 0. */
  function detectionImage(cutout) {
    const sigmas = sigmasOf(cutout);
    const total = new Float32Array(cutout.height * cutout.width);
    cutout.planes.forEach((plane, band) => {
      const level = median(plane);
      for (let place = 0; place < total.length; place++) {
        const value = (plane[place] - level) / sigmas[band];
        if (Number.isFinite(value)) total[place] += value;
      }
    });
    return total;
  }

  /* Shape of the galaxy in the middle; what stands out of its rings, such as an arc, is cut down and it is taken again. */
  function galaxyShape(cutout) {
    const image = detectionImage(cutout);
    const first = shapeOf(image, cutout);
    const left = subtractRings(image, ellipticalRadii(cutout, first));
    const most = CLIP_SIGMA * Math.sqrt(cutout.planes.length);
    return shapeOf(image.map((value, place) => value - Math.max(0, left[place] - most)), cutout);
  }

  const MOST_SHIFT_PIX = 3;
  const START_PIX = 4;
  const LARGEST_PIX = 4; // farther out there are arcs
  const FLATTEST = 0.3;
  const ROUNDS = 8;

  function shapeOf(image, cutout) {
    const middle = {x: (cutout.width - 1) / 2, y: (cutout.height - 1) / 2};
    let shape = {...middle, xx: START_PIX ** 2, xy: 0, yy: START_PIX ** 2};
    for (let round = 0; round < ROUNDS; round++) {
      const next = moments(image, cutout, shape);
      if (!next || Math.hypot(next.x - middle.x, next.y - middle.y) > MOST_SHIFT_PIX) break;
      shape = next;
    }
    const mean = (shape.xx + shape.yy) / 2;
    const half = Math.hypot((shape.xx - shape.yy) / 2, shape.xy);
    const ratio = Math.max(FLATTEST, Math.sqrt(Math.max(mean - half, 0) / (mean + half)));
    return {x: shape.x, y: shape.y, ratio, angle: Math.atan2(2 * shape.xy, shape.xx - shape.yy) / 2};
  }

  /* Moments under a Gaussian; of a Gaussian galaxy they are half of its own, hence the 2. None where there is no light. */
  function moments(image, {width, height}, shape) {
    const det = shape.xx * shape.yy - shape.xy ** 2;
    const reach = 4 * Math.sqrt(Math.max(shape.xx, shape.yy));
    let [sum, x1, y1, xx, xy, yy] = [0, 0, 0, 0, 0, 0];
    for (let y = Math.max(0, Math.ceil(shape.y - reach)); y < Math.min(height, shape.y + reach); y++) {
      for (let x = Math.max(0, Math.ceil(shape.x - reach)); x < Math.min(width, shape.x + reach); x++) {
        const [dx, dy] = [x - shape.x, y - shape.y];
        const far = (shape.yy * dx * dx - 2 * shape.xy * dx * dy + shape.xx * dy * dy) / det;
        const light = Math.exp(-far / 2) * image[y * width + x];
        sum += light;
        x1 += light * dx;
        y1 += light * dy;
        xx += light * dx * dx;
        xy += light * dx * dy;
        yy += light * dy * dy;
      }
    }
    const next = {x: shape.x + x1 / sum, y: shape.y + y1 / sum, xx: (2 * xx) / sum, xy: (2 * xy) / sum, yy: (2 * yy) / sum};
    const area = next.xx * next.yy - next.xy ** 2;
    if (!(sum > 0 && area > 0.25)) return null;
    const shrink = Math.min(1, LARGEST_PIX ** 2 / Math.sqrt(area));
    return {x: next.x, y: next.y, xx: shrink * next.xx, xy: shrink * next.xy, yy: shrink * next.yy};
  }

  function ellipticalRadii({width, height}, {x, y, ratio, angle}) {
    const [cos, sin, root] = [Math.cos(angle), Math.sin(angle), Math.sqrt(ratio)];
    const radii = new Float32Array(width * height);
    for (let place = 0; place < radii.length; place++) {
      const [dx, dy] = [(place % width) - x, Math.floor(place / width) - y];
      radii[place] = Math.hypot(root * (cos * dx + sin * dy), (cos * dy - sin * dx) / root);
    }
    return radii;
  }

  const RING_PIX = 1;
  const EVEN_RINGS = 8;
  const RING_GROWTH = 1.1;

  /* Rings are a pixel wide near the middle, and wider in proportion farther out. */
  function ringOf(radius) {
    if (radius < EVEN_RINGS * RING_PIX) return Math.floor(radius / RING_PIX);
    return EVEN_RINGS + Math.floor(Math.log(radius / (EVEN_RINGS * RING_PIX)) / Math.log(RING_GROWTH));
  }

  function subtractRings(plane, radii) {
    const profile = fallingProfile(plane, radii);
    if (!profile.length) return plane;
    return plane.map((value, place) => value - at(profile, radii[place]));
  }

  /* Mean radius and median of each ring, outwards; light of one galaxy does not rise again. */
  function fallingProfile(plane, radii) {
    const rings = [];
    for (let place = 0; place < plane.length; place++) {
      if (!Number.isFinite(plane[place])) continue;
      const ring = (rings[ringOf(radii[place])] ??= {values: [], radius: 0});
      ring.values.push(plane[place]);
      ring.radius += radii[place];
    }
    let lowest = Infinity;
    return rings.filter(Boolean).map(({values, radius}) => {
      lowest = Math.min(lowest, medianOfRing(values));
      return {radius: radius / values.length, light: lowest};
    });
  }

  const CLIP_SIGMA = 2.5;

  /* Median of what is left without the values that stand out above it, as those of an arc do. */
  function medianOfRing(values) {
    const ordered = sorted(values);
    const middle = quantile(ordered, 0.5);
    const most = middle + CLIP_SIGMA * 1.4826 * median(ordered.map((value) => Math.abs(value - middle)));
    return quantile(ordered.filter((value) => value <= most), 0.5);
  }

  function at(profile, radius) {
    const next = profile.findIndex((ring) => ring.radius >= radius);
    if (next === 0) return profile[0].light;
    if (next < 0) return profile[profile.length - 1].light;
    const [low, high] = [profile[next - 1], profile[next]];
    return low.light + ((radius - low.radius) / (high.radius - low.radius)) * (high.light - low.light);
  }

  // ---- colours ---------------------------------------------------------------------------------------------------

  /* Places of the one to three bands that make the picture, from blue to red, of those that have a pixel. */
  function chosenBands(cutout, names) {
    const present = kept(cutout, "present", () => cutout.planes.map((plane) => plane.some(Number.isFinite)));
    const places = names.map((_, place) => place).filter((place) => present[place]);
    if (BEST_BANDS.every((name) => places.some((place) => names[place] === name))) {
      return BEST_BANDS.map((name) => names.indexOf(name));
    }
    const withoutU = places.filter((place) => names[place] !== "u");
    return (withoutU.length > 1 ? withoutU : places).slice(-3);
  }

  /*
   * Red, green and blue planes in units of their mean noise. zeroPoints (AB mag of one unit of flux, optional) bring
   * bands of different units together.
   */
  function coloursInSigma(cutout, names, places, zeroPoints) {
    const units = places.map((place) => (zeroPoints ? 10 ** (-0.4 * (zeroPoints[place] - zeroPoints[places[0]])) : 1));
    const sigmas = places.map((place, number) => sigmasOf(cutout)[place] * units[number]);
    const known = places.every((place) => names[place] in WEIGHTS);
    const weights = places.map((place, number) => (known ? WEIGHTS[names[place]] : 1 / sigmas[number]));
    const noise = mean(weights.map((weight, number) => weight * sigmas[number]));
    const scaled = places.map((place, number) => {
      const factor = (units[number] * weights[number]) / noise;
      return cutout.planes[place].map((value) => value * factor);
    });
    const [blue, red] = [scaled[0], scaled[scaled.length - 1]];
    const green = scaled.length === 3 ? scaled[1] : blue.map((value, place) => (value + red[place]) / 2);
    return [red, green, blue];
  }

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  /* Brightness that is drawn white: that of the brightest part of the inner half. */
  function whiteLevel(brightness, {width, height}) {
    const [left, bottom] = [Math.floor(width / 4), Math.floor(height / 4)];
    const inner = brightness.filter((_, place) => {
      const [x, y] = [place % width, Math.floor(place / width)];
      return x >= left && x < width - left && y >= bottom && y < height - bottom;
    });
    return Math.max(FAINTEST_WHITE_SIGMA, quantile(sorted(inner), WHITE_QUANTILE));
  }

  /* ImageData of a cutout, its top row first. */
  function picture(cutout, options) {
    const {names, bands, stretch = "asinh", contrast = 1, invert = false, zeroPoints} = options;
    const shown = options.subtract ? withoutDeflector(cutout) : cutout;
    const image = new ImageData(cutout.width, cutout.height);
    const places = bands ? bands.map((name) => names.indexOf(name)) : chosenBands(cutout, names);
    if (!places.length) {
      image.data.forEach((_, byte, data) => (data[byte] = byte % 4 === 3 ? 255 : MASKED_GREY));
      return image;
    }
    const colours = coloursInSigma(shown, names, places, zeroPoints);
    paint(image, colours, {rule: STRETCHES[stretch], contrast, invert});
    return image;
  }

  function paint(image, colours, {rule, contrast, invert}) {
    const {width, height, data} = image;
    const isMasked = (place) => colours.some((colour) => !Number.isFinite(colour[place]));
    // a masked pixel counts as 0, as it does in lupton_rgb
    const lift = (colour, place) => (isMasked(place) ? 0 : colour[place]) - BLACK_SIGMA;
    const brightness = colours[0].map((_, place) => Math.max(mean(colours.map((one) => lift(one, place))), 1e-6));
    const white = (rule.white ?? whiteLevel(brightness, image)) / contrast;
    for (let place = 0; place < brightness.length; place++) {
      const start = 4 * ((height - 1 - Math.floor(place / width)) * width + (place % width));
      const factor = rule.curve(brightness[place], white) / brightness[place];
      const values = colours.map((colour) => Math.max(lift(colour, place), 0) * factor);
      const most = Math.max(1, ...values);
      values.forEach((value, number) => {
        const byte = Math.round((255 * value) / most);
        data[start + number] = isMasked(place) ? MASKED_GREY : invert ? 255 - byte : byte;
      });
      data[start + 3] = 255;
    }
  }

  // ---- drawing ---------------------------------------------------------------------------------------------------

  /*
   * Draw a cutout over a whole canvas.
   *
   * names: of the bands, from blue to red, as many as it has planes.
   * bands: the one to three of them that are shown, from blue to red; left out: the best three.
   * stretch: a key of LensViewer.stretches. contrast: 1, or more to lower what is white. invert: dark on bright.
   * subtract: without the smooth light of the deflector.
   * zoom: 1 shows all of it, 2 the inner half.
   * axes: [ex, ey, nx, ny], the directions of east and north in its pixels; with them north is up and east left.
   * compass: whether these are drawn.
   * pixelScale: arcsec of a pixel; with it a scale bar is drawn.
   */
  function draw(canvas, cutout, options) {
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = options.invert ? "#fff" : "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    const {zoom = 1, pixelScale, axes, compass = true} = options;
    const scale = (zoom * Math.min(canvas.width, canvas.height)) / Math.max(cutout.width, cutout.height);
    const [a, b, c, d] = turned(axes).map((value) => value * scale);
    context.setTransform(a, b, c, d, canvas.width / 2, canvas.height / 2);
    // square pixels where there is room for them
    context.imageSmoothingEnabled = scale < SQUARE_PIXELS;
    context.imageSmoothingQuality = "high";
    context.drawImage(asCanvas(picture(cutout, options)), -cutout.width / 2, -cutout.height / 2);
    context.setTransform(1, 0, 0, 1, 0, 0);
    if (pixelScale) drawScaleBar(context, scale / pixelScale);
    if (axes && compass) drawCompass(context);
  }

  function asCanvas(image) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  const SQUARE_PIXELS = 4; // of the screen, for each of the cutout
  const UPRIGHT = 0.01;

  /* Transformation of a picture (its top row first) in which north is up and east left: [a, b, c, d] of a canvas. */
  function turned(axes) {
    if (!axes) return [1, 0, 0, 1];
    const [ex, ey, nx, ny] = axes;
    const det = ex * ny - ey * nx;
    // a pixel to the right is so much east and north, and so is one up
    const [eastOfX, northOfX, eastOfY, northOfY] = [ny / det, -ey / det, -nx / det, ex / det];
    const matrix = [-eastOfX, -northOfX, eastOfY, northOfY];
    // whole quarter turns keep their pixels square on the screen
    const rounded = matrix.map(Math.round);
    return matrix.every((value, place) => Math.abs(value - rounded[place]) < UPRIGHT) ? rounded : matrix;
  }

  const BAR_ARCSEC = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600];

  function drawScaleBar(context, pixelsOfArcsec) {
    const {width, height} = context.canvas;
    const fitting = BAR_ARCSEC.filter((arcsec) => arcsec * pixelsOfArcsec <= width / 3);
    const arcsec = fitting.length ? fitting[fitting.length - 1] : BAR_ARCSEC[0];
    const edge = width / 25;
    const base = height - edge;
    stroke(context, [[edge, base], [edge + arcsec * pixelsOfArcsec, base]]);
    write(context, `${arcsec}\u2033`, edge + (arcsec * pixelsOfArcsec) / 2, base - edge / 2);
  }

  function drawCompass(context) {
    const {width} = context.canvas;
    const [edge, long] = [width / 25, width / 12];
    const [x, y] = [width - edge, 2.2 * edge + long];
    stroke(context, [[x, y - long], [x, y], [x - long, y]]);
    write(context, "N", x - edge / 4, y - long - edge / 3);
    write(context, "E", x - long - edge / 1.5, y + edge / 3);
  }

  function stroke(context, points) {
    for (const [colour, width] of [["#000", 4], ["#fff", 1.6]]) {
      context.strokeStyle = colour;
      context.lineWidth = (width * context.canvas.width) / 400;
      context.beginPath();
      points.forEach(([x, y], place) => (place ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.stroke();
    }
  }

  function write(context, text, x, y) {
    context.font = `${Math.round(context.canvas.width / 22)}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.lineWidth = context.canvas.width / 120;
    context.strokeStyle = "#000";
    context.strokeText(text, x, y);
    context.fillStyle = "#fff";
    context.fillText(text, x, y);
  }

  const stretches = Object.fromEntries(Object.entries(STRETCHES).map(([name, {title}]) => [name, title]));
  return {unpack, unpackText, draw, picture, withoutDeflector, chosenBands, stretches};
})();
