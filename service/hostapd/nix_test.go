package hostapd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecretScript wants the secret of a server in hostapd's file and, without one, another one each time, so that one
// file does not end the access points of all radios.
func TestSecretScript(t *testing.T) {
	random := regexp.MustCompile(`^auth_server_shared_secret=[0-9a-f]{32}\n$`)
	for _, c := range []struct{ name, file, want string }{
		{"shortest", "0123456789abcdef", "0123456789abcdef"},
		{"signs", `#=it's "a" $HOME \n %s|0x41` + "\nmore\n", `#=it's "a" $HOME \n %s|0x41`},
		{"none", "", ""},
		{"too short", "0123456789abcde\n", ""},
		{"too long", strings.Repeat("a", 129) + "\n", ""},
		{"blank before it", " 0123456789abcdef\n", ""},
		{"blank after it", "0123456789abcdef \n", ""},
		{"not ASCII", "0123456789abcdeé\n", ""},
		{"carriage return", "0123456789abcdef\r\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			secret := filepath.Join(dir, "secret")
			if c.file != "" {
				if err := os.WriteFile(secret, []byte(c.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			run := func(name string) (added, said string) {
				conf := filepath.Join(dir, name)
				out, err := exec.Command("bash", "-c", fmt.Sprintf(secretScript, secret), "radius-secret", conf).CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				b, err := os.ReadFile(conf)
				if err != nil {
					t.Fatal(err)
				}
				return string(b), string(out)
			}
			got, said := run("first")
			if c.want != "" {
				if got != radiusSecret+"="+c.want+"\n" || said != "" {
					t.Errorf("%q, and says %q", got, said)
				}
				return
			}
			if again, _ := run("second"); !random.MatchString(got) || got == again {
				t.Errorf("%q and %q, want two random secrets", got, again)
			}
			if !strings.Contains(said, secret+" is missing or has no 16 to 128") {
				t.Errorf("says %q", said)
			}
			if kept := compare("interface=radio\n"+got, "radio", c.file); kept != otherPassword {
				t.Errorf("verify has it for %s", kept)
			}
		})
	}
}
