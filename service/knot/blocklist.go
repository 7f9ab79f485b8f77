package knot

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// Blocklist is the blocklist block: names that do not exist for some networks.
type Blocklist struct {
	conf.Header
	Name     conf.Value[ListName]       `hcl:"name,label"`
	Files    conf.List[router.File]     `hcl:"files,optional" doc:"Lists in the spec's folder: a name a line, lines of /etc/hosts with 0.0.0.0, or a response policy zone (RPZ)."`
	Inputs   conf.List[InputFile]       `hcl:"inputs,optional" doc:"Lists in inputs of the flake, as in stevenblack/hosts with input \"stevenblack\". They are as new as flake.lock says."`
	Allow    conf.List[router.ZoneName] `hcl:"allow,optional" doc:"Names that are found all the same, with all below. What the list has above such a name is not blocked either."`
	Networks conf.Refs[*router.Network] `hcl:"networks,optional" empty:"error: the list is for no network. Name some, or remove the argument: then it is for all of the resolver." doc:"The networks for which it is; without, all of the resolver. The router itself finds every name."`
	names    []string                   // of files, as they are read
}

// ListName is the name of a blocklist, which is a label of a domain name, and a tag of Knot
// Resolver (IDPattern in knot_resolver/datamodel/types/types.py).
type ListName string

