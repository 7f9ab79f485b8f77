package service

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// VarsFile is the file in a spec's folder that holds the values given by -var
// when it was generated, so that the router decodes the same spec.
const VarsFile = "nbr.vars.json"

// A Spec is a decoded spec.
type Spec struct {
	Source *source.Set
	Router *router.Router
	Vars   map[string]string // given on the command line or in VarsFile
	blocks []placed          // the services'
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
	for name, value := range s.Vars {
		to.AddValue(name, value)
	}
}

// Blocks are all blocks of the spec, the core's first.
func (s *Spec) Blocks() []conf.Block { return s.all }

type placed struct {
	kind  Kind
	block Block
}

// decoded is a block with the key of its for_each.
type decoded struct {
	block conf.Block
	kind  *Kind // nil for the core's
	key   string
	group conf.Addr // its address without the key
	bad   bool      // it, or a block that it refers to, is wrong: nobody judges it further
}

// tell keeps what is to be said of a block. An error makes it bad.
func (l *loader) tell(d *decoded, diags hcl.Diagnostics) {
	l.diags = append(l.diags, diags...)
	if diags.HasErrors() {
		d.bad, d.block.Head().Bad = true, true
	}
}

// loader carries what the stages of Load share.
type loader struct {
	reg    *Registry
	types  []conf.BlockType
	ctx    *conf.Context
	diags  hcl.Diagnostics
	blocks []*decoded
	first  map[conf.Addr]hcl.Range
	names  map[conf.Addr]hcl.Range // of keyed blocks
	lost   []conf.Addr             // blocks that are there and could not be read; without a name all of a type
}

// Load reads the spec in the root of fsys, with values for its variables. The
// spec is usable when there are no errors.
func (reg *Registry) Load(fsys fs.FS, vars map[string]string) (*Spec, hcl.Diagnostics) {
	set, diags := source.ReadDir(fsys)
	l := &loader{reg: reg, types: reg.Types(), diags: diags, first: map[conf.Addr]hcl.Range{}, names: map[conf.Addr]hcl.Range{}}
	budget := conf.NewBudget()
	for _, f := range set.Files {
		l.diags = append(l.diags, budget.Guard(f.Body)...)
	}
	l.ctx = &conf.Context{
		Eval:   &hcl.EvalContext{Functions: conf.Functions(budget), Variables: map[string]cty.Value{}},
		Types:  map[string]bool{"port": true},
		Budget: budget,
	}
	for _, t := range l.types {
		l.ctx.Types[t.Type] = true
	}
	spec := &Spec{Source: set, Router: &router.Router{FS: fsys}, Vars: l.vars(fsys, vars)}
	spec.secrets = sync.OnceValue(func() *diag.Secrets {
		out := diag.NewSecrets()
		spec.AddSecrets(out, "")
		return out
	})
	content := l.content(set)
	l.variables(content, spec.Vars)
	l.decodeAll(content, true, "a block of the core")
	for _, d := range l.blocks {
		if d.block != nil {
			l.tell(d, spec.Router.Add(d.block, d.key))
		}
	}
	there := spec.Router.System != nil
	if there {
		l.diags = append(l.diags, spec.Router.ResolveBoard(reg.Boards)...)
	}
	if spec.Router.Board == nil {
		l.lost = append(l.lost, conf.Addr{Type: "port"})
	}
	l.coreValues(spec.Router)
	l.decodeAll(content, false, "a service")
	if there {
		l.implicit(spec.Router)
	}
	l.link(spec.Router)
	if there {
		l.resolve(spec)
	} else if !l.isLost("router") {
		l.diags = append(l.diags, spec.Router.Judge(false)...)
	}
	return spec, diag.Sort(l.diags)
}

// vars merges the file's values and the command line's, which win.
func (l *loader) vars(fsys fs.FS, given map[string]string) map[string]string {
	vars := map[string]string{}
	at := hcl.Range{Filename: VarsFile, Start: hcl.InitialPos, End: hcl.InitialPos}
	b, err := source.ReadFile(fsys, VarsFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		l.diags = append(l.diags, source.Unreadable(at, VarsFile, err))
	default:
		if err := json.Unmarshal(b, &vars); err != nil {
			l.diags = append(l.diags, diag.Error("unreadable", at, "Values of variables cannot be read",
				"%s maps names to texts, as in {\"name\": \"value\"}: %s.", VarsFile, strings.TrimPrefix(err.Error(), "json: ")))
			clear(vars)
		}
	}
	maps.Copy(vars, given)
	return vars
}

