package referee_test

import (
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// sshdConfig is /etc/ssh/sshd_config: NixOS puts the sockets and the keys' places first and the
// settings after them. PAM is the system's business and off here.
func sshdConfig(t *testing.T, g *generated) string {
	t.Helper()
	ssh := func(path ...string) any { return g.at(append([]string{"services", "openssh"}, path...)...) }
	if ssh("enable") != true || ssh("openFirewall") != false {
		t.Fatal("sshd is off, or opens itself in NixOS's own firewall")
	}
	var b strings.Builder
	b.WriteString("AddressFamily any\n")
	for _, p := range g.list(t, "services", "openssh", "ports") {
		fmt.Fprintf(&b, "Port %v\n", p)
	}
	for _, l := range g.list(t, "services", "openssh", "listenAddresses") {
		a := l.(map[string]any)
		fmt.Fprintf(&b, "ListenAddress %v:%v\n", a["addr"], a["port"])
	}
	b.WriteString("AuthorizedKeysFile %h/.ssh/authorized_keys /etc/ssh/authorized_keys.d/%u\nHostKey /etc/ssh/ssh_host_ed25519_key\n")
	settings, _ := ssh("settings").(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s %s\n", key, yesNo(settings[key]))
	}
	return b.String()
}

func yesNo(v any) string {
	switch v {
	case true:
		return "yes"
	case false:
		return "no"
	}
	return fmt.Sprint(v)
}

// The host's keys are those that Debian's package has made.
func sshdRoot(t *testing.T, g *generated, keys string) *lab.Root {
	t.Helper()
	return lab.Rootfs(t, lab.Files{
		"/etc/ssh/sshd_config":            sshdConfig(t, g),
		"/etc/ssh/authorized_keys.d/root": keys,
		"/run/sshd/":                      "",
	})
}

// listeners are the TCP sockets that are waited on.
func listeners(t *testing.T, ns *nstest.NS) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(ns.Run(t, "ss", "-Htln")) {
		out = append(out, strings.Fields(line)[3])
	}
	slices.Sort(out)
	return out
}

func TestSSHDAccepts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"bpi-r4": {"192.168.178.1:22"},
		"vlans":  {"10.0.10.1:22", "[fd00:0:0:10::1]:22"},
		"static": {"10.1.0.1:22", "[2001:db8:1::1]:22"},
		"quiet":  {"10.2.0.1:2222", "10.3.0.1:2222"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			router := nstest.New(t, "router")
			root := sshdRoot(t, spec(t, name), "")
			for _, a := range want {
				host := strings.Trim(a[:strings.LastIndex(a, ":")], "[]")
				ip(t, router, fmt.Sprintf("addr add %s/%d dev lo\n", host, bits(host)))
			}
			ip(t, router, "addr add 198.51.100.2/32 dev lo\n")
			root.Run(t, router, "sshd", "-t", "-f", "/etc/ssh/sshd_config")
			root.Run(t, router, "sh", "-c", "sshd -G -T -f /etc/ssh/sshd_config >/dev/null")
			sshd := root.Daemon(t, router, "/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/sshd_config")
			sshd.Ready(t, func() error {
				if d := cmp.Diff(want, listeners(t, router)); d != "" {
					return errors.New("it listens on (-want +got):\n" + d)
				}
				return nil
			})
		})
	}
}

// The key of the spec's user opens the door, a password does not.
func TestLogin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir+"/key").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	public, err := exec.CommandContext(t.Context(), "cat", dir+"/key.pub").Output()
	if err != nil {
		t.Fatal(err)
	}
	g := fromText(t, `
bridge "br-lan" { ports = [port.lan1] }
network "lan" {
  link = bridge.br-lan
  ipv4 = "192.168.178.1/24"
}
zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}
ssh { networks = [network.lan] }
user "root" {
  authorized_keys = ["`+strings.TrimSpace(string(public))+`"]
}
`)
	var keys strings.Builder
	for _, k := range g.list(t, "users", "users", "root", "openssh", "authorizedKeys", "keys") {
		fmt.Fprintln(&keys, k)
	}
	router, clients := lan(t, "br-lan 192.168.178.1/24")
	load(t, router, ruleset(t, g))
	ip(t, clients[0], "addr add 192.168.178.50/24 dev eth0\n")
	root := sshdRoot(t, g, keys.String())
	root.Run(t, router, "sh", "-c", "echo root:secret | chpasswd")
	sshd := root.Daemon(t, router, "/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/sshd_config")
	sshd.Ready(t, said(sshd, "Server listening"))
	ssh := func(options ...string) (string, error) {
		args := append([]string{"-F/dev/null", "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR", "-oConnectTimeout=120"}, options...)
		cmd := clients[0].Command(t, "ssh", append(args, "root@192.168.178.1", "echo in")...)
		// A prompt for a password is given the right one.
		cmd.Env = append(cmd.Environ(), "SSH_ASKPASS="+write(t, "#!/bin/sh\necho secret\n"), "SSH_ASKPASS_REQUIRE=force")
		if out, err := exec.CommandContext(t.Context(), "chmod", "755", strings.TrimPrefix(cmd.Env[len(cmd.Env)-2], "SSH_ASKPASS=")).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return nstest.Output(cmd)
	}
	if out, err := ssh("-i", dir+"/key", "-oIdentitiesOnly=yes"); err != nil || out != "in\n" {
		t.Errorf("with the key: %q, %v", out, err)
	}
	out, err := ssh("-oPubkeyAuthentication=no", "-oPreferredAuthentications=password,keyboard-interactive")
	if err == nil || !strings.Contains(err.Error(), "Permission denied (publickey).") {
		t.Errorf("with the password: %q, %v", out, err)
	}
}

// sshd binds to addresses. Those of IPv6 are tentative while their link has no cable, so sshd
// must not depend on the cable: who plugs it in later wants to log in.
func TestSSHDStartsWithoutACable(t *testing.T) {
	t.Parallel()
	g := spec(t, "static")
	router := nstest.New(t, "router")
	sysctls(t, router, g)
	// As it is on a router; nstest switches it off.
	router.Run(t, "sh", "-c", "for i in all default; do echo 1 >/proc/sys/net/ipv6/conf/$i/accept_dad; done")
	ip(t, router, "link add br-lan type bridge\nlink set br-lan up\naddr add 10.1.0.1/24 dev br-lan\naddr add 2001:db8:1::1/64 dev br-lan\n")
	root := sshdRoot(t, g, "")
	sshd := root.Daemon(t, router, "/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/sshd_config")
	sshd.Ready(t, said(sshd, "Server listening on 10.1.0.1"))
	if d := cmp.Diff([]string{"10.1.0.1:22", "[2001:db8:1::1]:22"}, listeners(t, router)); d != "" {
		t.Errorf("it listens on (-want +got):\n%s\n%s", d, sshd.Log())
	}
}
