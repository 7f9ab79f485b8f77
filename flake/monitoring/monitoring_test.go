package monitoring_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	grafana "github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/flake/monitoring"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify/agent"
)

var update = flag.Bool("update", false, "write the wanted files anew")

func load(t *testing.T, dir string) *service.Spec {
	t.Helper()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(os.DirFS(dir), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return spec
}

// files are those of a spec that has some.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := monitoring.Files(load(t, dir))
	if len(out) == 0 {
		t.Fatalf("nothing for %s", dir)
	}
	return out
}

// watched are the specs of routers that serve metrics.
var watched = []string{"testdata", "../../testdata/routers/all-in-one"}

// write puts the files into a folder, and beside them what a Prometheus of the house has.
func write(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "prometheus.yml", fmt.Appendf(nil, "scrape_config_files: [%s]\nrule_files: [%s]\n", monitoring.ScrapeFile, monitoring.RulesFile))
	for name, b := range files {
		put(t, dir, name, b)
	}
	return dir
}

func put(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	for name, got := range files(t, "testdata") {
		golden := filepath.Join("testdata", filepath.Base(name))
		if *update {
			put(t, "testdata", filepath.Base(name), got)
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s: %s", golden, d)
		}
	}
}

func TestNothingServed(t *testing.T) {
	if got := monitoring.Files(load(t, "../../testdata/routers/bpi-r4")); got != nil {
		t.Errorf("%q", got)
	}
}

func TestPrometheusTakesThem(t *testing.T) {
	for _, of := range watched {
		made := files(t, of)
		// A rule of each query: with Grafana's variables in it, it is none of Prometheus.
		var rules strings.Builder
		rules.WriteString("groups: [{name: dashboard, rules: [")
		exprs := queries(t, made[monitoring.DashboardFile])
		if len(exprs) < 6 {
			t.Errorf("%s: %q", of, exprs)
		}
		for i, expr := range exprs {
			expr = strings.NewReplacer("$host", "attic", "$__rate_interval", "5m").Replace(expr)
			fmt.Fprintf(&rules, "{record: r%d, expr: %q},", i, expr)
		}
		rules.WriteString("]}]\n")
		dir := write(t, made)
		put(t, dir, "dashboard.yml", []byte(rules.String()))
		if out, err := lab.Promtool(t, dir, "check", "config", "--lint=all", "--lint-fatal", "prometheus.yml"); err != nil {
			t.Errorf("%s: %v", of, err)
		} else if !strings.Contains(out, "SUCCESS") {
			t.Errorf("%s: %s", of, out)
		}
		if _, err := lab.Promtool(t, dir, "check", "rules", "--lint=all", "--lint-fatal", "dashboard.yml"); err != nil {
			t.Errorf("%s: %v", of, err)
		}
		if _, err := lab.Promtool(t, dir, "check", "rules", "--lint=all", "--lint-fatal", monitoring.RulesFile); err != nil {
			t.Errorf("%s: %v", of, err)
		}
	}
}

// queries are those of a dashboard.
func queries(t *testing.T, b []byte) []string {
	t.Helper()
	var d struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			out = append(out, q.Expr)
		}
	}
	return out
}

