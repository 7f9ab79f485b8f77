package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/router"
)

// VarsFile is the file in a spec's folder that holds the values given by -var
// when it was generated, so that the router decodes the same spec.
const VarsFile = "nbr.vars.json"

// A loader reads a spec, up to the linked blocks.
type loader struct {
	reg    *Registry
	types  []conf.BlockType
	ctx    *conf.Context
	diags  hcl.Diagnostics
	blocks []*decoded
	first  map[conf.Addr]hcl.Range
	names  map[conf.Addr]hcl.Range  // of keyed blocks
	groups map[conf.Addr][]*decoded // the instances of blocks with for_each
	// referring are the blocks that refer to a block; nil before they are linked.
	referring map[conf.Addr][]*decoded
	// unreadable are blocks that are there and could not be read; without a name all
	// of a type. That one is missing, or what its value is, cannot be said.
	unreadable map[conf.Addr]bool
	// recorded are the variables whose values come from VarsFile.
	recorded map[string]bool
}

// decoded is a block with the key of its for_each.
type decoded struct {
	block conf.Block
	kind  *Kind // nil for the core's
	key   string
	group conf.Addr // its address without the key
	sound bool      // nothing is wrong with it, nor with a block that it refers to
}

func newLoader(reg *Registry, set *source.Set, diags hcl.Diagnostics) *loader {
	budget := conf.NewBudget()
	for _, f := range set.Files {
		diags = append(diags, budget.Guard(f.Body)...)
	}
	l := &loader{
		reg: reg, types: reg.Types(), diags: diags,
		recorded: map[string]bool{}, first: map[conf.Addr]hcl.Range{}, names: map[conf.Addr]hcl.Range{},
		groups: map[conf.Addr][]*decoded{}, unreadable: map[conf.Addr]bool{},
	}
	l.ctx = &conf.Context{
		Eval:   &hcl.EvalContext{Functions: conf.Functions(budget), Variables: map[string]cty.Value{}},
		Types:  map[string]bool{"port": true},
		Budget: budget,
	}
	for _, t := range l.types {
		l.ctx.Types[t.Type] = true
	}
	return l
}

// say keeps what is wrong with a block. An error makes it unsound.
func (l *loader) say(d *decoded, diags hcl.Diagnostics) {
	l.diags = append(l.diags, diags...)
	d.sound = d.sound && !diags.HasErrors()
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
		if why := readVars(b, vars); why != "" {
			l.diags = append(l.diags, diag.Help(diag.Error("unreadable", at, "Values of variables cannot be read",
				"%s maps names to texts, as in {\"name\": \"value\"}, and %s.", VarsFile, why),
				"Give the values with -var again, for which nbr gen writes the file, or put quotes around each."))
			clear(vars)
		}
	}
	for name := range vars {
		if _, ok := given[name]; !ok {
			l.recorded[name] = true
		}
	}
	maps.Copy(vars, given)
	return vars
}

// readVars reads the text of VarsFile into vars, or says why it cannot.
func readVars(b []byte, vars map[string]string) string {
	var values map[string]any
	if err := json.Unmarshal(b, &values); err != nil {
		return "this is none: " + strings.TrimPrefix(err.Error(), "json: ")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text, ok := values[name].(string)
		if !ok {
			return fmt.Sprintf("the value of %q is no text", name)
		}
		vars[name] = text
	}
	return ""
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
			l.unreadable[conf.Addr{Type: h.Type}] = true
		}
	}
	return all
}

// isUnreadable tells whether blocks of this type could not be read.
func (l *loader) isUnreadable(typ string) bool { return l.unreadable[conf.Addr{Type: typ}] }

