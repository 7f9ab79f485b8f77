package diag

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// twins are characters that are taken for one of ASCII, in the order of the latter (a choice of
// those in Unicode's confusables.txt, UTS 39).
var twins = func() map[rune]rune {
	out := map[rune]rune{}
	for ascii, foreign := range map[rune]string{
		'a': "\u0430\u03b1\u0251", 'b': "\u042c", 'c': "\u0441\u03f2\u217d", 'd': "\u0501\u217e", 'e': "\u0435\u04bd", 'g': "\u0261\u0581",
		'h': "\u04bb\u0570", 'i': "\u0456\u03b9\u0131\u2170", 'j': "\u0458\u0237", 'k': "\u043a\u03ba", 'l': "\u04cf\u217c", 'm': "\u043c\u217f",
		'n': "\u0578\u043f", 'o': "\u043e\u03bf\u0585", 'p': "\u0440\u03c1", 'q': "\u051b", 'r': "\u0433", 's': "\u0455", 't': "\u0442\u03c4", 'u': "\u057d\u03c5",
		'v': "\u03bd\u2174", 'w': "\u051d", 'x': "\u0445\u03c7\u2179", 'y': "\u0443\u04af",
		'A': "\u0410\u0391", 'B': "\u0412\u0392", 'C': "\u0421", 'E': "\u0415\u0395", 'H': "\u041d\u0397", 'I': "\u0406\u0399", 'J': "\u0408",
		'K': "\u041a\u039a\u212a", 'M': "\u041c\u039c", 'N': "\u039d", 'O': "\u041e\u039f", 'P': "\u0420\u03a1", 'Q': "\u051a", 'S': "\u0405",
		'T': "\u0422\u03a4", 'W': "\u051c", 'X': "\u0425\u03a7", 'Y': "\u04ae\u03a5", 'Z': "\u0396",
		'-': "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad", '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '\'': "\u2018\u2019\u201a\u2032\u00b4",
		'.': "\u2024\u3002\u00b7", ',': "\u3001", ':': "\u2236\ua789", '/': "\u2044\u2215", '=': "\u2550\ua78a", '*': "\u2217\u00d7",
		' ': "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
	} {
		for _, r := range foreign {
			out[r] = ascii
		}
	}
	for r := rune(0xff01); r <= 0xff5e; r++ { // the full-width forms of ASCII
		out[r] = r - 0xfee0
	}
	return out
}()

// signs are the names of characters that no script has.
var signs = map[rune]string{
	0x2010: "a hyphen", 0x2011: "a hyphen that no line breaks at", 0x2012: "a figure dash", 0x2013: "an en dash", 0x2014: "an em dash", 0x2015: "a bar", 0x2212: "a minus sign", 0x00ad: "a soft hyphen",
	0x201c: "a curly quote", 0x201d: "a curly quote", 0x201e: "a low quote", 0x201f: "a curly quote", 0x2033: "a double prime", 0x00ab: "a guillemet", 0x00bb: "a guillemet",
	0x2018: "a curly quote", 0x2019: "a curly quote", 0x201a: "a low quote", 0x2032: "a prime", 0x00b4: "an accent", 0x00a0: "a space that no line breaks at",
}

// Foreign finds the first character of a text that is taken for one of ASCII and is another:
// its offset in bytes, what it is, and the advice what to write. In a name, a number or an
// address no such character is meant; in a text for people it may be.
func Foreign(text string) (at int, what, help string, ok bool) {
	at = strings.IndexFunc(text, func(r rune) bool { return twins[r] != 0 })
	if at < 0 {
		return 0, "", "", false
	}
	r, _ := utf8.DecodeRuneInString(text[at:])
	return at, fmt.Sprintf("%U, %s, and not the %q that it looks like.", r, named(r), twins[r]), fmt.Sprintf("Write %q instead.", twins[r]), true
}

// ForeignName is [Foreign] for a name, which may be in a script of its own: the foreign letter
// is among others of ASCII, or all letters look like those.
func ForeignName(name string) (at int, what, help string, ok bool) {
	all := true
	for _, r := range name {
		if r < utf8.RuneSelf && unicode.IsLetter(r) {
			return Foreign(name)
		}
		all = all && (!unicode.IsLetter(r) || twins[r] != 0)
	}
	if !all {
		return 0, "", "", false
	}
	return Foreign(name)
}

// ToASCII is a text with each character that looks like one of ASCII replaced by that.
func ToASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if t := twins[r]; t != 0 {
			return t
		}
		return r
	}, text)
}

// named says which character it is: its own name, or its script.
func named(r rune) string {
	if s := signs[r]; s != "" {
		return s
	}
	if r >= 0xff01 && r <= 0xff5e {
		return "a full-width form"
	}
	kind := "sign"
	switch {
	case unicode.IsLetter(r):
		kind = "letter"
	case unicode.IsSpace(r):
		return "a wide or narrow space"
	}
	for script, table := range unicode.Scripts { // one has it
		if unicode.Is(table, r) && script != "Common" {
			return "a " + script + " " + kind
		}
	}
	return "another " + kind
}
