package lab

import (
	"os"
	"strings"
	"testing"
)

func TestLoadOrder(t *testing.T) {
	kernel := t.TempDir()
	dir := kernel + "/usr/lib/modules/9.9"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		kernel + "/release":       "9.9\n",
		dir + "/modules.dep":      "kernel/a.ko.xz: kernel/b-b.ko.xz kernel/c.ko\nkernel/b-b.ko.xz: kernel/c.ko\nkernel/c.ko:\nkernel/d.ko: kernel/c.ko\n",
		dir + "/modules.builtin":  "kernel/in-side.ko\n",
		kernel + "/not_an_elf.ko": "text",
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	order, err := loadOrder(kernel, kernel, []string{"d", "a", "in_side", "b_b"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range order {
		got = append(got, strings.TrimPrefix(m.inside, "/lib/modules/9.9/kernel/"))
		if m.source != kernel+"/usr"+m.inside {
			t.Errorf("%s is of %s", m.inside, m.source)
		}
	}
	if want := "c.ko d.ko b-b.ko.xz a.ko.xz"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, name := range []string{"e", "not_an_elf"} {
		if order, err := loadOrder(kernel, kernel, []string{name}); err == nil || !strings.Contains(err.Error(), "no module "+name) {
			t.Errorf("%s: %v, %v", name, order, err)
		}
	}
}
