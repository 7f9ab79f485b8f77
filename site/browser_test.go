package site_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/site"
)

// built makes the page once for all tests.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "nbr-page")
	if err != nil {
		return "", err
	}
	return dir, site.Build(context.Background(), "..", os.DirFS("../testdata/routers"), dir)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := built(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func pageDir(t testing.TB) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A browser is Chromium with no way to other hosts than the page's own: what it asks of them comes to a proxy, which
// keeps it.
type browser struct {
	ctx    context.Context
	server *httptest.Server
	mu     sync.Mutex
	others []string
	served []string
}

// chromium starts the browser on a server of the page.
func chromium(t testing.TB) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v: run .ci/setup", err)
	}
	b := &browser{}
	files := http.FileServer(http.Dir(pageDir(t)))
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.served = append(b.served, r.URL.Path)
		b.mu.Unlock()
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(b.server.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.others = append(b.others, r.Method+" "+r.Host)
		b.mu.Unlock()
		http.Error(w, "no way", http.StatusForbidden)
	}))
	t.Cleanup(proxy.Close)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.ProxyServer(proxy.URL),
		chromedp.WindowSize(1360, 860), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en"))...)
	t.Cleanup(cancel)
	b.ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(b.ctx); err != nil {
		t.Fatal(err)
	}
	return b
}

// chromiumsOwn are what Chromium looks for by itself, whatever page it shows: news of its parts, an account, what
// fields of forms are called. The page names none of these.
var chromiumsOwn = []string{"update.googleapis.com", "clients2.google.com", "accounts.google.com", "content-autofill.googleapis.com", "optimizationguide-pa.googleapis.com", "www.google.com", "android.clients.google.com", "redirector.gvt1.com"}

// A tab is one page. What it asks for and what goes wrong in it is kept.
type tab struct {
	testing.TB
	ctx   context.Context
	b     *browser
	mu    sync.Mutex
	asked []string
	wrong []string
}

// open opens the page, in a context that has stored nothing, and waits for the first router.
func (b *browser) open(t testing.TB) *tab {
	t.Helper()
	p := &tab{TB: t, b: b}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.heard))
	t.Cleanup(cancel)
	p.ctx = ctx
	call(p, network.Enable, network.EnableParams{})
	p.do(chromedp.Navigate(b.server.URL))
	p.until(`document.documentElement.dataset.made !== undefined`)
	t.Cleanup(p.clean)
	return p
}

