// A lesson's page: widgets from what the page carries, and a line to Python that is opened when it is needed.
//
// A widget here is a small model with the few methods that anywidget promises, and the six plain ones of
// ipywidgets that lessons use. Values that a visitor changes before Python is there wait, and go out then.

const ASSET = "$asset";
const MODEL = "IPY_MODEL_";
const MOST_UNANSWERED = 100; // then values wait here, of which the last is enough
const PATIENCE = [500, 1000, 2000, 4000]; // ms between two tries to reach the server again

const root = document.documentElement;
const base = root.dataset.base;
const lesson = root.dataset.lesson;
const carried = JSON.parse(document.getElementById("visit").textContent);

// ---------------------------------------------------------------------------------------------- models

const models = new Map();
const files = new Map();

/** What an asset holds: asked for once, by whichever widget comes first. */
function asset(name) {
  const address = `${base}assets/${name}`;
  if (!files.has(name)) files.set(name, name.endsWith(".js") ? import(address) : fetched(address));
  return files.get(name);
}

async function fetched(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.json();
}

/** A state with its tables in place; script and style sheet stay names. */
async function whole(state) {
  const entries = Object.entries(state).map(async ([key, value]) => {
    const name = value?.[ASSET];
    return [key, name && !key.startsWith("_") ? await asset(name) : value];
  });
  return Object.fromEntries(await Promise.all(entries));
}

class Model {
  constructor(name, state) {
    this.model_id = name;
    this.state = state;
    this.listeners = new Map();
    this.changed = new Set();
    this.unsent = new Set();
    this.printed = "";
  }

  get(key) {
    return this.state[key];
  }

  set(key, value) {
    const values = typeof key === "object" ? key : { [key]: value };
    for (const [name, one] of Object.entries(values)) {
      if (this.state[name] === one) continue;
      this.state[name] = one;
      this.changed.add(name);
      this.trigger(`change:${name}`, this, one);
    }
    this.trigger("change", this);
  }

  save_changes() {
    if (this.isRecorded) return this.changed.clear();
    for (const name of this.changed) this.unsent.add(name);
    this.changed.clear();
    line.flush();
  }

  send(content) {
    if (this.isRecorded) return;
    line.say({ widget: this.model_id, say: content });
  }

  on(events, heard) {
    for (const event of events.split(" ")) {
      if (!this.listeners.has(event)) this.listeners.set(event, new Set());
      this.listeners.get(event).add(heard);
    }
  }

  off(events, heard) {
    for (const event of (events ?? [...this.listeners.keys()].join(" ")).split(" ")) {
      if (heard) this.listeners.get(event)?.delete(heard);
      else this.listeners.delete(event);
    }
  }

  trigger(event, ...values) {
    for (const heard of [...(this.listeners.get(event) ?? [])]) heard(...values);
  }

  /** What Python says: it is so, and nothing goes back. */
  hear(state) {
    const names = Object.keys(state).filter((name) => !this.unsent.has(name));
    for (const name of names) {
      this.state[name] = state[name];
      this.changed.delete(name);
    }
    for (const name of names) this.trigger(`change:${name}`, this, state[name]);
    if (names.length) this.trigger("change", this);
  }

  takeUnsent() {
    const values = Object.fromEntries([...this.unsent].map((name) => [name, this.state[name]]));
    this.unsent.clear();
    return values;
  }
}

async function add(name, state) {
  const model = new Model(name, await whole(state));
  models.set(name, model);
  return model;
}

const named = (reference) => models.get(String(reference).slice(MODEL.length));

// ----------------------------------------------------------------------------------------------- views

const KINDS = {
  VBoxModel: (model, el) => box(model, el, "boxed upright"),
  HBoxModel: (model, el) => box(model, el, "boxed"),
  BoxModel: (model, el) => box(model, el, "boxed"),
  GridBoxModel: (model, el) => box(model, el, "boxed"),
  HTMLModel: html,
  ButtonModel: button,
  OutputModel: output,
};

async function show(model, el) {
  if (!model) return;
  const plain = KINDS[model.get("_model_name")];
  if (plain) {
    el.replaceChildren();
    lay(model, el);
    plain(model, el);
    return;
  }
  if (!model.get("_esm")) return;
  style(model.get("_css"));
  const loaded = await asset(model.get("_esm")[ASSET]);
  const widget = typeof loaded.default === "function" ? await loaded.default() : loaded.default;
  const signal = new AbortController().signal;
  model.begun ??= widget.initialize?.({ model, signal, experimental: {} });
  await model.begun;
  const place = document.createElement("div");
  el.replaceChildren(place);
  await widget.render?.({ model, el: place, signal, experimental: {} });
  el.dataset.live = "";
}

