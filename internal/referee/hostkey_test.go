package referee_test

import (
	"crypto/ed25519"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/crypto/ssh"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// Where no sshd makes the key that secrets are encrypted for, a unit does, with the real
// ssh-keygen: once, for root alone, and as age wants it.
func TestTheHostKeyIsMade(t *testing.T) {
	t.Parallel()
	g := generate(t, fstest.MapFS{
		"router.hcl": {Data: []byte(template + `
secret "root" {
  source = "agenix"
  file   = "root.age"
}
user "root" { hashed_password_file = secret.root }
`)},
		"root.age": {Data: []byte("age-encryption.org/v1\n")},
	})
	const key = "/etc/ssh/ssh_host_ed25519_key"
	if got := g.list(t, "age", "identityPaths"); len(got) != 1 || got[0] != key {
		t.Fatalf("agenix decrypts with %v", got)
	}
	ns := nstest.New(t, "router")
	root := lab.Rootfs(t, lab.Files{"/make": g.text(t, "systemd", "services", "nbr-host-key", "script"), "/run/sshd/": ""})
	if err := os.RemoveAll(root.Path("/etc/ssh")); err != nil { // Debian's package has made keys
		t.Fatal(err)
	}
	run := func() (text string) {
		// As systemd runs what NixOS makes of a script.
		root.Run(t, ns, "sh", "-ec", "umask 022; exec bash -e /make </dev/null")
		b, err := os.ReadFile(root.Path(key))
		if err != nil {
			t.Fatal(err)
		}
		for file, want := range map[string]os.FileMode{key: 0o600, key + ".pub": 0o644} {
			info, err := os.Stat(root.Path(file))
			if err != nil || info.Mode() != want {
				t.Errorf("%s: %v, %v", file, info.Mode(), err)
			}
		}
		return string(b)
	}
	first := run()
	if run() != first {
		t.Error("a second start makes another key: what is encrypted for the first is lost")
	}

	// What the desk encrypts for the public half, the real age decrypts as agenix has it do.
	const hash = "$y$j9T$salt$hash"
	root.Run(t, ns, "sh", "-ec", "printf %s '"+hash+"' | age --encrypt --recipients-file "+key+".pub --output /root.age")
	if got := root.Run(t, ns, "age", "--decrypt", "--identity", key, "/root.age"); got != hash {
		t.Errorf("age decrypts %q", got)
	}

	// sops reads it by this, as age does (filippo.io/age/agessh): ed25519, without a passphrase.
	parsed, err := ssh.ParseRawPrivateKey([]byte(first))
	if _, ok := parsed.(*ed25519.PrivateKey); !ok {
		t.Errorf("age cannot decrypt with a %T: %v", parsed, err)
	}
	public, err := os.ReadFile(root.Path(key + ".pub"))
	if err != nil {
		t.Fatal(err)
	}
	if half := root.Run(t, ns, "ssh-keygen", "-y", "-f", key); strings.TrimSpace(half) != strings.TrimSpace(string(public)) {
		t.Errorf("the public half is %q, and the file has %q", half, public)
	}
	if strings.Contains(string(public), "@") {
		t.Errorf("who has made it, and where: %s", public)
	}
	root.Run(t, ns, "/usr/sbin/sshd", "-t", "-f", "/dev/null", "-h", key)

	// The power went while it was written.
	if err := os.Truncate(root.Path(key), 0); err != nil {
		t.Fatal(err)
	}
	if again := run(); again == "" || again == first {
		t.Errorf("after a start that was cut off the key is %q", again)
	}
}
