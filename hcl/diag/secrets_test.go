package diag

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

const key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="

// TestShapes tells what looks like a secret from what does not.
func TestShapes(t *testing.T) {
	for _, s := range []string{
		key, strings.TrimRight(key, "="), "$6$rounds=5000$abc$def", "$y$j9T$abc$def", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=65536$abc",
		"AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQS", "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
		"0123456789abcdef0123456789abcdef", "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW", "xkcd8h4j2k9q0w3e7r5t1y6u2i8o4p0a",
	} {
		if got := (*Secrets)(nil).Text("<" + s + ">"); strings.Contains(got, s) || len(got) < 6 {
			t.Errorf("%s is shown: %s", s, got)
		}
	}
	for _, s := range []string{
		"/run/secrets/wireguard-private-key", "AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl", "net.ipv4.conf.all.forwarding",
		"CONFIG_NF_FLOW_TABLE_INET", "2001:db8:ffff:1234:5678:9abc:def0:1", "192.168.178.100-192.168.178.199", "a-host-name-with-many-words.example.org",
		"testdata/routers/bpi-r4/router.hcl", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kdtfcmdxsgrmjcd", "--------------------------------------------",
		"MandatoryArgumentOfSomething", "github:NixOS/nixpkgs/nixos-26.05", "systemd-networkd-wait-online.service",
	} {
		if got := (*Secrets)(nil).Text(s); got != s {
			t.Errorf("%s is masked: %s", s, got)
		}
	}
}

// TestNames masks by the name, whatever the value is, and not what only names a secret.
func TestNames(t *testing.T) {
	for src, want := range map[string]string{
		`password = "hunter2 x"`:             `password = "*********"`,
		`password = "a\"b" # not hunter2`:    `password = "****" #************`,
		`privat_key = hunter2"`:              `privat_key = *******"`,
		`psk = a ? "hunter2" : b`:            `psk = * * "*******" * *`,
		`psk = "hunter2`:                     `psk = "*******`,
		`psk = "路由器"`:                        `psk = "******"`,
		`{ "pwd": "x", "a": "b" }`:           `{ "pwd": "*", "a": "b" }`,
		`a = { token = "x", b = "c" }`:       `a = { token = "*", b = "c" }`,
		`private_key = secret.wg0`:           `private_key = secret.wg0`,
		`private_key = secret.wg["a"]`:       `private_key = secret.wg["a"]`,
		`"private_key": "secret.wg0",`:       `"private_key": "secret.wg0",`,
		`hashed_password_file = "/run/root"`: `hashed_password_file = "/run/root"`,
		`public_key = "` + key + `"`:         `public_key = "` + key + `"`,
		`name = "` + key + `"`:               `name = "` + strings.Repeat("*", 44) + `"`,
		`passwords = false`:                  `passwords = false`,
		`a = var.password == "x"`:            `a = var.password == "x"`,
		`# the password: hunter2`:            `# the password:********`,
		`authorized_keys = ["a"]`:            `authorized_keys = ["a"]`,
		`keepalive = 25`:                     `keepalive = 25`,
		`variable "psk" { default = "x" }`:   `variable "psk" { default = "*" }`,
		`variable "a" { default = "x" }`:     `variable "a" { default = "x" }`,
	} {
		s := NewSecrets()
		s.Add("a", []byte(src))
		if got := s.Line("a", []byte(src), 1); got != want {
			t.Errorf("%s\n%s, want\n%s", src, got, want)
		}
	}
}

// TestSeveralLines masks a value that goes on after its line, and nothing behind it.
func TestSeveralLines(t *testing.T) {
	for src, want := range map[string]string{
		"psk = <<EOT\none two\nEOT\nb = c\n":                                                              "psk = <<EOT\n*******\nEOT\nb = c\n",
		"psk = [\n  \"ab\", # cd\n]\nb = c\n":                                                             "psk = [\n  \"**\", * **\n]\nb = c\n",
		"x = <<E\n-----BEGIN PRIVATE KEY-----\nab\n-----END PRIVATE KEY-----\nE\n":                        "x = <<E\n-----BEGIN PRIVATE KEY-----\n**\n-----END PRIVATE KEY-----\nE\n",
		"variable \"psk\" {\n  default = \"ab\"\n}\nvariable \"mac\" {\n  default = \"cd\"\n}\n":          "variable \"psk\" {\n  default = \"**\"\n}\nvariable \"mac\" {\n  default = \"cd\"\n}\n",
		"{\"variable\": {\"psk\": {\"default\": \"ab\"}}}\n{\"secret\": {\"x\": {\"path\": \"/run\"}}}\n": "{\"variable\": {\"psk\": {\"default\": \"**\"}}}\n{\"secret\": {\"x\": {\"path\": \"/run\"}}}\n",
	} {
		s := NewSecrets()
		s.Add("a", []byte(src))
		var got strings.Builder
		for i := range strings.Count(src, "\n") {
			got.WriteString(s.Line("a", []byte(src), i+1) + "\n")
		}
		if got.String() != want {
			t.Errorf("%s\n%s, want\n%s", src, got.String(), want)
		}
	}
}

// TestMaskedSnippet keeps the caret below what is meant, in the text and in JSON, and masks
// in a message what stands in another file.
func TestMaskedSnippet(t *testing.T) {
	src := "\tpassword = \"路由\" + port.lan9\n"
	other := "locals {\n  psk = \"hunter2\"\n}\n"
	var b strings.Builder
	secrets := NewSecrets()
	secrets.Add("a.hcl", []byte(src))
	secrets.Add("b.hcl", []byte(other))
	w := Writer{W: &b, Bytes: func(string) []byte { return []byte(src) }, Secrets: func() *Secrets { return secrets }}
	d := Error("bad-value", find(t, "a.hcl", src, "port.lan9"), "Bad value", "%q is no port.", "hunter2")
	if err := w.Write(hcl.Diagnostics{d}); err != nil {
		t.Fatal(err)
	}
	want := "Error: Bad value [bad-value]\n  on a.hcl line 1, column 20:\n" +
		"    1 |     password = \"****\" * *********\n" +
		"      |                         ^^^^^^^^^\n" +
		"\"*******\" is no port.\n\n"
	if b.String() != want {
		t.Errorf("%s, want\n%s", b.String(), want)
	}
	if j := w.JSON(hcl.Diagnostics{d}); j[0].Snippet != "\tpassword = \"****\" * *********" || strings.Contains(j[0].Detail, "hunter2") {
		t.Errorf("%+v", j)
	}
}
