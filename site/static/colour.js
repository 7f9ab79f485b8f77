// The words of a text, for their colours: [from, to, class]. A text that does not parse has words, too.
const rules = {
  hcl: [
    [/#[^\n]*|\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)/y, "comment"],
    [/<<-?([A-Za-z_]\w*)\n[^]*?(?:\n[ \t]*\1(?=\n|$)|$)/y, "string"],
    [/"/y, null],
    [/\b(?:true|false|null)\b/y, "number"],
    [/\b(?:for|in|if|endfor|else|endif)\b/y, "word"],
    [/\b[A-Za-z_][\w-]*(?=[ \t]*=[^=>])/y, "key"],
    [/\b[A-Za-z_][\w-]*(?=[ \t]+(?:"[^"\n]*"[ \t]*)?\{)/y, "block"],
    [/\b[A-Za-z_][\w-]*(?=\()/y, "call"],
    [/\b[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+/y, "name"],
    [/\b[A-Za-z_][\w-]*/y, ""],
    [/\b\d[\w.]*/y, "number"],
  ],
  nix: [
    [/#[^\n]*|\/\*[^]*?(?:\*\/|$)/y, "comment"],
    [/''(?:''[$']|''\\.|'[^']|[^'])*(?:''|$)/y, "string"],
    [/"(?:\\[^]|[^"\\])*(?:"|$)/y, "string"],
    [/\b(?:true|false|null)\b/y, "number"],
    [/\b(?:let|in|if|then|else|with|inherit|import|rec|assert|or)\b/y, "word"],
    [/[A-Za-z_"][\w'"-]*(?:\.[A-Za-z_"][\w'"@/:-]*)*(?=[ \t]*=[^=])/y, "key"],
    [/\.{1,2}\/[\w./+-]+/y, "name"],
    [/\b[A-Za-z_][\w'-]*(?:\.[A-Za-z_][\w'-]*)*/y, ""],
    [/\b\d+\b/y, "number"],
  ],
};
rules.json = [
  [/"(?:\\.|[^"\\\n])*"(?=\s*:)/y, "key"],
  [/"(?:\\.|[^"\\\n])*(?:"|$)/y, "string"],
  [/\b(?:true|false|null)\b|-?\b\d[\w.+-]*/y, "number"],
];

export function languageOf(name) {
  if (/\.(json|lock)$/.test(name)) return "json";
  if (name.endsWith(".hcl")) return "hcl";
  return name.endsWith(".nix") ? "nix" : "";
}

export function words(text, language) {
  const out = [];
  const list = rules[language] || [];
  for (let at = 0; at < text.length; ) {
    const next = list.length ? step(text, at, list, out) : text.length;
    at = next > at ? next : at + 1;
  }
  return out;
}

function step(text, at, list, out) {
  for (const [re, kind] of list) {
    re.lastIndex = at;
    const m = re.exec(text);
    if (!m) continue;
    if (kind === null) return quoted(text, at, list, out);
    if (kind) out.push([at, re.lastIndex, kind]);
    return re.lastIndex;
  }
  return at + 1;
}

// quoted is a text of HCL, with the expressions in it.
function quoted(text, at, list, out) {
  let from = at;
  for (let i = at + 1; i < text.length; i++) {
    const c = text[i];
    if (c === "\\") i++;
    else if (c === "\n" || c === '"') {
      const end = c === '"' ? i + 1 : i;
      out.push([from, end, "string"]);
      return end;
    } else if ((c === "$" || c === "%") && text[i + 1] === c && text[i + 2] === "{") i += 2;
    else if ((c === "$" || c === "%") && text[i + 1] === "{") {
      out.push([from, i + 2, "string"]);
      let depth = 1;
      for (i += 2; i < text.length && text[i] !== "\n"; ) {
        if (text[i] === "{") depth++;
        if (text[i] === "}" && --depth === 0) break;
        i = step(text, i, list, out);
      }
      from = i;
    }
  }
  out.push([from, text.length, "string"]);
  return text.length;
}
