// Tabs as the ARIA practices have them: one of a list is in the order of Tab, arrows go through them.
export function tabs(list, onselect) {
  const all = () => [...list.querySelectorAll('[role="tab"]')];
  const select = (tab, focus) => {
    for (const t of all()) {
      const on = t === tab;
      t.setAttribute("aria-selected", on);
      t.tabIndex = on ? 0 : -1;
    }
    if (focus) tab.focus();
    onselect(tab);
  };
  list.addEventListener("click", (e) => {
    const tab = e.target.closest('[role="tab"]');
    if (tab) select(tab);
  });
  list.addEventListener("keydown", (e) => {
    const at = all().indexOf(e.target);
    const n = all().length;
    const to = { ArrowRight: (at + 1) % n, ArrowLeft: (at + n - 1) % n, Home: 0, End: n - 1 }[e.key];
    if (at < 0 || to === undefined) return;
    e.preventDefault();
    select(all()[to], true);
  });
  return (name) => {
    const tab = all().find((t) => t.dataset.name === name);
    if (tab) select(tab);
  };
}

export function tab(name, controls) {
  const b = document.createElement("button");
  b.type = "button";
  b.setAttribute("role", "tab");
  b.setAttribute("aria-controls", controls);
  b.dataset.name = name;
  b.textContent = name;
  return b;
}
