package exporter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/nbr-dev/nbr/verify/probe"
)

// A question is where an exporter answers, and what of its metrics is of interest.
type question struct {
	At     netip.AddrPort `json:"at"`
	Prefix string         `json:"prefix"` // of the names of its own metrics
	Metric string         `json:"metric"` // whose samples are of interest
	Label  string         `json:"label"`  // that tells them apart
}

// A scrape is what came of one.
type scrape struct {
	Trouble string             `json:"trouble,omitempty"` // why there are no metrics; empty if there are
	Own     int                `json:"own,omitempty"`     // how many metrics have the prefix
	Samples map[string]float64 `json:"samples,omitempty"` // of the metric, by the label; finite ones
}

// scrapeOf asks at one of the router's own addresses as Prometheus does.
var scrapeOf = &probe.Probe[question, scrape]{Name: "exporter.scrape", Active: true, Look: lookScrape}

// What is wrong with an answer, beside its status.
const (
	noAnswer  = "no answer"
	noMetrics = "no text of metrics"
	hangsUp   = "hangs up"
	noHTTP    = "no HTTP"
	cutOff    = "cut off"
)

// patience is how long an exporter may take: it asks a daemon of this machine, in milliseconds.
const patience = 5 * time.Second

func lookScrape(ctx context.Context, h probe.Host, q question) (scrape, error) {
	c, err := h.Dial(ctx, "tcp", q.At.String())
	if probe.Silent(err) {
		return scrape{Trouble: noAnswer}, nil
	}
	if err != nil {
		return scrape{}, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return scrape{}, err
	}
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	s, err := get(c, q)
	switch {
	case ctx.Err() != nil:
		return scrape{}, ctx.Err()
	case probe.Silent(err):
		return scrape{Trouble: noAnswer}, nil
	}
	return s, err
}

// get asks for the metrics (RFC 9112), in the text format of version 0.0.4.
func get(c io.ReadWriter, q question) (scrape, error) {
	if _, err := fmt.Fprintf(c, "GET /metrics HTTP/1.1\r\nHost: %s\r\nAccept: text/plain;version=0.0.4\r\nConnection: close\r\n\r\n", q.At); err != nil {
		if errors.Is(err, syscall.EPIPE) {
			return scrape{Trouble: hangsUp}, nil
		}
		return scrape{}, err
	}
	in := &heard{Reader: c}
	limited := &io.LimitedReader{R: in, N: probe.OutputLimit}
	trouble := func(what string) (scrape, error) {
		switch {
		case in.err != nil:
			return scrape{}, in.err
		case limited.N == 0:
			return scrape{}, probe.ErrOutput
		}
		return scrape{Trouble: what}, nil
	}
	answer, err := http.ReadResponse(bufio.NewReader(limited), nil)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return trouble(hangsUp)
	case err != nil:
		return trouble(noHTTP)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return scrape{Trouble: fmt.Sprintf("status %d", answer.StatusCode)}, nil
	}
	// Its errors of reading and of text are of one type, so it gets what has been read.
	text, err := io.ReadAll(answer.Body)
	if err != nil || limited.N == 0 {
		return trouble(cutOff)
	}
	return read(string(text), q), nil
}

// heard is a connection that keeps the error which ended it, if its other end did not: then nothing is
// known of the exporter.
type heard struct {
	io.Reader
	err error
}

func (h *heard) Read(b []byte) (int, error) {
	n, err := h.Reader.Read(b)
	if err != nil && err != io.EOF {
		h.err = err
	}
	return n, err
}

// read has what is of interest of the text of an answer.
func read(text string, q question) scrape {
	all, err := parse(text)
	if err != nil {
		return scrape{Trouble: noMetrics}
	}
	s := scrape{Samples: map[string]float64{}}
	for name, family := range all {
		if strings.HasPrefix(name, q.Prefix) {
			s.Own++
		}
		if name != q.Metric {
			continue
		}
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				if v := value(m); l.GetName() == q.Label && !math.IsNaN(v) && !math.IsInf(v, 0) { // JSON has no others
					s.Samples[l.GetValue()] = v
				}
			}
		}
	}
	return s
}

// parse reads the text format. Of texts that are none there are some on which the parser of Prometheus
// panics.
func parse(text string) (all map[string]*dto.MetricFamily, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(strings.NewReader(text))
}

// value is that of a sample of a gauge, of a counter, or of what has no type.
func value(m *dto.Metric) float64 {
	switch {
	case m.GetGauge() != nil:
		return m.GetGauge().GetValue()
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	case m.GetUntyped() != nil:
		return m.GetUntyped().GetValue()
	}
	return math.NaN()
}
