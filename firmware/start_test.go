package firmware

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/firmware/image"
	"github.com/nbr-dev/nbr/router"
)

func TestRecognise(t *testing.T) {
	for _, tt := range []struct {
		board  string
		change func(*image.Image)
		want   string
	}{
		{"bananapi-bpir4", func(*image.Image) {}, "bananapi-bpir4"},
		{"bananapi-bpir4", func(img *image.Image) { img.FIP.Compatible = []string{"mediatek,mt7986-rfb"} }, "bananapi-bpir3"},
		{"bananapi-bpir4", func(img *image.Image) { img.FIP.Compatible = nil }, ""},
		{"bananapi-bpir4", func(img *image.Image) { img.FIP = nil }, ""},
		{"bananapi-bpir4", func(img *image.Image) { img.GPT.Partitions[3].First++ }, ""},
		{"bananapi-bpir4", func(img *image.Image) { img.GPT.Partitions[3].Last-- }, ""},
		{"bananapi-bpir4", func(img *image.Image) { img.GPT = nil }, ""},
		{"pine64-rock64v2", func(*image.Image) {}, "pine64-rock64v2 pine64-rock64v3"},
		{"raspberrypi-rpi4", func(*image.Image) {}, "raspberrypi-rpi4"},
		{"xunlong-opi5b", func(*image.Image) {}, "xunlong-opi5b"},
	} {
		img := goodImage(t, tt.board)
		tt.change(img)
		var got []string
		for _, p := range Recognise(img) {
			got = append(got, p.ID)
		}
		if d := cmp.Diff(tt.want, strings.Join(got, " ")); d != "" {
			t.Errorf("%s: %s", tt.board, d)
		}
	}
}

func TestFirstStart(t *testing.T) {
	boards := func(ids ...string) []*Profile {
		var out []*Profile
		for _, id := range ids {
			out = append(out, ProfileOf(id))
		}
		return out
	}
	const unknown = "whether it has any for the medium, and how they stand, nbr does not know"
	for _, tt := range []struct {
		boards []*Profile
		want   []Tip
	}{
		{nil, []Tip{{"board", "not recognised: with the folder of the spec, nbr says how its switches stand and what its serial console and first login are"}}},
		{boards("bananapi-bpir4"), []Tip{
			{"board", "Banana Pi BPI-R4"},
			{"switches", "SW3 at 11 for the card (A B, 0 is up (OFF), 1 is down (ON))"},
			{"serial", "115200 8N1, no flow control (ttyS0 of the board)"},
			{"first login", "a spec would tell: name its folder after the file"},
		}},
		{boards("pine64-rock64v2", "pine64-rock64v3"), []Tip{
			{"board", ProfileOf("pine64-rock64v2").Name + " or " + ProfileOf("pine64-rock64v3").Name},
			{"switches", unknown},
			{"serial", "1500000 8N1, no flow control (ttyS2 of the board)"},
			{"first login", "a spec would tell: name its folder after the file"},
		}},
	} {
		if d := cmp.Diff(tt.want, FirstStart(tt.boards, nil)); d != "" {
			t.Error(d)
		}
	}
	lan, wan := &router.Network{}, &router.Network{}
	lan.Addr.Type, lan.Addr.Name, wan.Addr.Type, wan.Addr.Name = "network", "lan", "network", "wan"
	if err := lan.IPv4.V.UnmarshalText([]byte("192.168.178.1/24")); err != nil {
		t.Fatal(err)
	}
	me, root := router.Login{User: "me"}, router.Login{User: "root"}
	ssh := func(port int, networks ...*router.Network) []router.Listen {
		return []router.Listen{{Service: "dns", Port: 53, Networks: []*router.Network{lan}}, {Service: "ssh", Port: port, Networks: networks}}
	}
	for _, tt := range []struct {
		logins  []router.Login
		listens []router.Listen
		want    string
	}{
		{nil, nil, "no login is possible: the spec has no user with a key or a password"},
		{[]router.Login{root}, nil, "root on the serial console: the spec has no ssh block"},
		{[]router.Login{root}, ssh(22, lan), "ssh root@192.168.178.1 in network.lan"},
		{[]router.Login{me, root, me}, ssh(2222, lan), "ssh -p 2222 me@192.168.178.1 in network.lan; others that may: root"},
		{[]router.Login{root}, ssh(22, lan, wan), "ssh root@192.168.178.1 in network.lan, or ssh root@ADDRESS in network.wan, with the address that it gets there"},
	} {
		r := &router.Router{}
		s := r.Scopes()(&Block{})
		for _, l := range tt.logins {
			router.Claim(s, hcl.Range{}, l)
		}
		for _, l := range tt.listens {
			router.Claim(s, hcl.Range{}, l)
		}
		tips := FirstStart(boards("bananapi-bpir4"), r)
		if d := cmp.Diff(tt.want, tips[len(tips)-1].Text); d != "" {
			t.Error(d)
		}
	}
}
