package site_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/router/starter"
	"github.com/nbr-dev/nbr/service/all"
)

// own stands for nbr's source, whose packing takes a second.
var own = fstest.MapFS{"go.mod": {}, "flake/module.nix": {}, "flake/package.nix": {}}

// nbr is the command line.
func nbr(t testing.TB, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, said bytes.Buffer
	env := cmd.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &said, Source: own, Now: time.Now}
	cmd.Run(context.Background(), env, args, all.Kinds()...)
	return out.String(), said.String()
}

// said is what nbr check says of a spec of one file.
func said(t testing.TB, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "router.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, said := nbr(t, "check", "-all", dir)
	return strings.ReplaceAll(said, dir+"/", "")
}

// generated is a file that nbr gen writes for a spec of one file.
func generated(t testing.TB, text, file string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "router.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, said := nbr(t, "gen", "-o", filepath.Join(dir, "out"), dir); !strings.Contains(said, "") {
		t.Fatal(said)
	}
	return strings.TrimSuffix(read(t, dir, "out/routers", file), "\n")
}

const listed = `[...document.querySelectorAll("#problems .said")].map((b) => b.textContent + "\n\n").join("") + document.querySelector("#status").textContent + "\n"`

// TestPage is what a person does with the page, in one browser.
func TestPage(t *testing.T) {
	b := chromium(t)
	for _, tt := range []struct {
		name string
		f    func(*testing.T, *browser)
	}{
		{"error", anError},
		{"completion", completion},
		{"from Nix", fromNix},
		{"from the spec", fromSpec},
		{"form", aForm},
		{"examples", examples},
		{"files", severalFiles},
		{"hostile", hostile},
		{"keyboard", keyboard},
		{"looks", looks},
		{"offline", offline},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.f(t, b) })
	}
}

// An error is underlined and told as nbr check tells it; mended, the Nix is there.
func anError(t *testing.T, b *browser) {
	p := b.open(t)
	article := read(t, "../testdata/routers/bpi-r4/router.hcl")
	p.is(spec, article)
	p.choose("port.lan2")
	p.keys("port.lan9")
	wrong := strings.Replace(article, "port.lan2", "port.lan9", 1)
	p.is(spec, wrong)
	p.is(listed, said(t, wrong))
	p.is(`[...document.querySelectorAll(".paint .mark.error")].map((m) => m.textContent).join("|")`, "port.lan9")
	if line := p.text(`getComputedStyle(document.querySelector(".mark.error")).textDecorationLine`); line != "underline" {
		t.Errorf("the error is drawn with %q", line)
	}
	p.until(`!document.querySelector("#stale").hidden`)
	p.over(`document.querySelector(".mark.error")`)
	p.is(`document.querySelector("#tip").checkVisibility() ? document.querySelector("#tip").textContent : ""`, p.text(`document.querySelector("#problems .error .said").textContent`))
	p.over(`document.querySelector("header h1")`)
	p.until(`document.querySelector("#tip").hidden`)

	p.choose("port.lan9")
	p.keys("port.lan1") // a port twice is another error, which is told
	p.until(`document.querySelector("#problems .error .said")?.textContent.includes("port.lan1")`)
	p.choose("port.lan1, port.lan1")
	p.keys("port.lan1, port.lan2")
	p.is(spec, article)
	p.until(`document.querySelector("#stale").hidden && !document.querySelector("#problems .error")`)
	p.is(listed, said(t, article))
	p.pick("#file", "routers/bpi-r4/network.nix")
	p.is(shown, generated(t, article, "bpi-r4/network.nix"))
}

