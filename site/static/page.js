// The page: texts of a spec on one side, what nbr makes of them on the other.
import { Nbr, newest } from "./ask.js";
import { Completion } from "./complete.js";
import { Editor } from "./editor.js";
import { form } from "./form.js";
import { tab, tabs } from "./tabs.js";
import { View } from "./view.js";

const $ = (id) => document.getElementById(id);
const kept = "nbr-spec"; // in this browser's storage

let files = {};
let open = "";
let before = null; // the spec that another one has replaced
let checked = { diagnostics: [] };

const nbr = new Nbr((state, text) => {
  document.documentElement.dataset.nbr = state;
  if (state === "failed") say(`nbr does not run here: ${text}`, "bad");
});

// What is said of the spec.
function say(text, kind) {
  $("status").className = kind;
  if ($("status").textContent !== text) $("status").textContent = text;
}

const check = newest(async () => {
  const texts = { ...files };
  const answer = await nbr.ask({ ask: "check", files: texts, now: Date.now() });
  if (answer.error) return say(answer.error, "bad");
  if (!same(texts, files)) return check(); // it is told of what is there
  checked = answer;
  mark();
  problems();
  const total = answer.total || "No errors, no warnings.";
  say(total, answer.good ? (answer.diagnostics.length ? "warn" : "good") : "bad");
  view.old(!answer.good);
  document.documentElement.dataset.checked = JSON.stringify(texts).length;
  if (answer.good) make(texts);
});

const make = newest(async (texts) => {
  const answer = await nbr.ask({ ask: "make", files: texts });
  if (answer.error || !same(texts, files)) return; // the next check asks again
  view.show(answer);
  document.documentElement.dataset.made = answer.router;
});

function same(a, b) {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((n) => a[n] === b[n]);
}

function mark() {
  editor.mark(checked.diagnostics.flatMap((d, n) => (d.file === open ? [{ from: d.from, to: d.to, kind: d.severity, n }] : [])));
  for (const t of $("specs").children) {
    const wrong = checked.diagnostics.filter((d) => d.file === t.dataset.name);
    t.classList.toggle("wrong", wrong.some((d) => d.severity === "error"));
  }
}

// said is a text of nbr check. The lines of a snippet stay lines, so that the marks are below what they mark.
function said(text) {
  const out = document.createDocumentFragment();
  for (const part of text.split(/((?:^ *\d* +\| .*\n?)+)/m)) {
    if (!/^ *\d* +\| /.test(part)) {
      out.append(part);
      continue;
    }
    const lines = document.createElement("span");
    lines.className = "snippet";
    lines.textContent = part;
    out.append(lines);
  }
  return out;
}

// problems lists what nbr check prints. Each leads to its place.
function problems() {
  $("problems").hidden = !checked.diagnostics.length;
  $("problems").replaceChildren(...checked.diagnostics.map((d) => {
    const li = document.createElement("li");
    li.className = d.severity;
    const go = document.createElement("button");
    go.type = "button";
    go.className = "said";
    go.append(said(d.text));
    go.addEventListener("click", () => {
      if (!(d.file in files)) return;
      show("spec");
      openFile(d.file);
      editor.go(d.from, d.to);
    });
    li.append(go);
    for (const f of d.fixes.filter((f) => f.file in files)) {
      const mend = document.createElement("button");
      mend.type = "button";
      mend.textContent = f.text ? `Write ${f.text}` : "Remove it";
      mend.addEventListener("click", () => {
        openFile(f.file);
        editor.replace(f.from, f.to, f.text);
      });
      li.append(mend);
    }
    return li;
  }));
}

// The text of an error where the pointer is.
function tip(n, element) {
  const d = checked.diagnostics[n];
  $("tip").hidden = !d;
  if (!d || !element) return;
  $("tip").replaceChildren(said(d.text));
  const at = element.getBoundingClientRect();
  const box = $("tip").getBoundingClientRect();
  $("tip").style.left = `${Math.max(4, Math.min(at.left, innerWidth - box.width - 4))}px`;
  $("tip").style.top = `${innerHeight - at.bottom > box.height + 8 ? at.bottom + 6 : Math.max(4, at.top - box.height - 6)}px`;
}

const keep = (() => {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      try {
        localStorage.setItem(kept, JSON.stringify({ files, open }));
      } catch { // a browser that keeps nothing
      }
    }, 300);
  };
})();

