package mistakes

import (
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// A Base is a good spec.
type Base struct {
	Name  string
	Files fstest.MapFS
	Spec  *service.Spec

	made signature
	told map[string]bool // the warnings of the spec as it is

	spans  []span                     // of its blocks
	beside map[string]map[string]bool // the blocks that refer to a block or that it refers to
	nearby map[string]map[string]bool // near, remembered
}

// Good are the good specs of the project, whose root is given: those of the corpus and those of
// the tests of services.
func Good(root fs.FS, reg *service.Registry) ([]*Base, error) {
	var out []*Base
	for _, pattern := range []string{"testdata/routers/*", "testdata/good/*", "service/all/testdata/attributes/*"} {
		dirs, err := fs.Glob(root, pattern)
		if err != nil {
			return nil, err
		}
		for _, dir := range dirs {
			files, err := folder(root, dir)
			if err != nil {
				return nil, err
			}
			out = append(out, &Base{Name: dir, Files: files})
		}
	}
	for _, pattern := range []string{"service/*/testdata/*.txtar", "firmware/testdata/*.txtar"} {
		names, err := fs.Glob(root, pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			text, err := fs.ReadFile(root, name)
			if err != nil {
				return nil, err
			}
			out = append(out, &Base{Name: name, Files: specOf(txtar.Parse(text))})
		}
	}
	if len(out) < 20 {
		return nil, fmt.Errorf("%d good specs", len(out))
	}
	for _, b := range out {
		if err := b.load(reg); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// folder is a spec of the corpus.
func folder(root fs.FS, dir string) (fstest.MapFS, error) {
	files := fstest.MapFS{}
	err := fs.WalkDir(root, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(root, name)
		files[strings.TrimPrefix(name, dir+"/")] = &fstest.MapFile{Data: text}
		return err
	})
	return files, err
}

// specOf is the spec in the file of a service's test; beside it are what is wanted of it.
func specOf(ar *txtar.Archive) fstest.MapFS {
	files := fstest.MapFS{}
	for _, f := range ar.Files {
		if ext := path.Ext(f.Name); !strings.Contains(f.Name, "/") && ext != ".json" && ext != ".txt" {
			files[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return files
}

func (b *Base) load(reg *service.Registry) error {
	spec, diags := reg.Load(b.Files, nil)
	if diags.HasErrors() {
		return fmt.Errorf("%s: %w", b.Name, diags)
	}
	b.Spec, b.made, b.told = spec, sign(spec), map[string]bool{}
	for _, d := range diags {
		b.told[tells(d)] = true
	}
	b.beside, b.nearby = map[string]map[string]bool{}, map[string]map[string]bool{}
	for _, block := range spec.Blocks() {
		own := top(block.Head().Addr.String())
		for _, a := range conf.References(block) {
			b.join(own, top(a.String()))
		}
		if typ := block.Head().Addr.Type; typ == "router" {
			for _, other := range spec.Blocks() {
				b.join(own, top(other.Head().Addr.String()))
			}
		}
	}
	b.services(spec.Router)
	return nil
}

// services joins service blocks with the zones and policies that name them by a text.
func (b *Base) services(r *router.Router) {
	named := map[router.ServiceName]conf.Addr{}
	for _, s := range r.Services {
		named[s.Name.V] = s.Addr
	}
	join := func(block conf.Block, names []router.ServiceName) {
		for _, name := range names {
			if a, ok := named[name]; ok {
				b.join(top(block.Head().Addr.String()), top(a.String()))
			}
		}
	}
	for _, z := range r.Zones {
		join(z, z.Allow.All())
	}
	for _, p := range r.Policies {
		join(p, p.Services.All())
	}
}

// top is the block at the top of the spec that an address is of, without the key of an instance.
func top(addr string) string { return addr[:len(addr)-len(strings.TrimLeftFunc(addr, notKey))] }

func notKey(r rune) bool { return r != '[' && r != '/' }

func (b *Base) join(one, other string) {
	for range 2 {
		if b.beside[one] == nil {
			b.beside[one] = map[string]bool{}
		}
		b.beside[one][other] = true
		one, other = other, one
	}
}

// near are a block, those beside it, and those beside these: a server is of the network whose
// zone lets its clients in.
func (b *Base) near(addr string) map[string]bool {
	if b.nearby[addr] == nil {
		all := map[string]bool{addr: true}
		for one := range b.beside[addr] {
			all[one] = true
			if !strings.HasPrefix(one, "router.") {
				maps.Copy(all, b.beside[one])
			}
		}
		b.nearby[addr] = all
	}
	return b.nearby[addr]
}

// span is where a block at the top stands.
type span struct {
	file        string
	first, last int
	addr        string
	text        string
}

// relate joins the blocks that name each other, and those of which one has an address in a
// network of the other.
func (b *Base) relate() {
	prefixes := map[string][]netip.Prefix{}
	for _, s := range b.spans {
		for _, word := range address.FindAllString(s.text, -1) {
			if p, err := netip.ParsePrefix(word); err == nil {
				prefixes[s.addr] = append(prefixes[s.addr], p.Masked())
			} else if a, err := netip.ParseAddr(word); err == nil {
				prefixes[s.addr] = append(prefixes[s.addr], netip.PrefixFrom(a, a.BitLen()))
			}
		}
	}
	for _, one := range b.spans {
		for _, other := range b.spans {
			overlap := slices.ContainsFunc(prefixes[one.addr], func(p netip.Prefix) bool {
				return slices.ContainsFunc(prefixes[other.addr], p.Overlaps)
			})
			service, ok := strings.CutPrefix(other.addr, "service.") // it is named without its type
			if overlap || strings.Contains(one.text, other.addr) || ok && strings.Contains(one.text, strconv.Quote(service)) {
				b.join(one.addr, other.addr)
			}
		}
	}
}

var address = regexp.MustCompile(`[0-9a-f]*[.:][0-9a-f.:]*(?:/[0-9]+)?`)

// blockAt is the block at a line, or "".
func (b *Base) blockAt(file string, line int) string {
	for _, s := range b.spans {
		if s.file == file && s.first <= line && line <= s.last {
			return s.addr
		}
	}
	return ""
}

func tells(d *hcl.Diagnostic) string { return diag.Code(d) + " " + d.Detail }
