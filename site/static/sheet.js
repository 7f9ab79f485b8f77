// Lines of a text with colours, in an element. Only those that have changed are made anew.
export class Sheet {
  #lines = [];
  #keys = [];

  constructor(element, { role, prefix } = {}) {
    this.element = element;
    this.role = role;
    this.prefix = prefix;
  }

  // show shows a text with its words, marks ({from, to, kind, n}) over them, and lines that are lit.
  show(text, words, marks = []) {
    const lines = text.split("\n");
    let at = 0;
    let w = 0;
    lines.forEach((line, n) => {
      const end = at + line.length;
      while (w < words.length && words[w][1] <= at) w++;
      const parts = pieces(text, at, end, words, w, marks);
      const key = JSON.stringify(parts);
      if (this.#keys[n] !== key) {
        this.#keys[n] = key;
        this.#line(n).replaceChildren(...parts.map(element));
      }
      at = end + 1;
    });
    for (const gone of this.#lines.splice(lines.length)) gone.remove();
    this.#keys.length = lines.length;
  }

  #line(n) {
    if (!this.#lines[n]) {
      const line = document.createElement("div");
      line.className = "line";
      line.dataset.line = n + 1;
      if (this.role) line.setAttribute("role", this.role);
      if (this.prefix) line.id = `${this.prefix}${n + 1}`;
      this.#lines[n] = line;
      this.element.append(line);
    }
    return this.#lines[n];
  }

  // line is the element of a line, which counts from 1.
  line(n) {
    return this.#lines[n - 1];
  }

  get length() {
    return this.#lines.length;
  }

  // light gives lines a class, and takes it from the others.
  light(numbers, name = "lit") {
    const lit = new Set(numbers);
    this.#lines.forEach((line, i) => line.classList.toggle(name, lit.has(i + 1)));
  }
}

// pieces are the parts of a line: [text, class, number of the mark].
function pieces(text, from, end, words, w, marks) {
  const cuts = new Set([from, end]);
  const here = marks.filter((m) => m.from <= end && m.to >= from);
  for (const m of here) {
    if (m.from > from && m.from < end) cuts.add(m.from);
    if (m.to > from && m.to < end) cuts.add(m.to);
  }
  for (let i = w; i < words.length && words[i][0] < end; i++) {
    if (words[i][0] > from) cuts.add(words[i][0]);
    if (words[i][1] < end) cuts.add(words[i][1]);
  }
  const sorted = [...cuts].sort((a, b) => a - b);
  const out = [];
  for (let i = 0; i + 1 < sorted.length; i++) {
    const [a, b] = [sorted[i], sorted[i + 1]];
    while (w < words.length && words[w][1] <= a) w++;
    const kind = w < words.length && words[w][0] <= a ? words[w][2] : "";
    const mark = here.find((m) => m.from <= a && m.to >= b);
    out.push([text.slice(a, b), kind, mark?.kind ?? "", mark?.n ?? -1]);
  }
  const after = here.find((m) => m.from >= end && m.from === m.to); // of the end of a line there is nothing to underline
  if (after) out.push([" ", "", after.kind, after.n]);
  return out;
}

function element([text, kind, mark, n]) {
  if (!kind && !mark) return document.createTextNode(text);
  const span = document.createElement("span");
  span.textContent = text;
  span.className = [kind && `c-${kind}`, mark && `mark ${mark}`].filter(Boolean).join(" ");
  if (mark) span.dataset.mark = n;
  return span;
}
