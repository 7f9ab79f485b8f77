package exporter

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		if err == nil && r.Method == "GET" && r.URL.Path == "/metrics" && r.Host == "[fd00:1::1]:9100" {
			_, _ = server.Write([]byte(w.answer))
		}
	}()
	return client, nil
}

var ofNode = question{netip.MustParseAddrPort("[fd00:1::1]:9100"), "node_", "node_scrape_collector_success", "collector"}

const nodeText = `# HELP node_scrape_collector_success node_exporter: Whether a collector succeeded.
# TYPE node_scrape_collector_success gauge
node_scrape_collector_success{collector="cpu"} 1
node_scrape_collector_success{collector="timex"} 0
node_scrape_collector_success{collector="odd",x="\"\\\n"} NaN
node_load1 0.5
# TYPE go_gc_duration_seconds summary
go_gc_duration_seconds{quantile="0"} 1e-05
go_gc_duration_seconds_sum 2
go_gc_duration_seconds_count 3
`

func TestScrape(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	node := scrape{Own: 2, Samples: map[string]float64{"cpu": 1, "timex": 0}}
	for name, tt := range map[string]struct {
		host web
		want scrape
		err  bool
	}{
		"well":                 {web{answer: ok + "\r\n" + nodeText}, node, false},
		"in chunks":            {web{answer: ok + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(nodeText), nodeText)}, node, false},
		"with no last chunk":   {web{answer: ok + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n", len(nodeText), nodeText)}, scrape{Trouble: cutOff}, false},
		"of something else":    {web{answer: ok + "\r\npython_info{version=\"3\"} 1\n"}, scrape{Samples: map[string]float64{}}, false},
		"nothing":              {web{answer: ok + "\r\n"}, scrape{Samples: map[string]float64{}}, false},
		"a page":               {web{answer: ok + "\r\n<html>"}, scrape{Trouble: noMetrics}, false},
		"cut off":              {web{answer: ok + "\r\n" + strings.TrimSuffix(nodeText, "3\n")}, scrape{Trouble: noMetrics}, false},
		"shorter than it says": {web{answer: ok + "Content-Length: 9000\r\n\r\n" + nodeText}, scrape{Trouble: cutOff}, false},
		"too long":             {web{answer: ok + "\r\n" + strings.Repeat(nodeText, 1+probe.OutputLimit/len(nodeText))}, scrape{}, true},
		"elsewhere":            {web{answer: "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n"}, scrape{Trouble: "status 302"}, false},
		"busy":                 {web{answer: "HTTP/1.1 503 Service Unavailable\r\n\r\n"}, scrape{Trouble: "status 503"}, false},
		"refused":              {web{err: syscall.ECONNREFUSED}, scrape{Trouble: noAnswer}, false},
		"no route":             {web{err: syscall.ENETUNREACH}, scrape{}, true},
		"hangs up":             {web{}, scrape{Trouble: hangsUp}, false},
		"something else":       {web{answer: "SSH-2.0-OpenSSH\r\n"}, scrape{Trouble: noHTTP}, false},
	} {
		got, err := lookScrape(context.Background(), tt.host, ofNode)
		if diff := cmp.Diff(tt.want, got); diff != "" || (err != nil) != tt.err {
			t.Errorf("%s (-want +got): %v\n%s", name, err, diff)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got, err := lookScrape(ctx, web{answer: ok + "\r\n" + nodeText}, ofNode); err == nil {
		t.Errorf("without time: %+v", got)
	}
}

// What an exporter says is of other people: it ends in a report, and in JSON.
func FuzzRead(f *testing.F) {
	for _, text := range []string{nodeText, "", "<html>", "node_x +Inf\n", "a{b=\"c\"} 1 2\n", "#HELP a \n{}0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := read(text, ofNode)
		if s.Trouble != "" && (s.Own != 0 || s.Samples != nil) {
			t.Errorf("%+v", s)
		}
		for part, v := range s.Samples {
			if v != v || v-v != 0 {
				t.Errorf("%s is %v", part, v)
			}
		}
	})
}
