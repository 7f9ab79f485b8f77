// Requests to nbr in its worker.
export class Nbr {
  #worker = new Worker("worker.js");
  #open = new Map();
  #next = 1;

  // onstate is told "ready", or "failed" with a text.
  constructor(onstate) {
    this.#worker.onmessage = ({ data }) => {
      if (data.ready) return onstate("ready");
      if (data.fatal) return onstate("failed", data.fatal);
      const resolve = this.#open.get(data.id);
      this.#open.delete(data.id);
      resolve?.(data.answer);
    };
    this.#worker.onerror = (e) => onstate("failed", e.message);
  }

  // ask returns the answer, which has the member error where there is none.
  ask(request) {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#open.set(id, resolve);
      this.#worker.postMessage({ id, request });
    });
  }
}

// newest makes a function of which one call runs at a time: of those that come meanwhile the last one is next, and
// the others are left out.
export function newest(run) {
  let busy = false;
  let waiting = null;
  return async function call(...args) {
    if (busy) {
      waiting = args;
      return;
    }
    busy = true;
    try {
      await run(...args);
    } finally {
      busy = false;
      if (waiting) {
        const next = waiting;
        waiting = null;
        call(...next);
      }
    }
  };
}
