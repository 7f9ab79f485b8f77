// Package nixoptions knows which options NixOS has, in which release and of which
// type. The stand-in for nixpkgs declares them, and Nix judges what nbr sets by these
// declarations, so that a wrong path or a value of the wrong type is found by a test and
// not by a user's nixos-rebuild. What Nix cannot tell is here: that a type of the table is
// understood, and which releases were only assumed to have an option.
//
// It owns the table of paths, types and releases. It must never know an option
// that is merely wanted: there is no list of exceptions, and what the table
// does not have, nbr cannot set.
package nixoptions

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// table.tsv is made by internal/nixoptions/gen from the option list of NixOS 25.11 and
// from modules of the line of development that becomes 26.11.
//
//go:embed table.tsv
var nixosTable string

// own.tsv is written by hand: the options of nixos-sbc, which has no manual, and those of NixOS that its
// manual leaves out (visible = false).
//
//go:embed own.tsv
var ownTable string

// Releases are the releases of NixOS that the table knows.
var Releases = []string{"25.11", "26.05", "26.11"}

// A Row is one option of the table.
type Row struct {
	// Path is the option's path as the manual writes it: <name> for the name
	// of an attribute, * for an element of a list.
	Path     string
	Type     string
	Releases []string
	// Assumed are those of Releases that the option is only assumed to be in: its
	// module was read in a release before, and perhaps in one after, and not in this one.
	Assumed []string
}

// AppendTo appends the row as a line of a table: three fields between tabs. A release
// that is only assumed has a question mark.
func (r Row) AppendTo(b []byte) []byte {
	b = fmt.Appendf(b, "%s\t%s\t", r.Path, r.Type)
	for i, release := range r.Releases {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, release...)
		if slices.Contains(r.Assumed, release) {
			b = append(b, '?')
		}
	}
	return append(b, '\n')
}

// ParseTable reads the lines that AppendTo writes.
func ParseTable(text string) ([]Row, error) {
	var rows []Row
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 3 {
			return nil, fmt.Errorf("%d fields in %q, not 3", len(f), line)
		}
		row := Row{Path: f[0], Type: f[1]}
		for release := range strings.FieldsSeq(f[2]) {
			release, assumed := strings.CutSuffix(release, "?")
			row.Releases = append(row.Releases, release)
			if assumed {
				row.Assumed = append(row.Assumed, release)
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// A Node is a place in the tree of options: an option if it has a type, else a
// name that only leads to options.
type Node struct {
	Type     *Type            `json:"type,omitempty"`
	Children map[string]*Node `json:"children,omitempty"`
}

// insert puts an option into the tree.
func (n *Node) insert(path []string, t *Type) {
	for _, name := range path {
		c := n.Children[name]
		if c == nil {
			c = &Node{}
			if n.Children == nil {
				n.Children = map[string]*Node{}
			}
			n.Children[name] = c
		}
		n = c
	}
	n.Type = t
}

// Tree is the tree of the options of a release. It is shared: do not change it.
func Tree(release string) (*Node, error) {
	trees, err := allTrees()
	if err != nil {
		return nil, err
	}
	t := trees[release]
	if t == nil {
		return nil, fmt.Errorf("no options known for NixOS %q, only for %s", release, strings.Join(Releases, ", "))
	}
	return t, nil
}

var allTrees = sync.OnceValues(func() (map[string]*Node, error) {
	trees := map[string]*Node{}
	for _, r := range Releases {
		trees[r] = &Node{}
	}
	types := map[string]*Type{}
	for _, text := range []string{nixosTable, ownTable} {
		rows, err := ParseTable(text)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			t := types[row.Type]
			if t == nil {
				if t, err = ParseType(row.Type); err != nil {
					return nil, fmt.Errorf("%s: %w", row.Path, err)
				}
				types[row.Type] = t
			}
			for _, r := range row.Releases {
				if trees[r] == nil {
					return nil, fmt.Errorf("%s: release %q is none of %q", row.Path, r, Releases)
				}
				trees[r].insert(splitPath(row.Path), t)
			}
		}
	}
	return trees, nil
})

// splitPath splits a path at its dots, but not at those in a quoted name.
func splitPath(p string) []string {
	var names []string
	for p != "" {
		var name string
		if quoted, ok := strings.CutPrefix(p, `"`); ok {
			name, p, _ = strings.Cut(quoted, `"`)
			p = strings.TrimPrefix(p, ".")
		} else {
			name, p, _ = strings.Cut(p, ".")
		}
		names = append(names, name)
	}
	return names
}
