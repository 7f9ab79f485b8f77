package source

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// TestFirstError wants one error of a file, at the line where what is not closed began.
func TestFirstError(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"quote", "a = \"x\nb = \"y\"\nc = \"z\"\n", `1:5 Text is not closed: Close it`},
		{"first quote", "b = \"y\"\na = x\"\nc = \"z\"\n", `2:6 Text is not closed: If the text ends here`},
		{"quote in a list", "a = [\"x, \"y\"]\nb = \"z\"\n", `1:12 Text is not closed: One " of this line`},
		{"quote after a block", "n \"lan {\n  a = 1\n}\nb = 1\n", `1:3 Text is not closed: Close it`},
		{"heredoc", "a = <<EOT\ntext\nEOT.\nb \"c\" {\n}\n", `1:5 Text is not closed: Put EOT on a line`},
		{"indented heredoc", "b \"c\" {\n  a = <<-END\n  x\n  END,\n}\n", `2:7 Text is not closed: Put END on a line`},
		{"interpolation", "a = \"${x\"\nb = \"y\"\n", `1:5 Text is not closed: Close it`},
		{"interpolation without a quote inside", "a = <<E\n${x\nE\nb = 1\n", "1:5 Text is not closed: Put E on a line"},
		{"brace of the last block", "a \"b\" {\n}\nc \"d\" {\n  x = 1\n", `3:7 Not closed: Put a } after`},
		{"brace of a block before others", "a \"b\" {\n  x = 1\n\nc \"d\" {\n}\n", `1:7 Not closed: Put a } after`},
		{"brace of an inner block", "a \"b\" {\n  p \"q\" {\n    x = 1\n}\n\nc \"d\" {\n}\n", `2:9 Not closed: Put a } after`},
		{"bracket", "a \"b\" {\n  x = [1, 2\n}\n", `2:7 Not closed: Put a ] after`},
		{"bracket at the end", "a \"b\" {\n  x = [\n", `2:7 Not closed: Put a ] after`},
		{"parenthesis", "x = max(1, 2\ny = 3\n", `1:8 Not closed: Put a ) after`},
		{"a brace too many", "a \"b\" {\n}\n}\n", `3:1 Closes nothing: Remove it, or`},
		{"nothing after the sign", "a =\nb = \n", `1:4 Invalid expression: Write one, or remove`},
		{"an error before the quote", "a = = 1\nb = \"x\n", `1:5 Invalid expression: Write one, or remove`},
		{"colon", "a: 1\n", `1:1 Argument or block definition required: To set an argument`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, diags := Parse("a.hcl", []byte(tt.src))
			if len(diags) != 1 {
				t.Fatalf("%d errors, want one: %s", len(diags), diags)
			}
			d := diags[0]
			got := fmt.Sprintf("%d:%d %s: %s", d.Subject.Start.Line, d.Subject.Start.Column, d.Summary, diag.Text(d))
			place, help, _ := strings.Cut(tt.want, ": ")
			if diag.Code(d) != "syntax" || !strings.HasPrefix(got, place) || !strings.Contains(got, help) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestClosed wants nothing of what has all its ends.
func TestClosed(t *testing.T) {
	for _, src := range []string{
		"a = \"x ${y[\"z\"]} %{ if q }\\\" }%{ endif } $${\"\nb = <<-E\n  ${f({a = [1, (2)]})} \" {\n  E\n",
		"# it's \"\na \"b\" { x = 1 }\n/* { */\n",
	} {
		if d := unclosed("a.hcl", []byte(src)); d != nil {
			t.Errorf("%s: %s", d, src)
		}
	}
}
