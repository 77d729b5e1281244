// What a page needs besides its widgets: a model in the kernel's place, and the switch between light and dark.

/** Holds a widget's state and tells its views of changes, as Jupyter's model does. There is nobody to save to. */
class PageModel {
  constructor(state, onSend) {
    this.state = state;
    this.listeners = new Map();
    this.onSend = onSend;
  }

  get(name) {
    return this.state[name];
  }

  set(name, value) {
    if (JSON.stringify(this.state[name]) === JSON.stringify(value)) return;
    this.state[name] = value;
    for (const event of [`change:${name}`, "change"])
      for (const listener of [...(this.listeners.get(event) ?? [])]) listener(this, value);
  }

  on(event, listener) {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
  }

  off(event, listener) {
    const left = (this.listeners.get(event) ?? []).filter((each) => each !== listener);
    this.listeners.set(event, listener ? left : []);
  }

  save_changes() {}

  send(content) {
    this.onSend?.(content);
  }
}

async function startWidgets() {
  const told = document.getElementById("page-data");
  if (!told) return;
  const { common, scripts, models, shared } = JSON.parse(told.textContent);
  const value = (stored) => ("is" in stored ? stored.is : structuredClone(shared[stored.shared]));
  const made = models.map(({ state }) => {
    const plain = Object.fromEntries(Object.entries(state).map(([name, stored]) => [name, value(stored)]));
    return new PageModel(plain);
  });
  window.pageModels = made;
  const loaded = {};
  for (const [kind, [start, rest]] of Object.entries(scripts)) {
    const script = (common[start] ?? "") + rest; // the widget's own file, as Jupyter gets it
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    loaded[kind] = import(address).finally(() => URL.revokeObjectURL(address));
  }
  let since = performance.now();
  for (const place of document.querySelectorAll(".live")) {
    const { kind } = models[place.dataset.model];
    // The first widgets are painted and take keys while those further down are still being made.
    if (performance.now() - since > 20) {
      await new Promise((resolve) => setTimeout(resolve));
      since = performance.now();
    }
    try {
      const { default: widget } = await loaded[kind];
      const room = document.createElement("div");
      widget.render({ model: made[place.dataset.model], el: room });
      place.replaceChildren(room);
      place.dataset.ready = "";
    } catch (problem) {
      place.innerHTML = place.querySelector("noscript")?.textContent ?? "";
      console.error(problem);
    }
  }
}

/** What answers a guess is closed until the guess is made; then it opens, and the answer shows at once. */
function startWaiting() {
  for (const place of document.querySelectorAll(".waits")) {
    const guesses = place.dataset.models.split(" ").map((at) => window.pageModels[at]);
    const look = () => {
      for (const guess of guesses) if (guess.get("committed")) guess.set("revealed", true);
      if (guesses.every((guess) => guess.get("committed"))) place.open = true;
    };
    for (const guess of guesses) guess.on("change:committed", look);
    place.tabIndex = -1;
    place.querySelector("summary").addEventListener("click", () => setTimeout(() => place.focus())); // it is gone then
  }
}

/** A choice is kept in the browser where the browser allows it; without one, the system's scheme counts. */
function startSwitch() {
  const button = document.querySelector(".theme-switch");
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => {
    const next = isDark() ? "light" : "dark";
    button.setAttribute("aria-label", `Switch to ${next} colours`);
    root.dataset.jpThemeLight = String(!isDark()); // what widgets watch
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // a browser that keeps nothing still switches
    }
    show();
  });
  system.addEventListener("change", show);
  addEventListener("beforeprint", () => (root.dataset.jpThemeLight = "true")); // paper is white
  addEventListener("afterprint", show);
  show();
}

/** Plays what a board showed during one run: every frame holds what had changed by then. */
class Replay {
  constructor(controls, model) {
    this.model = model;
    this.frames = model.get("frames");
    this.curves = model.get("curves");
    this.button = controls.querySelector("button");
    this.slider = controls.querySelector("input");
    this.said = controls.querySelector("output");
    this.button.addEventListener("click", () => (this.timer ? this.pause() : this.play()));
    this.slider.addEventListener("input", () => {
      this.pause();
      this.show(Number(this.slider.value));
    });
    model.onSend = () => this.stop();
    this.show(this.frames.length - 1);
  }

  seconds(at) {
    return this.frames[at].now.seconds;
  }

  show(at, changes = {}) {
    this.at = at;
    const now = { ...this.frames[at].now, hears: true, ...changes };
    const seen = this.frames.slice(0, at + 1).findLast((frame) => frame.predictions);
    const until = (points) => points.filter(([place]) => place <= now.seconds + 0.01);
    this.model.set("predictions", seen?.predictions ?? []);
    const { losses, mious } = this.curves;
    const isLast = at === this.frames.length - 1;
    this.model.set("curves", isLast ? this.curves : { ...this.curves, losses: until(losses), mious: until(mious) });
    this.model.set("now", now);
    this.slider.value = at;
    this.slider.setAttribute("aria-valuetext", `${now.seconds.toFixed(1)} seconds`);
    this.said.textContent = `${now.seconds.toFixed(1)} s`;
  }

  play() {
    if (this.at === this.frames.length - 1) this.show(0);
    this.button.textContent = "Pause";
    this.step();
  }

  /** Twice as fast as it was. */
  step() {
    const left = Math.max(60, (this.seconds(this.at + 1) - this.seconds(this.at)) * 500);
    this.timer = setTimeout(() => {
      this.show(this.at + 1);
      if (this.at < this.frames.length - 1) this.step();
      else this.pause();
    }, left);
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    this.button.textContent = "Play";
  }

  stop() {
    this.pause();
    const words = "The recording is stopped. In the notebook the net would keep what it has learned so far.";
    this.show(this.at, { state: "stopped", words });
  }
}

function startReplays() {
  for (const controls of document.querySelectorAll(".replay")) {
    const place = document.querySelector(`.live[data-kind="${controls.dataset.replays}"]`);
    new Replay(controls, window.pageModels[place.dataset.model]);
  }
}

/** What is wider than its place can be scrolled with the keyboard too, and is no stop of the Tab key else. */
function startScrolling() {
  const look = (place) => {
    if (place.scrollWidth > place.clientWidth) place.tabIndex = 0;
    else place.removeAttribute("tabindex");
  };
  const watch = new ResizeObserver((seen) => seen.forEach(({ target }) => look(target)));
  for (const place of document.querySelectorAll("main :is(.shown, .shown :is(.block, table, .ck-bake, [style*='overflow-x']), pre, .prose table)")) watch.observe(place);
}

startSwitch();
startWidgets().then(() => {
  startReplays();
  startScrolling();
  startWaiting();
  document.documentElement.dataset.ready = "";
});
