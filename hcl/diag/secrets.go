package diag

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Secrets is what looks confidential in the files of a spec: what stands behind a name
// such as password or private_key, and what has the form of a key, a hash or a token
// wherever it stands. A spec holds no secrets, and people write them there by mistake;
// whatever prints a line of a spec, or a message about one of its values, masks them.
type Secrets struct {
	mu     sync.Mutex // of masks
	spans  map[string][]span
	texts  map[string]bool
	public map[string]bool
	masks  *strings.Replacer // of texts; nil when they have changed
}

// A span is a part of a file, in bytes.
type span struct{ from, to int }

// NewSecrets is what is known of no file.
func NewSecrets() *Secrets {
	return &Secrets{spans: map[string][]span{}, texts: map[string]bool{}, public: map[string]bool{}}
}

// Add looks through a file of a spec, in either syntax.
func (s *Secrets) Add(name string, src []byte) {
	if _, done := s.spans[name]; done {
		return
	}
	sc := scanner{src: src, secrets: s}
	sc.names()
	sc.comments()
	sc.pem()
	sc.shapes()
	s.spans[name] = joined(sc.spans)
}

// joined are the same parts, sorted and none on another.
func joined(in []span) []span {
	slices.SortFunc(in, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var out []span
	for _, sp := range in {
		if n := len(out); n > 0 && sp.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, sp.to)
			continue
		}
		out = append(out, sp)
	}
	return out
}

// Public says of a text that it is no secret, whatever it looks like: the public key of a
// peer. Files are added after it.
func (s *Secrets) Public(t string) { s.public[t] = true }

// AddValue adds the value of a variable that no file of the spec says.
func (s *Secrets) AddValue(name, value string) {
	if confidential(name) {
		s.text(value)
	}
	for _, r := range shapes([]byte(value)) {
		s.text(value[r.from:r.to])
	}
}

// shortest is the length from which a text is masked in messages, too: what is shorter is
// part of too many words.
const shortest = 4

func (s *Secrets) text(t string) {
	for l := range strings.SplitSeq(t, "\n") {
		l = strings.TrimSpace(l)
		if len(l) < shortest || l == "true" || l == "false" || l == "null" {
			continue
		}
		for _, form := range []string{l, unescape(l)} {
			quoted := strconv.Quote(form)
			for _, f := range []string{form, quoted[1 : len(quoted)-1], strings.ToLower(form), strings.ToUpper(form)} {
				s.texts[f] = true
			}
		}
	}
	s.masks = nil
}

// unescape is the value of a literal without its templates.
func unescape(s string) string {
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `$${`, `${`, `%%{`, `%{`).Replace(s)
}

// Text masks what looks confidential in a message.
func (s *Secrets) Text(t string) string {
	if s == nil {
		s = NewSecrets()
	}
	t = s.Known(t)
	var b strings.Builder
	at := 0
	for _, r := range shapes([]byte(t)) {
		if !s.public[t[r.from:r.to]] {
			b.WriteString(t[at:r.from] + stars(t[r.from:r.to]))
			at = r.to
		}
	}
	return b.String() + t[at:]
}

// Known masks only what the files of the spec hold: what a router has shown may look
// like a key and be one that is public.
func (s *Secrets) Known(t string) string {
	if s == nil || len(s.texts) == 0 {
		return t
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.masks == nil {
		// The longest first, which Replacer tries in this order at each place.
		all := make([]string, 0, len(s.texts))
		for t := range s.texts {
			all = append(all, t)
		}
		slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
		var pairs []string
		for _, t := range all {
			pairs = append(pairs, t, stars(t))
		}
		s.masks = strings.NewReplacer(pairs...)
	}
	return s.masks.Replace(t)
}

// piece masks a part of a file that begins at the byte at.
func (s *Secrets) piece(name, text string, at int) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		_, n := utf8.DecodeRuneInString(text[i:])
		if r := text[i : i+n]; r != "\t" && s.covers(name, at+i) {
			b.WriteString(stars(r))
		} else {
			b.WriteString(r)
		}
		i += n
	}
	return b.String()
}

// Line is a line of a file, counted from 1, without its secrets.
func (s *Secrets) Line(name string, src []byte, n int) string {
	s.Add(name, src)
	at := 0
	for l := range bytes.Lines(src) {
		if n--; n == 0 {
			return s.piece(name, strings.TrimRight(string(l), "\r\n"), at)
		}
		at += len(l)
	}
	return ""
}

// covers tells whether a byte of a file is part of a secret.
func (s *Secrets) covers(name string, i int) bool {
	spans := s.spans[name]
	n, found := slices.BinarySearchFunc(spans, i, func(sp span, i int) int { return cmp.Compare(sp.from, i) })
	return found || n > 0 && i < spans[n-1].to
}

