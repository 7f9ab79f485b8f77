package kea

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/internal/probetest"
	"github.com/nbr-dev/nbr/nixgen"
)

// samples are values of each form, those that Kea could read otherwise among them.
var samples = map[string][]string{
	"address": {"10.7.0.53"}, "addresses": {"10.7.0.53", "192.0.2.1"}, "uint8": {"255"}, "uint16": {"65535"}, "uint32": {"4294967295"},
	"int32": {"-3600"}, "bool": {"true"}, "domains": {"a.example.org", "b-c.example.org"}, "text": {`it's "a", b; {x}`},
}

// Kea knows each option of the table by its name and sends the bytes that the table says.
func TestOptionsOfKea(t *testing.T) {
	lan(t)
	if !nstest.Privileged(t) {
		return // TestOffersOfKea has said it
	}
	var all []string
	want := map[string]string{}
	for _, std := range standard {
		if std.attr != "" {
			continue
		}
		o := &Option{Name: conf.Value[OptionName]{V: OptionName(std.name)}}
		for _, v := range samples[std.kind] {
			var text OptionText
			if err := text.UnmarshalText([]byte(v)); err != nil {
				t.Fatal(err)
			}
			o.Value.Items = append(o.Value.Items, conf.Value[OptionText]{V: text})
		}
		all = append(all, settingsOf(t, o.entry()))
		if std.name != "routers" {
			want[strconv.Itoa(std.code)] = hex.EncodeToString(o.bytes())
		}
	}
	o := &Option{Name: conf.Value[OptionName]{V: "224"}, Hex: conf.Value[OptionBytes]{V: "01ff00", Set: true}, Force: conf.Value[bool]{V: true}}
	all = append(all, settingsOf(t, o.entry()))
	want["224"] = "01ff00"
	text := keaConf("br-lan", "10.7.0", "10.7.0.100-10.7.0.199")
	text = strings.Replace(text, `"option-data": [`, `"next-server": "10.7.0.9", "boot-file-name": "plain", "option-data": [{"name": "v6-only-preferred", "data": "1800"}, `+strings.Join(all, ", ")+", ", 1)
	text = strings.Replace(text, `      {"name": "routers", "data": "10.7.0.1"},`, "", 1)
	class := fmt.Sprintf(`{"name": "dhcp4.lan/uefi", "boot-file-name": "ipxe.efi", "test": %q}`, boots([]Architecture{9, 7}))
	text = strings.Replace(text, `"valid-lifetime"`, `"client-classes": [`+class+`], "valid-lifetime"`, 1)
	startKea(t, text)

	plain, uefi, six, brief := client{Link: "br-lan"}, client{Link: "br-lan", Arch: "7"}, client{Link: "br-lan", V6Only: true}, client{Link: "br-lan", Brief: true}
	got := probetest.Ask(t, offerTo, plain, uefi, six, brief)
	o1 := got[plain].Answer
	if o1.NextServer != "10.7.0.9" || o1.BootFile != "plain" || got[uefi].Answer.BootFile != "ipxe.efi" {
		t.Errorf("to boot: %+v; %+v", got[plain], got[uefi])
	}
	if d := cmp.Diff(want, o1.Options); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]string{"224": "01ff00"}, got[brief].Answer.Options); d != "" {
		t.Errorf("one that asks for the usual: %s", d)
	}
	if d := cmp.Diff(probetest.Answer[offer]{Answer: offer{Answered: true, Options: map[string]string{"108": "00000708"}}}, got[six]); d != "" {
		t.Errorf("one that lives without IPv4: %s", d)
	}
}

// settingsOf is an entry of Kea's settings as NixOS writes it.
func settingsOf(t *testing.T, entry nixgen.Attrs) string {
	t.Helper()
	out := map[string]any{}
	for _, a := range entry {
		out[a.Name[0]] = a.Value
	}
	b, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
