package router

import "net/netip"

// A Measured is a part of a program whose state an exporter can serve to Prometheus, as a protocol of a
// routing daemon or a zone of a DNS server. The block that configures the part claims it, of whatever
// program NixOS has an exporter for; the exporter block reads it.
type Measured struct {
	By
	Exporter string // the program's, by its name below services.prometheus.exporters
	Part     string // as the exporter calls it; empty for one that it may have nothing to say of
	Group    string // of those who may ask the program
}

// A Scraped is where a program serves metrics of the router over HTTP, below /metrics, for a Prometheus of
// the house. A program that listens on several addresses claims one of them, so that no sample is there
// twice.
type Scraped struct {
	By
	Job string // short and unique, as "nbr" or "node"
	At  netip.AddrPort
}

// AgentJob is the job of nbr's own agent, whose metrics are the verdicts over the spec.
const AgentJob = "nbr"

// A Panel is a graph of a dashboard. The block whose program the metrics are of claims it; it is shown where
// Prometheus gets the metrics of its job.
type Panel struct {
	By
	Job   string // whose metrics it is of
	Title string
	Doc   string // what is to be seen, and when it is wrong
	Unit  string // by Grafana's identifiers, as "bps"; empty for plain numbers
	// Queries are of PromQL, with $host for the name of the router and $__rate_interval for a time in which
	// a counter has several samples.
	Queries []Query
}

// A Query is one of a panel.
type Query struct {
	Expr   string
	Legend string // with {{label}} for the value of a label
}
