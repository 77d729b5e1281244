// BoxLab's arithmetic: boxes as [x, y, w, h] in pixels, `size` as [height, width]. Pure functions, the same numbers
// and the same gradients as torch's autograd gives, where two sides coincide too.

const LOSSES = ["l2", "smooth_l1", "iou", "giou"];

/** Pixels a share of the picture is worth, for x, y, w and h. */
const unitsOf = ([height, width]) => [width, height, width, height];

/** How much of max(one, other) is `one`: torch's maximum halves a tie. */
const shareOfMax = (one, other) => (one > other ? 1 : one < other ? 0 : 0.5);

/**
 * One axis of two boxes: what they share, what the box around both spans, and how these change with the start
 * and with the length of the first.
 */
function alongAxis(start, length, itsStart, itsLength) {
  const [end, itsEnd] = [start + length, itsStart + itsLength];
  const shared = Math.min(end, itsEnd) - Math.max(start, itsStart);
  const endIsNearer = 1 - shareOfMax(end, itsEnd);
  const met = shared > 0 ? 1 : 0; // boxes that only touch share nothing to push with
  return {
    shared: Math.max(0, shared),
    around: Math.max(end, itsEnd) - Math.min(start, itsStart),
    sharedByStart: met * (endIsNearer - shareOfMax(start, itsStart)),
    sharedByLength: met * endIsNearer,
    aroundByStart: 1 - endIsNearer - (1 - shareOfMax(start, itsStart)),
    aroundByLength: 1 - endIsNearer,
  };
}

/** Overlap, union and the box around both, with their gradients by x, y, w, h. */
function areasOf([x, y, w, h], [itsX, itsY, itsW, itsH]) {
  const [across, down] = [alongAxis(x, w, itsX, itsW), alongAxis(y, h, itsY, itsH)];
  const shared = across.shared * down.shared;
  const by = (name) => [
    across[`${name}ByStart`] * down[name], down[`${name}ByStart`] * across[name],
    across[`${name}ByLength`] * down[name], down[`${name}ByLength`] * across[name],
  ];
  const sharedBy = by("shared");
  const ownBy = [0, 0, h, w];
  return {
    shared,
    union: w * h + itsW * itsH - shared,
    around: across.around * down.around,
    sharedBy,
    unionBy: sharedBy.map((slope, at) => ownBy[at] - slope),
    aroundBy: by("around"),
  };
}

/** The gradient of a fraction. */
const slopeOf = (top, below, topBy, belowBy) => topBy.map((slope, at) => (slope * below - top * belowBy[at]) / (below * below));

/**
 * All that is told of a box: { offs, areas, l2, smooth_l1, iou, giou: { value, loss, gradient } }. The gradients
 * are those of the losses (1 - IoU, 1 - GIoU) by the four numbers as shares of the picture.
 */
function judgeBox(box, truth, size, beta) {
  const units = unitsOf(size);
  const offs = box.map((value, at) => (value - truth[at]) / units[at]);
  const areas = areasOf(box, truth);
  const { shared, union, around } = areas;
  const iouBy = slopeOf(shared, union, areas.sharedBy, areas.unionBy);
  const fillBy = slopeOf(union, around, areas.unionBy, areas.aroundBy);
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / 4;
  const l2 = mean(offs.map((off) => off * off));
  const smooth = mean(offs.map((off) => (Math.abs(off) < beta ? (off * off) / (2 * beta) : Math.abs(off) - beta / 2)));
  const [iou, giou] = [shared / union, shared / union - (around - union) / around];
  const inShares = (slopes) => slopes.map((slope, at) => -slope * units[at] || 0); // no -0
  return {
    offs,
    areas,
    l2: { value: l2, loss: l2, gradient: offs.map((off) => off / 2) },
    smooth_l1: { value: smooth, loss: smooth, gradient: offs.map((off) => Math.max(-1, Math.min(1, off / beta)) / 4) },
    iou: { value: iou, loss: 1 - iou, gradient: inShares(iouBy) },
    giou: { value: giou, loss: 1 - giou, gradient: inShares(iouBy.map((slope, at) => slope + fillBy[at])) },
  };
}

/** To one digit, downwards: a learning rate that a sentence can name. */
function roundedDown(value) {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  return Number((Math.floor(value / power + 1e-9) * power).toPrecision(1));
}

/** The learning rates of the arrows, once for a picture, so that arrows of one loss can be compared. */
function ratesFor(truth, size) {
  const [, , w, h] = truth.map((value, at) => value / unitsOf(size)[at]);
  const rate = roundedDown(0.3 * Math.min(w, h) ** 2);
  return { l2: 1, smooth_l1: 0.4, iou: rate, giou: rate };
}

