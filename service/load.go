package service

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// A Spec is a decoded spec.
type Spec struct {
	Source *source.Set
	Router *router.Router
	Vars   map[string]string // given on the command line or in VarsFile
	blocks []kindBlock       // the services', by type
	all    []conf.Block

	secrets func() *diag.Secrets
}

// Secrets is what must not be shown of the files of the spec and the values of its
// variables.
func (s *Spec) Secrets() *diag.Secrets { return s.secrets() }

// AddSecrets adds them to those of other specs; prefix tells their files apart.
func (s *Spec) AddSecrets(to *diag.Secrets, prefix string) {
	for _, b := range s.all {
		for _, text := range conf.PublicTexts(b) {
			to.Public(text)
		}
	}
	for _, f := range s.Source.Files {
		to.Add(prefix+f.Name, f.Bytes)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Router.Files)) { // of lists, a wrong line is shown
		to.Add(prefix+name, s.Router.Files[name])
	}
	for name, value := range s.Vars {
		to.AddValue(name, value)
	}
}

// Bytes is the content of a file of the spec, or of one that it names, for snippets; nil if
// there is no such file.
func (s *Spec) Bytes(name string) []byte {
	if b := s.Source.Bytes(name); b != nil {
		return b
	}
	return s.Router.Files[name]
}

// Hash tells specs apart: SHA-256 in hex over the names and contents of its files and over the values of its
// variables. On the router it is that of the spec it was generated from.
func (s *Spec) Hash() string {
	h := sha256.New()
	for _, f := range s.Source.Files {
		fmt.Fprintf(h, "%s\n%d\n%s", f.Name, len(f.Bytes), f.Bytes)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Router.Files)) {
		fmt.Fprintf(h, "%s\n%d\n%s", name, len(s.Router.Files[name]), s.Router.Files[name])
	}
	h.Write(diag.MarshalIndent(s.Vars))
	return hex.EncodeToString(h.Sum(nil))
}

// Blocks are all blocks of the spec, the core's first.
func (s *Spec) Blocks() []conf.Block { return s.all }

// kindBlock is a block of a service.
type kindBlock struct {
	kind  *Kind
	block Block
}

// Load reads the spec in the root of fsys, with values for its variables. The
// spec is usable when there are no errors.
//
// What is wrong with a block is said where it is found, and the block is unsound from
// then on; so is every block that refers to it. Only sound blocks claim and are judged,
// so nothing that follows from an error is said a second time.
func (reg *Registry) Load(fsys fs.FS, vars map[string]string) (*Spec, hcl.Diagnostics) {
	set, diags := source.ReadDir(fsys)
	l := newLoader(reg, set, diags)
	spec := &Spec{Source: set, Router: &router.Router{FS: fsys}, Vars: l.vars(fsys, vars)}
	spec.secrets = sync.OnceValue(func() *diag.Secrets {
		out := diag.NewSecrets()
		spec.AddSecrets(out, "")
		return out
	})
	content := l.content(set)
	l.variables(content, spec.Vars)
	l.decodeCore(content)
	l.board(spec.Router)
	l.coreValues(spec.Router)
	l.decodeServices(content)
	if spec.Router.System != nil {
		l.implicit(spec.Router)
	}
	l.link(spec.Router)
	l.fill(spec)
	l.judge(spec)
	return spec, diag.Sort(l.diags)
}

// fill puts the sound blocks into the router, and all of them into the spec.
func (l *loader) fill(spec *Spec) {
	r := spec.Router
	for _, d := range l.blocks {
		spec.all = append(spec.all, d.block)
		if d.sound {
			r.Add(d.block)
		}
	}
	for _, kind := range l.reg.byType() {
		for _, d := range l.blocks {
			if d.sound && d.kind == kind {
				spec.blocks = append(spec.blocks, kindBlock{kind, d.block.(Block)})
			}
		}
	}
}

// judge lets the services claim, then judges each block and the router as a whole.
func (l *loader) judge(spec *Spec) {
	r := spec.Router
	if r.System == nil {
		if !l.isUnreadable("router") {
			l.diags = append(l.diags, r.Judge()...)
		}
		return
	}
	if r.Board == nil {
		return // it has been said, and every link is unknown
	}
	r.MarkUpstreams(l.unsound())
	scope := r.Scopes()
	for _, b := range spec.blocks {
		b.block.Claim(scope(b.block))
	}
	unsound, judged := l.unsound(), l.unsound()
	var diags hcl.Diagnostics
	for _, b := range spec.blocks {
		said := diag.Sure(b.block.Judge(r), unsound)
		if said.HasErrors() {
			judged[b.kind.Type] = true
		}
		diags = append(diags, said...)
	}
	diags = append(diags, diag.Sure(r.Judge(), judged)...)
	if l.diags.HasErrors() {
		diags = slices.DeleteFunc(diags, l.lacking())
	}
	l.diags = append(l.diags, diags...)
	if !l.diags.HasErrors() { // nothing else can be lowered, and what is missing may be in the wrong line
		l.diags = append(append(l.diags, spec.overridden()...), l.unused()...)
	}
}