var listNameRE = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}[a-z0-9]$|^[a-z]$`)

// UnmarshalText wants a label in lower case.
func (n *ListName) UnmarshalText(b []byte) error {
	if !listNameRE.Match(b) {
		return diag.Advise(fmt.Errorf("%q is no name of a list", b), "use lower-case letters, digits and -, at most 32, and begin with a letter")
	}
	*n = ListName(b)
	return nil
}

// Describe is what the type is in the schema.
func (ListName) Describe() string { return "name of a list" }

// An InputFile is a file in an input of the flake.
type InputFile struct {
	Input router.Name
	File  router.File
}

// UnmarshalText reads an input's name, a slash, and the path of the file in it.
func (f *InputFile) UnmarshalText(b []byte) error {
	input, file, _ := strings.Cut(string(b), "/")
	var out InputFile
	if out.Input.UnmarshalText([]byte(input)) != nil || out.File.UnmarshalText([]byte(file)) != nil {
		return diag.Advise(fmt.Errorf("%q is no file of an input", b), "write the name of an input block, a slash and the path of the file in it, as in stevenblack/hosts")
	}
	*f = out
	return nil
}

// String is as the spec writes it.
func (f InputFile) String() string { return string(f.Input) + "/" + string(f.File) }

// Describe is what the type is in the schema.
func (InputFile) Describe() string { return "file of an input" }

// judge reads the files of the list and finds what the build of the list would refuse.
func (l *Blocklist) judge(b *Resolver, r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if len(l.Files.Items)+len(l.Inputs.Items) == 0 {
		diags = append(diags, diag.Help(diag.Error("list-empty", l.Def, "Blocklist without a list",
			"%s blocks nothing.", l.Addr),
			"Name a list in files or inputs, or remove the block."))
	}
	for _, f := range l.Files.Items {
		text, d := r.File(f)
		if d != nil {
			diags = append(diags, d)
			continue
		}
		names, wrong := readBlocklist(string(f.V), text)
		switch {
		case wrong != nil:
			diags = append(diags, diag.With(wrong, f.Range, "the list"))
		case len(names) == 0:
			diags = append(diags, diag.Help(diag.Error("list-empty", f.Range, "List without a name",
				"There is no name in %s, and no list is built of it.", f.V),
				"Write a name a line, or take the file out."))
		}
		l.names = append(l.names, names...)
	}
	for _, i := range l.Inputs.Items {
		if r.Input(i.V.Input) == nil {
			diags = append(diags, diag.Absent(diag.Help(diag.Error("no-such-reference", i.Range, "No such input",
				"The spec has no input %q.", i.V.Input),
				"Write an input %q block with the url of the list's repository, and flake = false if that is no flake.", i.V.Input), "input"))
		}
	}
	for _, n := range l.Networks.Items {
		if !conf.Has(b.Networks, n.Target) {
			diags = append(diags, notServed(b, n, l.Addr))
		}
	}
	return diags
}

// notServed says that a part of the resolver is for a network that the resolver does not answer.
func notServed(b *Resolver, n conf.Ref[*router.Network], what conf.Addr) *hcl.Diagnostic {
	return diag.With(diag.Help(diag.Error("not-served", n.Range, "Network that the resolver does not answer",
		"%s is for %s, which is none of the networks of the resolver.", what, n.Addr),
		"Add it to the networks of the resolver, or take it out here."), b.Networks.Range, "the resolver's")
}

// isFor tells whether the list is for a network of the resolver.
func (l *Blocklist) isFor(n *router.Network) bool { return !l.Networks.Set || conf.Has(l.Networks, n) }

// readBlocklist reads a list as blocklist.awk does: both refuse the same lines. Of lines that are
// of no list the first is told.
func readBlocklist(name string, text []byte) (names []string, wrong *hcl.Diagnostic) {
	at, n := 0, 0
	for line := range bytes.SplitAfterSeq(text, []byte("\n")) {
		n++
		begin := at
		at += len(line)
		more, why := blocked(string(line))
		if why != "" {
			left := bytes.TrimLeft(line, " \t")
			column := len(line) - len(left)
			content := bytes.TrimRight(left, " \t\r\n")
			return nil, diag.Help(diag.Error("bad-list-line", hcl.Range{
				Filename: name,
				Start:    hcl.Pos{Line: n, Column: column + 1, Byte: begin + column},
				End:      hcl.Pos{Line: n, Column: column + 1 + len(content), Byte: begin + column + len(content)},
			}, "Line of no blocklist", "%s.", why),
				"A line is a name, as ads.example.com; or 0.0.0.0 and names, as in /etc/hosts; or a name with CNAME and a dot, of a response policy zone. What follows # or ; is a comment.")
		}
		names = append(names, more...)
	}
	return names, nil
}

var (
	listWordRE = regexp.MustCompile(`[^ \t]+`)
	digitsRE   = regexp.MustCompile(`^[0-9.]+$`)
)

// blocked are the names of a line of a list; why tells why it is none.
func blocked(line string) (names []string, why string) {
	line = strings.TrimRight(line, "\r\n")
	if i := strings.IndexAny(line, "#;"); i >= 0 {
		line = line[:i]
	}
	w := listWordRE.FindAllString(line, -1)
	n := len(w)
	switch {
	case n == 0, w[0][0] == '$', w[0] == "@", w[0] == "NS", n > 1 && w[1] == "SOA", n > 2 && w[2] == "SOA":
		return nil, "" // how a zone begins
	case digitsRE.MatchString(w[0]) || strings.Contains(w[0], ":"):
		if n == 1 {
			return nil, "This is an address, and names are blocked"
		}
		for _, name := range w[1:] {
			if !strings.Contains(name, ".") || digitsRE.MatchString(name) {
				continue // localhost and the like
			}
			if !slices.Contains([]string{"0.0.0.0", "127.0.0.1", "::", "::1"}, w[0]) {
				return nil, "This gives a name an address, and only names of 0.0.0.0, 127.0.0.1, :: and ::1 are blocked"
			}
			names = append(names, name)
		}
	case n == 1, n > 2 && w[n-1] == "." && strings.ToUpper(w[n-2]) == "CNAME":
		names = w[:1]
	case n > 2 && strings.HasPrefix(strings.ToUpper(w[n-2]), "CNAME"):
		return nil, "Knot Resolver knows one action of a response policy zone, that the name does not exist: CNAME ."
	default:
		return nil, "This is neither a name nor an address with names"
	}
	for i, name := range names {
		name = strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(name), "*."), ".")
		if !blockable(name) {
			return nil, "This is no domain name with a dot in it"
		}
		names[i] = name
	}
	return names, ""
}

// blockable tells whether a name in lower case is one of at least two labels.
func blockable(name string) bool {
	if len(name) > 253 || !strings.Contains(name, ".") {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// allowed tells whether a name is allowed all the same: it is one that is, or below or above it.
func (l *Blocklist) allowed(name string) bool {
	return slices.ContainsFunc(l.Allow.All(), func(z router.ZoneName) bool {
		return name == string(z) || strings.HasSuffix(name, "."+string(z)) || strings.HasSuffix(string(z), "."+name)
	})
}

// blocklistAWK makes a response policy zone of lists, while NixOS is built.
//
//go:embed blocklist.awk
var blocklistAWK string

// mark is a name that each list adds, and digest its text: where the name is found, the list is
// in use, and is this one.
func (l *Blocklist) mark() string { return string(l.Name.V) + ".blocklist.nbr.invalid" }

func (l *Blocklist) digest(r *router.Router) string {
	h := sha256.New()
	for _, z := range l.Allow.All() {
		fmt.Fprintf(h, "allow %s\n", z)
	}
	for _, f := range l.Files.All() {
		fmt.Fprintf(h, "file %s %d\n%s\n", f, len(r.Files[string(f)]), r.Files[string(f)])
	}
	for _, i := range l.Inputs.All() {
		fmt.Fprintf(h, "input %s\n", i)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// zone is the derivation of the response policy zone.
func (l *Blocklist) zone(r *router.Router) nixgen.Expr {
	command := nixgen.Concat{nixgen.Str("awk -f "), nixgen.Apply("pkgs.writeText", nixgen.Str("blocklist.awk"), nixgen.Lines(blocklistAWK))}
	for _, f := range l.Files.All() {
		command = append(command, nixgen.Str(" "), nixgen.Path("./spec/"+string(f)))
	}
	for _, i := range l.Inputs.All() {
		command = append(command, nixgen.Str(" "), nixgen.Var(string(i.Input)), nixgen.Str("/"+path.Clean(string(i.File))))
	}
	return nixgen.Call{Fn: nixgen.Var("pkgs.runCommandLocal"), Args: []nixgen.Expr{
		nixgen.Str("blocklist-" + string(l.Name.V) + ".rpz"),
		nixgen.Attrs{
			nixgen.Bind(service.Strs(l.Allow.All()), "allow"),
			nixgen.Bind(nixgen.Str(l.digest(r)), "digest"),
			nixgen.Bind(nixgen.Str(l.mark()), "mark"),
		},
		append(command, nixgen.Str(" >$out")),
	}}
}

// lowerBlocklists sets local-data.rpz. The files are in the Nix store and do not change, so nothing
// watches them.
func (b *Resolver) lowerBlocklists(r *router.Router, m *nixgen.Module, settings func(...string) []string) {
	for _, l := range b.Blocklists {
		m.Add(service.From(l), settings("local-data", "rpz"), nixgen.Attrs{
			nixgen.Bind(l.zone(r), "file"),
			nixgen.Bind(nixgen.List{nixgen.Str(string(l.Name.V))}, "tags"),
			nixgen.Bind(nixgen.Bool(false), "watchdog"),
		})
	}
}

// tags are the blocklists for a network.
func (b *Resolver) tags(n *router.Network) []string {
	var out []string
	for _, l := range b.Blocklists {
		if l.isFor(n) {
			out = append(out, string(l.Name.V))
		}
	}
	return out
}

// checkBlocklists asks, in each network, whether the list is in use there, and for a name of it.
func (b *Resolver) checkBlocklists(r *router.Router, p *verify.Plan) {
	if b.added("local-data", "rpz") || b.added("views") {
		return
	}
	for _, l := range b.Blocklists {
		i := slices.IndexFunc(l.names, func(name string) bool { return !l.allowed(name) })
		for _, n := range b.Networks.Items {
			for _, a := range addrs(n.Target) {
				pr := promise{
					id:    fmt.Sprintf("%s/lists/%s", l.Addr, a),
					title: fmt.Sprintf("the list %s on %s", l.Name.V, a), from: cmp.Or(l.Networks.Range, l.Def),
					query: query{Server: a, Name: l.mark() + ".", Type: "TXT"}, code: "NXDOMAIN",
				}
				if !l.isFor(n.Target) {
					pr.add(p)
					continue
				}
				pr.code, pr.data = "NOERROR", fmt.Sprintf("%q", l.digest(r))
				pr.add(p)
				if i >= 0 {
					promise{
						id:    fmt.Sprintf("%s/blocks/%s", l.Addr, a),
						title: fmt.Sprintf("a name of %s does not exist on %s", l.Name.V, a), from: cmp.Or(l.Files.Range, l.Def),
						query: query{Server: a, Name: l.names[i] + ".", Type: "A"}, code: "NXDOMAIN",
					}.add(p)
				}
			}
		}
	}
}