// stars are as wide as the text.
func stars(s string) string { return strings.Repeat("*", columns(s)) }

// confidentialRE are names of what is kept secret, misspelled ones among them.
var confidentialRE = regexp.MustCompile(`(?i)pass+w|pas+wd|pass+phrase|pass$|_pass_|passwort|kennwort|paswd|pasword|pwd|secret|token|psk|pre_?shared|^priv|_priv|private|privat_|credential|^auth$|_auth$|(^|[a-z0-9_-])keys?$`)

// publicRE are names that look like it, of what is public.
var publicRE = regexp.MustCompile(`(?i)pub(lic)?[_-]?keys?$`)

// openRE are further ones, whose values do not look like secrets unless they are.
var openRE = regexp.MustCompile(`(?i)^authorized_?keys$`)

func confidential(name string) bool {
	return confidentialRE.MatchString(name) && !publicRE.MatchString(name) && !openRE.MatchString(name)
}

// A scanner finds the secrets in a file. It knows no grammar: where a quote is missing
// no parser knows either what is meant.
type scanner struct {
	src     []byte
	spans   []span
	secrets *Secrets
}

func (sc *scanner) mask(from, to int) {
	if from < to {
		sc.spans = append(sc.spans, span{from, to})
	}
}

var (
	nameRE     = regexp.MustCompile(`(?m)([A-Za-z_][A-Za-z0-9_-]*)("?[ \t]*)([=:])`)
	variableRE = regexp.MustCompile(`(?m)^[ \t]*variable[ \t]+"?([A-Za-z_][A-Za-z0-9_-]*)`)
	jsonVarRE  = regexp.MustCompile(`"([A-Za-z_][A-Za-z0-9_-]*)"\s*:\s*\[?\s*\{`)
	quotedRE   = regexp.MustCompile(`^"((?:[^"\\\n]|\\.)*)"[ \t]*(?:$|[\r\n,})\]#]|//|/\*)`)
	heredocRE  = regexp.MustCompile(`^<<-?[ \t]*([A-Za-z_][A-Za-z0-9_-]*)[ \t]*\r?\n`)
	// What names a secret is none.
	referenceRE = regexp.MustCompile(`^"?(?:secret|var|local|each)(?:\.[A-Za-z_][A-Za-z0-9_-]*|\[[^\]\n]*\])+"?$|^(?:true|false|null)$`)
	pathRE      = regexp.MustCompile(`^"(?:/[A-Za-z0-9_.@-]+)+"$`)
	commentRE   = regexp.MustCompile(`(?m)(?:#|//|/\*)[^\n]*`)
	keyRE       = regexp.MustCompile(`[{,\n][ \t\r\n]*("?[A-Za-z_][A-Za-z0-9_-]*"?[ \t]*[=:])`)
	wordRE      = regexp.MustCompile(`[^\s"'()\[\]{},=:]{4,}`)
)

// names masks the values of confidential names.
func (sc *scanner) names() {
	type block struct {
		at   int
		name string
	}
	var variables []block
	for _, m := range slices.Concat(variableRE.FindAllSubmatchIndex(sc.src, -1), jsonVarRE.FindAllSubmatchIndex(sc.src, -1)) {
		variables = append(variables, block{m[2], string(sc.src[m[2]:m[3]])})
	}
	slices.SortFunc(variables, func(a, b block) int { return cmp.Compare(a.at, b.at) })
	end := 0 // of the value before: what is inside is masked already
	for _, m := range nameRE.FindAllSubmatchIndex(sc.src, -1) {
		name, at := string(sc.src[m[2]:m[3]]), m[7]
		if m[0] < end || at < len(sc.src) && sc.src[at] == '=' { // it compares
			continue
		}
		if name == "default" {
			if i, _ := slices.BinarySearchFunc(variables, m[0], func(b block, at int) int { return cmp.Compare(b.at, at) }); i > 0 {
				name = variables[i-1].name
			}
		}
		for at < len(sc.src) && (sc.src[at] == ' ' || sc.src[at] == '\t') {
			at++
		}
		switch {
		case publicRE.MatchString(name):
			for _, r := range shapes(sc.src[at:lineEnd(sc.src, at)]) {
				sc.secrets.public[string(sc.src[at+r.from:at+r.to])] = true
			}
		case confidential(name):
			end = sc.value(name, at)
		}
	}
}

