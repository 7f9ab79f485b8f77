package agent

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/report"
	"github.com/nbr-dev/nbr/verify/state"
)

// A drop is what one chain of a table has dropped.
type drop struct {
	table string
	state.Drop
}

func drops(st *state.State) []drop {
	var out []drop
	for _, table := range slices.Sorted(maps.Keys(st.Rulesets)) {
		seen := map[string]bool{}
		for _, d := range st.Rulesets[table].Drops {
			if !seen[d.Chain] { // a registry refuses the same labels twice
				seen[d.Chain] = true
				out = append(out, drop{table, d})
			}
		}
	}
	return out
}

// A peer is when a peer of WireGuard was last heard of.
type peer struct {
	link, key string
	handshake int64
}

func peers(st *state.State) []peer {
	var out []peer
	for _, link := range slices.Sorted(maps.Keys(st.WireGuard)) {
		for _, key := range slices.Sorted(maps.Keys(st.WireGuard[link].Peers)) {
			out = append(out, peer{link, key, st.WireGuard[link].Peers[key].Handshake})
		}
	}
	return out
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("nbr_"+name, help, labels, nil)
}

// The metrics, named as Prometheus's naming page wants it. A status is a state set
// of OpenMetrics: one sample for each that there could be, and 1 for the one that is,
// so that a change is no new series.
var (
	checkStatus  = desc("check_status", "The verdict over a check: 1 for the status that it has, 0 for the others.", "check", "block", "status")
	checks       = desc("checks", "Checks by their status.", "status")
	lookDuration = desc("look_duration_seconds", "How long the last look took.")
	lookTime     = desc("look_timestamp_seconds", "When the last look ended.")
	looksTotal   = desc("looks_total", "Looks by what they were for.", "trigger")
	errorsTotal  = desc("look_errors_total", "Looks that came to nothing.")
	changesTotal = desc("verdict_changes_total", "Verdicts that differed from the one before.")
	missedParts  = desc("missed_parts", "Parts of the router that the last look could not see.")
	buildInfo    = desc("build_info", "The running nbr.", "version", "goversion")
	specInfo     = desc("spec_info", "The spec that the router is verified against.", "router", "hash")
	dropPackets  = desc("firewall_dropped_packets_total", "Packets that a chain of the firewall has dropped.", "table", "chain")
	dropBytes    = desc("firewall_dropped_bytes_total", "Bytes of the packets that a chain of the firewall has dropped.", "table", "chain")
	handshake    = desc("wireguard_peer_last_handshake_timestamp_seconds", "When a peer was last heard of, 0 for never.", "interface", "peer")
)

// statuses are all that a check may have.
var statuses = []verify.Status{verify.Pass, verify.Fail, verify.Unknown, verify.Skip}

// Describe makes an Agent a [prometheus.Collector].
func (a *Agent) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		checkStatus, checks, lookDuration, lookTime, looksTotal, errorsTotal, changesTotal, missedParts,
		buildInfo, specInfo, dropPackets, dropBytes, handshake,
	} {
		ch <- d
	}
}

// Collect makes an Agent a [prometheus.Collector]. Nothing is looked at for it.
func (a *Agent) Collect(ch chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, t, v, labels...)
	}
	a.mu.Lock()
	last, spec, errors, changes := a.last, a.Spec, a.errors, a.changes
	looks := maps.Clone(a.looks)
	a.mu.Unlock()

	put(buildInfo, prometheus.GaugeValue, 1, a.Version, a.GoVersion)
	put(specInfo, prometheus.GaugeValue, 1, spec.Router, spec.Hash)
	put(errorsTotal, prometheus.CounterValue, float64(errors))
	put(changesTotal, prometheus.CounterValue, float64(changes))
	for _, trigger := range []string{atStart, atInterval, onEvent, onReload} {
		put(looksTotal, prometheus.CounterValue, float64(looks[trigger]), trigger)
	}
	if last == nil {
		return
	}
	put(lookDuration, prometheus.GaugeValue, last.took.Seconds())
	put(lookTime, prometheus.GaugeValue, float64(last.ended.UnixMilli())/1000)
	put(missedParts, prometheus.GaugeValue, float64(len(last.report.Missed)))
	sum := last.report.Summary()
	for _, s := range statuses {
		put(checks, prometheus.GaugeValue, float64(of(sum, s)), s.String())
	}
	for _, res := range last.report.Results {
		for _, s := range statuses {
			v := 0.0
			if res.Status == s {
				v = 1
			}
			put(checkStatus, prometheus.GaugeValue, v, res.ID, res.Block(), s.String())
		}
	}
	for _, d := range last.drops {
		put(dropPackets, prometheus.CounterValue, float64(d.Packets), d.table, d.Chain)
		put(dropBytes, prometheus.CounterValue, float64(d.Bytes), d.table, d.Chain)
	}
	for _, p := range last.peers {
		put(handshake, prometheus.GaugeValue, float64(p.handshake), p.link, p.key)
	}
}

// of is the number of results with a status.
func of(sum report.Summary, s verify.Status) int {
	switch s {
	case verify.Pass:
		return sum.Pass
	case verify.Fail:
		return sum.Fail
	case verify.Skip:
		return sum.Skip
	default:
		return sum.Unknown
	}
}
