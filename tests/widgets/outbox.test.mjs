// Run by test_grid_arithmetic.py: what a view keeps back while a run of keys goes on.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

const { Outbox } = await import(process.env.WIDGET);

/** A model whose view asks its outbox first, as the widgets do; `sent` is what a kernel gets. */
function modelAndView() {
  const model = {
    values: { step: null, cell: null },
    dirty: {},
    sent: [],
    get: (name) => model.values[name],
    set(name, value) {
      if (JSON.stringify(model.values[name]) === JSON.stringify(value)) return;
      model.values[name] = value;
      model.dirty[name] = value;
      model.listener?.(name);
    },
    save_changes() {
      model.sent.push(model.dirty);
      model.dirty = {};
    },
  };
  const view = { outbox: new Outbox(model), step: null };
  model.listener = (name) => {
    if (!view.outbox.outdates(name)) view[name] = model.get(name);
  };
  const press = (step) => {
    view.step = step;
    view.outbox.put({ step }, 200);
  };
  return { model, view, press };
}

test("an echo of an older step does not take back the newer ones", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { model, view, press } = modelAndView();
  press(2);
  mock.timers.tick(200);
  assert.deepEqual(model.sent, [{ step: 2 }]);
  press(1);
  press(0);
  model.set("step", 2); // the kernel, of the first
  assert.deepEqual([view.step, model.get("step")], [0, 0]);
  mock.timers.tick(200);
  assert.equal(model.sent.at(-1).step, 0);
  mock.timers.reset();
});

test("once nothing waits, the kernel is heard", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { model, view, press } = modelAndView();
  press(1);
  model.set("cell", ["output", 0, 0]); // another trait than the one that waits
  assert.deepEqual(view.cell, ["output", 0, 0]);
  mock.timers.tick(200);
  model.set("step", 3);
  assert.equal(view.step, 3);
  mock.timers.reset();
});

test("a change that cannot wait takes the waiting ones along, and closing sends what waits, once", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { model, view, press } = modelAndView();
  press(1);
  view.outbox.put({ cell: ["input", 1, 1] });
  assert.deepEqual(model.sent, [{ step: 1, cell: ["input", 1, 1] }]);
  press(2);
  view.outbox.close();
  assert.deepEqual(model.sent.slice(1), [{ step: 2 }]);
  view.outbox.close();
  mock.timers.tick(1000);
  assert.equal(model.sent.length, 2);
  mock.timers.reset();
});
