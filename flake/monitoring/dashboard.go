package monitoring

import (
	"fmt"
	"hash/fnv"

	"github.com/nbr-dev/nbr/router"
)

// A dashboard is Grafana's, of its classic form
// (https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/).
type dashboard struct {
	UID           string     `json:"uid"`
	Title         string     `json:"title"`
	Tags          []string   `json:"tags"`
	Editable      bool       `json:"editable"`
	SchemaVersion int        `json:"schemaVersion"`
	Refresh       string     `json:"refresh"`
	Time          timeRange  `json:"time"`
	Templating    templating `json:"templating"`
	Annotations   struct{}   `json:"annotations"`
	Panels        []panel    `json:"panels"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type templating struct {
	List []variable `json:"list"`
}

type variable struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Label string `json:"label,omitempty"`
	Query string `json:"query"`
	Hide  int    `json:"hide"` // 2 hides it
}

type panel struct {
	ID          int         `json:"id"`
	Type        string      `json:"type"`
	Title       string      `json:"title"`
	Description string      `json:"description,omitempty"`
	GridPos     gridPos     `json:"gridPos"`
	Datasource  datasource  `json:"datasource"`
	Targets     []target    `json:"targets"`
	FieldConfig fieldConfig `json:"fieldConfig"`
}

// gridPos is a place in a grid of 24 columns.
type gridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type target struct {
	RefID      string     `json:"refId"`
	Datasource datasource `json:"datasource"`
	Expr       string     `json:"expr"`
	Legend     string     `json:"legendFormat,omitempty"`
	Instant    bool       `json:"instant"`
	Range      bool       `json:"range"`
	Format     string     `json:"format,omitempty"`
}

type fieldConfig struct {
	Defaults  defaults   `json:"defaults"`
	Overrides []override `json:"overrides"`
}

type defaults struct {
	Unit       string      `json:"unit,omitempty"`
	Thresholds *thresholds `json:"thresholds,omitempty"`
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

type step struct {
	Value *float64 `json:"value"` // nil is the lowest
	Color string   `json:"color"`
}

type override struct{}

// prometheus is the datasource that the reader chooses.
var prometheus = datasource{Type: "prometheus", UID: "${datasource}"}

// columns of the grid.
const columns = 24

// draw makes the dashboard: what holds of the spec first, then what the blocks claim.
func draw(host string, served []*router.Scraped, claimed []*router.Panel) dashboard {
	id := fnv.New64a()
	_, _ = id.Write([]byte(host))
	d := dashboard{
		UID: fmt.Sprintf("nbr-%016x", id.Sum64()), Title: "Router " + host, Tags: []string{"nbr"},
		Editable: true, SchemaVersion: 39, Refresh: "1m",
		Time: timeRange{From: "now-6h", To: "now"},
		Templating: templating{List: []variable{
			{Name: "datasource", Type: "datasource", Label: "Prometheus", Query: "prometheus"},
			{Name: "host", Type: "constant", Query: host, Hide: 2},
		}},
	}
	shown := map[string]bool{}
	for _, s := range served {
		shown[s.Job] = true
	}
	y := 0
	if shown[router.AgentJob] {
		y = d.verdicts()
	}
	n := 0
	for _, p := range claimed {
		if !shown[p.Job] {
			continue
		}
		const w, h = columns / 2, 8
		d.add(panel{
			Type: "timeseries", Title: p.Title, Description: p.Doc, GridPos: gridPos{h, w, n % 2 * w, y + n/2*h},
			Targets: queries(p.Queries), FieldConfig: fieldConfig{Defaults: defaults{Unit: p.Unit}},
		})
		n++
	}
	return d
}

// verdicts adds what nbr agent has found of the spec, and returns the row below it.
func (d *dashboard) verdicts() int {
	const w, h = columns / 4, 4
	one := 1.0
	for i, s := range []struct{ status, title, color string }{
		{"pass", "Holds", "text"}, {"fail", "Does not hold", "red"}, {"unknown", "Unknown", "orange"},
	} {
		d.add(panel{
			Type: "stat", Title: s.title, GridPos: gridPos{h, w, i * w, 0},
			Targets: []target{{Expr: fmt.Sprintf(`nbr_checks{host="$host",status=%q}`, s.status), Instant: true}},
			FieldConfig: fieldConfig{Defaults: defaults{Thresholds: &thresholds{
				Mode: "absolute", Steps: []step{{nil, "text"}, {&one, s.color}},
			}}},
		})
	}
	d.add(panel{
		Type: "stat", Title: "Last look", Description: "How long ago nbr agent has last looked.", GridPos: gridPos{h, w, 3 * w, 0},
		Targets:     []target{{Expr: `time() - nbr_look_timestamp_seconds{host="$host"}`, Instant: true}},
		FieldConfig: fieldConfig{Defaults: defaults{Unit: "s"}},
	})
	const tall = 8
	d.add(panel{
		Type: "table", Title: "What does not hold", Description: "Checks that fail, and those that could not be looked at.", GridPos: gridPos{tall, columns, 0, h},
		Targets: []target{{Expr: `nbr_check_status{host="$host",status=~"fail|unknown"} == 1`, Instant: true, Format: "table"}},
	})
	return h + tall
}

func queries(list []router.Query) []target {
	var out []target
	for _, q := range list {
		out = append(out, target{Expr: q.Expr, Legend: q.Legend, Range: true})
	}
	return out
}

// add adds a panel, and what all panels have.
func (d *dashboard) add(p panel) {
	p.ID, p.Datasource = len(d.Panels)+1, prometheus
	p.FieldConfig.Overrides = []override{}
	for i := range p.Targets {
		p.Targets[i].RefID, p.Targets[i].Datasource = string(rune('A'+i)), prometheus
	}
	d.Panels = append(d.Panels, p)
}
