// A list of lines that one goes through by pointer and by keyboard, each with an origin in the spec.
export class Lines {
  #at = 0;

  // on(n) is told the line that is under the pointer or at which the keyboard is, from 1; 0 is none.
  constructor(list, on) {
    this.list = list;
    this.on = on;
    list.addEventListener("pointermove", (e) => {
      if (e.pointerType === "mouse") on(this.#of(e));
    });
    list.addEventListener("pointerleave", () => on(document.activeElement === list ? this.#at : 0));
    list.addEventListener("click", (e) => {
      const n = this.#of(e);
      if (n) this.go(n);
    });
    list.addEventListener("focus", () => this.go(this.#at || 1));
    list.addEventListener("keydown", (e) => {
      const n = list.children.length;
      const to = { ArrowDown: this.#at + 1, ArrowUp: this.#at - 1, PageDown: this.#at + 20, PageUp: this.#at - 20, Home: 1, End: n }[e.key];
      if (to === undefined || e.ctrlKey || e.altKey) return;
      e.preventDefault();
      this.go(Math.max(1, Math.min(n, to)));
    });
  }

  #of(e) {
    const line = e.target.closest?.('[role="option"]');
    return line ? [...this.list.children].indexOf(line) + 1 : 0;
  }

  reset() {
    this.#at = 0;
    this.list.removeAttribute("aria-activedescendant");
  }

  // go makes a line the current one.
  go(n) {
    const line = this.list.children[n - 1];
    if (!line) return;
    this.list.children[this.#at - 1]?.setAttribute("aria-selected", "false");
    this.#at = n;
    line.setAttribute("aria-selected", "true");
    line.scrollIntoView({ block: "nearest" });
    this.list.setAttribute("aria-activedescendant", line.id);
    this.on(n);
  }
}