/** The box after one step of gradient descent on its four numbers. */
function steppedBox(box, gradient, rate, size) {
  const units = unitsOf(size);
  return box.map((value, at) => value - rate * gradient[at] * units[at]);
}

/** The ways of the sides' middles and of the centre from one box to another: { from: [x, y], by: [dx, dy] }. */
function arrowsBetween([x, y, w, h], [toX, toY, toW, toH]) {
  const [left, top] = [toX - x, toY - y];
  const [right, bottom] = [left + toW - w, top + toH - h];
  return {
    left: { from: [x, y + h / 2], by: [left, 0] },
    right: { from: [x + w, y + h / 2], by: [right, 0] },
    top: { from: [x + w / 2, y], by: [0, top] },
    bottom: { from: [x + w / 2, y + h], by: [0, bottom] },
    centre: { from: [x + w / 2, y + h / 2], by: [(left + right) / 2, (top + bottom) / 2] },
  };
}

/* ---------------------------------------------------------------- how two boxes lie */

/** "same", "apart", "touching" (a common side or corner and no overlap) or "overlapping". */
function layOf([x, y, w, h], [itsX, itsY, itsW, itsH]) {
  if (x === itsX && y === itsY && w === itsW && h === itsH) return "same";
  const across = Math.min(x + w, itsX + itsW) - Math.max(x, itsX);
  const down = Math.min(y + h, itsY + itsH) - Math.max(y, itsY);
  if (across < 0 || down < 0) return "apart";
  return across === 0 || down === 0 ? "touching" : "overlapping";
}

/** Whether two sides lie on one line, where the overlap has a kink and the gradient jumps. */
function sidesMeet([x, y, w, h], [itsX, itsY, itsW, itsH]) {
  return x === itsX || y === itsY || x + w === itsX + itsW || y + h === itsY + itsH;
}

/** The names of the tasks that a box fulfils, beside the kept one. */
function tasksMet(box, kept, truth, size, rules) {
  const now = judgeBox(box, truth, size, rules.beta);
  const zero = now.iou.gradient.map((slope) => slope === 0);
  const found = [];
  if (zero.every(Boolean) && layOf(box, truth) !== "same") found.push("apart");
  // on a kink a zero is only the mean of two pushes
  if (now.areas.shared > 0 && !sidesMeet(box, truth) && zero[0] && zero[1] && !(zero[2] && zero[3])) found.push("nested");
  return kept ? [...found, ...comparisonsMet(now, judgeBox(kept, truth, size, rules.beta), rules)] : found;
}

function comparisonsMet(now, before, rules) {
  const farther = before.iou.value - now.iou.value;
  const [better, worse] = farther < 0 ? [before, now] : [now, before]; // as L2 should see them, for the task
  const isOrder = better.l2.value <= rules.better * worse.l2.value && Math.abs(farther) >= rules.worse;
  const isSame = l2Apart(now, before) <= rules.same && Math.abs(farther) >= rules.apart;
  return [...(isSame ? ["same-l2"] : []), ...(isOrder ? ["order"] : [])];
}

/** How far two L2 are from one another, as a share of the larger. */
function l2Apart(one, other) {
  const larger = Math.max(one.l2.value, other.l2.value);
  return larger > 0 ? Math.abs(one.l2.value - other.l2.value) / larger : 0;
}

/* ---------------------------------------------------------------- moving a box, held in the picture */

const LEAST_BOX = 1;
const between = (value, least, most) => Math.max(least, Math.min(most, value));
const snapped = (value, grid) => Math.round(value / grid) * grid;

function movedBox([x, y, w, h], [dx, dy], [height, width]) {
  return [between(x + dx, 0, width - w), between(y + dy, 0, height - h), w, h];
}

/** The upper left corner stays. */
function resizedBox([x, y, w, h], [dw, dh], [height, width]) {
  return [x, y, between(w + dw, LEAST_BOX, width - x), between(h + dh, LEAST_BOX, height - y)];
}

/** The box with two opposite corners, in any order, its numbers on the grid. */
function spannedBox(anchor, corner, [height, width], grid) {
  const axis = (one, other, most) => {
    const to = between(snapped(other, grid), 0, most);
    const length = Math.max(LEAST_BOX, Math.abs(to - one));
    return to < one ? [Math.max(0, one - length), length] : [Math.min(one, most - length), length];
  };
  const [[x, w], [y, h]] = [axis(anchor[0], corner[0], width), axis(anchor[1], corner[1], height)];
  return [x, y, w, h];
}
