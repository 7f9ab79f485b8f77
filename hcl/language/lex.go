package language

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// mostBegun is how often a text without its last quote is passed over in a file.
const mostBegun = 20

// lex are the tokens of a file. A text that is not closed on its line is taken to end there: to the library all
// that follows would be a part of it.
func lex(f *File) hclsyntax.Tokens {
	var out hclsyntax.Tokens
	at := hcl.InitialPos
	for n := 0; ; n++ {
		tokens, _ := hclsyntax.LexConfig(f.Src[at.Byte:], f.Name, at)
		cut := -1
		for i, t := range tokens {
			if t.Type == hclsyntax.TokenQuotedNewline && n < mostBegun {
				cut = i
				break
			}
		}
		if cut < 0 {
			return append(out, tokens...)
		}
		end := tokens[cut]
		out = append(append(out, tokens[:cut+1]...), hclsyntax.Token{Type: hclsyntax.TokenNewline, Bytes: end.Bytes, Range: end.Range})
		at = end.Range.End
	}
}
