package nixos

import (
	"cmp"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// JournalKind is the journal block. It is there without being written: journald by itself
// takes up to 4 GiB of a card and keeps the addresses of clients for as long as they fit.
func JournalKind() service.Kind {
	return service.Kind{
		Type: "journal", Doc: "How much the router remembers of what it logs, addresses of clients included, and for how long.",
		Software: "systemd",
		Example: `journal {
  size   = "64MiB"
  keep   = 3    # days
  memory = true # spares the card; a restart empties it
}
`,
		Single: true, Implicit: true, Program: service.Alone("system", (*Journal).lower), New: func() service.Block { return &Journal{} },
	}
}

// Journal is the journal block.
type Journal struct {
	conf.Header
	Size   conf.Value[router.Size] `hcl:"size,optional" default:"256MiB" doc:"The journal takes no more than this; the oldest entries go first."`
	Keep   conf.Value[int]         `hcl:"keep,optional" default:"7" doc:"Days after which entries are removed: leases, queries and dropped packets have the addresses of people's devices in them."`
	Memory conf.Value[bool]        `hcl:"memory,optional" default:"false" doc:"Keep the journal in memory, which spares the card; a restart empties it."`
}

// Bounds of the journal. Below the least journald cannot rotate its files, which are of
// 8 MiB at least.
const (
	leastJournal = 32 << 20
	mostDays     = 3650
)

// Claim has nothing to share.
func (b *Journal) Claim(*router.Scope) {}

// Judge judges the bounds.
func (b *Journal) Judge(*router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if b.Size.V < leastJournal {
		diags = append(diags, diag.Help(diag.Error("bad-value", b.Size.Range, "Journal too small",
			"journald needs at least %s for its files.", router.Size(leastJournal)),
			"Write size = %q or more.", router.Size(leastJournal)))
	}
	if b.Keep.V < 1 || b.Keep.V > mostDays {
		diags = append(diags, diag.Help(diag.Error("bad-value", b.Keep.Range, "Bad number of days", "Entries are kept for 1 to %d days.", mostDays),
			"Write a number from 1 to 3650, or remove keep."))
	}
	return diags
}

// A setting is a line of journald.conf(5) and where the spec says it.
type setting struct {
	name, value string
	from        hcl.Range
}

func (b *Journal) settings() []setting {
	use := "SystemMaxUse"
	if b.Memory.V {
		use = "RuntimeMaxUse"
	}
	return []setting{
		{use, fmt.Sprintf("%dM", b.Size.V>>20), cmp.Or(b.Size.Range, b.Def)},
		{"MaxRetentionSec", fmt.Sprintf("%dday", b.Keep.V), cmp.Or(b.Keep.Range, b.Def)},
		// Whole files are removed: one that is written for a month, journald's default,
		// would be kept for a month longer.
		{"MaxFileSec", "1day", cmp.Or(b.Keep.Range, b.Def)},
	}
}

func (b *Journal) storage() string {
	if b.Memory.V {
		return "volatile"
	}
	return "persistent"
}

// lower sets services.journald.
func (b *Journal) lower(_ *router.Router, m *nixgen.Module) {
	m.Set(service.Origin(b.Addr, cmp.Or(b.Memory.Range, b.Def)), nixgen.Str(b.storage()), "services", "journald", "storage")
	text := ""
	for _, s := range b.settings() {
		text += s.name + "=" + s.value + "\n"
	}
	m.Set(service.From(b), nixgen.Lines(text), "services", "journald", "extraConfig")
}

// Checks look at what journald was told, all files of it together, and at what it takes.
func (b *Journal) Checks(_ *router.Router, p *verify.Plan) {
	const hint = "systemd-analyze cat-config systemd/journald.conf"
	for _, s := range append(b.settings(), setting{"Storage", b.storage(), cmp.Or(b.Memory.Range, b.Def)}) {
		p.Add(verify.Check{ID: b.Addr.String() + "/" + s.name, Title: "the journal's " + s.name, From: s.from, Eval: func(st *state.State) verify.Verdict {
			switch {
			case st.Journal == nil:
				return verify.NotSeen(s.value, hint)
			case st.Journal.Settings[s.name] == "":
				return verify.Missing(s.value, hint)
			}
			return verify.Compare(s.value, st.Journal.Settings[s.name], hint)
		}})
	}
	// A file is an eighth of the bound, and the one that is written may come on top.
	most := uint64(b.Size.V) / 8 * 9
	want := fmt.Sprintf("%d MiB at most", most>>20)
	p.Add(verify.Check{ID: b.Addr.String() + "/use", Title: "what the journal takes", From: cmp.Or(b.Size.Range, b.Def), Eval: func(st *state.State) verify.Verdict {
		const hint = "journalctl --disk-usage"
		if st.Journal == nil {
			return verify.NotSeen(want, hint)
		}
		return verify.Judge(st.Journal.Bytes <= most, want, fmt.Sprintf("%d MiB", st.Journal.Bytes>>20), hint)
	}})
}