function style(css) {
  const name = css?.[ASSET];
  if (!name || document.head.querySelector(`link[data-asset="${name}"]`)) return;
  const link = document.createElement("link");
  Object.assign(link, { rel: "stylesheet", href: `${base}assets/${name}` });
  link.dataset.asset = name;
  document.head.append(link);
}

function lay(model, el) {
  const layout = named(model.get("layout"));
  for (const [name, value] of Object.entries(layout?.state ?? {})) {
    if (value !== null && !name.startsWith("_")) el.style.setProperty(name.replaceAll("_", "-"), value);
  }
}

function box(model, el, kind) {
  el.classList.add(...kind.split(" "));
  const draw = () => {
    const places = model.get("children").map((child) => {
      const place = document.createElement("div");
      show(named(child), place);
      return place;
    });
    el.replaceChildren(...places);
  };
  model.on("change:children", draw);
  draw();
}

function html(model, el) {
  const draw = () => (el.innerHTML = model.get("value"));
  model.on("change:value", draw);
  draw();
}

function button(model, el) {
  const one = document.createElement("button");
  one.type = "button";
  one.className = "press";
  const draw = () => {
    one.textContent = model.get("description");
    // Not `disabled`: the button keeps the focus, and says why nothing happens.
    one.setAttribute("aria-disabled", String(Boolean(model.get("disabled") || model.asked)));
  };
  one.addEventListener("click", () => {
    if (one.getAttribute("aria-disabled") === "true") return;
    model.asked = true;
    model.send({ event: "click" });
    draw();
  });
  model.on("change:disabled", () => ((model.asked = false), draw()));
  model.on("change:description", draw);
  el.replaceChildren(one);
  draw();
}

function output(model, el) {
  const draw = () => {
    el.innerHTML = model.printed;
    enliven(el);
  };
  model.on("change:printed", draw);
  draw();
}

/** Where a line's message belongs: to the output widget that listens to this request. */
function listening(parent) {
  return [...models.values()].filter((one) => one.get("_model_name") === "OutputModel" && one.get("msg_id") === parent);
}

const HEARD = {
  starting: () => {
    root.dataset.python = "starting";
    status("Python is starting");
  },
  ready: async ({ states, printed }) => {
    await update(states);
    for (const [name, text] of Object.entries(printed)) {
      const model = models.get(name);
      if (model && model.printed !== text) print(model, text);
    }
    line.isReady();
  },
  anew: async ({ cells, states }) => {
    await place(cells, states);
    line.isReady();
  },
  gone: () => line.gone(),
  done: ({ messages }) => line.answered(messages),
  refused: () => line.answered(1),
  set: ({ widget, state }) => models.get(widget)?.hear(state),
  say: ({ widget, content }) => models.get(widget)?.trigger("msg:custom", content, []),
  open: ({ widget, state }) => add(widget, state),
  close: ({ widget }) => models.delete(widget),
  output: ({ parent, html: text }) => {
    for (const model of listening(parent)) {
      print(model, (model.wiped ? "" : model.printed) + text);
      model.wiped = false;
    }
  },
  clear: ({ parent, wait }) => {
    for (const model of listening(parent)) {
      model.wiped = wait;
      if (!wait) print(model, "");
    }
  },
};

function print(model, text) {
  model.printed = text;
  model.trigger("change:printed");
}

async function update(states) {
  const all = Object.entries(states).map(async ([name, state]) => {
    if (models.has(name)) models.get(name).hear(news(models.get(name), await whole(state)));
    else await add(name, state);
  });
  await Promise.all(all);
}

/** What of a state a page does not show yet; whether a button works is always news to who pressed it. */
function news(model, state) {
  const isNew = ([name, value]) => name === "disabled" || JSON.stringify(value) !== JSON.stringify(model.get(name));
  return Object.fromEntries(Object.entries(state).filter(isNew));
}

// ------------------------------------------------------------------------------------------- the line

