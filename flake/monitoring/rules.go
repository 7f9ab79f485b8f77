package monitoring

import (
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// A ruleFile is one of rule_files
// (https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/).
type ruleFile struct {
	Groups []group `yaml:"groups"`
}

type group struct {
	Name  string `yaml:"name"`
	Rules []rule `yaml:"rules"`
}

type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// How much an alarm matters: whether it is to wake people, to be looked at on the day, or to be known.
const (
	critical = "critical"
	warning  = "warning"
	info     = "info"
)

// rules are the alarms: of the metrics themselves, of the looks of the agent, and one for each check of the
// spec.
func rules(spec *service.Spec, host string, served []*router.Scraped) ruleFile {
	var alive group
	alive.Name = host + ": metrics"
	verified := false
	for _, s := range served {
		severity, what := warning, "The metrics of "+s.Job+" on "+host
		if s.Job == router.AgentJob {
			verified, severity, what = true, critical, "The router "+host
		}
		up := fmt.Sprintf("up{host=%q,job=%q}", host, jobName(host, s.Job))
		alive.Rules = append(alive.Rules, alarm("MetricsMissing", fmt.Sprintf("%s == 0 or absent(%[1]s)", up), "5m", severity,
			map[string]string{"host": host, "part": s.Job},
			what+" cannot be asked", fmt.Sprintf("Prometheus gets nothing at http://%s/metrics.", s.At)))
	}
	out := ruleFile{Groups: []group{alive}}
	agents := router.Claimed[router.Agent](spec.Router)
	if !verified || len(agents) == 0 {
		return out
	}
	interval := int(agents[0].Interval)
	return ruleFile{Groups: append(out.Groups, looks(spec, host, interval), promises(spec, host, interval))}
}

// looks are the alarms of an agent that does not see what it should.
func looks(spec *service.Spec, host string, interval int) group {
	of := map[string]string{"host": host}
	late := 3*interval + 60
	return group{Name: host + ": looks", Rules: []rule{
		alarm("RouterNotVerified", fmt.Sprintf("time() - nbr_look_timestamp_seconds{host=%q} > %d", host, late), "", warning, of,
			host+" is not verified", fmt.Sprintf("nbr agent looks every %d seconds, and its last look is more than %d seconds ago. journalctl -u nbr-agent on the router says why.", interval, late)),
		alarm("ChecksUnknown", fmt.Sprintf("nbr_check_status{host=%q,status=\"unknown\"} == 1", host), "1h", info, of,
			"It is unknown whether {{ $labels.check }} holds", "nbr agent could not look at it for an hour. nbr verify on the router says what is missing."),
		alarm("OtherSpec", fmt.Sprintf("nbr_spec_info{host=%q,hash!=%q}", host, spec.Hash()), "1h", info, of,
			host+" runs another spec than these alarms are of", "Deploy the tree that this file is from, or give Prometheus the file of the tree that the router runs."),
	}}
}

// promises are the alarms of the spec's checks.
func promises(spec *service.Spec, host string, interval int) group {
	out := group{Name: host + ": checks"}
	for _, c := range spec.Plan().Checks {
		out.Rules = append(out.Rules, alarm("CheckFailed",
			fmt.Sprintf("nbr_check_status{host=%q,check=%q,status=\"fail\"} == 1", host, c.ID),
			fmt.Sprintf("%ds", 2*interval), warning,
			map[string]string{"host": host, "check": c.ID, "block": c.Block()},
			plain(fmt.Sprintf("%s: %s", host, c.Title)),
			plain(fmt.Sprintf("%s:%d of the spec promises it. nbr verify on the router says what is there instead.", c.From.Filename, c.From.Start.Line))))
	}
	return out
}

// alarm is a rule; of are its labels beside the severity.
func alarm(name, expr, wait, severity string, of map[string]string, summary, description string) rule {
	labels := map[string]string{"severity": severity}
	for k, v := range of {
		labels[k] = plain(v)
	}
	return rule{
		Alert: name, Expr: expr, For: wait, Labels: labels,
		Annotations: map[string]string{"summary": summary, "description": description},
	}
}

// plain is a text that Prometheus, which takes labels and annotations for templates, shows as it is.
func plain(text string) string { return strings.ReplaceAll(text, "{{", `{{ "{{" }}`) }
