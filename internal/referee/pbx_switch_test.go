package referee_test

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// A switch of the system has Asterisk read its new files while a call goes on, and fails when it does
// not take them. Passwords are for Asterisk alone.
func TestTelephonesAfterASwitch(t *testing.T) {
	t.Parallel()
	x := newExchange(t, pbxSpec)
	x.start(t)
	becomes(t, func() []string { return x.wrong(t) }, nil)
	unit := []string{"systemd", "services", "asterisk"}
	if x.g.at(append(unit, "reloadIfChanged")...) != true {
		t.Error("a switch does not reload Asterisk")
	}
	anna, ben := x.phone(t, "192.168.1.50", "anna", pbxPasswords["anna"]), x.phone(t, "192.168.1.51", "ben", pbxPasswords["ben"])
	anna.register(t, 200)
	ben.register(t, 200)
	call := anna.call(t, "12", 200)
	rang := ben.rings(t)
	ben.hears(t, anna, mediaOf(t, call))

	// The file is its own, and the user who looks is not told what is in it.
	const passwords = "/run/nbr-asterisk/passwords.conf"
	if got := strings.TrimSpace(x.root.Run(t, x.router, "stat", "-c", "%U %a", passwords)); got != "asterisk 400" {
		t.Errorf("%s is %s", passwords, got)
	}
	group := x.g.list(t, "users", "users", "nbr-look", "extraGroups")[0].(string)
	look := []string{"setpriv", "--reuid=991", "--regid=991", "--groups=" + group, "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"}
	for _, command := range [][]string{{"cat", passwords}, {"asterisk", "-rx", "pjsip show auth anna"}, {"asterisk", "-rx", "module unload app_dial.so"}} {
		if out, err := x.root.Try(t, x.router, append(look, command...)...); err == nil && !strings.Contains(out, "You don't have permissions") {
			t.Errorf("%q: %s", command, out)
		}
	}
	for _, f := range unmet(t, x.root, x.router, "pbx", look...) {
		// Sockets he is told of by a privilege that the look's unit lends.
		if what, _, _ := strings.Cut(f, " "); !strings.HasSuffix(what, "/password") && what != "pbx/sockets" || !strings.Contains(f, " unknown") {
			t.Errorf("to the user who looks: %s", f)
		}
	}

	next := fromText(t, strings.Replace(pbxSpec, "  group \"all\" {", "  extension \"cellar\" {\n    number   = \"14\"\n    password = secret.cellar\n  }\n  group \"all\" {", 1)+"secret \"cellar\" { path = \"/var/lib/secrets/cellar\" }\n")
	if toJSON(t, next.at(append(unit, "restartTriggers")...)) == toJSON(t, x.g.at(append(unit, "restartTriggers")...)) {
		t.Error("a switch does not see that the files are others")
	}
	for name, text := range pbxFiles(t, next) {
		x.root.Write(t, name, text)
	}
	x.root.Write(t, "/var/lib/secrets/cellar", "old-wine-and-coal\n")
	x.g = next
	if err := x.reload(t); err != nil {
		t.Fatal(err)
	}
	becomes(t, func() []string { return x.wrong(t) }, nil)
	cellar := x.phone(t, "192.168.1.52", "cellar", "old-wine-and-coal")
	cellar.register(t, 200)
	ben.mu.Lock()
	ben.heard = nil
	ben.mu.Unlock()
	ben.hears(t, anna, mediaOf(t, call))
	anna.hears(t, ben, mediaOf(t, rang))
	anna.hangUp(t, call)
	x.quiet(t)

	// Files that Asterisk does not take, of which its own reload says nothing.
	for name, says := range map[string]string{
		"/etc/asterisk/pjsip.conf":      "Asterisk does not take /etc/asterisk/pjsip.conf",
		"/etc/asterisk/extensions.conf": "reported a reload failure",
	} {
		for file, text := range pbxFiles(t, fromText(t, pbxSpec)) {
			x.root.Write(t, file, text)
		}
		x.rewrite(t, name, "[", "#include \"/nowhere\"\n[")
		if err := x.reload(t); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("a reload with a wrong %s: %v", name, err)
		}
		old := "pbx/files fail: another " + path.Base(name)
		nstest.Wait(t, func() error {
			if wrong := x.wrong(t); !slices.Contains(wrong, old) {
				return fmt.Errorf("%s is not found: %q", old, wrong)
			}
			return nil
		})
		for file, text := range pbxFiles(t, next) {
			x.root.Write(t, file, text)
		}
		if err := x.reload(t); err != nil {
			t.Error(err)
		}
	}

	// Another release is installed, which nothing has started.
	running := strings.Fields(x.console(t, "core show version"))[1]
	x.root.Run(t, x.router, "mv", "/usr/sbin/asterisk", "/usr/sbin/asterisk.now")
	x.root.Write(t, "/usr/sbin/asterisk", "#!/bin/sh\n[ \"$1\" = -V ] && exec echo Asterisk 99.1.0\nexec /usr/sbin/asterisk.now \"$@\"\n")
	x.root.Run(t, x.router, "chmod", "755", "/usr/sbin/asterisk")
	becomes(t, func() []string { return x.wrong(t) }, []string{"pbx/release fail: " + running})
	x.root.Run(t, x.router, "mv", "/usr/sbin/asterisk.now", "/usr/sbin/asterisk")

	// A password that is missing costs one phone.
	if err := os.Remove(x.root.Path("/var/lib/secrets/ben")); err != nil {
		t.Fatal(err)
	}
	if out, err := x.script(t, "ExecReload", 0); err != nil || !strings.Contains(out, "/var/lib/secrets/ben is missing") {
		t.Errorf("without a password: %v\n%s", err, out)
	}
	if err := x.reload(t); err != nil {
		t.Error(err)
	}
	becomes(t, func() []string { return x.wrong(t) }, []string{"pbx/extension/ben/password fail: no such file"})
	x.phone(t, "192.168.1.51", "ben", pbxPasswords["ben"]).register(t, 401)
	anna.register(t, 200)
}
