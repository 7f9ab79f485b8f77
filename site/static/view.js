// What the spec becomes: the files of nbr gen, the diagram, the plan of checks, and what came from where.
import { languageOf, words } from "./colour.js";
import { Lines } from "./lines.js";
import { Sheet } from "./sheet.js";
import { tabs } from "./tabs.js";

const $ = (id) => document.getElementById(id);

export class View {
  #made = null;
  #file = null;
  #url = null;
  #told = 0;

  // spec has light(file, lines), go(file, line), text(file, line) and explain(address), a promise.
  constructor(spec) {
    this.spec = spec;
    this.sheet = new Sheet($("nix"), { role: "option", prefix: "nix" });
    this.lines = new Lines($("nix"), (n) => this.#fromNix(n));
    this.checks = new Lines($("plan"), (n) => this.#fromCheck(n));
    this.select = tabs($("views"), (tab) => {
      for (const t of $("views").children) $(t.getAttribute("aria-controls")).hidden = t !== tab;
    });
    this.select("files");
    $("file").addEventListener("change", () => this.#open($("file").value));
  }

  // show shows what was made of a spec.
  show(made) {
    const other = this.#made?.router !== made.router;
    this.#made = made;
    const open = !other && this.#file?.name;
    $("file").replaceChildren(...made.files.map((f) => new Option(f.name.replace(/^routers\//, ""), f.name)));
    this.#open(made.files.some((f) => f.name === open) ? open : made.files[0].name);
    this.#draw(made);
    $("plan").replaceChildren(...made.plan.map(check));
    this.checks.reset();
    $("views").querySelector('[data-name="plan"]').textContent = `Checks (${made.plan.length})`;
  }

  // old says whether the spec has an error since.
  old(is) {
    $("stale").hidden = !is;
  }

  #open(name) {
    this.#file = this.#made.files.find((f) => f.name === name);
    $("file").value = name;
    const text = this.#file.text.replace(/\n$/, "");
    this.sheet.show(text, words(text, languageOf(name)));
    this.lines.reset();
    this.sheet.light([]);
    $("nix").setAttribute("aria-label", `Lines of ${name}`);
    this.#lightNix();
  }

  #draw(made) {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = URL.createObjectURL(new Blob([made.diagram], { type: "image/svg+xml" }));
    $("diagram").src = this.#url;
    $("diagram").alt = `The network of ${made.router}. ${made.said}`;
  }

  // From the result to the spec.
  #fromNix(n) {
    const origin = this.#made.origins[this.#file.lines[n - 1]];
    if (!n) return this.#nothing();
    this.sheet.light([n]);
    const name = this.#file.name.replace(/^routers\//, "");
    if (!origin) {
      this.spec.light("", []);
      return this.#tell(this.#file.lines.length ? `${name}:${n} is there for every router; no line of the spec asks for it.` : `${name} is made of the spec as a whole.`);
    }
    this.#from(`${name}:${n}`, origin);
  }

  #fromCheck(n) {
    const c = this.#made.plan[n - 1];
    if (!c) return this.#nothing();
    this.#from(`The check ${c.id}`, { file: c.file, line: c.line, address: "" });
  }

  #from(what, { file, line, address }) {
    this.spec.light(file, [line]);
    if (!file) return this.#tell(`${what} is there for every router.`);
    this.#tell(`${what} comes from ${address ? `${address}, ` : ""}${file} line ${line}`, [
      { text: this.spec.text(file, line).trim(), go: () => this.spec.go(file, line) },
    ]);
  }

