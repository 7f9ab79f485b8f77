// The list of what can stand at the caret. The text area keeps the focus, and names the item that is chosen.
export class Completion {
  #items = [];
  #chosen = 0;
  #asked = 0;
  #place = null;

  // ask(at) is a promise of { from, to, items }.
  constructor(editor, list, doc, ask) {
    this.editor = editor;
    this.list = list;
    this.doc = doc;
    this.ask = ask;
    const area = editor.area;
    area.addEventListener("keydown", (e) => this.#key(e), true); // before the editor does anything with the key
    area.addEventListener("input", (e) => {
      const typed = e.inputType === "insertText" && /^[\w."]$/.test(e.data ?? "");
      if (typed || (this.open && /^delete/.test(e.inputType ?? ""))) this.#show(false);
      else this.close();
    });
    area.addEventListener("blur", () => this.close());
    area.addEventListener("click", () => this.close());
    editor.root.addEventListener("scroll", () => this.close());
    list.addEventListener("pointerdown", (e) => {
      e.preventDefault(); // the text area keeps the focus
      const at = [...list.children].indexOf(e.target.closest('[role="option"]'));
      if (at >= 0) this.#take(at);
    });
  }

  get open() {
    return !this.list.hidden;
  }

  close() {
    this.#asked++;
    this.list.hidden = this.doc.hidden = true;
    this.editor.area.removeAttribute("aria-activedescendant");
  }

  async #show(forced) {
    const asked = ++this.#asked;
    const at = this.editor.at;
    const answer = await this.ask(at);
    if (asked !== this.#asked || answer.error) return;
    const written = this.editor.text.slice(answer.from, at);
    const items = answer.items.filter((i) => i.text !== written);
    if (!items.length || (!forced && !written && !/["=[(,.]\s*$/.test(this.editor.text.slice(0, at)))) return this.close();
    this.#items = items;
    this.#place = answer;
    this.list.replaceChildren(...items.map(option));
    this.list.hidden = false;
    this.#move();
    this.#choose(0);
  }

  #move() {
    const p = this.editor.place(this.#place.from);
    const box = this.list.getBoundingClientRect();
    const left = Math.max(4, Math.min(p.x - 8, innerWidth - box.width - 4));
    const below = innerHeight - p.bottom;
    const top = below > box.height + 8 || below > p.top ? p.bottom + 2 : p.top - box.height - 2;
    this.list.style.left = `${left}px`;
    this.list.style.top = `${Math.max(4, top)}px`;
  }

  #choose(n) {
    this.#chosen = n;
    [...this.list.children].forEach((o, i) => o.setAttribute("aria-selected", i === n));
    const chosen = this.list.children[n];
    chosen.scrollIntoView({ block: "nearest" });
    this.editor.area.setAttribute("aria-activedescendant", chosen.id);
    const doc = plain(this.#items[n].doc);
    this.doc.textContent = doc;
    const box = this.list.getBoundingClientRect();
    const room = innerWidth - box.right;
    this.doc.hidden = !doc || room < 240;
    this.doc.style.left = `${box.right + 4}px`;
    this.doc.style.top = `${box.top}px`;
  }

  #key(e) {
    if (e.isComposing) return;
    if (e.key === " " && e.ctrlKey) {
      e.preventDefault();
      this.#show(true);
      return;
    }
    if (!this.open) return;
    const n = this.#items.length;
    const to = { ArrowDown: (this.#chosen + 1) % n, ArrowUp: (this.#chosen + n - 1) % n }[e.key];
    if (to !== undefined) {
      e.preventDefault();
      this.#choose(to);
    } else if ((e.key === "Enter" || e.key === "Tab") && !e.ctrlKey && !e.shiftKey) {
      e.preventDefault();
      this.#take(this.#chosen);
    } else if (e.key === "Escape") {
      e.preventDefault();
      this.close();
    } else if (/^(Arrow|Home|End|Page)/.test(e.key)) {
      this.close();
    }
  }

  #take(n) {
    const item = this.#items[n];
    const { from, to } = this.#place;
    this.close();
    if (!item.snippet) return this.editor.replace(from, to, item.text);
    const before = this.editor.text.slice(0, from);
    const indent = /[ \t]*$/.exec(before.slice(before.lastIndexOf("\n") + 1))[0];
    const [text, a, b] = filled(item.text.replaceAll("\n", "\n" + indent));
    this.editor.replace(from, to, text, from + a, from + b);
  }
}

function option(item, i) {
  const li = document.createElement("li");
  li.setAttribute("role", "option");
  li.id = `item${i}`;
  const label = document.createElement("span");
  label.className = `label k-${item.kind}`;
  label.textContent = item.label;
  const detail = document.createElement("span");
  detail.className = "detail";
  detail.textContent = item.detail;
  li.append(label, detail);
  return li;
}

// filled is a snippet without its marks, and what of it is to be written over first.
function filled(snippet) {
  let first = null;
  let text = "";
  let at = 0;
  for (const m of snippet.matchAll(/\$\{(\d+):([^}]*)\}|\$(\d+)/g)) {
    text += snippet.slice(at, m.index);
    const n = Number(m[1] ?? m[3]) || Infinity;
    const word = m[2] ?? "";
    if (!first || n < first.n) first = { n, from: text.length, to: text.length + word.length };
    text += word;
    at = m.index + m[0].length;
  }
  text += snippet.slice(at);
  return [text, first?.from ?? text.length, first?.to ?? text.length];
}

// plain is Markdown as it is read aloud.
function plain(doc) {
  return doc.replace(/\*\*|`/g, "").trim();
}
