// Package service is the contract between nbr and the programs of a router: a
// block type, what it becomes in Nix and how to tell that it is there. It also
// loads a spec, because that takes every block type there is.
package service

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
)

// A Block is one decoded block of a service.
type Block interface {
	conf.Block
	// Resolve judges the block among its neighbours and claims what it shares
	// with them. References are linked already. It is the only method that may
	// fail: whatever can go wrong is said here, with a line.
	Resolve(*router.Scope) hcl.Diagnostics
	// Lower says what the block becomes.
	Lower(*router.Router, *nixgen.Module)
	// Checks says how to tell that it is there.
	Checks(*router.Router, *verify.Plan)
}

// A Kind is a block type that a service adds to the language.
type Kind struct {
	Type, Doc string
	// Single blocks are there at most once and have no label.
	Single bool
	// Implicit blocks are single and there even if the spec does not write them:
	// a router has a firewall.
	Implicit bool
	// File is the base name of the generated module; several kinds may share one.
	File string
	New  func() Block
}

// A Registry is what a build of nbr knows: its block types and boards.
type Registry struct {
	Kinds  []Kind
	Boards []*router.Board
}

// Types are the block types of the language, the core's first.
func (r *Registry) Types() []conf.BlockType {
	types := router.Types()
	for _, k := range r.Kinds {
		types = append(types, conf.BlockType{
			Type: k.Type, Doc: k.Doc, Single: k.Single,
			New: func() conf.Block { return k.New() },
		})
	}
	return types
}

// Origin is the place in the spec, for what is generated from it.
func Origin(a conf.Addr, at hcl.Range) nixgen.Origin {
	return nixgen.Origin{File: at.Filename, Line: at.Start.Line, Addr: a.String()}
}

// From is the origin of a whole block.
func From(b conf.Block) nixgen.Origin { return Origin(b.Head().Addr, b.Head().Def) }

// By is the origin of a claim.
func By(b router.By) nixgen.Origin { return Origin(b.Addr, b.From) }