// heard keeps what the browser tells of the page.
func (p *tab) heard(e any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := e.(type) {
	case *network.EventRequestWillBeSent:
		p.asked = append(p.asked, e.Request.URL)
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
		p.wrong = append(p.wrong, text)
	case *runtime.EventConsoleAPICalled:
		for _, a := range e.Args {
			p.wrong = append(p.wrong, fmt.Sprintf("console.%s: %s%s", e.Type, a.Value, a.Description))
		}
	case *cdplog.EventEntryAdded: // a violation of the Content-Security-Policy is one
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			p.wrong = append(p.wrong, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

// clean wants that nothing went wrong, and that the page has asked its own server alone.
func (p *tab) clean() {
	if p.Failed() {
		p.picture("failed " + filepath.Base(p.Name()))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, text := range p.wrong {
		p.Errorf("the page says: %s", text)
	}
	for _, url := range p.asked {
		if own := strings.HasPrefix(url, p.b.server.URL+"/") || strings.HasPrefix(url, "blob:"+p.b.server.URL+"/"); !own {
			p.Errorf("the page asked for %s", url)
		}
	}
	if len(p.asked) < 10 {
		p.Errorf("the page asked for %d files: they are not counted", len(p.asked))
	}
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	for _, host := range p.b.others {
		if !slices.ContainsFunc(chromiumsOwn, func(own string) bool { return strings.Contains(host, own) }) {
			p.Errorf("the browser asked another host: %s", host)
		}
	}
	if !slices.Contains(p.b.served, "/"+site.Program) {
		p.Errorf("the server was not asked for the program: %q", p.b.served)
	}
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

// call sends a command of the protocol.
func call[P, R any](p *tab, command cdp.Command[P, R], params P) {
	p.Helper()
	if _, err := chromedp.Call(p.ctx, command, params); err != nil {
		p.Fatal(err)
	}
}

// eval is the value of an expression.
func eval[T any](p *tab, js string, options ...chromedp.EvaluateOption) T {
	p.Helper()
	out, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](js, options...))
	if err != nil {
		p.Fatalf("%v\n%s", err, js)
	}
	return out
}

// js does something on the page.
func (p *tab) js(expression string) {
	p.Helper()
	eval[bool](p, "("+expression+", true)")
}

// click clicks with the mouse.
func (p *tab) click(css string) {
	p.Helper()
	p.do(chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible))
}

func (p *tab) focus(css string) {
	p.Helper()
	p.do(chromedp.Focus(chromedp.CSS(css)))
}

// pick chooses a value of a list, or fills a field in.
func (p *tab) pick(css, value string) {
	p.Helper()
	p.js(fmt.Sprintf(`(() => { const e = document.querySelector(%s); e.value = %s; if (e.value !== %[2]s) throw new Error("it has no " + %[2]s); e.dispatchEvent(new Event("change")); })()`, quoted(css), quoted(value)))
}

// until waits for an expression to hold.
func (p *tab) until(js string) {
	p.Helper()
	nstest.Wait(p, func() error {
		holds, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("Boolean("+js+")"))
		if err != nil {
			return err
		}
		if !holds {
			return fmt.Errorf("%s does not hold; the page says %q", js, p.wrong)
		}
		return nil
	})
}

// text is the value of an expression.
func (p *tab) text(js string) string {
	p.Helper()
	return eval[string](p, js)
}

// is waits for an expression to have a value.
func (p *tab) is(js, want string) {
	p.Helper()
	nstest.Wait(p, func() error {
		got, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](js))
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%s is\n%s\nwant\n%s", js, got, want)
		}
		return nil
	})
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// choose selects a part of the spec, as with the shift key and arrows.
func (p *tab) choose(what string) {
	p.Helper()
	p.js(fmt.Sprintf(`(() => { const a = document.querySelector("#editor textarea"), i = a.value.indexOf(%s);
		if (i < 0) throw new Error("the spec has no " + %[1]s); a.focus(); a.setSelectionRange(i, i + %[1]s.length); })()`, quoted(what)))
}

// after puts the caret behind a part of the spec.
func (p *tab) after(what string) {
	p.Helper()
	p.choose(what)
	p.js(`(() => { const a = document.querySelector("#editor textarea"); a.setSelectionRange(a.selectionEnd, a.selectionEnd); })()`)
}

// keys types, key by key.
func (p *tab) keys(text string, options ...chromedp.KeyOption) {
	p.Helper()
	p.do(chromedp.KeyEvent(text, options...))
}

// press presses a key as a keyboard does: what the page does with it comes before what the browser would.
func (p *tab) press(key string) {
	p.Helper()
	text := map[string]string{"Enter": "\r"}[key]
	code := map[string]int64{"Enter": 13, "Tab": 9, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40, "ArrowRight": 39, "End": 35}[key]
	call(p, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "keyDown", Key: key, Code: key, WindowsVirtualKeyCode: code, Text: text})
	call(p, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "keyUp", Key: key, Code: key, WindowsVirtualKeyCode: code})
}

// over moves the mouse to the middle of what an expression is.
func (p *tab) over(js string) {
	p.Helper()
	at := eval[struct{ X, Y float64 }](p, fmt.Sprintf(`(() => { const e = %s; e.scrollIntoView({block: "nearest"}); const b = e.getBoundingClientRect(); return {X: b.left + Math.min(b.width, 200) / 2, Y: b.top + b.height / 2}; })()`, js))
	call(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: at.X, Y: at.Y})
}

// spec is the text of the file that is shown.
const spec = `document.querySelector("#editor textarea").value`

// shown is what a person sees of the file that is generated, its colours left out.
const shown = `[...document.querySelectorAll("#nix .line")].map((l) => l.textContent).join("\n")`

// set shows another spec of one file, as a person does who replaces all of it.
func (p *tab) set(text string) {
	p.Helper()
	p.js(`(document.querySelector("#editor textarea").focus(), document.querySelector("#editor textarea").select())`)
	call(p, input.InsertText, input.InsertTextParams{Text: text})
	p.is(spec, text)
}

func read(t testing.TB, name ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(name...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
