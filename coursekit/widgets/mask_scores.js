// MaskLab's arithmetic, with the counts of coursekit.training: masks are flat Uint8Arrays, `shape` is [rows, columns].

const IGNORED = 255;
const MISSED = 1;
const TOO_MUCH = 2;
const OTHER = 3;
const UNCOUNTED = 4;

/* ---------------------------------------------------------------- bytes and text */

function bytesOf(text) {
  const raw = atob(text);
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}

function textOf(bytes) {
  let raw = "";
  for (let at = 0; at < bytes.length; at += 8192) raw += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(raw);
}

/* ---------------------------------------------------------------- edges */

/** For every pixel the largest (or smallest) value at most `reach` rows and columns away. */
function extreme(mask, [rows, columns], reach, better) {
  const across = new Uint8Array(mask.length);
  for (let row = 0; row < rows; row += 1) {
    const start = row * columns;
    for (let column = 0; column < columns; column += 1) {
      const end = Math.min(columns - 1, column + reach);
      let best = mask[start + column];
      for (let at = Math.max(0, column - reach); at <= end; at += 1) best = better(best, mask[start + at]);
      across[start + column] = best;
    }
  }
  const found = across.slice();
  for (let row = 0; row < rows; row += 1) {
    const last = Math.min(rows - 1, row + reach);
    for (let other = Math.max(0, row - reach); other <= last; other += 1) {
      if (other === row) continue;
      for (let column = 0; column < columns; column += 1) {
        const at = row * columns + column;
        found[at] = better(found[at], across[other * columns + column]);
      }
    }
  }
  return found;
}

const larger = (one, other) => (one > other ? one : other);
const smaller = (one, other) => (one < other ? one : other);

/** Every ignored pixel takes the class of the nearest labelled one; of several, the largest number. */
function withoutGaps(truth, shape) {
  if (truth.every((value) => value === IGNORED)) return truth;
  let shifted = truth.map((value) => (value === IGNORED ? 0 : value + 1));
  while (shifted.includes(0)) {
    const near = extreme(shifted, shape, 1, larger);
    shifted = shifted.map((value, at) => value || near[at]);
  }
  return shifted.map((value) => value - 1);
}

/** 1 at most `reach` rows and columns away from a 1; made for the few pixels that lie along edges. */
function spread(marks, [rows, columns], reach) {
  const found = marks.slice();
  for (let at = 0; reach > 0 && at < marks.length; at += 1) {
    if (!marks[at]) continue;
    const [row, column] = [Math.floor(at / columns), at % columns];
    const [left, right] = [Math.max(0, column - reach), Math.min(columns - 1, column + reach)];
    for (let r = Math.max(0, row - reach); r <= Math.min(rows - 1, row + reach); r += 1)
      found.fill(1, r * columns + left, r * columns + right + 1);
  }
  return found;
}

/**
 * 1 where a pixel of another class is at most `width` rows and columns away. On the way to it one step leads
 * from class to class, so such a pixel is at most `width - 1` from one that touches another class.
 */
function boundaryBand(mask, shape, width) {
  const [rows, columns] = shape;
  const touching = new Uint8Array(mask.length);
  const compare = (at, other) => {
    if (mask[at] !== mask[other]) touching[at] = touching[other] = 1;
  };
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) {
      const at = row * columns + column;
      if (column + 1 < columns) compare(at, at + 1);
      if (row + 1 === rows) continue;
      compare(at, at + columns);
      if (column + 1 < columns) compare(at, at + columns + 1);
      if (column > 0) compare(at, at + columns - 1);
    }
  return spread(touching, shape, width - 1);
}

/** 1 where a pixel of another class lies above, below or beside. The frame of the picture is no edge. */
function contourOf(mask, [rows, columns]) {
  const found = new Uint8Array(mask.length);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) {
      const at = row * columns + column;
      if (column + 1 < columns && mask[at] !== mask[at + 1]) found[at] = found[at + 1] = 1;
      if (row + 1 < rows && mask[at] !== mask[at + columns]) found[at] = found[at + columns] = 1;
    }
  return found;
}

/* ---------------------------------------------------------------- scores */

const ratio = (part, whole) => (whole ? part / whole : 0);
const meanOf = (values) => (values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : 0);

/** What the truth alone decides, so that a stroke need not find it again. `rules`: { tolerance, band }. */
function truthFacts(truth, shape, classes, rules) {
  const filled = withoutGaps(truth, shape);
  const contour = contourOf(filled, shape);
  return {
    truth, shape, classes, rules, filled, contour,
    blank: filled.includes(IGNORED), // no pixel is labelled
    band: boundaryBand(filled, shape, rules.band),
    near: spread(contour, shape, rules.tolerance),
  };
}

/** Pixel accuracy and the IoU of each class, with the counts behind them; ignored pixels are left out. */
function areaScores(painted, { truth, classes }) {
  const [shared, mine, theirs] = [0, 0, 0].map(() => new Array(classes).fill(0));
  let counted = 0;
  for (let at = 0; at < truth.length; at += 1) {
    if (truth[at] === IGNORED) continue;
    counted += 1;
    mine[painted[at]] += 1;
    theirs[truth[at]] += 1;
    if (painted[at] === truth[at]) shared[truth[at]] += 1;
  }
  const right = shared.reduce((sum, value) => sum + value, 0);
  const either = shared.map((both, name) => mine[name] + theirs[name] - both);
  const present = [...either.keys()].filter((name) => either[name]);
  const ious = either.map((count, name) => (count ? shared[name] / count : null));
  return { counted, right, shared, either, present, ious, pixel_accuracy: ratio(right, counted), miou: meanOf(present.map((name) => ious[name])) };
}

