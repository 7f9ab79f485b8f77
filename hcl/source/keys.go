package source

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// privateRE fits a private key in the form of PEM (RFC 7468), also as a part of a text or of
// a comment, one of age, and one of WireGuard or a preshared key by the name that wg-quick(8) gives
// it: by itself it looks like a public one.
var privateRE = regexp.MustCompile(`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:[\s#/*"',]|\\[rn])*[A-Za-z0-9+/]{16}|AGE-SECRET-KEY-1[A-Z0-9]{20}|` +
	`\b[Pp](?:rivate|reshared)Key"?[ \t]*[=:][ \t]*"?[A-Za-z0-9+/]{43}=`)

// partsOfKeys are what each text that privateRE fits has one of.
var partsOfKeys = [][]byte{[]byte("PRIVATE KEY"), []byte("AGE-SECRET-KEY-"), []byte("rivateKey"), []byte("resharedKey")}

// pasted are the errors that a file of a spec has a private key in it.
func pasted(name string, src []byte) hcl.Diagnostics {
	if !slices.ContainsFunc(partsOfKeys, func(part []byte) bool { return bytes.Contains(src, part) }) {
		return nil // the search alone took a tenth of the time of reading a large spec
	}
	var diags hcl.Diagnostics
	for _, m := range privateRE.FindAllIndex(src, -1) {
		diags = append(diags, diag.Hidden(diag.Help(diag.Error("private-key-in-spec", rangeAt(name, src, m[0]), "Private key in the spec",
			"A spec is copied, printed and kept in git, and what nbr makes of it everyone on the router can read."),
			"Put the key into a file on the router, and write secret \"name\" { path = \"/var/lib/secrets/name\" }. Make a new key: this one has been seen.")))
	}
	return diags
}

// How much of a folder is looked through for keys. A key is small.
const (
	mostKeyBytes = 64 << 10
	mostFiles    = 2000
	mostFolders  = 4 // within each other
)

// keys are the errors that private keys lie in the folder of a spec. What cannot be read is
// left out: nothing copies it either.
func keys(fsys fs.FS) hcl.Diagnostics {
	var diags hcl.Diagnostics
	left := mostFiles
	var look func(dir string, depth int)
	look = func(dir string, depth int) {
		entries, err := fs.ReadDir(fsys, dir)
		if err != nil {
			return
		}
		// Not every file system sorts.
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		for _, e := range entries {
			name := path.Join(dir, e.Name())
			switch {
			case e.IsDir() && !strings.HasPrefix(e.Name(), ".") && depth < mostFolders:
				look(name, depth+1)
			case !e.Type().IsRegular() || dir == "." && IsSpec(name): // that has been read
			case left > 0:
				left--
				if what := keyIn(fsys, name, e); what != "" {
					at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
					diags = append(diags, diag.Hidden(diag.Help(diag.Error("private-key-in-spec", at, "Private key beside the spec",
						"%s holds %s. The folder of a spec is kept in git, and a flake copies all of it into the Nix store, which everyone can read.", name, what),
						"Move the file out of the folder, to where the router has it, or encrypt it with sops or age.")))
				}
			}
		}
	}
	look(".", 1)
	return diags
}

// wireguardRE fits a file that holds a key as wg(8) prints it, and nothing else.
var wireguardRE = regexp.MustCompile(`^[A-Za-z0-9+/]{43}=\s*$`)

// keyIn is which private key a file holds; empty if none.
func keyIn(fsys fs.FS, name string, e fs.DirEntry) string {
	if info, err := e.Info(); err != nil || info.Size() > mostKeyBytes {
		return ""
	}
	b, err := ReadFile(fsys, name)
	switch {
	case err != nil:
		return ""
	case privateRE.Match(b):
		return "a private key"
	case wireguardRE.Match(b) && clamped(strings.TrimSpace(string(b))) && !strings.Contains(strings.ToLower(path.Base(name)), "pub"):
		return "a private key of WireGuard"
	}
	return ""
}

// clamped tells whether a key has the bits of a private one of Curve25519 (RFC 7748 section 5),
// as wg genkey makes it. One public key in sixteen has them, too.
func clamped(key string) bool {
	b, err := base64.StdEncoding.DecodeString(key)
	return err == nil && len(b) == 32 && b[0]&7 == 0 && b[31]&0xc0 == 0x40
}
