// What the widgets that draw arrows share. Python joins this file to a widget's own, after _grid.js.

const SVG_NAMES = "http://www.w3.org/2000/svg";

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG_NAMES, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function setAll(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) setAttribute(node, name, String(value));
}

const toTenth = (value) => Math.round(10 * value) / 10;

/** The outline of an arrow, tip exactly at its end; a short one is all head. Empty below half a pixel. */
function arrowPath([x, y], [dx, dy], thick = 5) {
  const length = Math.hypot(dx, dy);
  if (length < 0.5) return "";
  const head = Math.min(length, 3 * thick);
  const wing = 1.25 * thick * Math.min(1, length / (2 * thick));
  const shaft = Math.min(thick / 2, wing / 2);
  const [along, across] = [[dx / length, dy / length], [-dy / length, dx / length]];
  const point = (far, aside) => `${toTenth(x + far * along[0] + aside * across[0])} ${toTenth(y + far * along[1] + aside * across[1])}`;
  const neck = length - head;
  const points = [[0, shaft], [neck, shaft], [neck, wing], [length, 0], [neck, -wing], [neck, -shaft], [0, -shaft]];
  return `M${points.map(([far, aside]) => point(far, aside)).join("L")}Z`;
}

/** A number with its sign and a true minus; only a zero reads as one. */
function signed(value, places = 2) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const small = size < 0.5 * 10 ** -places;
  const text = !small ? size.toFixed(places) : size >= 1e-4 ? String(Number(size.toPrecision(1))) : size.toExponential(0);
  return `${value < 0 ? "\u2212" : "+"}${text.replace("-", "\u2212")}`;
}
