// Package nixgen is a syntax tree for the part of the Nix language that a
// NixOS module needs, and its one printer. What it prints is a fixed point of
// nixfmt's strict style (RFC 166). It knows nothing of routers and imports
// only the standard library.
package nixgen

// An Expr is a Nix expression. The sum is sealed: all that a caller can make is
// in this file, and there is no node for raw text, so nothing reaches a Nix
// file unquoted.
//
//sumtype:decl
type Expr interface{ expr() }

type (
	// Str is a string, printed as "…" with everything quoted that Nix would
	// otherwise read: quotes, backslashes, ${, line breaks and tabs. It must
	// not hold a NUL byte, which Nix has no way to hold; nor may Lines and names.
	Str string
	// Lines is a text of several lines, printed as an indented string
	// (''…''), or as a Str where that cannot hold it: one line, lines of only
	// spaces, spaces before every line. Nix reads back exactly the bytes given.
	Lines string
	// Concat is a string with expressions in it: "${pkgs.nftables}/bin/nft".
	// Str and Lines are taken literally, every other part is interpolated.
	Concat []Expr
	Int    int64
	// Float must be finite: Nix has no literal for the others.
	Float float64
	Bool  bool
	Null  struct{}
	// Path is a relative path literal: ./local.nix. It starts with ./ or ../ and
	// hold no character that a path literal cannot.
	Path string
	// Var is an identifier or a selection from one: lib, config.boot.kernelPackages.
	// Names after the first are quoted if they are no identifiers.
	Var string
	// List prints an element a line from the second element on, which is
	// nixfmt's rule.
	List []Expr
	// Attrs is an attribute set. Order is kept. A binding that only passes on a
	// name prints as inherit. Two attributes with a common
	// first name are printed as they are given, never merged.
	Attrs []Attr
	// Call is a function application: lib.mkForce x.
	Call struct {
		Fn   Expr
		Args []Expr
	}
	// Fn is a function. With Params it takes an attribute set
	// ({ lib, pkgs, ... }: body), else one argument called Arg (x: body).
	Fn struct {
		Arg      string
		Params   []string
		Ellipsis bool
		Body     Expr
	}
	// Let is let Binds in Body.
	Let struct {
		Binds []Attr
		Body  Expr
	}
	// With is with Scope; Body.
	With struct {
		Scope Expr
		Body  Expr
	}
	// Op is a binary operation: ++, //, +, ==, ||, &&, ->, ?.
	Op struct {
		Op   string
		L, R Expr
	}
	// At says where in the spec an expression comes from. As the value of an
	// attribute or an element of a list it prints as a comment above it;
	// see Origin.
	At struct {
		From Origin
		Expr Expr
	}
)

// An Attr is one binding of an attribute set. Name is its path:
// {"services", "kea"} prints as services.kea; names that are no identifiers
// are quoted.
type Attr struct {
	Name  []string
	Value Expr
}

// Bind is the binding of a value to a path, which Module.Set takes in the same order.
func Bind(v Expr, path ...string) Attr { return Attr{Name: path, Value: v} }

// Apply is a call of a function that has a name: lib.mkForce.
func Apply(fn string, args ...Expr) Call { return Call{Fn: Var(fn), Args: args} }

// An Origin is a place in the spec that caused a piece of Nix.
type Origin struct {
	File string // as the user named it, relative to the spec's folder
	Line int    // from 1
	Addr string // the block: dhcp4.lan
}

func (Str) expr()    {}
func (Lines) expr()  {}
func (Concat) expr() {}
func (Int) expr()    {}
func (Float) expr()  {}
func (Bool) expr()   {}
func (Null) expr()   {}
func (Path) expr()   {}
func (Var) expr()    {}
func (List) expr()   {}
func (Attrs) expr()  {}
func (Call) expr()   {}
func (Fn) expr()     {}
func (Let) expr()    {}
func (With) expr()   {}
func (Op) expr()     {}
func (At) expr()     {}