/** Boundary F1 (where edges run) and boundary IoU (the bands along them, class by class), with their counts. */
function edgeScores(painted, facts) {
  const { filled, shape, classes, rules, contour, near, band, blank } = facts;
  const none = new Array(classes).fill(0);
  if (blank) return { matched: [0, 0], drawn: [0, 0], both: none, either: none, precision: 0, recall: 0, boundary_f1: 1, boundary_iou: 0 };
  const mine = contourOf(painted, shape);
  const nearMine = spread(mine, shape, rules.tolerance);
  const myBand = boundaryBand(painted, shape, rules.band);
  const [matched, drawn, both, either] = [[0, 0], [0, 0], [...none], [...none]];
  for (let at = 0; at < painted.length; at += 1) {
    if (mine[at]) {
      drawn[0] += 1;
      matched[0] += near[at];
    }
    if (contour[at]) {
      drawn[1] += 1;
      matched[1] += nearMine[at];
    }
    if (myBand[at]) either[painted[at]] += 1;
    if (band[at]) {
      if (myBand[at] && painted[at] === filled[at]) both[filled[at]] += 1;
      else either[filled[at]] += 1;
    }
  }
  const [precision, recall] = [ratio(matched[0], drawn[0]), ratio(matched[1], drawn[1])];
  const present = [...either.keys()].filter((name) => either[name]);
  return {
    matched, drawn, both, either, precision, recall,
    boundary_f1: drawn[0] + drawn[1] ? ratio(2 * precision * recall, precision + recall) : 1,
    boundary_iou: meanOf(present.map((name) => both[name] / either[name])),
  };
}

function scoresOf(painted, facts) {
  const [area, edge] = [areaScores(painted, facts), edgeScores(painted, facts)];
  const { pixel_accuracy, miou } = area;
  const { boundary_f1, boundary_iou } = edge;
  return { area, edge, pixel_accuracy, miou, boundary_f1, boundary_iou };
}

/** What is wrong at each pixel: 0, MISSED, TOO_MUCH, OTHER (one object taken for another), or UNCOUNTED. */
function errorsOf(painted, truth) {
  const counts = [0, 0, 0, 0, 0];
  const kinds = new Uint8Array(painted.length);
  for (let at = 0; at < painted.length; at += 1) {
    let kind = 0;
    if (truth[at] === IGNORED) kind = UNCOUNTED;
    else if (painted[at] !== truth[at]) kind = painted[at] === 0 ? MISSED : truth[at] === 0 ? TOO_MUCH : OTHER;
    kinds[at] = kind;
    counts[kind] += 1;
  }
  return { kinds, counts };
}

const isReached = (task, scores) =>
  task.bounds.every(([name, sign, bound]) => (sign === ">" ? scores[name] > bound : scores[name] < bound));

/* ---------------------------------------------------------------- painting: each changes the mask in place */

/** The pixels of a round brush around a place, as flat indices. */
function brushPixels([row, column], diameter, [rows, columns]) {
  const [reach, most] = [Math.floor(diameter / 2), (diameter / 2) ** 2];
  const found = [];
  for (let r = Math.max(0, row - reach); r <= Math.min(rows - 1, row + reach); r += 1)
    for (let c = Math.max(0, column - reach); c <= Math.min(columns - 1, column + reach); c += 1)
      if ((r - row) ** 2 + (c - column) ** 2 <= most) found.push(r * columns + c);
  return found;
}

function dab(mask, shape, at, diameter, name) {
  for (const pixel of brushPixels(at, diameter, shape)) mask[pixel] = name;
}

/** A stroke without gaps, however fast the pointer moved. */
function line(mask, shape, from, to, diameter, name) {
  const steps = Math.max(1, Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
  for (let step = 0; step <= steps; step += 1) {
    const between = (axis) => Math.round(from[axis] + ((to[axis] - from[axis]) * step) / steps);
    dab(mask, shape, [between(0), between(1)], diameter, name);
  }
}

/** The patch of one class around a place, neighbours above, below and beside, becomes another class. */
function flood(mask, [rows, columns], [row, column], name) {
  const old = mask[row * columns + column];
  if (old === name) return 0;
  const waiting = [row * columns + column];
  mask[waiting[0]] = name;
  let count = 0;
  while (waiting.length) {
    const at = waiting.pop();
    count += 1;
    const across = at % columns;
    const beside = [at - columns, at + columns, across ? at - 1 : -1, across < columns - 1 ? at + 1 : -1];
    for (const next of beside)
      if (next >= 0 && next < rows * columns && mask[next] === old) {
        mask[next] = name;
        waiting.push(next);
      }
  }
  return count;
}

/** One pixel fatter all round: background takes the largest class among its eight neighbours. */
function grownMask(mask, shape) {
  const near = extreme(mask, shape, 1, larger);
  return mask.map((value, at) => value || near[at]);
}

/** One pixel thinner all round. */
function shrunkMask(mask, shape) {
  const near = extreme(mask, shape, 1, smaller);
  return mask.map((value, at) => (near[at] ? value : 0));
}

/** What comes in from outside is background. */
function movedMask(mask, [rows, columns], [down, right]) {
  const found = new Uint8Array(mask.length);
  for (let row = Math.max(0, down); row < Math.min(rows, rows + down); row += 1)
    for (let column = Math.max(0, right); column < Math.min(columns, columns + right); column += 1)
      found[row * columns + column] = mask[(row - down) * columns + column - right];
  return found;
}