const editor = new Editor($("editor"), {
  input() {
    files[open] = editor.text;
    keep();
    check();
  },
  line(n) {
    editor.light([]);
    view.fromSpec(open, n);
  },
  mark: tip,
});

const view = new View({
  light(file, lines) {
    editor.light(file === open ? lines : []);
    if (file === open && lines.length) editor.reveal(lines[0]);
  },
  go(file, line) {
    show("spec");
    openFile(file);
    editor.goLine(line);
  },
  text: (file, line) => (files[file] ?? "").split("\n")[line - 1] ?? "",
  explain: (address) => nbr.ask({ ask: "explain", files: { ...files }, address }),
  show,
});

new Completion(editor, $("items"), $("doc"), (at) => nbr.ask({ ask: "complete", files: { ...files }, file: open, at }));

// The files of the spec.
const selectFile = tabs($("specs"), (t) => openFile(t.dataset.name));

function openFile(name) {
  if (open === name && $("specs").querySelector('[aria-selected="true"]')) return;
  open = name;
  editor.open(name, files[name]);
  editor.area.setAttribute("aria-label", `The spec, ${name}`);
  for (const t of $("specs").children) {
    t.setAttribute("aria-selected", t.dataset.name === name);
    t.tabIndex = t.dataset.name === name ? 0 : -1;
  }
  $("remove").disabled = Object.keys(files).length === 1;
  mark();
  keep();
}

function listFiles(name) {
  open = "";
  $("specs").replaceChildren(...Object.keys(files).sort().map((n) => tab(n, "editor")));
  selectFile(name in files ? name : Object.keys(files).sort()[0]);
}

// setFiles shows another spec.
function setFiles(to, name = "router.hcl") {
  before = Object.keys(files).length ? { files, open } : null;
  $("back").hidden = !before;
  files = { ...to };
  checked = { diagnostics: [] };
  problems();
  listFiles(name);
  check();
}

$("back").addEventListener("click", () => setFiles(before.files, before.open));

$("add").addEventListener("click", () => {
  $("addname").value = "";
  $("addform").showModal();
});
$("addform").querySelector("form").addEventListener("submit", (e) => {
  e.preventDefault();
  const name = $("addname").value.trim();
  const known = name in files;
  const good = /^[^/\\]+(\/[^/\\]+)*$/.test(name) && !name.split("/").some((p) => p === "." || p === "..");
  $("addwrong").textContent = known ? `${name} is there already.` : good ? "" : "A name in the folder of the spec, as networks.hcl.";
  if (known || !good) return;
  $("addform").close();
  files[name] = "";
  listFiles(name);
  check();
});
$("addcancel").addEventListener("click", () => $("addform").close());

$("remove").addEventListener("click", () => {
  const rest = { ...files };
  delete rest[open];
  setFiles(rest);
});

$("format").addEventListener("click", async () => {
  const text = editor.text;
  const answer = await nbr.ask({ ask: "format", files: { ...files }, file: open });
  if (answer.error || editor.text !== text || answer.text === text) return;
  editor.replace(0, text.length, answer.text, Math.min(editor.at, answer.text.length));
});

$("save").addEventListener("click", () => {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(new Blob([files[open]], { type: "text/plain" }));
  a.download = open.split("/").pop();
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 60000);
});

// On a phone one side is there at a time.
const showSide = tabs($("sides"), (t) => {
  document.body.dataset.side = t.dataset.name;
});
function show(side) {
  if (document.body.dataset.side !== side) showSide(side);
}
showSide("spec");

form(nbr, setFiles);

// The examples.
const examples = await (await fetch("examples.json")).json();
$("example").append(...Object.keys(examples).sort().map((name) => new Option(name, name)));
$("example").addEventListener("change", () => {
  const name = $("example").value;
  if (name) setFiles(examples[name]);
  $("example").value = "";
});

let last = null;
try {
  last = JSON.parse(localStorage.getItem(kept));
} catch { // nothing that is kept can be read
}
if (last?.files && Object.keys(last.files).length) setFiles(last.files, last.open);
else setFiles(examples["bpi-r4"] ?? Object.values(examples)[0]);

if ("serviceWorker" in navigator) {
  try {
    await navigator.serviceWorker.register("offline.js");
    await navigator.serviceWorker.ready;
    document.documentElement.dataset.offline = "ready";
  } catch { // a server without HTTPS: the page is there as long as its server is
  }
}
