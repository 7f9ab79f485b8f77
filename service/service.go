// Package service is the contract between nbr and the programs of a router: a
// block type, what it becomes in Nix and how to tell that it is there. It also
// loads a spec, because that takes every block type there is.
package service

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
)

// A Block is one decoded block of a service. Its references are linked before any
// of the methods is called.
type Block interface {
	conf.Block
	// Claim says what the block needs of the things that services share. It reads
	// the block itself and the core's blocks, never a claim, so the order of kinds
	// is of no meaning; and it cannot fail.
	Claim(*router.Scope)
	// Judge judges the block among its neighbours. Every sound block has claimed by
	// then. It changes nothing, and it is the only method that may fail: whatever
	// can go wrong is said here, with a line.
	Judge(*router.Router) hcl.Diagnostics
	// Checks says how to tell that the block's promises hold.
	Checks(*router.Router, *verify.Plan)
}

// A Passive block does nothing unless another one names it. One that no block names gets a
// warning. So does a link: it needs no method for that.
type Passive interface {
	conf.Block
	// NamedBy says where a block is named to be of use, as "from or to of a policy". It is
	// empty for a block that does something by itself.
	NamedBy() string
}

// namedBy says where a block is named to be of use; empty if it is of use by itself.
func namedBy(b conf.Block) string {
	switch b := b.(type) {
	case Passive:
		return b.NamedBy()
	case router.Link:
		// The ports of a bridge talk to each other and the links of a VRF are named elsewhere; what is
		// external nbr leaves alone.
		if s := b.Spec(); s.Kind == "bridge" || s.VRF.Set || s.External {
			return ""
		}
		return "link of a network, in ports of a bridge or as the link below another one"
	}
	return ""
}

// A Program is what the blocks of one or more kinds configure: Kea with its subnets,
// FRR with BGP and OSPF. It alone knows its own syntax, and lowers once for all its
// blocks. Two kinds are of one program if their Program values are equal.
type Program interface {
	// File is the base name of the generated module; programs may share one.
	File() string
	// Lower sets the options of NixOS. It is called if there is a block, with all of
	// them, and cannot fail: the spec has been judged.
	Lower(*router.Router, []Block, *nixgen.Module)
	// Checks says how to tell that the program itself runs, beyond what each block
	// promises.
	Checks(*router.Router, []Block, *verify.Plan)
}

// Alone is the program of a kind whose blocks have nothing in common: each is
// lowered by itself.
func Alone[B Block](file string, lower func(B, *router.Router, *nixgen.Module)) Program {
	return &alone[B]{file, lower}
}

type alone[B Block] struct {
	file  string
	lower func(B, *router.Router, *nixgen.Module)
}

func (a *alone[B]) File() string { return a.file }

func (a *alone[B]) Lower(r *router.Router, blocks []Block, m *nixgen.Module) {
	for _, b := range Of[B](blocks) {
		a.lower(b, r, m)
	}
}

func (a *alone[B]) Checks(*router.Router, []Block, *verify.Plan) {}

// Of are the blocks of one type.
func Of[B Block](blocks []Block) []B {
	var out []B
	for _, b := range blocks {
		if b, ok := b.(B); ok {
			out = append(out, b)
		}
	}
	return out
}

// A Kind is a block type that a service adds to the language.
type Kind struct {
	Type, Doc string
	// Software is the program's name as people know it, as in "Kea"; empty if a block of
	// this kind configures none.
	Software string
	// Example is a block of this kind for the documentation, in HCL. It is a sound part
	// of the article's router (testdata/routers/bpi-r4), whose blocks of the same name it
	// replaces. docs/ is made from it, and a test loads it.
	Example string
	// Single blocks are there at most once and have no label.
	Single bool
	// Implicit blocks are single and there even if the spec does not write them:
	// a router has a firewall.
	Implicit bool
	// Program is what the blocks configure, nil if that is nothing: what they need
	// is claimed.
	Program Program
	// Probes are those that the checks of the blocks and of the program ask by.
	Probes []probe.Any
	New    func() Block
}

