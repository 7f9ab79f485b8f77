package all_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify/state"
)

// unjudged are the attributes that no check judges, as patterns of path.Match, and why.
// It must not grow beyond fifteen entries: an attribute is a promise.
var unjudged = map[string]string{
	"*.extra":                       "the program's own words, which nbr does not know",
	"router.description":            "for people: it becomes the flake's",
	"router.console_only":           "for nbr check: it accepts a router without ssh",
	"router.state_version":          "NixOS keeps it at build time only, for defaults of its modules",
	"router.import":                 "modules of the user's: what they promise only their author knows",
	"dhcp4.reservation.description": "for people: no client is told",
	"check.title":                   "for people: the title of a verdict",
	"check.packages":                "a name in nixpkgs; without the program the command itself fails",
	"input.*":                       "where the flake gets its inputs from; the router has what was built",
	"secret.[fk]*":                  "where the secret is in the encrypted file; the router has it decrypted",
	"user.hashed_password":          "a hash of a password is never read",
	"veth.peer":                     "two blocks name each other, so one of them alone has no other good value; veth/testdata shows its check",
	"wireguard.endpoint":            "for peers: nbr wg client tells them",
	"firmware.*_source.[dhr]*":      "what the version was built from: the binary has the version alone",

	"firmware.accept_regulatory_responsibility": "an acceptance by people; nothing on the router has it",
}

// Every attribute of the language is judged: with another value in a good spec, the plan
// asks for something else, or wants something else, or has another verdict over a state in
// which everything was as the spec said.
func TestEveryAttributeIsJudged(t *testing.T) {
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	set := map[string][]*occurrence{}
	for _, b := range goodSpecs(t, reg) {
		for _, o := range b.occurrences(reg) {
			set[o.attribute] = append(set[o.attribute], o)
		}
	}
	for _, places := range set {
		for _, o := range places {
			o.everywhere = places
		}
	}
	if len(unjudged) > 15 {
		t.Errorf("%d attributes without a check are too many", len(unjudged))
	}
	needed := map[string]bool{}
	for _, typ := range reg.Types() {
		walkSchema(typ.Type, conf.SchemaOf(typ), func(name string, a conf.Attribute) {
			if len(set[name]) == 0 {
				t.Errorf("%s: no good spec sets it", name)
				return
			}
			excuse := excuseOf(name)
			found := judged(reg, a, set[name])
			switch {
			case found == nil && excuse != "":
				t.Errorf("%s is judged, and %s excuses it", name, excuse)
			case found != nil && excuse == "":
				t.Errorf("%s: %s", name, found)
			}
			needed[excuse] = true
		})
	}
	for p, why := range unjudged {
		if !needed[p] {
			t.Errorf("%s: there is no such attribute: %s", p, why)
		}
	}
}

func excuseOf(name string) string {
	for _, p := range slices.Sorted(maps.Keys(unjudged)) {
		if ok, _ := path.Match(p, name); ok {
			return p
		}
	}
	return ""
}

// walkSchema goes through all attributes of a block and of the blocks in it.
func walkSchema(prefix string, s conf.Schema, visit func(name string, a conf.Attribute)) {
	for _, a := range s.Attributes {
		visit(prefix+"."+a.Name, a)
	}
	for _, b := range s.Blocks {
		walkSchema(prefix+"."+b.Type, b, visit)
	}
}

// enough is how many other good values of an attribute are tried in one place.
const enough = 4

// judged says why an attribute is not judged, or nil. In one of the places where it is
// set every other good value has to make a difference.
func judged(reg *service.Registry, a conf.Attribute, places []*occurrence) error {
	var same error
	for _, o := range places {
		good, blind := 0, ""
		for _, text := range o.others(a) {
			spec, ok := o.with(reg, text)
			if !ok {
				continue
			}
			if good++; good > enough {
				break
			}
			if maps.Equal(o.base.verdicts, verdictsOf(spec, o.base.state)) {
				blind = text
				break
			}
		}
		switch {
		case good > 0 && blind == "":
			return nil
		case good > 0:
			same = fmt.Errorf("%s: %s instead of %s makes no difference to the plan", o, blind, o.text())
		case same == nil:
			same = fmt.Errorf("%s: no other value makes a good spec: tried %q", o, o.others(a))
		}
	}
	return same
}

// A goodSpec is a spec without errors and, if there is one, a state in which it holds.
type goodSpec struct {
	name     string
	files    fstest.MapFS
	state    *state.State
	spec     *service.Spec
	verdicts map[string]string
}

// goodSpecs are those of the corpus, and those of every service.
func goodSpecs(t *testing.T, reg *service.Registry) []*goodSpec {
	t.Helper()
	var out []*goodSpec
	add := func(b *goodSpec) {
		spec, diags := reg.Load(b.files, nil)
		if diags.HasErrors() {
			t.Fatalf("%s: %s", b.name, diags)
		}
		b.spec, b.verdicts = spec, verdictsOf(spec, b.state)
		out = append(out, b)
	}
	for _, pattern := range []string{"../*/testdata/*.txtar", "../../firmware/testdata/*.txtar"} {
		for _, name := range glob(t, pattern) {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			b := &goodSpec{name: name, files: fstest.MapFS{}, state: &state.State{}}
			for _, f := range ar.Files {
				switch {
				case f.Name == "ok.json":
					b.state = readState(t, f.Data)
				case !strings.Contains(f.Name, "/") && !strings.HasSuffix(f.Name, ".json") && !strings.HasSuffix(f.Name, ".txt"):
					b.files[f.Name] = &fstest.MapFile{Data: f.Data}
				}
			}
			add(b)
		}
	}
	for _, pattern := range []string{"testdata/attributes/*", "../../testdata/good/*", "../../testdata/routers/*"} {
		for _, name := range glob(t, pattern) {
			b := &goodSpec{name: name, files: fstest.MapFS{}, state: &state.State{}}
			if err := fs.WalkDir(os.DirFS(name), ".", func(p string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				text, err := os.ReadFile(filepath.Join(name, p))
				b.files[p] = &fstest.MapFile{Data: text}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			add(b)
		}
	}
	return out
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(names), err)
	}
	return names
}

