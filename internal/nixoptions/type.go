package nixoptions

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Kind is what a value of a type is in the Nix language, as far as an
// option's type cares.
type Kind string

// The kinds. Everything that the manual can say about a type is one of these
// with a few limits.
const (
	KindAny       Kind = "any"       // not typed: raw, anything, unspecified
	KindNull      Kind = "null"      //
	KindBool      Kind = "bool"      //
	KindInt       Kind = "int"       // within Min and Max
	KindFloat     Kind = "float"     //
	KindString    Kind = "string"    // all of it matches Pattern
	KindPath      Kind = "path"      // absolute: a path, or a string that starts with /
	KindPackage   Kind = "package"   // a derivation or a store path
	KindFunction  Kind = "function"  //
	KindEnum      Kind = "enum"      // one of Enum
	KindData      Kind = "data"      // JSON, YAML, TOML: any plain value, to any depth
	KindListOf    Kind = "listOf"    // of Of
	KindAttrsOf   Kind = "attrsOf"   // of Of
	KindSubmodule Kind = "submodule" // declared names, and those that Of takes when it is open
	KindUnion     Kind = "union"     // one of Alts
)

// A Type is the type of an option.
type Type struct {
	Kind Kind `json:"kind"`
	// Of is the type of an element; of a submodule it is the freeform type.
	Of *Type `json:"of,omitempty"`
	// Alts are tried from the left.
	Alts []*Type `json:"alts,omitempty"`
	// Enum has strings, int64, booleans and nil.
	Enum []any `json:"enum,omitempty"`
	// Pattern is a POSIX extended expression for all of the string, in which
	// a dot is a newline too. Go's own syntax reads it the same way.
	Pattern string `json:"pattern,omitempty"`
	Min     *int64 `json:"min,omitempty"`
	Max     *int64 `json:"max,omitempty"`
	// Sep joins several definitions of one string; nil where two
	// definitions are a conflict.
	Sep *string `json:"sep,omitempty"`
	// NonEmpty is for lists.
	NonEmpty bool `json:"nonEmpty,omitempty"`
	// Unique is for anything that cannot be merged, such as a set of packages.
	Unique bool `json:"unique,omitempty"`
	// Whole sets are taken as they are: a priority deep inside of one is for
	// the module that reads the option.
	Whole bool `json:"whole,omitempty"`
	// Lazy attributes may depend on each other, and cannot be left out.
	Lazy bool `json:"lazy,omitempty"`
	// NoNull is for data: TOML has no null.
	NoNull bool `json:"noNull,omitempty"`
	// ReadOnly options have a value already.
	ReadOnly bool `json:"readOnly,omitempty"`
}

