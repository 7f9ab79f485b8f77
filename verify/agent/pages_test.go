package agent

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func quiet(r *router) *Agent {
	spec := r.spec("a")
	spec.Names = []string{"r", "r.home.arpa"}
	return New(Config{Spec: spec, Log: slog.New(slog.DiscardHandler), Now: time.Now})
}

// A page from outside can make a browser ask by any name, and read the answer if the name
// has become an address of the house (DNS rebinding). Only the router's own are answered.
func TestPagesAnswerToTheRouter(t *testing.T) {
	a := quiet(newRouter())
	lan := &net.TCPAddr{IP: net.ParseIP("192.0.2.1"), Port: 9842}
	lan6 := &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 9842}
	link := &net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "br-lan", Port: 9842}
	socket := &net.UnixAddr{Name: "/run/nbr-agent/metrics.sock", Net: "unix"}
	for _, c := range []struct {
		local net.Addr
		host  string
		ok    bool
	}{
		{lan, "192.0.2.1:9842", true},
		{lan, "192.0.2.1", true},
		{lan, "localhost:9842", true},
		{lan, "r:9842", true},
		{lan, "R.Home.Arpa.:9842", true},
		{lan, "[::ffff:192.0.2.1]:9842", true},
		{lan6, "[2001:db8::1]:9842", true},
		{lan6, "[2001:db8::1]", true},
		{link, "[fe80::1]:9842", true},
		{lan, "evil.example:9842", false},
		{lan, "192.0.2.2:9842", false},
		{lan, "", false},
		{lan, "r.evil.example", false},
		{lan, "localhost.evil.example", false},
		{lan, "home.arpa", false},
		{lan6, "192.0.2.1:9842", false},
		{lan, "127.0.0.1:9842", false},
		{socket, "agent", true},
		{socket, "evil.example", true},
	} {
		for _, path := range []string{"/metrics", "/health", "/report", "/nothing"} {
			req := httptest.NewRequest("GET", path, nil)
			req.Host = c.host
			req = req.WithContext(context.WithValue(req.Context(), http.LocalAddrContextKey, c.local))
			w := httptest.NewRecorder()
			a.ServeHTTP(w, req)
			if ok := w.Code != http.StatusMisdirectedRequest; ok != c.ok {
				t.Errorf("%s at %s by the name of %q: %d", path, c.local, c.host, w.Code)
			}
		}
	}
}

// A stuck client reads nothing of what is written for it.
type stuck struct {
	httptest.ResponseRecorder
	written, release chan struct{}
}

func (s *stuck) Write([]byte) (int, error) {
	s.written <- struct{}{}
	<-s.release
	return 0, net.ErrClosed
}

// Clients that do not read what they asked for keep no one else from it.
func TestClientsThatDoNotRead(t *testing.T) {
	a := quiet(newRouter())
	release := make(chan struct{})
	defer close(release)
	for range 5 {
		s := &stuck{written: make(chan struct{}), release: release}
		go a.ServeHTTP(s, httptest.NewRequest("GET", "/metrics", nil))
		<-s.written // it is being served, and stays so
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusOK || w.Body.Len() == 0 || w.Header().Get("Content-Type") == "" {
		t.Errorf("the next scrape gets %d, %q", w.Code, w.Body)
	}
}
