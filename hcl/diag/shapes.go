package diag

import (
	"regexp"
	"strings"
)

var (
	pemRE = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----`)
	// A run that may be a secret: base64 in both alphabets, hexadecimal.
	runRE   = regexp.MustCompile(`[A-Za-z0-9+/_.$=,-]{20,}`)
	cryptRE = regexp.MustCompile(`\$(?:y|gy|7|2[abxy]?|6|5|1|sha1|md5|argon2[id]{1,2}|scrypt)\$[A-Za-z0-9./$=,+-]+`)
	// A key of WireGuard is 32 bytes of base64 (wg(8)).
	wireguardRE = regexp.MustCompile(`[A-Za-z0-9+/]{43}=`)
	tokenRE     = regexp.MustCompile(`[A-Za-z0-9+/_-]{20,}=*`)
	hexRE       = regexp.MustCompile(`^[0-9a-fA-F]{32,}$`)
	ageRE       = regexp.MustCompile(`AGE-SECRET-KEY-1[A-Z0-9]+`)
	// The wire form of an SSH public key begins with the length of its type (RFC 4253
	// section 6.6); age's recipients with age1.
	publicKeyRE = regexp.MustCompile(`^(?:AAAA[BCEGI]|age1)`)
)

// shapes are the parts of a text that have the form of a secret, in their order.
func shapes(src []byte) []span {
	var out []span
	for _, m := range cryptRE.FindAllIndex(src, -1) {
		out = append(out, span{m[0], m[1]})
	}
	for _, run := range runRE.FindAllIndex(src, -1) {
		text := src[run[0]:run[1]]
		found := func(m []int) { out = append(out, span{run[0] + m[0], run[0] + m[1]}) }
		if m := ageRE.FindIndex(text); m != nil {
			found(m)
			continue
		}
		if m := wireguardRE.FindIndex(text); m != nil && mixed(string(text[m[0]:m[1]])) {
			found(m)
			continue
		}
		for _, m := range tokenRE.FindAllIndex(text, -1) {
			if t := string(text[m[0]:m[1]]); !publicKeyRE.MatchString(t) && random(t) {
				found(m)
			}
		}
	}
	return joined(out)
}

// mixed tells whether a text is not of one kind of character only, as a ruler of dashes
// or a word is.
func mixed(s string) bool {
	_, kinds := changes(s)
	return kinds >= 2
}

// random tells whether a text looks as if it were made by chance: a key or a token, and no
// words, no path, no name.
func random(s string) bool {
	if hexRE.MatchString(s) {
		return mixed(s)
	}
	// Of chance every second character or so is of another kind than the one before; in
	// words joined by signs it is one in four or five.
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune("+/_-=", r) }) {
		n, kinds := changes(part)
		if len(part) >= 16 && kinds >= 3 && 4*n >= len(part) || len(part) >= 24 && kinds == 2 && 5*n >= 2*len(part) {
			return true
		}
	}
	n, kinds := changes(s)
	return len(s) >= 24 && kinds >= 3 && 5*n >= 2*len(s)
}

// changes counts how often the kind of character changes, and how many kinds there are of
// lower case, upper case, digits and signs.
func changes(s string) (n, kinds int) {
	var seen [4]bool
	before := -1
	for _, r := range s {
		kind := 3
		switch {
		case r >= 'a' && r <= 'z':
			kind = 0
		case r >= 'A' && r <= 'Z':
			kind = 1
		case r >= '0' && r <= '9':
			kind = 2
		}
		if before >= 0 && kind != before {
			n++
		}
		before = kind
		seen[kind] = true
	}
	for i, s := range seen {
		if s && i < 3 {
			kinds++
		}
	}
	return n, kinds
}
