// Package monitoring is what a monitoring of the house wants to know of a router, as files: where Prometheus
// gets the router's metrics, when it is to raise an alarm, and what Grafana shows. All of it comes from the
// spec: the places and the graphs from the blocks that claim them, the alarms from the spec's own checks.
//
// Every sample has the label host with the name of the router, which the scrape configuration sets.
package monitoring

import (
	"bytes"
	"encoding/json"

	"go.yaml.in/yaml/v3"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// The files, by their paths in the folder of the router.
const (
	ScrapeFile    = "prometheus/scrape.yml"
	RulesFile     = "prometheus/rules.yml"
	DashboardFile = "prometheus/dashboard.json"
)

// Files are the files for a router, or none if it serves no metrics to its networks.
func Files(spec *service.Spec) map[string][]byte {
	r := spec.Router
	served := router.Claimed[router.Scraped](r)
	if len(served) == 0 {
		return nil
	}
	host := string(r.Name.V)
	return map[string][]byte{
		ScrapeFile:    inYAML(scrape(host, served)),
		RulesFile:     inYAML(rules(spec, host, served)),
		DashboardFile: inJSON(draw(host, served, router.Claimed[router.Panel](r))),
	}
}

// inYAML is v in YAML.
func inYAML(v any) []byte {
	var b bytes.Buffer
	b.WriteString("# Made by nbr from the spec in ../spec/.\n")
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(v); err != nil {
		panic(err) // structures of texts always encode
	}
	return b.Bytes()
}

// inJSON is v in JSON.
func inJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic(err) // structures of texts always encode
	}
	return b.Bytes()
}