// values are what an expression knows by the name of a type. Where something of
// it could not be read, all of it may be anything.
func (l *loader) values(typ string, vals map[string]cty.Value) {
	l.ctx.Eval.Variables[typ] = cty.ObjectVal(vals)
	if l.isUnreadable(typ) {
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
			if l.isUnreadable("variable") { // its value may be what could not be read
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
		if _, ok := defined[name]; !ok && !l.isUnreadable("variable") {
			at, by := hcl.Range{}, "which is given a value" // by -var, or by an argument of lib.fromSpec
			if l.recorded[name] {
				at, by = hcl.Range{Filename: VarsFile, Start: hcl.InitialPos, End: hcl.InitialPos}, "to which "+VarsFile+" gives a value"
			}
			l.diags = append(l.diags, diag.Help(diag.Error("no-such-variable", at, "No such variable",
				"The spec has no variable %s, %s.", name, by), "%s", diag.Suggest(name, slices.Sorted(maps.Keys(defined)))))
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

// decodeCore decodes the core's blocks.
func (l *loader) decodeCore(content *hcl.BodyContent) {
	l.ctx.Stage = "a block such as router, network or zone"
	for _, t := range router.Types() {
		for _, blk := range content.Blocks.OfType(t.Type) {
			l.decodeBlock(blk, nil, t.New)
		}
	}
}

// decodeServices decodes the services' blocks.
func (l *loader) decodeServices(content *hcl.BodyContent) {
	l.ctx.Stage = "a service"
	for _, k := range l.reg.byType() {
		for _, blk := range content.Blocks.OfType(k.Type) {
			l.decodeBlock(blk, k, func() conf.Block { return k.New() })
		}
	}
}

// decodeBlock decodes one block, or one for each turn of its for_each.
func (l *loader) decodeBlock(blk *hcl.Block, kind *Kind, mk func() conf.Block) {
	b := mk()
	diags := conf.Labels(blk, b)
	group := b.Head().Addr
	if len(blk.Labels) > 0 && blk.Labels[0] == "" {
		l.unreadable[conf.Addr{Type: blk.Type}] = true // any name may be this block's
	}
	if before, dup := l.first[group]; dup {
		l.diags = append(l.diags, conf.Duplicate(group, blk.DefRange, before))
		return
	}
	l.first[group] = blk.DefRange
	loop, rest, ds := conf.Loop(blk)
	diags = append(diags, ds...)
	if loop == nil {
		d := &decoded{block: b, kind: kind, sound: true}
		l.blocks = append(l.blocks, d)
		l.say(d, append(diags, conf.Decode(rest, b, l.ctx)...))
		l.name(d, group.Name, blk.DefRange)
		return
	}
	if len(blk.Labels) == 0 || blk.Type == "router" {
		l.diags = append(l.diags, diag.Help(diag.Error("bad-for-each", loop.NameRange, "Only one of these",
			"A router has one %s block at most, so there is nothing to repeat.", blk.Type),
			"Remove for_each."))
		l.unreadable[conf.Addr{Type: blk.Type}] = true
		return
	}
	turns, ds := conf.ForEach(loop.Expr, l.ctx)
	diags = append(diags, ds...)
	if len(turns) == 0 { // what is wrong in every turn is wrong without any
		diags = append(diags, diag.WithoutFollowUps(conf.Decode(rest, b, l.ctx.AnyTurn()))...)
	}
	l.diags = append(l.diags, diags...)
	if ds.HasErrors() {
		l.unreadable[group] = true
		return
	}
	l.groups[group] = nil
	for _, turn := range turns {
		b := mk()
		conf.Labels(blk, b)
		d := &decoded{block: b, kind: kind, key: turn.Key, group: group, sound: !diags.HasErrors()}
		l.blocks = append(l.blocks, d)
		l.groups[group] = append(l.groups[group], d)
		l.say(d, conf.SetKey(b, turn.Key, loop.Expr.Range()))
		l.say(d, conf.Decode(rest, b, turn.Ctx))
		l.name(d, turn.Key, loop.Expr.Range())
	}
}

// name takes the names that a block has beside its address: that of the thing it is
// about, and that of the interface.
func (l *loader) name(d *decoded, name string, at hcl.Range) {
	if named, ok := d.block.(router.Named); ok && name != "" {
		l.say(d, named.SetName(d.key))
	}
	if !conf.Keyed(d.block) {
		return
	}
	own := conf.Addr{Type: d.block.Head().Addr.Type, Name: name}
	if before, dup := l.names[own]; dup {
		l.say(d, hcl.Diagnostics{conf.Duplicate(own, at, before)})
		return
	}
	l.names[own] = at
}

// board finds the router block and its board, which has the ports.
func (l *loader) board(r *router.Router) {
	for _, d := range l.blocks {
		system, ok := d.block.(*router.System)
		switch {
		case !ok:
		case r.System != nil:
			l.say(d, hcl.Diagnostics{conf.Duplicate(system.Addr, system.Def, r.System.Def)})
		default:
			r.System = system
			l.say(d, r.ResolveBoard(l.reg.Boards, d.sound))
		}
	}
	if r.Board == nil {
		l.unreadable[conf.Addr{Type: "port"}] = true
	}
}

// coreValues makes the values of the core's blocks known to services. Those of an
// unsound block may be anything.
func (l *loader) coreValues(r *router.Router) {
	value := func(d *decoded) cty.Value {
		if !d.sound {
			return cty.DynamicVal
		}
		return conf.AsValue(router.Texts(d.block))
	}
	l.ctx.Later = map[string]string{}
	for _, d := range l.blocks {
		for name, how := range router.LaterTexts(d.block) {
			l.ctx.Later[d.block.Head().Addr.String()+"."+name] = how
		}
	}
	types := map[string]map[string]cty.Value{"port": {}}
	for _, t := range router.Types() {
		types[t.Type] = map[string]cty.Value{}
	}
	for _, d := range l.blocks {
		if a := d.block.Head().Addr; d.group == (conf.Addr{}) {
			types[a.Type][a.Name] = value(d)
		}
	}
	for _, d := range l.blocks {
		a := d.block.Head().Addr
		for _, name := range meant(a.Label()) { // what was meant by a label that has been refused
			if _, there := types[a.Type][name]; !there {
				types[a.Type][name] = cty.DynamicVal
			}
		}
	}
	for g, members := range l.groups {
		vals := map[string]cty.Value{}
		for _, d := range members {
			vals[d.key] = value(d)
		}
		types[g.Type][g.Name] = cty.ObjectVal(vals)
	}
	for a := range l.unreadable {
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

// meant are the names that may be meant by a label that is no name: my_lan, my-lan and mylan for
// "my lan". A label that is one has none.
func meant(label string) []string {
	if label == "" || hclsyntax.ValidIdentifier(label) {
		return nil
	}
	words := strings.FieldsFunc(label, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return []string{strings.Join(words, "_"), strings.Join(words, "-"), strings.Join(words, "")}
}

// implicit adds the blocks that are there without being written.
func (l *loader) implicit(r *router.Router) {
	for _, k := range l.reg.byType() {
		addr := conf.Addr{Type: k.Type}
		if _, written := l.first[addr]; !k.Implicit || written {
			continue
		}
		b := k.New()
		*b.Head() = conf.Header{Addr: addr, Def: r.Def}
		if diags := conf.Decode(hcl.EmptyBody(), b, l.ctx); diags.HasErrors() {
			panic("service: the implicit block " + k.Type + " has required arguments: " + diags.Error())
		}
		l.blocks = append(l.blocks, &decoded{block: b, kind: k, sound: true})
	}
}

// link makes every block known and sets the targets of all references. A block that
// refers to an unsound one is unsound, too.
func (l *loader) link(r *router.Router) {
	index := conf.NewIndex()
	if r.Board != nil {
		for _, p := range r.Board.Ports {
			if _, changed := l.first[p.Addr]; !changed {
				index.Add(p.Addr, p)
			}
		}
	}
	for _, d := range l.blocks {
		index.Add(d.block.Head().Addr, d.block)
	}
	for g, members := range l.groups {
		addrs := []conf.Addr{}
		for _, d := range members {
			addrs = append(addrs, d.block.Head().Addr)
		}
		index.Group(g, addrs)
	}
	for a := range l.unreadable {
		index.MarkUnreadable(a)
	}
	l.referring = map[conf.Addr][]*decoded{}
	for _, d := range l.blocks {
		l.say(d, conf.Link(d.block, index, l.ctx))
		for _, a := range conf.References(d.block) {
			l.referring[a] = append(l.referring[a], d)
		}
	}
	unsound := slices.DeleteFunc(slices.Clone(l.blocks), func(d *decoded) bool { return d.sound })
	for len(unsound) > 0 {
		for _, d := range l.referring[unsound[0].block.Head().Addr] {
			if d.sound {
				d.sound = false
				unsound = append(unsound, d)
			}
		}
		unsound = unsound[1:]
	}
}
