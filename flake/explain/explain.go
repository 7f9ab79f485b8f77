// Package explain says what became of the blocks of a spec: lines of Nix, symbols of the kernel's configuration,
// checks. The way back, from a line of Nix to the spec, is [flake.Tree.Origins].
package explain

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// A Result is one thing that a block became.
type Result struct {
	What string `json:"what"` // "line", "kernel" or "check", and "block" for one that names it
	At   string `json:"at"`   // where it is, or what it is called
	Text string `json:"text"`
	By   string `json:"by"` // the address of the block that made it
}

func (r Result) String() string {
	switch r.What {
	case "line":
		return r.At + "  " + r.Text
	case "kernel":
		return fmt.Sprintf("kernel   CONFIG_%s (%s)", r.At, r.Text)
	case "check":
		return fmt.Sprintf("check    %s: %s", r.At, r.Text)
	}
	return fmt.Sprintf("block    %s: %s", r.At, r.Text)
}

// Address is what the block with an address became in the tree of a spec, and what other blocks that name it made
// of its values. No secret of the spec is in it. A block that the spec does not have became nothing.
func Address(s *service.Spec, tree *flake.Tree, addr string) (own, others []Result) {
	own = becomes(tree, addr, func(origin, text string) bool {
		return about(origin, addr) || strings.HasSuffix(text, " "+addr+`"`)
	})
	for _, k := range router.Claimed[router.Kernel](s.Router) {
		if about(k.Addr.String(), addr) {
			own = append(own, Result{"kernel", k.Symbol, k.Why, addr})
		}
	}
	for _, check := range s.Plan().Checks {
		if id, _, _ := strings.Cut(check.ID, "/"); about(id, addr) || about(check.ID, addr) {
			own = append(own, Result{"check", check.ID, check.Title, addr})
		}
	}
	others = byOthers(s, tree, addr)
	for _, list := range [][]Result{own, others} {
		for i := range list {
			list[i].Text = s.Secrets().Text(list[i].Text)
		}
	}
	return own, others
}

// byOthers are the blocks that name a block, each with the generated lines in which it
// uses one of the block's values, as a DHCP server does a network's address.
func byOthers(s *service.Spec, tree *flake.Tree, addr string) []Result {
	var values []string
	for _, b := range s.Blocks() {
		if b.Head().Addr.String() == addr {
			for _, text := range router.Texts(b) {
				host, _, _ := strings.Cut(text, "/")
				values = append(values, text, host)
			}
			if n, ok := b.(*router.Network); ok {
				values = append(values, string(n.Device()))
				fixed, _ := n.Split()
				for _, p := range fixed {
					values = append(values, p.Masked().String())
				}
			}
		}
	}
	var out []Result
	for _, b := range s.Blocks() {
		by := b.Head().Addr.String()
		if by == addr || !slices.ContainsFunc(conf.References(b), func(r conf.Addr) bool { return r.String() == addr }) {
			continue
		}
		at := b.Head().Def
		out = append(out, Result{"block", by, fmt.Sprintf("names it, %s line %d", at.Filename, at.Start.Line), by})
		out = append(out, becomes(tree, by, func(origin, text string) bool {
			return about(origin, by) && slices.ContainsFunc(values, func(v string) bool { return mentions(text, v) })
		})...)
	}
	return out
}

// mentions tells whether a line has a value as a word of it.
func mentions(line, value string) bool {
	part := func(r rune) bool {
		return r == '.' || r == ':' || r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	for rest := line; value != ""; {
		i := strings.Index(rest, value)
		if i < 0 {
			break
		}
		before, _ := utf8.DecodeLastRuneInString(rest[:i])
		after, _ := utf8.DecodeRuneInString(rest[i+len(value):])
		if !part(before) && !part(after) {
			return true
		}
		rest = rest[i+len(value):]
	}
	return false
}

// becomes are the generated lines that fit, by the block that made them and their text. The
// firewall's rules name theirs in a comment.
func becomes(tree *flake.Tree, by string, fits func(origin, text string) bool) []Result {
	var out []Result
	for _, name := range slices.Sorted(maps.Keys(tree.Origins)) {
		lines := strings.Split(string(tree.Files[name]), "\n")
		for i, o := range tree.Origins[name] {
			text := strings.TrimSpace(lines[i])
			if strings.Trim(text, "[](){}'; ") == "" || strings.HasPrefix(text, "#") {
				continue // says nothing of its own
			}
			if fits(o.Addr, text) {
				out = append(out, Result{"line", fmt.Sprintf("%s/%s:%d", flake.Dir, name, i+1), text, by})
			}
		}
	}
	return out
}

// about tells whether something made by got is about addr: the block itself or a
// block inside it.
func about(got, addr string) bool {
	return got == addr || strings.HasPrefix(got, addr+"/") || got == "extra of "+addr
}