// The alarms over time, by Prometheus's own clockwork (promtool test rules): none while all is well, and each
// when it is about what it says.
func TestAlarms(t *testing.T) {
	dir := write(t, files(t, "testdata"))
	hash := load(t, "testdata").Hash()
	const firewall = "firewall/input"
	series := func(up, look, status, check, hash string) string {
		var b strings.Builder
		for _, s := range [][2]string{
			{`up{host="attic",job="attic-nbr"}`, up},
			{`up{host="attic",job="attic-node"}`, "1x200"},
			{`nbr_look_timestamp_seconds{host="attic"}`, look},
			{fmt.Sprintf(`nbr_check_status{host="attic",check=%q,block="b",status=%q}`, check, status), "1x200"},
			{fmt.Sprintf(`nbr_spec_info{host="attic",hash=%q}`, hash), "1x200"},
		} {
			fmt.Fprintf(&b, "    - {series: %q, values: %q}\n", s[0], s[1])
		}
		return b.String()
	}
	const now = "0+60x200" // the last look is of now, at each minute
	var b strings.Builder
	b.WriteString("rule_files: [" + monitoring.RulesFile + "]\nevaluation_interval: 1m\ntests:\n")
	for _, c := range []struct{ name, series, alert, labels, summary string }{
		{"well", series("1x200", now, "pass", firewall, hash), "", "", ""},
		{"silent", series("0x200", now, "pass", firewall, hash), "MetricsMissing", "part: nbr, severity: critical, job: attic-nbr", "The router attic cannot be asked"},
		{"late", series("1x200", "0x200", "pass", firewall, hash), "RouterNotVerified", "severity: warning", "attic is not verified"},
		{"other spec", series("1x200", now, "pass", firewall, "1234"), "OtherSpec", "severity: info, hash: '1234'", "attic runs another spec than these alarms are of"},
		{"unknown", series("1x200", now, "unknown", firewall, hash), "ChecksUnknown", "severity: info, block: b, status: unknown, check: " + firewall, "It is unknown whether " + firewall + " holds"},
		{"agent", series("1x200", now, "fail", "agent/unit", hash), "CheckFailed", "severity: warning, block: agent, status: fail, check: agent/unit", "attic: nbr-agent.service runs"},
		{"braces", series("1x200", now, "fail", "check.disk", hash), "CheckFailed", "severity: warning, block: check.disk, status: fail, check: check.disk", "attic: test -n {{ . }}"},
	} {
		fmt.Fprintf(&b, "- name: %s\n  interval: 1m\n  input_series:\n%s  alert_rule_test:\n", c.name, c.series)
		for _, alert := range []string{"MetricsMissing", "RouterNotVerified", "OtherSpec", "ChecksUnknown", "CheckFailed"} {
			fmt.Fprintf(&b, "    - eval_time: 2h\n      alertname: %s\n", alert)
			if alert == c.alert {
				fmt.Fprintf(&b, "      exp_alerts: [{exp_labels: {host: attic, %s}, exp_annotations: {summary: %q, description: DESCRIPTION}}]\n", c.labels, c.summary)
			}
		}
	}
	// What the descriptions say is in the golden file.
	text := strings.ReplaceAll(b.String(), ", description: DESCRIPTION", "")
	rules := without(t, filepath.Join(dir, monitoring.RulesFile))
	put(t, dir, monitoring.RulesFile, rules)
	put(t, dir, "test.yml", []byte(text))
	if _, err := lab.Promtool(t, dir, "test", "rules", "test.yml"); err != nil {
		t.Error(err)
	}
}

// without are the rules without their descriptions.
func without(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.DeleteFunc(strings.SplitAfter(string(b), "\n"), func(line string) bool {
		return strings.HasPrefix(strings.TrimSpace(line), "description:")
	})
	return []byte(strings.Join(lines, ""))
}

// Grafana's own types know every field, and each is of the kind that they want.
func TestGrafanaTakesTheDashboard(t *testing.T) {
	r := cog.NewRuntime() // the one that types ask
	r.RegisterDataqueryVariant(grafana.VariantConfig())
	for _, config := range []variants.PanelcfgConfig{stat.VariantConfig(), table.VariantConfig(), timeseries.VariantConfig()} {
		r.RegisterPanelcfgVariant(config)
	}
	// Its strict decoders return an error that holds none, and that of a panel is not strict with fieldConfig.
	strict := func(b []byte) error {
		d := &struct {
			Panels []struct {
				FieldConfig json.RawMessage `json:"fieldConfig"`
			}
		}{}
		if err := json.Unmarshal(b, d); err != nil {
			return err
		}
		//lint:ignore SA1019 the form that every Grafana of today imports
		err := some(new(dashboard.Dashboard).UnmarshalJSONStrict(b))
		for _, p := range d.Panels {
			err = errors.Join(err, some(new(dashboard.FieldConfigSource).UnmarshalJSONStrict(p.FieldConfig)))
		}
		return err
	}
	for _, of := range watched {
		made := files(t, of)[monitoring.DashboardFile]
		if err := strict(made); err != nil {
			t.Errorf("%s: %v", of, err)
		}
		for _, field := range []string{"schemaVersion", "gridPos", "legendFormat", "thresholds"} {
			bad := bytes.Replace(made, []byte(`"`+field+`":`), []byte(`"another":`), 1)
			if err := strict(bad); err == nil {
				t.Errorf("%s: a field that there is not, for %s, is taken", of, field)
			}
		}
	}
}

// some is err unless it is a list of errors without any.
func some(err error) error {
	var list cog.BuildErrors
	if errors.As(err, &list) && len(list) == 0 {
		return nil
	}
	return err
}

// The metrics of the agent that alarms and graphs are of are some that it has.
func TestMetricsOfTheAgent(t *testing.T) {
	has := map[string]bool{}
	ch := make(chan *prometheus.Desc, 100)
	agent.New(agent.Config{}).Describe(ch)
	close(ch)
	name := regexp.MustCompile(`fqName: "(\w+)"`)
	for d := range ch {
		has[name.FindStringSubmatch(d.String())[1]] = true
	}
	used := regexp.MustCompile(`\bnbr_\w+`)
	for _, of := range watched {
		for file, b := range files(t, of) {
			for _, m := range used.FindAllString(string(b), -1) {
				if !has[m] {
					t.Errorf("%s: %s has %s, which the agent does not serve", of, file, m)
				}
			}
		}
	}
}
