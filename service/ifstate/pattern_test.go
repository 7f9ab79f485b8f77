package ifstate

import "testing"

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"^tailscale0$", `a\.b|c`, `^(veth|docker)[0-9a-f]+$`, "wg[0-9]{1,2}", "[^a]b*?", "[]a]", `\d+\w`, "(?:a|b)+", `''${x}"`, "a{2}", "ü+", "[" + `\]` + "]"} {
		var p Pattern
		if err := p.UnmarshalText([]byte(good)); err != nil || string(p) != good {
			t.Errorf("%q: %q, %v", good, p, err)
		}
	}
	for _, bad := range []string{"", "[", "(", "*", "a**", "(?<x", "(?<x>a)", "(?P<x>a)", "(?i)a", `\pL`, `\Aa`, `a\z`, `\x{41}`, `\Qa`, "^*", "$+", "(*a)", "|?a", "a{,2}", "[[:alpha:]]", "()*", "(?:)+", "(?!wg)", `(a)\1`, `a\`} {
		var p Pattern
		if err := p.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