// A block, an attribute and a reference are completed by the keyboard.
func completion(t *testing.T, b *browser) {
	p := b.open(t)
	p.after("flakes = true\n}\n")
	p.keys("\rvla")
	p.is(`document.querySelector("#items [aria-selected=true] .label")?.textContent ?? ""`, "vlan")
	p.until(`document.activeElement.getAttribute("aria-activedescendant") === document.querySelector("#items [aria-selected=true]").id`)
	p.press("Enter")
	p.until(`document.querySelector("#items").hidden && ` + spec + `.includes('vlan "name" {')`)
	p.keys("guests") // in the place of the name, which is chosen
	p.until(spec + `.includes('vlan "guests" {\n  id = \n  link = ') || ` + spec + `.includes('vlan "guests" {\n  link = \n  id = ')`)
	p.after("vlan \"guests\" {\n")
	p.after("  link = ")
	p.js(`(() => { const a = document.querySelector("#editor textarea"), i = a.value.lastIndexOf("  link = ") + 9; a.setSelectionRange(i, i); })()`)
	p.keys("bridge.")
	p.is(`[...document.querySelectorAll("#items .label")].map((l) => l.textContent).join()`, "bridge.br-lan")
	p.press("Escape")
	p.until(`document.querySelector("#items").hidden`)
	p.keys(" ", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	p.until(`!document.querySelector("#items").hidden`)
	p.press("Tab")
	p.until(spec + `.includes("link = bridge.br-lan\n")`)
	p.js(`(() => { const a = document.querySelector("#editor textarea"), i = a.value.lastIndexOf("  id = ") + 7; a.setSelectionRange(i, i); })()`)
	p.keys("20")
	p.js(`(() => { const a = document.querySelector("#editor textarea"), i = a.value.indexOf("  ipv4 = \"dhcp\""); a.setSelectionRange(i, i); })()`)
	p.keys("  \r")
	p.press("ArrowUp")
	p.keys(" ", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	p.until(`document.querySelector("#items .k-attribute")`)
	if doc := p.text(`document.querySelector("#doc").textContent`); doc == "" {
		t.Error("an attribute has no text")
	}
	p.press("ArrowDown")
	p.is(`[...document.querySelectorAll("#items li")].findIndex((l) => l.getAttribute("aria-selected") === "true") + ""`, "1")
	p.press("Escape")
	before := p.text(spec)
	p.press("Tab") // without a list it goes on, and no one is held in the text
	p.until(`document.activeElement !== document.querySelector("#editor textarea")`)
	p.is(spec, before)
}

// A line of Nix shows its line of the spec, by the mouse and by the keyboard.
func fromNix(t *testing.T, b *browser) {
	p := b.open(t)
	p.pick("#file", "routers/bpi-r4/network.nix")
	line := `[...document.querySelectorAll("#nix .line")].find((l) => l.textContent.includes("192.168.178.1/24"))`
	n := p.text(line + `.dataset.line`)
	p.over(line)
	p.is(`[...document.querySelectorAll(".paint .lit")].map((l) => l.textContent.trim()).join("|")`, `ipv4 = "192.168.178.1/24" # the router's own address and the network, in one`)
	dir := t.TempDir()
	if _, said := nbr(t, "gen", "-o", dir, "../testdata/routers/bpi-r4"); said == "" {
		t.Log("nothing is to be said of the router")
	}
	explained, _ := nbr(t, "explain", filepath.Join(dir, "routers/bpi-r4/network.nix")+":"+n)
	if told := p.text(`document.querySelector("#explained p").textContent`); !strings.Contains(explained, "comes from network.lan") || told != "bpi-r4/network.nix:"+n+" comes from network.lan, router.hcl line 19" {
		t.Errorf("%q; nbr explain says %s", told, explained)
	}
	p.over(`document.querySelector("header h1")`)
	p.until(`!document.querySelector(".paint .lit")`)
	p.focus("#nix")
	for range 3 {
		p.press("ArrowDown")
	}
	p.is(`document.querySelector("#nix").getAttribute("aria-activedescendant")`, "nix4")
	p.press("End")
	p.until(`document.querySelector("#nix [aria-selected=true]") === document.querySelector("#nix .line:last-child")`)
	// And from a check.
	p.click(`[data-name="plan"]`)
	p.over(`[...document.querySelectorAll("#plan li")].find((l) => l.querySelector("code").textContent.startsWith("dhcp4.lan"))`)
	p.until(`document.querySelector(".paint .lit")`)
}

// A line of the spec shows the lines of Nix that it makes, and the beginning of a block what nbr explain says.
func fromSpec(t *testing.T, b *browser) {
	p := b.open(t)
	p.pick("#file", "routers/bpi-r4/network.nix")
	p.over(`[...document.querySelectorAll(".paint .line")].find((l) => l.textContent.includes('ipv4 = "192.168.178.1/24"'))`)
	p.until(`[...document.querySelectorAll("#nix .lit")].some((l) => l.textContent.includes("192.168.178.1/24"))`)
	p.until(`document.querySelector("#explained p").textContent === "router.hcl line 19 makes" && document.querySelectorAll("#explained li").length > 0`)
	// By the keyboard, a block.
	p.choose(`network "lan" {`)
	p.until(`document.querySelector("#explained p").textContent === "network.lan becomes"`)
	explained, _ := nbr(t, "explain", "network.lan", "../testdata/routers/bpi-r4")
	want := 0
	for line := range strings.Lines(explained) {
		if strings.HasPrefix(line, "  ") {
			want++
		}
	}
	p.is(`document.querySelectorAll("#explained li").length + ""`, fmt.Sprint(want))
	p.js(`document.querySelector("#explained button").click()`)
	p.until(`document.activeElement.id === "nix" && document.querySelector("#nix [aria-selected=true]")`)
	p.js(`document.querySelector("#explained button").click()`)
	p.until(`document.activeElement.tagName === "TEXTAREA"`)
}

// The form writes what nbr init writes, and what else is chosen.
func aForm(t *testing.T, b *browser) {
	p := b.open(t)
	p.click("#new")
	p.until(`document.querySelectorAll("#form [name=board] option").length === ` + fmt.Sprint(len(firmware.Boards())))
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"
	p.pick("#form [name=board]", "bananapi-bpir3")
	p.pick("#form [name=key]", "no key")
	p.click("#form [name=guests]")
	p.click("#form .first")
	p.until(`document.querySelector("#wrong").textContent.includes("no SSH public key")`)
	p.pick("#form [name=key]", key)
	p.click("#form .first")
	p.until(`!document.querySelector("#form").open`)
	for _, board := range firmware.Boards() {
		if board.ID == "bananapi-bpir3" {
			want, err := starter.Spec(starter.Choice{Board: board, Key: key, Guests: true})
			if err != nil {
				t.Fatal(err)
			}
			p.is(spec, want)
			p.until(`document.documentElement.dataset.made === ` + quoted(starter.Name(board)))
			p.is(listed, cleared(said(t, want)))
		}
	}
	p.click("#back")
	p.is(spec, read(t, "../testdata/routers/bpi-r4/router.hcl"))
}

// cleared is what the page says where nbr check says nothing.
func cleared(said string) string {
	if said == "" {
		return "No errors, no warnings.\n"
	}
	return said
}

// Each router of testdata is an example, with all of its files.
func examples(t *testing.T, b *browser) {
	p := b.open(t)
	entries, err := os.ReadDir("../testdata/routers")
	if err != nil {
		t.Fatal(err)
	}
	p.is(`document.querySelectorAll("#example option").length + ""`, fmt.Sprint(len(entries)+1))
	for _, e := range entries {
		files, err := os.ReadDir(filepath.Join("../testdata/routers", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		p.js(`delete document.documentElement.dataset.made`)
		p.pick("#example", e.Name())
		p.is(spec, read(t, "../testdata/routers", e.Name(), "router.hcl"))
		p.until(`document.documentElement.dataset.made && !document.querySelector("#problems .error") && document.querySelector("#stale").hidden`)
		p.is(`document.querySelectorAll("#specs [role=tab]").length + ""`, fmt.Sprint(len(files)))
		p.until(`document.querySelector("#diagram").complete`)
		p.click(`[data-name="diagram"]`)
		p.until(`document.querySelector("#diagram").naturalWidth > 200 && document.querySelector("#diagram").alt.startsWith("The network of ")`)
		p.click(`[data-name="files"]`)
	}
}

// A spec of several files: one is added, wrong, mended and removed.
func severalFiles(t *testing.T, b *browser) {
	p := b.open(t)
	p.click("#add")
	p.pick("#addname", "../x.hcl")
	p.click("#addform .first")
	p.until(`document.querySelector("#addwrong").textContent !== ""`)
	p.pick("#addname", "more.hcl")
	p.click("#addform .first")
	p.is(`document.querySelector("#specs [aria-selected=true]").textContent`, "more.hcl")
	p.set("zone \"x\" {\n  networks = [network.none]\n}\n")
	p.until(`document.querySelector("#specs .wrong")?.textContent === "more.hcl"`)
	p.click(`#specs [data-name="router.hcl"]`)
	p.is(spec, read(t, "../testdata/routers/bpi-r4/router.hcl"))
	p.js(`document.querySelector("#problems .error .said").click()`) // leads to the file
	p.is(`document.querySelector("#specs [aria-selected=true]").textContent`, "more.hcl")
	p.click("#remove")
	p.until(`document.querySelectorAll("#specs [role=tab]").length === 1 && !document.querySelector("#problems .error")`)
	p.set("router   \"r\" {\n}\n")
	p.click("#format")
	p.is(spec, "router \"r\" {\n}\n")
}

// Texts of a spec are texts on the page, whatever is in them.
func hostile(t *testing.T, b *browser) {
	p := b.open(t)
	article := read(t, "../testdata/routers/bpi-r4/router.hcl")
	const bad = `<img src=https://example.org/x onerror=alert(1)></textarea><script>alert(1)</script>`
	p.set(strings.Replace(article, `time_zone     = "Europe/Berlin"`, `description = "`+strings.ReplaceAll(bad, `"`, `\"`)+`"`, 1))
	p.until(`document.querySelector("#stale").hidden && ` + `document.querySelector("#file")`)
	p.pick("#file", "routers/flake.nix")
	p.until(shown + `.includes("onerror")`)
	p.set(article + "\nzone \"" + bad + "\" {\n  networks = [network.`" + bad + "]\n}\n")
	p.until(`document.querySelector("#problems .error .said").textContent.includes("onerror")`)
	if n := p.text(`document.querySelectorAll("img:not(#diagram), script:not([src])").length + ""`); n != "0" {
		t.Errorf("%s elements came from the spec", n)
	}
}

// Without a mouse: everything that does something is reached by Tab, has a name and shows that it has the focus.
func keyboard(t *testing.T, b *browser) {
	p := b.open(t)
	p.until(`document.documentElement.dataset.offline === "ready"`)
	var names []string
	seen := map[string]bool{}
	for range 60 {
		p.press("Tab")
		id := p.text(`(() => { const e = document.activeElement; if (e === document.body) return "";
			const label = e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent;
			const border = (id) => getComputedStyle(document.querySelector(id)).borderColor;
			const shown = e.tagName === "TEXTAREA" ? border("#editor") !== border("#nix") : getComputedStyle(e).outlineStyle !== "none";
			return (e.id || e.dataset.name || e.tagName) + "|" + label.trim().slice(0, 30) + "|" + shown; })()`)
		if id == "" || seen[id] {
			break
		}
		seen[id] = true
		names = append(names, id)
		if parts := strings.Split(id, "|"); parts[1] == "" || parts[2] != "true" {
			t.Errorf("%s has no name, or does not show that it has the focus", id)
		}
	}
	all := strings.Join(names, "\n")
	for _, want := range []string{"example|", "new|", "router.hcl|", "add|", "format|", "save|", "TEXTAREA|The spec, router.hcl", "files|Nix", "file|", "nix|Lines of"} {
		if !strings.Contains(all, want) {
			t.Errorf("Tab does not come to %s:\n%s", want, all)
		}
	}
	p.focus(`[data-name="files"]`)
	p.press("ArrowRight")
	p.is(`document.activeElement.dataset.name + document.querySelector("#diagramview").hidden`, "diagramfalse")
	p.press("ArrowRight")
	p.is(`document.activeElement.dataset.name + document.querySelector("#planview").hidden`, "planfalse")
	p.focus(`#new`)
	p.press("Enter")
	p.until(`document.querySelector("#form").open && document.querySelector("#form").contains(document.activeElement)`)
	p.press("Escape")
	p.until(`!document.querySelector("#form").open`)
}

var pictures = flag.String("pictures", "", "write pictures of the page to `DIR`, for people to look at")

// The page in both colour schemes and on a phone: nothing is cut off, and every text can be read.
func looks(t *testing.T, b *browser) {
	p := b.open(t)
	for _, screen := range []struct {
		name          string
		width, height int64
	}{{"desk", 1360, 860}, {"tablet", 820, 1100}, {"phone", 360, 740}} {
		for _, scheme := range []string{"light", "dark"} {
			call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
			call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: screen.width, Height: screen.height, DeviceScaleFactor: 1, Mobile: screen.name == "phone"})
			for _, view := range views {
				for _, do := range view.do {
					p.js(do)
				}
				p.until(view.then)
				name := screen.name + " " + scheme + " " + view.name
				if wide := p.text(`document.scrollingElement.scrollWidth > innerWidth ? [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest("#editor, .scroll, [role=tablist]")).map((e) => e.id || e.className || e.tagName).join() : ""`); wide != "" {
					t.Errorf("%s: wider than the screen: %s", name, wide)
				}
				for _, f := range eval[[]string](p, contrast) {
					t.Errorf("%s: %s", name, f)
				}
				p.picture(name)
			}
		}
	}
}

func (p *tab) picture(name string) {
	p.Helper()
	if *pictures == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*pictures, strings.ReplaceAll(name, " ", "-")+".png"), png, 0o600); err != nil {
		p.Fatal(err)
	}
}