func (l *loader) content(set *source.Set) *hcl.BodyContent {
	schema := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
		{Type: "locals"}, {Type: "variable", LabelNames: []string{"name"}},
	}}
	for _, t := range l.types {
		schema.Blocks = append(schema.Blocks, t.HCL())
	}
	broken := map[string]bool{} // files with errors of syntax: what is left of them says nothing
	for _, d := range l.diags {
		if d.Subject != nil && d.Severity == hcl.DiagError {
			broken[d.Subject.Filename] = true
		}
	}
	all := &hcl.BodyContent{}
	for _, f := range set.Files {
		if broken[f.Name] {
			continue
		}
		c, diags := f.Body.Content(schema)
		l.diags = append(l.diags, conf.Coded(diags)...)
		all.Blocks = append(all.Blocks, c.Blocks...)
	}
	if l.diags.HasErrors() { // whole blocks are missing, and who knows which
		for _, h := range schema.Blocks {
			l.lost = append(l.lost, conf.Addr{Type: h.Type})
		}
	}
	return all
}

// isLost tells whether blocks of this type could not be read.
func (l *loader) isLost(typ string) bool { return slices.Contains(l.lost, conf.Addr{Type: typ}) }

// values are what an expression knows by the name of a type. Where something of
// it could not be read, all of it may be anything.
func (l *loader) values(typ string, vals map[string]cty.Value) {
	l.ctx.Eval.Variables[typ] = cty.ObjectVal(vals)
	if l.isLost(typ) {
		l.ctx.Eval.Variables[typ] = cty.DynamicVal
	}
}

// variables makes var and local known to every expression after it.
func (l *loader) variables(content *hcl.BodyContent, given map[string]string) {
	vals := map[string]cty.Value{}
	defined := map[string]hcl.Range{}
	for _, blk := range content.Blocks.OfType("variable") {
		v, diags := conf.DecodeVariable(blk, l.ctx)
		if before, dup := defined[v.Name]; dup {
			diags = append(diags, conf.Duplicate(conf.Addr{Type: "var", Name: v.Name}, v.Def, before))
		}
		defined[v.Name] = v.Def
		if !diags.HasErrors() {
			var text *string
			if s, ok := given[v.Name]; ok {
				text = &s
			}
			var ds hcl.Diagnostics
			vals[v.Name], ds = v.Value(text, l.ctx)
			if l.isLost("variable") { // its value may be what could not be read
				for _, d := range ds {
					*d = *diag.Follow(blk.DefRange)
				}
			}
			diags = append(diags, ds...)
		}
		if diags.HasErrors() {
			vals[v.Name] = cty.DynamicVal
		}
		l.diags = append(l.diags, diags...)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := defined[name]; !ok && !l.isLost("variable") {
			l.diags = append(l.diags, diag.Error("no-such-variable", hcl.Range{}, "No such variable",
				"-var %s: the spec has no variable of this name.%s", name, diag.Suggest(name, slices.Sorted(maps.Keys(defined)))))
		}
	}
	l.values("var", vals)
	var locals []conf.Local
	for _, blk := range content.Blocks.OfType("locals") {
		attrs, diags := blk.Body.JustAttributes()
		l.diags = append(l.diags, conf.Coded(diags)...)
		for _, name := range slices.Sorted(maps.Keys(attrs)) {
			locals = append(locals, conf.Local{Name: name, Attr: attrs[name]})
		}
	}
	val, diags := conf.Locals(locals, l.ctx)
	l.diags = append(l.diags, diags...)
	l.values("local", val.AsValueMap())
}

// decodeAll decodes the core's blocks or the services'.
func (l *loader) decodeAll(content *hcl.BodyContent, core bool, stage string) {
	l.ctx.Stage = stage
	byType := map[string]func() (conf.Block, *Kind){}
	if core {
		for _, t := range router.Types() {
			byType[t.Type] = func() (conf.Block, *Kind) { return t.New(), nil }
		}
	} else {
		for i := range l.reg.Kinds {
			k := &l.reg.Kinds[i]
			byType[k.Type] = func() (conf.Block, *Kind) { return k.New(), k }
		}
	}
	for _, blk := range content.Blocks {
		if mk, ok := byType[blk.Type]; ok {
			l.decodeBlock(blk, mk)
		}
	}
}