// ParseType reads a type as the NixOS manual writes it ("null or (list of
// string)"). A type that it does not understand is an error: a type that cannot
// be judged has no place in the table.
func ParseType(s string) (*Type, error) {
	text, readOnly := strings.CutSuffix(s, " (read only)")
	p := &typeParser{rest: text}
	t, err := p.union()
	if err == nil && p.rest != "" {
		err = fmt.Errorf("%q is left over", p.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("type %q: %w", s, err)
	}
	t.ReadOnly = readOnly
	return t, nil
}

// A typeParser reads the phrases that lib.types puts together. The library
// sets parentheses by the class of a phrase (noun, composite, conjunction), so
// that "list of" and "attribute set of" always take exactly one phrase and
// "or" binds weakest.
type typeParser struct{ rest string }

func (p *typeParser) eat(prefix string) bool {
	rest, ok := strings.CutPrefix(p.rest, prefix)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *typeParser) union() (*Type, error) {
	first, err := p.phrase()
	if err != nil {
		return nil, err
	}
	alts := []*Type{first}
	for p.eat(" or ") {
		t, err := p.phrase()
		if err != nil {
			return nil, err
		}
		alts = append(alts, t)
	}
	// coercedTo: the other form is accepted just as well.
	p.eat(" convertible to it")
	if len(alts) == 1 {
		return first, nil
	}
	return &Type{Kind: KindUnion, Alts: alts}, nil
}

func (p *typeParser) phrase() (*Type, error) {
	for _, n := range nounsLongestFirst {
		if rest, ok := strings.CutPrefix(p.rest, n); ok && afterNoun.MatchString(rest) {
			p.rest = rest
			t := *nouns[n] // a copy: ReadOnly is the caller's
			return &t, nil
		}
	}
	switch {
	case p.eat("("):
		t, err := p.union()
		if err != nil {
			return nil, err
		}
		if !p.eat(")") {
			return nil, fmt.Errorf("no ) before %q", p.rest)
		}
		return t, nil
	case p.eat("non-empty (list of "):
		p.rest = "(list of " + p.rest
		t, err := p.phrase()
		if err != nil {
			return nil, err
		}
		t.NonEmpty = true
		return t, nil
	case p.eat("list of "):
		return p.of(KindListOf)
	case p.eat("attribute set of "):
		return p.of(KindAttrsOf)
	case p.eat("lazy attribute set of "):
		t, err := p.of(KindAttrsOf)
		t.Lazy = true
		return t, err
	case p.eat("open submodule of "):
		return p.of(KindSubmodule)
	case p.eat("one of "):
		return p.enum()
	case p.eat("value "):
		t, err := p.enum()
		if err == nil && !p.eat(" (singular enum)") {
			err = fmt.Errorf("no (singular enum) before %q", p.rest)
		}
		return t, err
	case p.eat("string matching the pattern "):
		return p.matching()
	}
	for _, s := range [...]string{`strings concatenated with “`, `strings concatenated with "`} {
		if p.eat(s) {
			i := strings.IndexAny(p.rest, `”"`)
			if i < 0 {
				return nil, fmt.Errorf("no quote after %q", p.rest)
			}
			sep := strings.ReplaceAll(p.rest[:i], `\n`, "\n")
			if !p.eat(p.rest[:i] + "”") {
				p.eat(p.rest[:i] + `"`)
			}
			return &Type{Kind: KindString, Sep: &sep}, nil
		}
	}
	if m := intRange.FindStringSubmatch(p.rest); m != nil {
		p.rest = p.rest[len(m[0]):]
		lo, errLo := strconv.ParseInt(m[1], 10, 64)
		hi, errHi := strconv.ParseInt(m[2], 10, 64)
		return &Type{Kind: KindInt, Min: &lo, Max: &hi}, cmp.Or(errLo, errHi)
	}
	return nil, fmt.Errorf("no type known that starts %q", p.rest)
}

func (p *typeParser) of(k Kind) (*Type, error) {
	t, err := p.phrase()
	return &Type{Kind: k, Of: t}, err
}

// enum reads the values of an enum: “a”, "b", 1, true, <null>.
func (p *typeParser) enum() (*Type, error) {
	t := &Type{Kind: KindEnum}
	for {
		m := enumValue.FindStringSubmatch(p.rest)
		if m == nil {
			return nil, fmt.Errorf("no value of an enum at %q", p.rest)
		}
		p.rest = p.rest[len(m[0]):]
		switch {
		case m[3] != "":
			n, err := strconv.ParseInt(m[3], 10, 64)
			if err != nil {
				return nil, err
			}
			t.Enum = append(t.Enum, n)
		case m[4] != "":
			t.Enum = append(t.Enum, nil)
		case m[5] != "":
			t.Enum = append(t.Enum, m[5] == "true")
		default:
			t.Enum = append(t.Enum, m[1]+m[2])
		}
		if !p.eat(", ") && !p.eat(",") {
			return t, nil
		}
	}
}

// matching reads the expression of a pattern, which ends with the phrase: at a
// parenthesis that it did not open itself, or at " or ".
func (p *typeParser) matching() (*Type, error) {
	depth, end := 0, len(p.rest)
scan:
	for i, r := range p.rest {
		switch {
		case r == '(':
			depth++
		case r == ')' && depth == 0, depth == 0 && strings.HasPrefix(p.rest[i:], " or "):
			end = i
			break scan
		case r == ')':
			depth--
		}
	}
	t := &Type{Kind: KindString, Pattern: p.rest[:end]}
	p.rest = p.rest[end:]
	_, err := regexp.Compile(t.Pattern)
	return t, err
}

var (
	// afterNoun keeps "string" from being read in "string matching the pattern".
	afterNoun = regexp.MustCompile(`^($|\)| or | convertible to it)`)
	intRange  = regexp.MustCompile(`^(?:\d+ bit (?:un)?signed integer; |integer )between (-?\d+) and (-?\d+) \(both inclusive\)`)
	enumValue = regexp.MustCompile(`^(?:“([^”]*)”|"([^"]*)"|(-?\d+)|(<null>)|(true|false))`)

	anyType   = &Type{Kind: KindAny}
	nullType  = &Type{Kind: KindNull}
	boolType  = &Type{Kind: KindBool}
	intType   = &Type{Kind: KindInt}
	floatType = &Type{Kind: KindFloat}
	strType   = &Type{Kind: KindString}
	pathType  = &Type{Kind: KindPath}
	pkgType   = &Type{Kind: KindPackage}
	funcType  = &Type{Kind: KindFunction}
	dataType  = &Type{Kind: KindData}

	iniAtom = unionOf(nullType, boolType, intType, floatType, strType)
	nixAtom = unionOf(nullType, boolType, intType, floatType, strType, pathType, pkgType)
)

// nouns are the names of types that the grammar does not take apart.
var nouns = map[string]*Type{
	"null":                          nullType,
	"boolean":                       boolType,
	"string":                        strType,
	"package":                       pkgType,
	"absolute path":                 pathType,
	"signed integer":                intType,
	"floating point number":         floatType,
	"unspecified value":             anyType,
	"raw value":                     {Kind: KindAny, Unique: true},
	"anything":                      anyType,
	"attribute set":                 {Kind: KindAttrsOf, Of: anyType, Whole: true},
	"submodule":                     {Kind: KindSubmodule},
	"JSON value":                    dataType,
	"YAML 1.1 value":                dataType,
	"TOML value":                    {Kind: KindData, NoNull: true},
	"unsigned integer, meaning >=0": atLeast(0),
	"positive integer, meaning >0":  atLeast(1),
	"integer of at least 16 bits":   atLeast(16),
	"nonnegative integer or floating point number, meaning >=0": unionOf(atLeast(0), floatType),

	// Strings with a rule of their own.
	"non-empty string":   matching(".*[^ \t\n].*"),
	"single-line string": matching("[^\n\r]*"),
	"(optionally newline-terminated) single-line string":          matching("[^\n\r]*\n?"),
	"string without spaces":                                       matching("[^ ]*"),
	"string, not containing newlines or colons":                   matching("[^:\n]*"),
	"absolute path, not containing newlines or colons":            pathMatching("[^:\n]*"),
	"string (with check: non-empty)":                              matching(".*[^ \t\n].*"),
	"string (with check: non-empty without trailing slash)":       matching("/|.*[^ \t\n/]"),
	"string, with spaces inside double quotes":                    strType,
	"path not in the Nix store":                                   pathType,
	"path in the Nix store":                                       unionOf(pathType, pkgType),
	"file mode string":                                            matching("[ugoa]*([-+=]([rwxXst]*|[ugo]))+|[-+=]?[0-7]{3,4}"),
	"udev rule value":                                             matching("[^\n\"]*"),
	"Go duration (https://golang.org/pkg/time/#ParseDuration)":    matching("([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+"),
	"Network prefix in CIDR notation":                             matching("[[:xdigit:]:.]+/[[:digit:]]+"),
	"PKCS#11 URI":                                                 matching("pkcs11:.+"),
	"unspecified value (attrset {assertion: bool; message: str})": attrsOf(anyType),

	// Packages and functions that are checked by Nixpkgs in its own way.
	"ibus-engine":                            pkgType,
	"NetworkManager plugin package":          pkgType,
	"nixpkgs config":                         {Kind: KindAttrsOf, Of: anyType, Whole: true},
	"nixpkgs overlay":                        funcType,
	"function that evaluates to a(n) string": funcType,
	"An evaluation of Nixpkgs; the top level attribute set of packages": anyType,

	// Leaves of configuration formats.
	"INI atom (freeform)":                         iniAtom,
	"INI atom (null, bool, int, float or string)": iniAtom,
	"section of an INI file":                      attrsOf(iniAtom),
	"section of an INI file (attrs of INI atom (null, bool, int, float or string))":                                      attrsOf(iniAtom),
	"section of an INI file (attrs of INI atom (null, bool, int, float or string) or a list of them for duplicate keys)": attrsOf(orList(iniAtom)),
	"section of an INI file (attrs of INI atom (null, bool, int, float or string) or a non-empty list of them)":          attrsOf(orList(iniAtom)),
	"(atom (null, bool, int, float or string))":                                                                          iniAtom,
	"(atom (null, bool, int, float or string) or a list of them for duplicate keys)":                                     orList(iniAtom),
	"(atom (bool, int or string) or a list of them for duplicate keys)":                                                  orList(unionOf(boolType, intType, strType)),
	"(string, path, bool, or integer)":                                                                                   unionOf(strType, pathType, boolType, intType),
	"Nix config atom (null, bool, int, float, str, path or package)":                                                     nixAtom,
	"sysctl option value": unionOf(nullType, boolType, intType, strType),
	// systemd.unitOptions does not look at all, but the printer of unit
	// files can only write an atom or a list of them.
	"systemd option": orList(nixAtom),
	"nested attribute set of null or sysfs attribute values": dataType,
	"unbound.conf configuration type. The format consist of an attribute set of settings. Each settings can be either one value, a list of values or an attribute set. The allowed values are integers, strings, booleans or floats.": dataType,
}

var nounsLongestFirst = slices.SortedFunc(maps.Keys(nouns), func(a, b string) int {
	return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
})

func attrsOf(t *Type) *Type    { return &Type{Kind: KindAttrsOf, Of: t} }
func unionOf(t ...*Type) *Type { return &Type{Kind: KindUnion, Alts: t} }
func orList(t *Type) *Type     { return unionOf(t, &Type{Kind: KindListOf, Of: t}) }
func atLeast(n int64) *Type    { return &Type{Kind: KindInt, Min: &n} }
func matching(p string) *Type  { return &Type{Kind: KindString, Pattern: p} }

func pathMatching(p string) *Type { return &Type{Kind: KindPath, Pattern: p} }