const (
	side  = `document.querySelector('#sides [data-name="%s"]').click()`
	write = `(() => { const a = document.querySelector("#editor textarea"); a.value = a.value.replace(%s, %s); a.dispatchEvent(new Event("input")); })()`
)

// views are what there is to see. Each is come to from the one before.
var views = []struct {
	name string
	do   []string
	then string
}{
	{"spec", []string{fmt.Sprintf(side, "spec"), `(() => { const a = document.querySelector("#editor textarea"); a.focus(); a.setSelectionRange(a.value.indexOf("network \"lan\""), a.value.indexOf("network \"lan\"")); })()`}, `document.querySelectorAll("#explained li").length > 5`},
	{"nix", []string{fmt.Sprintf(side, "result"), `document.querySelector('[data-name="files"]').click()`, `document.querySelector("#file").value = "routers/bpi-r4/network.nix"`, `document.querySelector("#file").dispatchEvent(new Event("change"))`, `document.querySelector("#nix").focus()`}, `document.querySelector("#nix [aria-selected=true]")`},
	{"network", []string{`document.querySelector('[data-name="diagram"]').click()`}, `document.querySelector("#diagram").naturalWidth > 200`},
	{"checks", []string{`document.querySelector('[data-name="plan"]').click()`}, `document.querySelectorAll("#plan li").length > 10`},
	{"form", []string{`document.querySelector("#new").click()`}, `document.querySelector("#form").open && document.querySelectorAll("#form [name=board] option").length > 1`},
	{"error", []string{`document.querySelector("#form").close()`, fmt.Sprintf(side, "spec"), fmt.Sprintf(write, `"port.lan2"`, `"port.lan9"`)}, `document.querySelector(".mark.error")`},
	{"mended", []string{fmt.Sprintf(write, `"port.lan9"`, `"port.lan2"`)}, `!document.querySelector(".mark.error") && document.querySelector("#stale").hidden`},
}