// decodeBlock decodes one block, or one for each turn of its for_each.
func (l *loader) decodeBlock(blk *hcl.Block, mk func() (conf.Block, *Kind)) {
	b, kind := mk()
	diags := conf.Labels(blk, b)
	group := b.Head().Addr
	if before, dup := l.first[group]; dup {
		l.diags = append(l.diags, conf.Duplicate(group, blk.DefRange, before))
		return
	}
	l.first[group] = blk.DefRange
	loop, rest, ds := conf.Loop(blk)
	diags = append(diags, ds...)
	if loop == nil {
		d := &decoded{block: b, kind: kind}
		l.blocks = append(l.blocks, d)
		l.tell(d, append(diags, conf.Decode(rest, b, l.ctx)...))
		l.tell(d, l.name(b, group.Name, blk.DefRange))
		return
	}
	if len(blk.Labels) == 0 || blk.Type == "router" {
		l.diags = append(l.diags, diag.Error("bad-for-each", loop.NameRange, "Only one of these",
			"A router has one %s block at most, so there is nothing to repeat.", blk.Type))
		l.lost = append(l.lost, conf.Addr{Type: blk.Type})
		return
	}
	turns, ds := conf.ForEach(loop.Expr, l.ctx)
	diags = append(diags, ds...)
	if len(turns) == 0 { // what is wrong in every turn is wrong without any
		diags = append(diags, diag.Told(conf.Decode(rest, b, l.ctx.AnyTurn()))...)
	}
	l.diags = append(l.diags, diags...)
	if ds.HasErrors() {
		l.lost = append(l.lost, group)
		return
	}
	for _, turn := range turns {
		b, _ := mk()
		conf.Labels(blk, b)
		d := &decoded{block: b, kind: kind, key: turn.Key, group: group, bad: diags.HasErrors()}
		l.blocks = append(l.blocks, d)
		l.tell(d, conf.SetKey(b, turn.Key, loop.Expr.Range()))
		l.tell(d, l.name(b, turn.Key, loop.Expr.Range()))
		l.tell(d, conf.Decode(rest, b, turn.Ctx))
	}
	if len(turns) == 0 {
		l.blocks = append(l.blocks, &decoded{group: group}) // a group of none
	}
}

// name takes the name of a block for it, where the name is not only its address.
func (l *loader) name(b conf.Block, name string, at hcl.Range) hcl.Diagnostics {
	own := conf.Addr{Type: b.Head().Addr.Type, Name: name}
	if !conf.Keyed(b) {
		return nil
	}
	if before, dup := l.names[own]; dup {
		return hcl.Diagnostics{conf.Duplicate(own, at, before)}
	}
	l.names[own] = at
	return nil
}

// coreValues makes the values of the core's blocks known to services. Those of a
// bad block may be anything.
func (l *loader) coreValues(r *router.Router) {
	types := map[string]map[string]cty.Value{"port": {}}
	for _, t := range router.Types() {
		types[t.Type] = map[string]cty.Value{}
	}
	groups := map[conf.Addr]map[string]cty.Value{}
	for _, d := range l.blocks {
		if d.block == nil {
			continue
		}
		val := conf.AsValue(router.Texts(d.block))
		if d.bad {
			val = cty.DynamicVal
		}
		a := d.block.Head().Addr
		if d.group == (conf.Addr{}) {
			types[a.Type][a.Name] = val
			continue
		}
		if groups[d.group] == nil {
			groups[d.group] = map[string]cty.Value{}
		}
		groups[d.group][d.key] = val
	}
	for g, vals := range groups {
		types[g.Type][g.Name] = cty.ObjectVal(vals)
	}
	for _, a := range l.lost {
		if a.Name != "" {
			types[a.Type][a.Name] = cty.DynamicVal
		}
	}
	if r.Board != nil {
		for _, p := range r.Board.Ports {
			types["port"][string(p.Name)] = conf.AsValue(router.Texts(p))
		}
	}
	for typ, vals := range types {
		l.values(typ, vals)
	}
}

// implicit adds the blocks that are there without being written.
func (l *loader) implicit(r *router.Router) {
	for i := range l.reg.Kinds {
		k := &l.reg.Kinds[i]
		addr := conf.Addr{Type: k.Type}
		if _, written := l.first[addr]; !k.Implicit || written {
			continue
		}
		b := k.New()
		*b.Head() = conf.Header{Addr: addr, Def: r.Def}
		if diags := conf.Decode(hcl.EmptyBody(), b, l.ctx); diags.HasErrors() {
			panic("service: the implicit block " + k.Type + " has required arguments: " + diags.Error())
		}
		l.blocks = append(l.blocks, &decoded{block: b, kind: k})
	}
}