const line = {
  socket: null,
  ready: false,
  greeted: false,
  woken: false,
  seated: true,
  unanswered: 0,
  tries: 0,
  waiting: [],
  heard: Promise.resolve(),

  open() {
    const address = new URL(`${base}lessons/${lesson}/live/${carried.seat}`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(address));
    this.socket.onopen = () => {
      this.tries = 0;
      this.unanswered = 0;
      if (this.woken) this.socket.send(this.greeted ? "back" : "wake");
    };
    // One after the other: a value must not overtake the widget that it belongs to.
    this.socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      this.heard = this.heard.then(() => HEARD[message.kind]?.(message)).catch((error) => console.error(error));
    };
    this.socket.onclose = ({ code }) => socket === this.socket && this.seated && this.lost(code);
  },

  lost(code) {
    this.ready = false;
    if (this.over || code >= 4000 || this.tries >= PATIENCE.length) return this.gone();
    setTimeout(() => this.open(), PATIENCE[this.tries++]);
  },

  isReady() {
    this.ready = this.greeted = true;
    root.dataset.python = "ready";
    status("");
    this.flush();
  },

  gone() {
    this.seated = false;
    if (!this.woken) return; // it was only read
    root.dataset.python = "gone";
    this.over = true;
    this.ready = false;
    status("Python has left this page, since nobody used it for a while. What runs in the browser still works.", true);
  },

  /** Python is started at the first touch: who only reads takes none of it. */
  wake() {
    if (this.woken) return;
    this.woken = true;
    if (!this.seated) return this.sit();
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send("wake");
  },

  /** A page that was only read gave its seat away: it takes another when it is touched. */
  async sit() {
    const answer = await fetch(location.href, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok) {
      carried.seat = (await answer.json()).seat;
      this.seated = true;
      status("");
      return this.open();
    }
    if (answer?.status !== 503) return this.gone();
    status("All seats are taken. Python starts here as soon as one is free.");
    setTimeout(() => this.sit(), 1000 * Number(answer.headers.get("Retry-After")));
  },

  say(message) {
    this.wake();
    this.waiting.push(message);
    this.flush();
  },

  flush() {
    if (!this.ready || this.socket.readyState !== WebSocket.OPEN) {
      if ([...models.values()].some((model) => model.unsent.size)) this.wake();
      return;
    }
    const mayPost = () => this.unanswered < MOST_UNANSWERED;
    for (const model of models.values()) {
      if (model.unsent.size && mayPost()) this.post({ widget: model.model_id, set: model.takeUnsent() });
    }
    while (this.waiting.length && mayPost()) this.post(this.waiting.shift());
  },

  post(message) {
    this.unanswered += 1;
    this.socket.send(JSON.stringify(message));
  },

  answered(messages) {
    this.unanswered -= messages;
    this.flush();
  },
};

function status(words, lasting = false) {
  const bar = document.getElementById("status");
  bar.textContent = words;
  bar.hidden = !words;
  if (!lasting) return;
  const again = document.createElement("button");
  again.className = "press";
  again.textContent = "Reload the page";
  again.onclick = () => location.reload();
  bar.append(" ", again);
}

// ------------------------------------------------------------------------------------------- the page

function enliven(within) {
  const shown = [...within.querySelectorAll("[data-view]")].map((el) =>
    show(models.get(el.dataset.view), el).catch((error) => console.error(error)),
  );
  return Promise.all(shown);
}

/** A recorded board is fetched and drawn when its fold is opened, and speaks to nobody. */
async function unfold({ target }) {
  if (!target.matches("details.recorded[open]")) return;
  for (const el of target.querySelectorAll("[data-recorded]:not([data-live])")) {
    const model = new Model(el.dataset.recorded, await whole(carried.recorded[el.dataset.recorded]));
    model.isRecorded = true;
    await show(model, el);
  }
}

/** What scrolls sideways must be reached by keys, too. */
function reachScrollers() {
  for (const el of document.querySelectorAll(".printed, .shown, .shown :is(.block, table, .ck-bake, [style*='overflow-x']), .told pre, .code pre")) {
    if (el.scrollWidth > el.clientWidth) el.tabIndex = 0;
    else el.removeAttribute("tabindex");
  }
}

async function place(cells, states) {
  models.clear();
  await update(states);
  for (const slot of document.querySelectorAll("[data-cell]")) {
    slot.innerHTML = cells[slot.dataset.cell] ?? "";
  }
  await enliven(document.getElementById("lesson"));
  reachScrollers();
}

async function begin() {
  for (const touch of ["pointerdown", "keydown", "wheel", "touchstart"]) {
    addEventListener(touch, () => line.wake(), { once: true, passive: true });
  }
  line.open();
  if (carried.states) {
    await update(carried.states);
    await enliven(document.getElementById("lesson"));
  } else {
    status("The pictures of this lesson are being made for the first time");
    const { cells, states } = await fetched(`${base}lessons/${lesson}/shown`);
    await place(cells, states);
    status("");
  }
  reachScrollers();
  addEventListener("resize", reachScrollers);
  document.addEventListener("toggle", reachScrollers, true);
  document.addEventListener("toggle", (event) => unfold(event).catch((error) => console.error(error)), true);
  root.dataset.state = "shown";
}

begin().catch((error) => {
  console.error(error);
  status("This page could not be shown whole.", true);
});
