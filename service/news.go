package service

import (
	_ "embed"

	"github.com/nbr-dev/nbr/nixgen"
)

//go:embed news.sh
var newsScript string

// OnNews makes a unit that runs the function again of a script in Bash when it starts, and whenever
// a link or an address changes, or whatever else of ip-monitor(8) the variable news has. It counts
// as started when that has run once. It may change the network (CAP_NET_ADMIN), and has ip(8). The
// result sets more options of the unit.
func OnNews(m *nixgen.Module, from nixgen.Origin, unit, description, script string) func(v nixgen.Expr, path ...string) {
	set := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", unit}, path...)...)
	}
	set(nixgen.Str(description), "description")
	set(nixgen.List{nixgen.Str("multi-user.target")}, "wantedBy")
	set(nixgen.List{nixgen.Var("pkgs.iproute2")}, "path")
	set(nixgen.Lines(script+newsScript), "script")
	set(nixgen.Str("notify"), "serviceConfig", "Type")
	set(nixgen.Str("all"), "serviceConfig", "NotifyAccess")
	set(nixgen.Str("always"), "serviceConfig", "Restart")
	set(nixgen.Int(5), "serviceConfig", "RestartSec")
	set(nixgen.Str("strict"), "serviceConfig", "ProtectSystem")
	set(nixgen.List{nixgen.Str("CAP_NET_ADMIN")}, "serviceConfig", "CapabilityBoundingSet")
	return set
}
