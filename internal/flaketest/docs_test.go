package flaketest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
)

// shell are the lines of a page's shell blocks, without comments.
func shell(page string) []string {
	var out []string
	in := false
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			in = line == "```sh"
			continue
		}
		if cmd, _, _ := strings.Cut(line, " # "); in && strings.TrimSpace(cmd) != "" {
			out = append(out, strings.TrimSpace(cmd))
		}
	}
	return out
}

var (
	installableRE = regexp.MustCompile(`[^\s#]#([\w.-]+)`)
	nbrRE         = regexp.MustCompile(`\bnbr ([a-z]+)((?: -[^&|]*)?)`)
	flagRE        = regexp.MustCompile(`(?:^| )--?([a-z][a-z-]*)`)
)

// The commands of the pages name what a flake has of the article's router, of the PC's, and of the
// one that nbr init writes for a PC; and flags that nbr has.
func TestCommandsOfThePages(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(repo, "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := gen(t, article, filepath.Join(repo, "testdata/routers/x86"), initial(t, "pc-x86_64"))
	in := used(t, out, standin.Inputs(t, "26.05"))
	nix := lab.Nix(t)
	eval := func(attr string, args ...string) (string, error) {
		args = append([]string{"eval", "--offline", "--no-write-lock-file", "path:" + out + "#" + attr}, args...)
		return nix.Try(t, "nix", append(args, lab.Overrides(in)...)...)
	}
	names := func(attr string) (out []string) {
		text, err := eval(attr, "--json", "--apply", "builtins.attrNames")
		if err == nil {
			err = json.Unmarshal([]byte(text), &out)
		}
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	configurations, images := names("nixosConfigurations"), names("packages.x86_64-linux")
	own, err := os.ReadFile(filepath.Join(repo, "flake.nix"))
	if err != nil {
		t.Fatal(err)
	}
	program := build(t, repo, "readonly", "./cmd/nbr")

	seen := map[string]int{}
	for _, page := range append(pages, filepath.Join(repo, "README.md")) {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range shell(string(b)) {
			for _, m := range installableRE.FindAllStringSubmatch(line, -1) {
				attr := m[1]
				switch {
				case strings.Contains(line, "nixos-rebuild"):
					seen["configuration"]++
					if !slices.Contains(configurations, attr) {
						t.Errorf("%s: %s: the configurations are %q", page, line, configurations)
					}
				case strings.Contains(line, "/nbr#"): // a package of nbr's own flake
					if !regexp.MustCompile(`(?m)^ +` + regexp.QuoteMeta(attr) + ` = `).Match(own) {
						t.Errorf("%s: %s: nbr's flake has no such package", page, line)
					}
				case strings.HasPrefix(attr, "nixosConfigurations."):
					seen["attribute"]++
					if _, err := eval(attr + ".drvPath"); err != nil {
						t.Errorf("%s: %s: %v", page, line, err)
					}
				default:
					seen["package"]++
					if !slices.Contains(images, attr) {
						t.Errorf("%s: %s: the packages are %q", page, line, images)
					}
				}
			}
			for _, m := range nbrRE.FindAllStringSubmatch(line, -1) {
				help := run(t, ".", program, m[1], "--help")
				for _, flag := range flagRE.FindAllStringSubmatch(m[2], -1) {
					seen["flag"]++
					// Short ones have one dash there: "-o DIR", "--help, -h".
					if !regexp.MustCompile(`(?m)(^\s+|, )--?` + flag[1] + `[\s,]`).MatchString(help) {
						t.Errorf("%s: %s: nbr %s has no flag -%s", page, line, m[1], flag[1])
					}
				}
			}
		}
	}
	for _, what := range []string{"configuration", "attribute", "package", "flag"} {
		if seen[what] == 0 {
			t.Errorf("no command of the pages names a %s: the test does not find them", what)
		}
	}
}