// value masks the value that begins at a byte and returns where it ends.
func (sc *scanner) value(name string, at int) int {
	rest := sc.src[at:]
	if name == "secret" && bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n["), []byte("{")) {
		return at // the blocks of JSON, which say where secrets are
	}
	eol := lineEnd(sc.src, at)
	whole := strings.TrimSpace(string(sc.src[at:eol]))
	bare := strings.TrimSpace(strings.TrimRight(commentRE.ReplaceAllString(whole, ""), " \t\r,}"))
	if referenceRE.MatchString(bare) || pathRE.MatchString(bare) && len(shapes([]byte(bare))) == 0 {
		return at
	}
	text := func(t string) {
		if name != "key" { // too common a word for what is not a secret
			sc.secrets.text(t)
		}
	}
	if m := heredocRE.FindSubmatchIndex(rest); m != nil {
		end := len(sc.src)
		stop := regexp.MustCompile(`(?m)^[ \t]*` + regexp.QuoteMeta(string(rest[m[2]:m[3]])) + `[ \t]*\r?$`)
		if s := stop.FindIndex(rest[m[1]:]); s != nil {
			end = at + m[1] + s[0]
		}
		sc.mask(at+m[1], end)
		text(string(sc.src[at+m[1] : end]))
		return end
	}
	if m := quotedRE.FindSubmatchIndex(rest); m != nil {
		if inner := string(rest[m[2]:m[3]]); !referenceRE.MatchString(inner) {
			sc.mask(at+m[2], at+m[3])
			text(inner)
		}
		// A comment beside it may say it again.
		if c := commentRE.FindIndex(sc.src[at+m[3] : eol]); c != nil {
			sc.mask(at+m[3]+c[0]+1, eol)
			sc.words(text, at+m[3]+c[0], eol)
		}
		return at + m[3]
	}
	end := brackets(sc.src, at, eol)
	from := at
	for _, k := range keyRE.FindAllSubmatchIndex(sc.src[at:end], -1) { // the names inside are none
		sc.bare(text, from, at+k[2])
		from = at + k[3]
	}
	sc.bare(text, from, end)
	return end
}

// bare masks a part that is not in quotes, or not all of it.
func (sc *scanner) bare(text func(string), from, to int) {
	for i := from; i < to; i++ {
		if !bytes.ContainsRune([]byte(" \t\r\n\"()[]{},"), rune(sc.src[i])) {
			sc.mask(i, i+1)
		}
	}
	if from < to {
		sc.words(text, from, to)
	}
}

// words keeps each word of a part that is masked, for messages.
func (sc *scanner) words(text func(string), from, to int) {
	for _, w := range wordRE.FindAll(sc.src[from:to], -1) {
		if !slices.Contains(roots, string(w)) {
			text(string(w))
		}
		// An operator cuts the name that a message complains of.
		for _, part := range strings.FieldsFunc(string(w), func(r rune) bool { return strings.ContainsRune("+-*/%.&|!<>?;$", r) }) {
			if !slices.Contains(roots, part) {
				text(part)
			}
		}
	}
}

// roots are words that an expression begins with, and names of attributes: messages use
// them, and a comment beside a secret has some of them.
var roots = []string{
	"port", "network", "bridge", "bond", "dummy", "veth", "vlan", "vrf", "vxlan", "macsec", "gre", "sit", "ip6tnl", "xfrm", "zone", "secret", "wireguard", "local", "each", "value",
	"password", "passwords", "hashed_password", "hashed_password_file", "authorized_keys", "private_key", "preshared_key",
}

// brackets is where the brackets are closed that a line opens; at the end of the line
// when it opens none.
func brackets(src []byte, at, eol int) int {
	depth := 0
	for i := at; i < len(src); i++ {
		switch src[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth < 0 {
				return min(i, eol)
			}
		case '\n':
			if depth <= 0 {
				return i
			}
		}
	}
	return len(src)
}

func lineEnd(src []byte, at int) int {
	if i := bytes.IndexByte(src[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(src)
}

// pem masks private keys of several lines.
func (sc *scanner) pem() {
	for _, m := range pemRE.FindAllIndex(sc.src, -1) {
		end := len(sc.src)
		if i := bytes.Index(sc.src[m[1]:], []byte("-----END")); i >= 0 {
			end = m[1] + i
		}
		sc.mask(m[1], end)
		sc.secrets.text(string(sc.src[m[1]:end]))
	}
}

// comments masks what a comment says of a confidential name.
func (sc *scanner) comments() {
	for _, c := range commentRE.FindAllIndex(sc.src, -1) {
		for _, m := range nameRE.FindAllSubmatchIndex(sc.src[c[0]:c[1]], -1) {
			if confidential(string(sc.src[c[0]+m[2] : c[0]+m[3]])) {
				sc.mask(c[0]+m[7], c[1])
			}
		}
	}
}

// shapes masks what has the form of a secret, whatever its name.
func (sc *scanner) shapes() {
	for _, r := range shapes(sc.src) {
		t := string(sc.src[r.from:r.to])
		if sc.secrets.public[t] {
			continue
		}
		sc.mask(r.from, r.to)
		sc.secrets.text(t)
	}
}