// A Registry is what a build of nbr knows: its block types and boards. The order of
// the kinds is that of the documentation and of no other meaning.
type Registry struct {
	Kinds  []Kind
	Boards []*router.Board
}

// Types are the block types of the language, the core's first.
func (r *Registry) Types() []conf.BlockType {
	types := router.Types()
	for _, k := range r.Kinds {
		types = append(types, conf.BlockType{
			Type: k.Type, Doc: k.Doc, Example: k.Example, Single: k.Single,
			New: func() conf.Block { return k.New() },
		})
	}
	return types
}

// Check refuses kinds that cannot be in one language. What it finds is a mistake of the
// program that lists them, not of a spec.
func (r *Registry) Check() error {
	owner := map[string]string{}
	for _, t := range router.Types() {
		owner[t.Type] = "nbr's core"
	}
	for _, name := range []string{"port", "var", "local", "each"} {
		owner[name] = "the references of the language"
	}
	for _, k := range r.Kinds {
		switch {
		case k.New == nil:
			return fmt.Errorf("the kind %q has no New", k.Type)
		case !hclsyntax.ValidIdentifier(k.Type):
			return fmt.Errorf("%q of %s is no type of a block: it has to be an identifier of HCL", k.Type, k.home())
		case owner[k.Type] != "":
			return fmt.Errorf("two kinds of blocks are called %q, one of %s and one of %s. Give one of them another Type, or leave it out of the list that cmd.Main gets", k.Type, owner[k.Type], k.home())
		}
		owner[k.Type] = k.home()
	}
	return r.checkProbes()
}

// checkProbes refuses two probes of one name, whose answers would be taken for each other's.
// Kinds may share one.
func (r *Registry) checkProbes() error {
	first := map[string]probe.Any{}
	home := map[string]string{}
	for _, k := range r.Kinds {
		for _, p := range k.Probes {
			switch name := p.ID(); {
			case name == "":
				return fmt.Errorf("a probe of %s has no Name", k.home())
			case first[name] == nil:
				first[name], home[name] = p, k.home()
			case first[name] != p:
				return fmt.Errorf("two probes are called %q, one of %s and one of %s. Give one of them another Name", name, home[name], k.home())
			}
		}
	}
	return nil
}

// mustList panics if a check asks by a probe that its kinds do not list: checkProbes has not
// seen it.
func mustList(checks []verify.Check, kinds ...*Kind) {
	for _, c := range checks {
		for _, q := range c.Asks {
			if !slices.ContainsFunc(kinds, func(k *Kind) bool { return slices.Contains(k.Probes, q.Of) }) {
				panic(fmt.Sprintf("the check %s asks by the probe %s, which is not among the Probes of its Kind", c.ID, q.Probe))
			}
		}
	}
}

// home is the package that a kind is of.
func (k Kind) home() string { return reflect.TypeOf(k.New()).Elem().PkgPath() }

// byType are the kinds in the order in which their blocks claim, are lowered and
// are checked.
func (r *Registry) byType() []*Kind {
	var out []*Kind
	for i := range r.Kinds {
		out = append(out, &r.Kinds[i])
	}
	slices.SortFunc(out, func(a, b *Kind) int { return cmp.Compare(a.Type, b.Type) })
	return out
}

// Origin is the place in the spec, for what is generated from it.
func Origin(a conf.Addr, at hcl.Range) nixgen.Origin {
	return nixgen.Origin{File: at.Filename, Line: at.Start.Line, Addr: a.String()}
}

// From is the origin of a whole block.
func From(b conf.Block) nixgen.Origin { return Origin(b.Head().Addr, b.Head().Def) }

// By is the origin of a claim.
func By(b router.By) nixgen.Origin { return Origin(b.Addr, b.From) }
