package source

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// firstError is the one error of syntax of a file that is told. What the parser says
// after it is about a text that it has taken for another one: a quote that is missing
// turns every later text of the file inside out.
func firstError(name string, src []byte, diags hcl.Diagnostics) hcl.Diagnostics {
	var first *hcl.Diagnostic
	for _, d := range diags {
		if d.Severity == hcl.DiagError && d.Subject != nil && (first == nil || before(*d.Subject, *first.Subject)) {
			first = d
		}
	}
	if first == nil {
		return diags
	}
	if !strings.HasSuffix(name, ".json") {
		// The parser, too, may have seen that something is open, and blame what is around it.
		blames := strings.HasPrefix(first.Summary, "Unclosed ") || strings.HasPrefix(first.Summary, "Unterminated ")
		if open := unclosed(name, src); open != nil && (blames || first.Subject.Start.Line >= open.Subject.Start.Line) {
			first = open
		}
	}
	if first.Summary == "Invalid character" && !strings.HasSuffix(name, ".json") {
		invalid(src, first)
	}
	if first.Summary == "Invalid expression" { // the parser does not say what it found
		first.Detail = "No value begins here. A value is a text in quotes, a number, true or false, a list in brackets or a reference such as port.lan1."
		diag.Help(first, "Write one, or remove the argument.")
	}
	return hcl.Diagnostics{first}
}

func before(a, b hcl.Range) bool {
	return cmp.Or(cmp.Compare(a.Start.Byte, b.Start.Byte), cmp.Compare(a.End.Byte, b.End.Byte)) < 0
}

// opener is a token that something has to close.
type opener struct {
	hclsyntax.Token
	line textLine
}

// A textLine is where a line begins, and where its first character is that is no blank.
type textLine struct{ start, text int }

func textLines(src []byte) []textLine {
	var out []textLine
	for start, line := 0, []byte(nil); start <= len(src); start += len(line) + 1 {
		line, _, _ = bytes.Cut(src[start:], []byte("\n"))
		out = append(out, textLine{start, start + len(line) - len(bytes.TrimLeft(line, " \t"))})
	}
	return out
}

func (l textLine) indent() int { return l.text - l.start }

var closers = map[hclsyntax.TokenType]hclsyntax.TokenType{
	hclsyntax.TokenCBrace: hclsyntax.TokenOBrace, hclsyntax.TokenCBrack: hclsyntax.TokenOBrack,
	hclsyntax.TokenCParen: hclsyntax.TokenOParen, hclsyntax.TokenCQuote: hclsyntax.TokenOQuote,
	hclsyntax.TokenCHeredoc: hclsyntax.TokenOHeredoc,
}

// unclosed is the error that a quote, a heredoc, a brace or a bracket is never closed, at
// the place where it begins; nil when each is.
func unclosed(name string, src []byte) *hcl.Diagnostic {
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	lines := textLines(src)
	var stack []opener
	var shifted *opener // a brace whose place another one's closing brace has, by the indentation
	for _, t := range tokens {
		line := lines[t.Range.Start.Line-1]
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			stack = append(stack, opener{t, line})
		case hclsyntax.TokenQuotedNewline:
			if i := slices.IndexFunc(stack, func(o opener) bool { return o.Type == hclsyntax.TokenOQuote }); i >= 0 {
				return notClosed(src, stack[i])
			}
		case hclsyntax.TokenTemplateSeqEnd:
			if len(stack) > 0 {
				stack = stack[:len(stack)-1]
			}
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			if len(stack) == 0 {
				return diag.Help(diag.Error("syntax", t.Range, "Closes nothing",
					"Nothing is open that this %s could close.", kindOf(t.Type)),
					"Remove it, or look above for a block that is closed too early.")
			}
			top := stack[len(stack)-1]
			if top.Type != closers[t.Type] {
				return notClosed(src, top)
			}
			if t.Type == hclsyntax.TokenCBrace && shifted == nil && t.Range.Start.Byte == line.text && line.indent() < top.line.indent() {
				shifted = &top
			}
			stack = stack[:len(stack)-1]
		default: // neither opens nor closes anything
		}
	}
	inner := slices.IndexFunc(stack, func(o opener) bool { return o.Type == hclsyntax.TokenOHeredoc })
	if inner < 0 { // a list is shorter than a block
		inner = slices.IndexFunc(stack, func(o opener) bool { return o.Type != hclsyntax.TokenOBrace })
	}
	switch {
	case len(stack) == 0:
		return nil
	case inner >= 0: // whatever would close a block is a part of it
		return notClosed(src, stack[inner])
	case shifted != nil:
		return notClosed(src, *shifted)
	}
	return notClosed(src, stack[0])
}

// notClosed says what o begins and that it does not end.
func notClosed(src []byte, o opener) *hcl.Diagnostic {
	at, line := o.Range, o.Range.Start.Line
	switch o.Type {
	case hclsyntax.TokenOQuote:
		rest, _, _ := bytes.Cut(src[at.End.Byte:], []byte("\n"))
		help := "Close it with a \" on the same line."
		if bytes.ContainsRune(src[o.line.start:at.Start.Byte], '"') {
			help = "One \" of this line is missing: close this text, or one before it."
		} else if i := at.Start.Byte - 1; i > o.line.start && src[i] != ' ' && src[i] != '\t' && len(bytes.TrimSpace(rest)) == 0 {
			help = "If the text ends here, the \" before its first character is missing."
		}
		return diag.Help(diag.Error("syntax", at, "Text is not closed", "The quote of line %d begins a text, and no quote ends it on that line.", line), "%s", help)
	case hclsyntax.TokenOHeredoc:
		marker := strings.TrimLeft(strings.TrimSpace(string(o.Bytes)), "<-")
		return diag.Help(diag.Error("syntax", at, "Text is not closed",
			"The text that begins at line %d goes on to the end of the file: no line after it is %s and nothing else.", line, marker),
			"Put %s on a line of its own after the text's last line.", marker)
	case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		return diag.Help(diag.Error("syntax", at, "Expression is not closed",
			"The expression that %s begins at line %d is not closed.", strings.TrimSpace(string(o.Bytes)), line),
			"Close it with }, or write %s if no expression is meant.", doubled(o.Bytes))
	default:
		return diag.Help(diag.Error("syntax", at, "Not closed",
			"The %s of line %d is not closed.", kindOf(o.Type), line),
			"Put a %s after the last thing that belongs inside of it.", closing(o.Type))
	}
}

// doubled is how the first characters of an expression in a text are written when the
// characters themselves are meant.
func doubled(b []byte) string { return fmt.Sprintf("%c%s", b[0], strings.TrimRight(string(b), "~ ")) }

func kindOf(t hclsyntax.TokenType) string {
	switch t {
	case hclsyntax.TokenOBrace, hclsyntax.TokenCBrace:
		return "brace"
	case hclsyntax.TokenOParen, hclsyntax.TokenCParen:
		return "parenthesis"
	case hclsyntax.TokenOBrack, hclsyntax.TokenCBrack:
		return "bracket"
	default:
		return "quote"
	}
}

func closing(t hclsyntax.TokenType) string {
	switch t {
	case hclsyntax.TokenOBrace:
		return "}"
	case hclsyntax.TokenOParen:
		return ")"
	default:
		return "]"
	}
}
