package page

import (
	"embed"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/flake/compose"
	"github.com/nbr-dev/nbr/flake/explain"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router/graph"
	"github.com/nbr-dev/nbr/service"
)

// Made is what a spec becomes.
type Made struct {
	Router  string   `json:"router"`
	Files   []File   `json:"files"`
	Origins []Origin `json:"origins"`
	Blocks  []Origin `json:"blocks"`  // where each block of the spec begins
	Diagram string   `json:"diagram"` // as SVG
	Said    string   `json:"said"`    // what the diagram shows, in sentences
	Plan    []Check  `json:"plan"`
}

// A File is one that nbr gen writes.
type File struct {
	Name string `json:"name"` // in the folder that is written to
	Text string `json:"text"`
	// Lines has for each line of a module the number of its origin, or -1 where it is there for every router. Other
	// files have none.
	Lines []int `json:"lines"`
}

// An Origin is a line of the spec.
type Origin struct {
	File    string `json:"file"`
	Line    int    `json:"line"`    // from 1
	Address string `json:"address"` // of the block
}

// A Check is a promise that nbr verify looks after.
type Check struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	File  string `json:"file"`
	Line  int    `json:"line"`
}

var errWrong = errors.New("the spec has an error, and nothing is made of it")

// tree is what is generated of a spec for it alone: nbr's own part of the tree is the same for all.
func (p *Page) tree(files map[string]string) (*service.Spec, *flake.Tree, error) {
	j := p.load(files)
	if j.diags.HasErrors() {
		return nil, nil, errWrong
	}
	cfg, err := compose.Config(embed.FS{}, j.spec) // for nbr's source, which is not of these files
	if err != nil {
		return nil, nil, err
	}
	tree, err := flake.Own(cfg)
	return j.spec, tree, err
}

// Make is what a spec becomes that has no error.
func (p *Page) Make(files map[string]string) (*Made, error) {
	spec, tree, err := p.tree(files)
	if err != nil {
		return nil, err
	}
	out := &Made{Router: string(spec.Router.Name.V), Files: []File{}, Origins: []Origin{}, Blocks: []Origin{}, Plan: []Check{}}
	numbers := map[nixgen.Origin]int{{}: -1}
	for _, name := range slices.SortedFunc(maps.Keys(tree.Files), byUse(tree)) {
		if strings.HasPrefix(name, out.Router+"/spec/") {
			continue // it is on the page
		}
		f := File{Name: path.Join(flake.Dir, name), Text: string(tree.Files[name]), Lines: []int{}}
		for _, o := range tree.Origins[name] {
			n, known := numbers[o]
			if !known {
				n = len(out.Origins)
				numbers[o] = n
				out.Origins = append(out.Origins, Origin{o.File, o.Line, o.Addr})
			}
			f.Lines = append(f.Lines, n)
		}
		out.Files = append(out.Files, f)
	}
	if tree.Lock != nil {
		out.Files = append(out.Files, File{flake.LockName, string(tree.Lock), []int{}})
	}
	for _, b := range spec.Blocks() {
		if h := b.Head(); h.Def.Filename != "" {
			out.Blocks = append(out.Blocks, Origin{h.Def.Filename, h.Def.Start.Line, h.Addr.String()})
		}
	}
	for _, c := range spec.Plan().Checks {
		out.Plan = append(out.Plan, Check{c.ID, c.Title, c.From.Filename, c.From.Start.Line})
	}
	var svg strings.Builder
	g := graph.New(spec.Router, spec.Blocks(), spec.Secrets().Text)
	if err := g.SVG(&svg); err != nil {
		return nil, err
	}
	out.Diagram, out.Said = svg.String(), g.Description()
	return out, nil
}

// byUse orders files of a tree: modules first, what is made of lines of the spec.
func byUse(tree *flake.Tree) func(a, b string) int {
	return func(a, b string) int {
		_, moduleA := tree.Origins[a]
		_, moduleB := tree.Origins[b]
		switch {
		case moduleA && !moduleB:
			return -1
		case moduleB && !moduleA:
			return 1
		}
		return strings.Compare(a, b)
	}
}

// Explained is what nbr explain says of a block.
type Explained struct {
	Became []explain.Result `json:"became"`
	Others []explain.Result `json:"others"` // made by blocks that name it
}

// Explain is what the block with an address became.
func (p *Page) Explain(files map[string]string, addr string) (Explained, error) {
	spec, tree, err := p.tree(files)
	if err != nil {
		return Explained{}, err
	}
	own, others := explain.Address(spec, tree, addr)
	return Explained{append([]explain.Result{}, own...), append([]explain.Result{}, others...)}, nil
}
