package agent

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/nbr-dev/nbr/verify"
)

// patience is how long a look may take before the one before it counts as stale.
const patience = 80 * time.Second

// handler makes the pages. Metrics are in a registry of their own: what some library
// puts into the default one does not belong here.
func (a *Agent) handler() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(a, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	// A scrape and one beside it are enough for a router, and bound what they cost.
	mux.Handle("GET /metrics", whole(promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 2, DisableCompression: true})))
	mux.HandleFunc("GET /health", a.health)
	mux.HandleFunc("GET /report", a.report)
	return a.named(mux)
}

// whole makes a page before any of it is sent: a client that does not read holds its own
// connection, and not the place of those who do.
func whole(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &page{header: w.Header()}
		pages.ServeHTTP(p, r)
		if p.code != 0 {
			w.WriteHeader(p.code)
		}
		_, _ = w.Write(p.body.Bytes()) // the client may have gone
	})
}

// A page is an answer that is kept.
type page struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (p *page) Header() http.Header         { return p.header }
func (p *page) Write(b []byte) (int, error) { return p.body.Write(b) }

// WriteHeader keeps the first code, as [http.ResponseWriter] has it.
func (p *page) WriteHeader(code int) {
	if p.code == 0 {
		p.code = code
	}
}

// named answers those who ask for this router: by the address that they connected to, by
// localhost or by a name of the spec. A client that gets here by another name is a browser that
// a page from outside has led to an address of the house (DNS rebinding), and must not
// read what the router runs. To a Unix socket no browser connects.
func (a *Agent) named(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A net.Addr: that of a Unix socket is a path.
		local := netip.AddrPort{}
		if addr, ok := r.Context().Value(http.LocalAddrContextKey).(fmt.Stringer); ok {
			local, _ = netip.ParseAddrPort(addr.String())
		}
		if local.IsValid() && !a.answersTo(r.Host, local.Addr().Unmap()) {
			http.Error(w, "this is not "+line(r.Host)+": names of the agent block are answered", http.StatusMisdirectedRequest)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// answersTo tells whether the Host of a request, with or without a port, is a name of this
// router.
func (a *Agent) answersTo(host string, local netip.Addr) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if with, fits := netip.ParseAddrPort(host); fits == nil {
		ip, err = with.Addr(), nil
	}
	if err == nil {
		return ip.Unmap().WithZone("") == local.WithZone("")
	}
	host, _, _ = strings.Cut(host, ":")
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	a.mu.Lock()
	defer a.mu.Unlock()
	return host == "localhost" || slices.Contains(a.Spec.Names, host)
}

// health says 200 if the last look is recent and all is well, else 503 and why. What
// could not be seen is not well.
func (a *Agent) health(w http.ResponseWriter, _ *http.Request) {
	text(w)
	last, broken := a.now()
	if last == nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		if broken != "" {
			fmt.Fprintf(w, "the router could not be looked at: %s\n", line(broken))
			return
		}
		fmt.Fprintln(w, "nothing was looked at yet")
		return
	}
	age := a.Now().Sub(last.ended)
	stale := age > 2*last.spec.Interval+patience
	sum := last.report.Summary()
	if stale || broken != "" || !sum.Well() {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if stale {
		fmt.Fprintf(w, "the last look is %s old\n", age.Round(time.Second))
	}
	if broken != "" {
		fmt.Fprintf(w, "the router could not be looked at: %s\n", line(broken))
	}
	for _, res := range last.report.Results {
		if res.Status != verify.Fail && res.Status != verify.Unknown {
			continue
		}
		at := place(res)
		if at != "" {
			at = " (" + at + ")"
		}
		fmt.Fprintf(w, "%s %s%s: want %s, got %s\n", res.Status, line(res.ID), line(at), line(res.Want), line(res.Got))
	}
	fmt.Fprintln(w, sum)
}

// report is the last report, as nbr verify -format json prints it.
func (a *Agent) report(w http.ResponseWriter, _ *http.Request) {
	last, _ := a.now()
	if last == nil {
		text(w)
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "nothing was looked at yet")
		return
	}
	var b bytes.Buffer
	if err := last.spec.JSON(&b, last.report); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Last-Modified", last.ended.UTC().Format(http.TimeFormat))
	_, _ = w.Write(b.Bytes()) // the client may have gone
}

func text(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
}
