package cmd

import "testing"

func TestReflow(t *testing.T) {
	const text = "code: One two three\nfour five.\n\nWrong:\n\n```hcl\na = 1 # a line as long as this stays\n\nb = 2\n```\n\nRight, and the\nend.\n\nEither of\n- one two three four\n- five\n"
	const narrow = "code: One\ntwo three\nfour five.\n\nWrong:\n\n```hcl\na = 1 # a line as long as this stays\n\nb = 2\n```\n\nRight, and\nthe end.\n\nEither of\n- one two three four\n- five\n"
	for width, want := range map[int]string{0: text, 10: narrow} {
		if got := reflow(text, width); got != want {
			t.Errorf("at %d columns:\n%s\nwant\n%s", width, got, want)
		}
	}
}