// verdictsOf is what a plan asks, wants and finds, by the checks' IDs. What is only shown
// is left out.
func verdictsOf(spec *service.Spec, st *state.State) map[string]string {
	out := map[string]string{}
	for _, c := range spec.Plan().Checks {
		var asks []string
		for _, q := range c.Asks {
			asks = append(asks, q.Probe+" "+q.Key)
		}
		unseen, seen := c.Eval(&state.State{}), c.Eval(st)
		out[c.ID] = fmt.Sprintf("%+v %q %s; %s %s", c.Needs, asks, unseen.Want, seen.Status, seen.Want)
	}
	return out
}

// An occurrence is a place where a good spec sets an attribute.
type occurrence struct {
	base      *goodSpec
	attribute string
	file      string
	expr      hclsyntax.Expression // of the attribute, or of the local that it is
	block     hcl.Range            // where a reference stands for the same everywhere
	// everywhere are the places of all specs that set the attribute, this one too.
	everywhere []*occurrence
}

func (o *occurrence) String() string {
	return fmt.Sprintf("%s: %s:%d", o.base.name, o.file, o.expr.Range().Start.Line)
}

func (o *occurrence) text() string { return o.of(o.expr) }

func (o *occurrence) of(e hclsyntax.Expression) string {
	return string(e.Range().SliceBytes(o.base.files[o.file].Data))
}

// occurrences are all attributes that the spec sets in HCL's own syntax.
func (b *goodSpec) occurrences(reg *service.Registry) []*occurrence {
	schemas := map[string]conf.Schema{}
	for _, typ := range reg.Types() {
		schemas[typ.Type] = conf.SchemaOf(typ)
	}
	var out []*occurrence
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		if !strings.HasSuffix(name, ".hcl") {
			continue
		}
		f, diags := hclsyntax.ParseConfig(b.files[name].Data, name, hcl.InitialPos)
		if diags.HasErrors() {
			panic(diags)
		}
		body := f.Body.(*hclsyntax.Body)
		locals := map[string]hclsyntax.Expression{}
		for _, block := range body.Blocks {
			for name, attr := range block.Body.Attributes {
				if block.Type == "locals" {
					locals["local."+name] = attr.Expr
				}
			}
		}
		for _, block := range body.Blocks {
			if s, ok := schemas[block.Type]; ok {
				out = append(out, b.inBlock(name, block.Type, s, block.Body, locals)...)
			}
		}
	}
	return out
}

func (b *goodSpec) inBlock(file, prefix string, s conf.Schema, body *hclsyntax.Body, locals map[string]hclsyntax.Expression) []*occurrence {
	var out []*occurrence
	for _, a := range s.Attributes {
		if attr := body.Attributes[a.Name]; attr != nil {
			o := &occurrence{base: b, attribute: prefix + "." + a.Name, file: file, expr: attr.Expr, block: body.SrcRange}
			// A local that other blocks use as well would make a difference by them.
			if local := locals[o.text()]; local != nil && b.uses(o.text()) == uses(o.text(), body.SrcRange.SliceBytes(b.files[file].Data)) {
				o.expr, o.block = local, local.Range()
			}
			out = append(out, o)
		}
	}
	for _, sub := range s.Blocks {
		for _, block := range body.Blocks {
			if block.Type == sub.Type {
				out = append(out, b.inBlock(file, prefix+"."+sub.Type, sub, block.Body, locals)...)
			}
		}
	}
	return out
}

// uses is how often a spec says the name of a local.
func (b *goodSpec) uses(local string) int {
	n := 0
	for _, f := range b.files {
		n += uses(local, f.Data)
	}
	return n
}

func uses(local string, text []byte) int {
	return len(regexp.MustCompile(regexp.QuoteMeta(local)+`\b`).FindAll(text, -1))
}

// with is the spec with another expression in this place, if that is a good one. If it is
// not, what else the block says of the same reference follows it. No line moves: the rules of
// the firewall name theirs.
func (o *occurrence) with(reg *service.Registry, text string) (*service.Spec, bool) {
	if strings.Count(text, "\n") != strings.Count(o.text(), "\n") {
		return nil, false
	}
	if spec, ok := o.replaced(reg, o.expr.Range(), text); ok {
		return spec, true
	}
	if _, ok := o.expr.(*hclsyntax.ScopeTraversalExpr); !ok {
		return nil, false
	}
	block := string(o.block.SliceBytes(o.base.files[o.file].Data))
	return o.replaced(reg, o.block, strings.ReplaceAll(block, o.text(), text))
}

func (o *occurrence) replaced(reg *service.Registry, at hcl.Range, text string) (*service.Spec, bool) {
	files := maps.Clone(o.base.files)
	data := files[o.file].Data
	data = slices.Concat(data[:at.Start.Byte], []byte(text), data[at.End.Byte:])
	files[o.file] = &fstest.MapFile{Data: data}
	spec, diags := reg.Load(files, nil)
	return spec, !diags.HasErrors() && len(spec.Plan().Checks) > 0
}

func readState(t *testing.T, b []byte) *state.State {
	t.Helper()
	var st state.State
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&st); err != nil {
		t.Fatal(err)
	}
	return &st
}
