// nbr itself, beside the page, so that typing never waits for it.
importScripts("wasm_exec.js");

const ready = new Promise((resolve) => (self.nbrReady = resolve));

async function start() {
  const answer = await fetch("nbr.wasm.gz");
  if (!answer.ok) throw new Error(`nbr.wasm.gz: ${answer.status} ${answer.statusText}`);
  let bytes = await answer.arrayBuffer();
  const head = new Uint8Array(bytes, 0, 2);
  if (head[0] === 0x1f && head[1] === 0x8b) { // a server may have said that it is packed, and the browser unpacked it
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    bytes = await new Response(unpacked).arrayBuffer();
  }
  const go = new Go();
  const { instance } = await WebAssembly.instantiate(bytes, go.importObject);
  go.run(instance).then(() => postMessage({ fatal: "nbr has ended" }));
  await ready;
  postMessage({ ready: true });
}

const started = start();
started.catch((e) => postMessage({ fatal: String(e) }));

onmessage = async ({ data: { id, request } }) => {
  try {
    await started;
    postMessage({ id, answer: JSON.parse(self.nbr(JSON.stringify(request))) });
  } catch (e) {
    postMessage({ id, answer: { error: String(e) } });
  }
};
