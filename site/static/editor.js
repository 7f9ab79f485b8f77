// The spec: a text area, which brings the keyboard, the phone and the screen reader, over the same text with colours.
import { languageOf, words } from "./colour.js";
import { Sheet } from "./sheet.js";

export class Editor {
  #name = "";
  #marks = [];
  #before = "";

  // on has input(), line(number), which is told the line under the pointer or of the caret, and mark(number, element).
  constructor(root, on) {
    this.root = root;
    this.on = on;
    this.area = root.querySelector("textarea");
    this.sheet = new Sheet(root.querySelector(".paint"));
    this.area.addEventListener("input", () => {
      this.#shift();
      this.paint();
      on.input();
    });
    this.area.addEventListener("keydown", (e) => this.#key(e));
    document.addEventListener("selectionchange", () => {
      if (document.activeElement === this.area) this.#caret();
    });
    this.area.addEventListener("focus", () => this.#caret());
    this.area.addEventListener("pointermove", (e) => e.pointerType === "mouse" && this.#pointer(e));
    this.area.addEventListener("pointerleave", () => {
      on.mark(-1);
      this.#caret();
    });
  }

  get text() {
    return this.area.value;
  }

  get at() {
    return this.area.selectionStart;
  }

  // open shows a file.
  open(name, text) {
    this.#name = name;
    this.#marks = [];
    this.area.value = text;
    this.#before = text;
    this.area.setSelectionRange(0, 0);
    this.root.scrollTo(0, 0);
    this.paint();
  }

  // mark underlines: { from, to, kind, n }.
  mark(marks) {
    this.#marks = marks;
    this.paint();
  }

  paint() {
    this.sheet.show(this.text, words(this.text, languageOf(this.#name)), this.#marks);
  }

  light(lines) {
    this.sheet.light(lines);
  }

  // reveal scrolls to a line.
  reveal(n) {
    this.sheet.line(n)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // go puts the caret at a place and the focus there.
  go(from, to = from) {
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(from, to);
    this.reveal(this.lineOf(from));
    this.#caret();
  }

  goLine(n) {
    this.go(this.text.split("\n").slice(0, n - 1).reduce((sum, line) => sum + line.length + 1, 0));
  }

  lineOf(at) {
    return this.text.slice(0, at).split("\n").length;
  }

  // place is where a character is on the screen.
  place(at) {
    const n = this.lineOf(at);
    const line = this.sheet.line(n);
    let rest = at - (this.text.lastIndexOf("\n", at - 1) + 1);
    const range = document.createRange();
    range.setStart(line, 0);
    const walk = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const length = walk.currentNode.data.length;
      if (rest <= length) {
        range.setStart(walk.currentNode, rest);
        break;
      }
      rest -= length;
    }
    range.collapse(true);
    const box = range.getBoundingClientRect();
    const around = line.getBoundingClientRect();
    return { x: box.width || box.left ? box.left : around.left, top: around.top, bottom: around.bottom };
  }

  // replace writes a text in the place of another one, so that the browser can undo it.
  replace(from, to, text, selectFrom = from + text.length, selectTo = selectFrom) {
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(from, to);
    const done = text === "" ? document.execCommand("delete") : document.execCommand("insertText", false, text);
    if (!done && from + text.length !== to) {
      this.area.setRangeText(text, from, to, "end");
      this.area.dispatchEvent(new Event("input"));
    }
    this.area.setSelectionRange(selectFrom, selectTo);
  }

  // #shift moves the marks with the text that is behind an edit, until they are told anew.
  #shift() {
    const [a, b] = [this.#before, this.text];
    let head = 0;
    while (head < a.length && head < b.length && a[head] === b[head]) head++;
    let tail = 0;
    while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
    const move = (at) => (at >= a.length - tail ? at + b.length - a.length : Math.min(at, b.length - tail));
    this.#marks = this.#marks.map((m) => ({ ...m, from: m.from <= head ? m.from : move(m.from), to: m.to <= head ? m.to : move(m.to) }));
    this.#before = b;
  }

  #caret() {
    const n = this.lineOf(this.at);
    this.sheet.light([n], "here");
    this.on.line(n);
  }

  #pointer(e) {
    const below = document.elementsFromPoint(e.clientX, e.clientY);
    const mark = below.find((x) => x.dataset?.mark);
    this.on.mark(mark ? Number(mark.dataset.mark) : -1, mark);
    const line = below.find((x) => x.dataset?.line && this.root.contains(x));
    if (line) this.on.line(Number(line.dataset.line));
  }

  // #key keeps the indentation. Tab is left to those who walk by it.
  #key(e) {
    if (e.key !== "Enter" || e.defaultPrevented || e.ctrlKey || e.altKey || e.metaKey || e.isComposing) return;
    const { selectionStart: from, selectionEnd: to } = this.area;
    const line = this.text.slice(this.text.lastIndexOf("\n", from - 1) + 1, from);
    const indent = /^[ \t]*/.exec(line)[0] + (/[{[(]\s*$/.test(line) ? "  " : "");
    if (!indent) return;
    e.preventDefault();
    this.replace(from, to, "\n" + indent);
  }
}