// contrast finds texts that have less of it than WCAG 2.2 (1.4.3) wants, 4.5, against the colour behind them.
const contrast = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const rgba = (c) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255, 255]; };
	const out = new Set();
	for (const e of document.querySelectorAll("body *")) {
		const own = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
		if (!own || !e.checkVisibility() || e.closest("textarea, option, :disabled")) continue;
		const [a, b] = [light(rgba(getComputedStyle(e).color)), light(behind(e))];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) out.add((e.id || e.className || e.tagName) + ": contrast " + ratio.toFixed(2));
	}
	return [...out];
})()`

// Without its server the page is there, and does all that it does. It is the last: the server is gone then.
func offline(t *testing.T, b *browser) {
	p := b.open(t)
	p.until(`document.documentElement.dataset.offline === "ready"`)
	p.choose("bpi-r4")
	p.keys("elsewhere")
	p.is(`document.documentElement.dataset.made`, "elsewhere")
	p.until(`localStorage.getItem("nbr-spec").includes("elsewhere")`)
	b.server.Close()
	p.js(`location.reload()`)
	p.until(`document.documentElement.dataset.made === "elsewhere"`)
	p.choose("elsewhere")
	p.keys("again")
	p.is(`document.documentElement.dataset.made`, "again")
}

// BenchmarkKey is the time from a key to what nbr check says of the text with it, on the screen, in the browser.
func BenchmarkKey(b *testing.B) {
	info, err := os.Stat(filepath.Join(pageDir(b), "nbr.wasm.gz"))
	if err != nil {
		b.Fatal(err)
	}
	p := chromium(b).open(b)
	p.js(`globalThis.keys = async (n) => {
		const a = document.querySelector("#editor textarea"), root = document.documentElement;
		const times = [];
		for (let i = 0; i < n; i++) {
			const start = performance.now();
			const done = new Promise((resolve) => { const o = new MutationObserver(() => { o.disconnect(); resolve(); }); o.observe(root, { attributeFilter: ["data-checked"] }); });
			a.setRangeText("#", 0, 0); a.dispatchEvent(new Event("input"));
			await done;
			times.push(performance.now() - start);
			await new Promise((resolve) => { const o = new MutationObserver(() => { o.disconnect(); resolve(); }); o.observe(root, { attributeFilter: ["data-made"] }); });
		}
		return times.reduce((s, t) => s + t, 0) / n;
	}`)
	var ms float64
	for b.Loop() {
		ms = eval[float64](p, `keys(20)`, chromedp.EvalAwaitPromise)
	}
	b.ReportMetric(ms, "ms/key")
	b.ReportMetric(float64(info.Size()), "wasm-bytes")
	b.ReportMetric(0, "ns/op")
}