// unsound are the types of blocks that could not be read or are wrong.
func (l *loader) unsound() map[string]bool {
	out := map[string]bool{}
	for a := range l.unreadable {
		out[a.Type] = true
	}
	for _, d := range l.blocks {
		if !d.sound {
			out[d.block.Head().Addr.Type] = true
		}
	}
	if len(out) == 0 && l.diags.HasErrors() {
		out["locals"] = true
	}
	return out
}

// unused finds blocks that do nothing unless another one names them, and that none names.
func (l *loader) unused() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, d := range l.blocks {
		head := d.block.Head()
		if where := namedBy(d.block); where != "" && d.sound && len(l.referring[head.Addr]) == 0 {
			diags = append(diags, diag.Help(diag.Warning("unused", head.Def, "Block that no other one names",
				"By itself %s does nothing.", head.Addr),
				"Name it in %s, or remove it.", where))
		}
	}
	return diags
}

// lacking returns a function that tells warnings of a whole block, which say that it
// lacks something. In a spec with errors it may be what an error is about.
func (l *loader) lacking() func(*hcl.Diagnostic) bool {
	whole := map[hcl.Range]bool{}
	for _, d := range l.blocks {
		whole[d.block.Head().Def] = true
	}
	return func(d *hcl.Diagnostic) bool {
		return d.Severity == hcl.DiagWarning && d.Subject != nil && whole[*d.Subject]
	}
}

// A File is one generated module and its name without .nix.
type File struct {
	Name   string
	Module *nixgen.Module
}

// Modules are the NixOS modules that the spec becomes, by name. Modules that set
// nothing are left out.
func (s *Spec) Modules() []File {
	modules := map[string]*nixgen.Module{}
	for p, blocks := range s.programs(func(Kind) bool { return true }) {
		m := modules[p.File()]
		if m == nil {
			m = &nixgen.Module{}
			modules[p.File()] = m
		}
		p.Lower(s.Router, blocks, m)
	}
	var files []File
	for name, m := range modules {
		if !m.Empty() {
			files = append(files, File{name, m})
		}
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return files
}

// programs yields each program that blocks of the wanted kinds configure, with these
// blocks, in the order of its first block.
func (s *Spec) programs(wanted func(Kind) bool) func(yield func(Program, []Block) bool) {
	var order []Program
	blocks := map[Program][]Block{}
	for _, b := range s.blocks {
		p := b.kind.Program
		if p == nil || !wanted(*b.kind) {
			continue
		}
		if blocks[p] == nil {
			order = append(order, p)
		}
		blocks[p] = append(blocks[p], b.block)
	}
	return func(yield func(Program, []Block) bool) {
		for _, p := range order {
			if !yield(p, blocks[p]) {
				return
			}
		}
	}
}

// kindsOf are the kinds of the blocks that a program is of.
func (s *Spec) kindsOf(p Program) []*Kind {
	var out []*Kind
	for _, b := range s.blocks {
		if b.kind.Program == p && !slices.Contains(out, b.kind) {
			out = append(out, b.kind)
		}
	}
	return out
}

// Plan is all checks of the spec.
func (s *Spec) Plan() *verify.Plan {
	return s.PlanOf(func(Kind) bool { return true })
}

// PlanOf is the checks that blocks of some kinds, and their programs, make. What a kind
// promises of the core's blocks, as the firewall does of zones, is part of it.
func (s *Spec) PlanOf(wanted func(Kind) bool) *verify.Plan {
	plan := &verify.Plan{}
	for _, b := range s.blocks {
		if wanted(*b.kind) {
			before := len(plan.Checks)
			b.block.Checks(s.Router, plan)
			mustList(plan.Checks[before:], b.kind)
		}
	}
	for p, blocks := range s.programs(wanted) {
		before := len(plan.Checks)
		p.Checks(s.Router, blocks, plan)
		mustList(plan.Checks[before:], s.kindsOf(p)...)
	}
	// What a check wants and says comes from the spec: the command of a check block may
	// have a token in it.
	for i, c := range plan.Checks {
		plan.Checks[i].Title = s.Secrets().Known(c.Title)
		plan.Checks[i].Eval = func(st *state.State) verify.Verdict {
			v := c.Eval(st)
			for _, text := range []*string{&v.Want, &v.Got, &v.Hint, &v.Note} {
				*text = s.Secrets().Known(*text)
			}
			return v
		}
	}
	return plan
}
