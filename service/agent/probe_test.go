package agent

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"testing"

	"github.com/nbr-dev/nbr/verify/probe"
)

// web is a machine on which every address answers alike.
type web struct {
	probe.Host
	answer string
	err    error
}

func (w web) Dial(context.Context, string, string) (net.Conn, error) {
	if w.err != nil {
		return nil, w.err
	}
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		r, err := http.ReadRequest(bufio.NewReader(server))
		if err == nil && r.Host == "metrics.example.org" && r.URL.Path == "/health" {
			_, _ = server.Write([]byte(w.answer))
		}
	}()
	return client, nil
}

func TestStatus(t *testing.T) {
	for name, tt := range map[string]struct {
		host web
		want string
		err  bool
	}{
		"well":           {web{answer: "HTTP/1.1 200 OK\r\n\r\n"}, "200", false},
		"another name":   {web{answer: "HTTP/1.1 421 Misdirected Request\r\n\r\nthis is not"}, "421", false},
		"refused":        {web{err: syscall.ECONNREFUSED}, "", false},
		"no route":       {web{err: syscall.ENETUNREACH}, "", true},
		"hangs up":       {web{}, "", true},
		"something else": {web{answer: "SSH-2.0-OpenSSH\r\n"}, "", true},
		"endless":        {web{answer: string(make([]byte, 1000))}, "", true},
	} {
		got, err := lookStatus(context.Background(), tt.host, visit{netip.MustParseAddrPort("192.0.2.1:9842"), "metrics.example.org"})
		if got != tt.want || (err != nil) != tt.err {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := lookStatus(ctx, web{}, visit{Name: "other.example.org"}); err == nil || errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without time: %v", err)
	}
}