// link makes every block known and sets the targets of all references.
func (l *loader) link(r *router.Router) {
	index := conf.NewIndex()
	if r.Board != nil {
		for _, p := range r.Board.Ports {
			index.Add(p.Addr, p)
		}
	}
	groups := map[conf.Addr][]conf.Addr{}
	for _, d := range l.blocks {
		if d.block != nil {
			index.Add(d.block.Head().Addr, d.block)
		}
		if d.group != (conf.Addr{}) {
			if groups[d.group] == nil {
				groups[d.group] = []conf.Addr{}
			}
			if d.block != nil {
				groups[d.group] = append(groups[d.group], d.block.Head().Addr)
			}
		}
	}
	for g, members := range groups {
		index.Group(g, members)
	}
	l.blocks = slices.DeleteFunc(l.blocks, func(d *decoded) bool { return d.block == nil })
	for _, a := range l.lost {
		index.Lose(a)
	}
	for _, d := range l.blocks {
		l.tell(d, conf.Link(d.block, index, l.ctx))
	}
	l.spread()
}

// spread marks the blocks that refer to bad ones as bad: what would be said of
// them follows from what has been said.
func (l *loader) spread() {
	byAddr := map[conf.Addr]*decoded{}
	for _, d := range l.blocks {
		byAddr[d.block.Head().Addr] = d
	}
	for again := true; again; {
		again = false
		for _, d := range l.blocks {
			if d.bad {
				continue
			}
			for _, a := range conf.References(d.block) {
				if t := byAddr[a]; t != nil && t.bad {
					d.bad, again = true, true
					break
				}
			}
		}
	}
}

// resolve lets the services judge and claim, in the order of their kinds, and
// then judges the router as a whole.
func (l *loader) resolve(spec *Spec) {
	bad := map[hcl.Range]bool{}
	for _, d := range l.blocks {
		spec.all = append(spec.all, d.block)
		h := d.block.Head()
		bad[h.Def] = bad[h.Def] || h.Bad
	}
	spec.Router.Partial = slices.ContainsFunc(l.lost, func(a conf.Addr) bool { return a.Type != "port" })
	spec.Router.MarkUpstreams()
	var diags hcl.Diagnostics
	for i := range l.reg.Kinds {
		for _, d := range l.blocks {
			if d.kind != &l.reg.Kinds[i] {
				continue
			}
			b := d.block.(Block)
			spec.blocks = append(spec.blocks, placed{*d.kind, b})
			if !d.bad && spec.Router.Board != nil {
				diags = append(diags, b.Resolve(spec.Router.Scope(b))...)
			}
		}
	}
	sound := !l.diags.HasErrors()
	diags = append(diags, spec.Router.Judge(sound && !diags.HasErrors())...)
	// What is said of a whole block is that it lacks something. That may be what
	// an error is about: its own, or for a warning any.
	l.diags = append(l.diags, slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool {
		isBad, whole := bad[at(d)]
		return whole && (isBad || !sound && d.Severity == hcl.DiagWarning)
	})...)
}

// at is the subject of a diagnostic, or nowhere.
func at(d *hcl.Diagnostic) hcl.Range {
	if d.Subject == nil {
		return hcl.Range{}
	}
	return *d.Subject
}

// A File is one generated module and its name without .nix.
type File struct {
	Name   string
	Module *nixgen.Module
}

// Modules are the NixOS modules that the spec becomes, in the order of the
// kinds. Modules that set nothing are left out.
func (s *Spec) Modules() []File {
	var files []File
	for _, p := range s.blocks {
		i := slices.IndexFunc(files, func(f File) bool { return f.Name == p.kind.File })
		if i < 0 {
			i = len(files)
			files = append(files, File{p.kind.File, &nixgen.Module{}})
		}
		p.block.Lower(s.Router, files[i].Module)
	}
	return slices.DeleteFunc(files, func(f File) bool { return f.Module.Empty() })
}

// Plan is all checks of the spec.
func (s *Spec) Plan() *verify.Plan {
	return s.PlanOf(func(Kind) bool { return true })
}

// PlanOf is the checks that blocks of some kinds make. What a kind promises of the
// core's blocks, as the firewall does of zones, is part of it.
func (s *Spec) PlanOf(wanted func(Kind) bool) *verify.Plan {
	plan := &verify.Plan{}
	for _, p := range s.blocks {
		if wanted(p.kind) {
			p.block.Checks(s.Router, plan)
		}
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
