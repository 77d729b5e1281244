/**
 * anywidget (0.11) waits two seconds for a widget's script. One that comes later is drawn, but Python's messages
 * never reach it: so the model takes them as every other Jupyter widget does.
 */
function hearPython({ model }) {
  if (!model.widget_manager) return; // a page without Jupyter
  const whole = wholeModel(model);
  const [gated, usual] = messageHandlers(whole);
  if (!usual || !whole.comm) return; // an anywidget that does it in another way
  whole.comm.on_msg((message) => usual.call(whole, message));
  // What came while nobody was let through is lost; so is the reason to wait if all is well.
  const nothing = { content: { data: { method: "nothing" } } };
  gated.call(whole, nothing).catch(() => whole.comm.send({ method: "request_state" }, whole.callbacks?.()));
}

/** The model itself: a widget's script gets a stand-in with a few of its methods. */
function wholeModel(model) {
  const name = "_heard";
  let whole = null;
  const see = (one) => (whole = one);
  model.on(`change:${name}`, see);
  model.set(name, true);
  model.off(`change:${name}`, see);
  whole.unset(name, { silent: true });
  if (whole._buffered_state_diff) delete whole._buffered_state_diff[name]; // Python is not told
  return whole;
}

/** Two ways to take a message: anywidget's, which waits first, and the one of all widgets. */
function messageHandlers(whole) {
  const found = [];
  for (let kind = Object.getPrototypeOf(whole); kind && found.length < 2; kind = Object.getPrototypeOf(kind))
    if (Object.hasOwn(kind, "_handle_comm_msg")) found.push(kind._handle_comm_msg);
  return found;
}
