package firmware

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/hcl/diag"
)

func patches(t *testing.T, src string) []PatchFile {
	t.Helper()
	s, diags := load(t, src)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	files, diags := Patches(s.Router, Of(s))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return files
}

const wireguard = `claimer { symbols = ["WIREGUARD", "NFT_MASQ"] }`

// git itself applies the series to a repository whose file has, at their
// numbers, the lines that the patches speak of.
func TestGitAm(t *testing.T) {
	files := patches(t, spec("bananapi-bpir4", "8GiB", "", wireguard))
	before := preimage(files)
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1",
			"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@t", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@t",
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	file := filepath.Join(dir, filepath.FromSlash(patchedFile))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Join(before, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	git("init", "-q")
	git("add", ".")
	git("commit", "-qm", "before")
	for _, f := range files {
		name := filepath.Join(dir, f.Name)
		if err := os.WriteFile(name, f.Body, 0o600); err != nil {
			t.Fatal(err)
		}
		git("am", "-q", f.Name)
	}
	after, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`      extraMakeFlags = ["USE_MKIMAGE=1" "DRAM_USE_COMB=1" "DDR4_4BG_MODE=1" "BOOT_DEVICE=sdmmc" "bl2" "bl31"];`,
		`        # mtksoc HEAD 2025-07-11`,
		`        rev = "78a0dfd927bb00ce973a1f8eb4079df0f755887a";`,
		`        hash = "sha256-m9ApkBVf0I11rNg68vxofGRJ+BcnlM6C+Zrn8TfMvbY=";`,
		`      version = "2.13.0-mtk";`,
		``,
		`      WIREGUARD = module; # a test`,
	}
	var got []string
	old := map[string]bool{}
	for _, l := range before {
		old[l] = true
	}
	for _, l := range strings.Split(strings.TrimSuffix(string(after), "\n"), "\n") {
		if !old[l] {
			got = append(got, l)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

var hunkHead = regexp.MustCompile(`^@@ -(\d+),(\d+) \+\d+,\d+ @@$`)

// preimage is a file of the length of nixos-sbc's, with the lines that patches
// need where they say, and numbers elsewhere.
func preimage(files []PatchFile) []string {
	lines := make([]string, 268)
	for i := range lines {
		lines[i] = fmt.Sprint("line ", i+1)
	}
	for _, f := range files {
		at, left := 0, 0
		for _, l := range strings.Split(string(f.Body), "\n") {
			if m := hunkHead.FindStringSubmatch(l); m != nil {
				at, _ = strconv.Atoi(m[1])
				left, _ = strconv.Atoi(m[2])
			} else if left > 0 && (l[0] == ' ' || l[0] == '-') {
				lines[at-1] = l[1:]
				at, left = at+1, left-1
			}
		}
	}
	return lines
}

func TestPatches(t *testing.T) {
	tests := []struct {
		name, src string
		files     []string
		code      string
	}{
		{"both", spec("bananapi-bpir4", "8GiB", "", wireguard), []string{"0001-bananaPiR4-8GiB-of-memory.patch", "0002-bananaPiR4-kernel-options.patch"}, ""},
		{"kernel only", spec("bananapi-bpir4", "4GiB", "", wireguard), []string{"0001-bananaPiR4-kernel-options.patch"}, ""},
		{"memory only", spec("bananapi-bpir4", "8GiB", "", ""), []string{"0001-bananaPiR4-8GiB-of-memory.patch"}, ""},
		{"nothing", spec("bananapi-bpir4", "4GiB", "", ""), nil, "nothing-to-patch"},
		{"another board", spec("bananapi-bpir3", "", "", wireguard), nil, "no-patch"},
		{"a kernel source", spec("bananapi-bpir4", "8GiB", "", "firmware {\n"+newKernel+"}\n"), nil, "no-patch"},
		{"a source of TF-A", spec("bananapi-bpir4", "8GiB", "", "firmware {\n"+newTFA+"}\n"), nil, "no-patch"},
		{"a source of U-Boot", spec("bananapi-bpir4", "8GiB", "", "firmware {\n"+newUBoot+"}\n"), nil, "no-patch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, diags := load(t, tt.src)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			files, diags := Patches(s.Router, Of(s))
			var names []string
			for i, f := range files {
				names = append(names, f.Name)
				head := fmt.Sprintf("Subject: [PATCH %d/%d] bananaPiR4: ", i+1, len(files))
				for _, part := range []string{head, SBCRevision, "From: nbr <nbr@localhost>\nDate: Wed, 31 Dec 2025 00:00:00 +0000\n"} {
					if !bytes.Contains(f.Body, []byte(part)) {
						t.Errorf("%s lacks %q", f.Name, part)
					}
				}
			}
			if d := cmp.Diff(tt.files, names); d != "" {
				t.Error(d)
			}
			var code string
			for _, d := range diags {
				code = diag.Code(d)
			}
			if code != tt.code {
				t.Errorf("said %q, want %q", code, tt.code)
			}
		})
	}
}