  #nothing() {
    this.sheet.light([]);
    this.spec.light("", []);
    this.#tell("");
  }

  #origin = null;

  // fromSpec shows what a line of the spec makes.
  async fromSpec(file, line) {
    const told = ++this.#told;
    this.#origin = { file, line };
    this.#lightNix();
    const made = this.#made;
    if (!made) return;
    const head = made.blocks.find((b) => b.file === file && b.line === line);
    const own = [];
    for (const f of made.files) {
      f.lines.forEach((o, i) => o >= 0 && made.origins[o].file === file && made.origins[o].line === line && own.push({ file: f.name, line: i + 1 }));
    }
    const checks = made.plan.filter((c) => c.file === file && c.line === line);
    if (!head) {
      const list = own.map((o) => this.#link(o)).concat(checks.map((c) => ({ text: `check  ${c.id}: ${c.title}`, go: () => this.#goCheck(c) })));
      const what = list.length ? `${file} line ${line} makes` : `${file} line ${line} makes no line of its own.`;
      return this.#tell(what, list);
    }
    const answer = await this.spec.explain(head.address);
    if (told !== this.#told || answer.error) return;
    const both = (list) => list.map((r) => this.#result(r));
    this.#tell(answer.became.length ? `${head.address} becomes` : `${head.address} becomes nothing of its own.`, both(answer.became), answer.others.length ? "and by other blocks" : "", both(answer.others));
  }

  #lightNix() {
    if (!this.#made || !this.#file || !this.#origin) return;
    const { file, line } = this.#origin;
    const head = this.#made.blocks.find((b) => b.file === file && b.line === line);
    const lit = this.#file.lines.flatMap((o, i) => {
      const from = this.#made.origins[o];
      const of = from && (from.file === file && from.line === line || head && from.address.split("/")[0] === head.address);
      return of ? [i + 1] : [];
    });
    this.sheet.light(lit);
  }

  #link({ file, line }) {
    const f = this.#made.files.find((x) => x.name === file);
    return { text: `${file.replace(/^routers\//, "")}:${line}  ${f.text.split("\n")[line - 1].trim()}`, go: () => this.goNix(file, line) };
  }

  // #result is a line of nbr explain.
  #result(r) {
    if (r.what === "line") {
      const m = /^(.*):(\d+)$/.exec(r.at);
      return { text: `${m[1].replace(/^routers\//, "")}:${m[2]}  ${r.text}`, go: () => this.goNix(m[1], Number(m[2])) };
    }
    if (r.what === "check") return { text: `check  ${r.at}: ${r.text}`, go: () => this.#goCheck({ id: r.at }) };
    return { text: `${r.what}  ${r.at}: ${r.text}` };
  }

  goNix(file, line) {
    this.spec.show("result");
    this.select("files");
    this.#open(file);
    $("nix").focus({ preventScroll: true });
    this.lines.go(line);
  }

  #goCheck(c) {
    this.spec.show("result");
    this.select("plan");
    const n = this.#made.plan.findIndex((x) => x.id === c.id) + 1;
    $("plan").focus({ preventScroll: true });
    this.checks.go(n);
  }

  #tell(head, list = [], head2 = "", list2 = []) {
    this.#told++;
    $("explained").hidden = !head;
    $("hint").hidden = Boolean(head);
    $("explained").replaceChildren(...[heading(head), links(list), heading(head2), links(list2)].filter(Boolean));
  }
}

function heading(text) {
  if (!text) return null;
  const p = document.createElement("p");
  p.textContent = text;
  return p;
}

const most = 200;

function links(list) {
  if (!list.length) return null;
  const ul = document.createElement("ul");
  for (const { text, go } of list.slice(0, most)) {
    const li = document.createElement("li");
    const what = document.createElement(go ? "button" : "span");
    if (go) {
      what.type = "button";
      what.addEventListener("click", go);
    }
    what.textContent = text;
    li.append(what);
    ul.append(li);
  }
  if (list.length > most) {
    const li = document.createElement("li");
    li.textContent = `… and ${list.length - most} more`;
    ul.append(li);
  }
  return ul;
}

function check(c, i) {
  const li = document.createElement("li");
  li.setAttribute("role", "option");
  li.id = `check${i + 1}`;
  const title = document.createElement("span");
  title.textContent = c.title;
  const id = document.createElement("code");
  id.textContent = c.id;
  li.append(title, id);
  return li;
}
