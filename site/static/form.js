// The form that writes a first spec.
const $ = (id) => document.getElementById(id);

// form opens with the button; write(files) gets the spec.
export function form(nbr, write) {
  const dialog = $("form");
  const fields = dialog.querySelector("form").elements;
  let known = null;

  const board = () => known.boards.find((b) => b.id === fields.board.value);
  const fill = () => {
    const b = board();
    fields.name.value = b.name;
    fields.memory.replaceChildren(...(b.memory.length ? b.memory : [""]).map((m) => new Option(m || "what I have put in", m, m === b.largest, m === b.largest)));
    const ports = b.ports.map((p) => new Option(p, p, p === b.wan, p === b.wan));
    if (!b.wan) ports.unshift(new Option(b.ports.length ? `VLAN 2 of ${b.ports[0]}` : "the first one: put its name into the spec", "", true, true));
    fields.wan.replaceChildren(...ports);
  };

  $("new").addEventListener("click", async () => {
    if (!known) {
      const answer = await nbr.ask({ ask: "boards" });
      if (answer.error) return;
      known = answer;
      fields.board.replaceChildren(...known.boards.map((b) => new Option(b.title, b.id)));
      fields.board.value = known.first;
      fields.subnet.value = known.subnet;
      fill();
    }
    $("wrong").textContent = "";
    dialog.showModal();
  });
  fields.board.addEventListener("change", fill);
  fields.cancel.addEventListener("click", () => dialog.close());

  dialog.querySelector("form").addEventListener("submit", async (e) => {
    e.preventDefault();
    const answer = await nbr.ask({
      ask: "starter",
      choice: {
        board: fields.board.value, name: fields.name.value.trim(), memory: fields.memory.value, wan: fields.wan.value,
        subnet: Number(fields.subnet.value), key: fields.key.value.trim(),
        guests: fields.guests.checked, things: fields.things.checked, tunnel: fields.tunnel.checked,
      },
    });
    $("wrong").textContent = answer.error ?? "";
    if (answer.error) return;
    dialog.close();
    write(answer.files);
  });
}
