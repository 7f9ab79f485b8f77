package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/report"
	"github.com/nbr-dev/nbr/verify/state"
)

var update = flag.Bool("update", false, "write the wanted reports in testdata anew")

// form is one way to write a report.
type form struct {
	name  string
	color bool
	write func(*report.Report, *diag.Writer) error
}

var forms = []form{
	{"txt", false, func(r *report.Report, w *diag.Writer) error { return r.Text(w, false) }},
	{"all.txt", false, func(r *report.Report, w *diag.Writer) error { return r.Text(w, true) }},
	{"colour.txt", true, func(r *report.Report, w *diag.Writer) error { return r.Text(w, true) }},
	{"list.txt", false, (*report.Report).List},
	{"json", false, (*report.Report).JSON},
	{"xml", false, (*report.Report).JUnit},
	{"tap", false, (*report.Report).TAP},
}

func (f form) bytes(t testing.TB, r *report.Report, src func(string) []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.write(r, &diag.Writer{W: &b, Dir: "spec", Bytes: src, Color: f.color}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// golden compares with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got), see go test -update:\n%s", name, d)
	}
}

const madeUpSpec = "zone \"lan\" {\n\tallow = [\"ssh\"]\n}\n\nnetwork \"lan\" {\n  ipv4 = \"192.0.2.1/24\"\n}\n"

func madeUpSource(name string) []byte {
	if name != "router.hcl" {
		return nil
	}
	return []byte(madeUpSpec)
}

// place is where a text is in the made-up spec.
func place(text string) hcl.Range {
	from := strings.Index(madeUpSpec, text)
	pos := func(i int) hcl.Pos {
		return hcl.Pos{Line: 1 + strings.Count(madeUpSpec[:i], "\n"), Column: i - strings.LastIndex(madeUpSpec[:i], "\n"), Byte: i}
	}
	return hcl.Range{Filename: "router.hcl", Start: pos(from), End: pos(from + len(text))}
}

func result(id, title string, from hcl.Range, v verify.Verdict) verify.Result {
	return verify.Result{Check: verify.Check{ID: id, Title: title, From: from}, Verdict: v}
}

// Everything a state's author could want to do to a terminal or a parser.
const nasty = "\x1b]0;owned\a\x1b[2J\rpass\n<b>&]]>\"' # SKIP \\ ---\n...\nok 1 - \u202egnp\u2028\u009b31m\x00\xff\U000e0001\tend"

// madeUp has every status, more than one block, the plan's order against the
// spec's, checks that no line promised and strings of no good intent.
func madeUp() *report.Report {
	addr, zone := place(`"192.0.2.1/24"`), place(`zone "lan"`)
	return &report.Report{
		Router: "made-up",
		Results: []verify.Result{
			result("network.lan/up", "up of br-lan", place(`network "lan"`), verify.Verdict{Status: verify.Pass, Want: "up", Got: "up", Hint: "ip link"}),
			result("network.lan/ipv4", "ipv4 address of br-lan", addr, verify.Verdict{Status: verify.Fail, Want: "192.0.2.1/24", Got: "192.0.2.2/24", Hint: "ip addr show dev br-lan"}),
			result("network.lan/lease", "lease of br-lan", addr, verify.Verdict{Status: verify.Skip, Got: "the address is fixed"}),
			result("zone.lan/rules", "rules of \x1b[31mlan", place(`"ssh"`), verify.Verdict{Want: "two\nlines", Got: "could not be seen", Hint: "nft list ruleset"}),
			result("zone.lan/nasty", "what a state can say", zone, verify.Verdict{Status: verify.Fail, Want: "peace", Got: nasty, Hint: "ip a"}),
			result("zone.lan/long", "a long one", zone, verify.Verdict{Status: verify.Fail, Want: strings.Repeat("line\n", 30), Got: strings.Repeat("é", 500)}),
			result("zone.lan/calm", "a calm one", zone, verify.Verdict{Status: verify.Pass, Want: nasty, Got: nasty, Hint: nasty}),
			result("other/gone", "in no file of the spec", hcl.Range{Filename: "gone.hcl", Start: hcl.Pos{Line: 7, Column: 3, Byte: 90}}, verify.Verdict{Status: verify.Pass}),
			result("nowhere/a", "promised by no line", hcl.Range{}, verify.Verdict{}),
		},
		Missed: map[string]string{"units": "no D-Bus", "tables": nasty, "rulesets": "nft: not permitted"},
	}
}

func TestMadeUp(t *testing.T) {
	for _, f := range forms {
		golden(t, "made-up."+f.name, f.bytes(t, madeUp(), madeUpSource))
	}
}

func TestNothing(t *testing.T) {
	for _, f := range forms {
		got := f.bytes(t, &report.Report{Router: "r"}, nil)
		if f.name == "json" {
			golden(t, "nothing.json", got)
			validate(t, got)
		}
	}
}

// The order of the plan says nothing, and neither does that of a map.
func TestSameBytes(t *testing.T) {
	for _, f := range forms {
		want := f.bytes(t, madeUp(), madeUpSource)
		for range 20 {
			if got := f.bytes(t, madeUp(), madeUpSource); !bytes.Equal(got, want) {
				t.Fatalf("%s differs between runs:\n%s", f.name, cmp.Diff(string(want), string(got)))
			}
		}
	}
}

// Blocks come in the order of the spec, whatever the plan's is.
func TestOrderOfBlocks(t *testing.T) {
	for range 20 {
		r := madeUp()
		rand.Shuffle(len(r.Results), func(i, j int) { r.Results[i], r.Results[j] = r.Results[j], r.Results[i] })
		var got []string
		for _, res := range decode(t, forms[4].bytes(t, r, madeUpSource)).Results {
			if !slices.Contains(got, res.Block) {
				got = append(got, res.Block)
			}
		}
		if d := cmp.Diff([]string{"other", "zone.lan", "network.lan", "nowhere"}, got); d != "" {
			t.Fatal(d)
		}
	}
}

// comment is of a rule of nft's grammar, which is made to look a little like nft's JSON.
var comment = regexp.MustCompile(`(?m)^ *(.*) comment "(.*)"$`)

// article is the plan of the article's router and a state in which it is well.
func article(t *testing.T) (*service.Spec, *state.State) {
	t.Helper()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(os.DirFS("../../testdata/routers/bpi-r4"), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	b, err := os.ReadFile("../../testdata/states/bpi-r4.json")
	if err != nil {
		t.Fatal(err)
	}
	var st state.State
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&st); err != nil {
		t.Fatal(err)
	}
	// The firewall's rules are the generated ones, whichever these are today.
	st.Rulesets = map[string]state.Ruleset{}
	for _, n := range spec.Plan().Needs() {
		if n.Kind == state.NeedRuleset {
			lines := strings.Split(comment.ReplaceAllString(n.Text, `{"rule":{"comment":"$2","text":"$1"}}`), "\n")
			st.Rulesets[n.Name] = state.Ruleset{Want: lines, Got: lines}
		}
	}
	return spec, &st
}

func judge(t *testing.T, spec *service.Spec, st *state.State) *report.Report {
	t.Helper()
	results, err := verify.Eval(spec.Plan(), st)
	if err != nil {
		t.Fatal(err)
	}
	return &report.Report{Router: string(spec.Router.Name.V), Results: results, Missed: st.Missed}
}

func TestArticleWell(t *testing.T) {
	spec, st := article(t)
	r := judge(t, spec, st)
	if s := r.Summary(); !s.Well() || s.Pass != s.Total() {
		t.Errorf("%s: ../../testdata/states/bpi-r4.json is to hold what every check wants", s)
	}
	text := string(forms[0].bytes(t, r, spec.Source.Bytes))
	block := regexp.MustCompile(`^[^ :]+: \d+ pass$`)
	blocks, end, _ := strings.Cut(text, "\n\n")
	for l := range strings.SplitSeq(blocks, "\n") {
		if !block.MatchString(l) {
			t.Errorf("all is well, and the report says %q", l)
		}
	}
	if want := fmt.Sprintf("bpi-r4: %d checks: %[1]d pass\n", len(r.Results)); end != want {
		t.Errorf("the report ends with %q, not with %q", end, want)
	}
}

func TestArticleBroken(t *testing.T) {
	spec, st := article(t)
	for i, a := range st.Addrs {
		if a.Prefix == "192.168.178.1/24" {
			st.Addrs[i].Prefix = "192.168.178.2/24"
		}
	}
	lan2 := st.Links["lan2"]
	lan2.Master = ""
	st.Links["lan2"] = lan2
	st.Board.MemTotal = 4_000_000
	kea := st.Units["kea-dhcp4-server.service"]
	kea.Active, kea.Result = "failed", "exit-code"
	st.Units["kea-dhcp4-server.service"] = kea
	rules := st.Rulesets["inet nbr"]
	rules.Got = slices.DeleteFunc(slices.Clone(rules.Got), func(l string) bool { return strings.Contains(l, ` policy.internet"`) })
	st.Rulesets["inet nbr"] = rules
	st.Clock, st.Missed = nil, map[string]string{"clock": "adjtimex: operation not permitted"}

	// What else is wrong with such a router is for the services to say: the report
	// is of these checks, so that it stays when others come.
	shown := map[string]verify.Status{
		"network.lan/up": verify.Pass, "network.lan/ipv4": verify.Fail, "bridge.br-lan/kind": verify.Pass,
		"bridge.br-lan/port/lan2": verify.Fail, "firmware/memory": verify.Fail, "dhcp4.lan/unit": verify.Fail,
		"policy.internet/rules": verify.Fail, "time/synchronised": verify.Unknown, "ssh/unit": verify.Pass,
	}
	r := judge(t, spec, st)
	r.Results = slices.DeleteFunc(r.Results, func(res verify.Result) bool {
		want, ok := shown[res.ID]
		if ok && res.Status != want {
			t.Errorf("%s: %s, not %s", res.ID, res.Status, want)
		}
		return !ok
	})
	if len(r.Results) != len(shown) {
		t.Errorf("%d of %d checks are there", len(r.Results), len(shown))
	}
	for _, f := range forms {
		got := f.bytes(t, r, spec.Source.Bytes)
		golden(t, "article-broken."+f.name, got)
		if f.name == "json" {
			validate(t, got)
		}
	}
}

// A router that promises nothing has not been verified. That takes an nbr without
// services: those that are built in always promise something.
func TestEmptyPlan(t *testing.T) {
	dir := t.TempDir()
	spec := "router \"r\" {\n  board = \"bananapi-bpir4\"\n  memory = \"4GiB\"\n  state_version = \"25.11\"\n  console_only = true\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "router.hcl"), []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", dir}, {"verify", "-plan", dir}} {
		var out, err bytes.Buffer
		code := cmd.Run(t.Context(), cmd.Env{Stdin: &out, Stdout: &out, Stderr: &err}, args)
		if code != cmd.ExitUnknown || out.Len() > 0 || !strings.Contains(err.String(), "promises nothing") {
			t.Errorf("nbr %q: exit code %d, %q, %q", args, code, &out, &err)
		}
	}
}

type decoded struct {
	Router  string
	Summary report.Summary
	Results []struct{ ID, Title, Block, Status, Want, Got, Hint string }
	Missed  map[string]string
}

func decode(t testing.TB, b []byte) decoded {
	t.Helper()
	var d decoded
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatalf("%s\n%s", err, b)
	}
	return d
}

func TestSchema(t *testing.T) {
	validate(t, forms[4].bytes(t, madeUp(), madeUpSource))
	// The validator is not one that is content with anything.
	for _, bad := range []string{
		`[]`, `{}`,
		`{"format_version":"2.0","router":"r","summary":{"pass":0,"fail":0,"unknown":0,"skip":0},"results":[],"missed":{}}`,
		`{"format_version":"1.0","router":"r","summary":{"pass":-1,"fail":0,"unknown":0,"skip":0},"results":[],"missed":{}}`,
		`{"format_version":"1.0","router":"r","summary":{"pass":0.5,"fail":0,"unknown":0,"skip":0},"results":[],"missed":{}}`,
		`{"format_version":"1.0","router":"r","summary":{"pass":0,"fail":0,"unknown":0,"skip":0},"results":null,"missed":{}}`,
		`{"format_version":"1.0","router":"r","summary":{"pass":0,"fail":0,"unknown":0,"skip":0},"results":[{}],"missed":{}}`,
		`{"format_version":"1.0","router":"r","summary":{"pass":0,"fail":0,"unknown":0,"skip":0},"results":[],"missed":{"a":1}}`,
		`{"format_version":"1.0","router":"r","summary":{"pass":0,"fail":0,"unknown":0,"skip":0},"results":[],"missed":{},"more":1}`,
	} {
		if problems(schema(t), parse(t, []byte(bad)), "") == nil {
			t.Errorf("the schema takes %s", bad)
		}
	}
}

// tap reads what TAP writes: the outcomes, and the values of their diagnostics.
func tap(b []byte) (ok []bool, values []string, err error) {
	in, plan := false, 0
	for i, l := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		n := len(ok) + 1
		switch {
		case i == 0 && l == "TAP version 13", i > 1 && !in && strings.HasPrefix(l, "# "):
		case i == 1:
			_, err = fmt.Sscanf(l, "1..%d", &plan)
		case in && l == "  ...", !in && l == "  ---":
			in = !in
		case in:
			_, quoted, found := strings.Cut(strings.TrimPrefix(l, "  "), ": ")
			var s string
			if err = json.Unmarshal([]byte(quoted), &s); err == nil && !found {
				err = errors.New("no value")
			}
			values = append(values, s)
		case strings.HasPrefix(l, fmt.Sprintf("ok %d - ", n)):
			ok = append(ok, true)
		case strings.HasPrefix(l, fmt.Sprintf("not ok %d - ", n)):
			ok = append(ok, false)
		default:
			err = errors.New("what is this")
		}
		if err != nil {
			return nil, nil, fmt.Errorf("line %d, %q: %w", i+1, l, err)
		}
	}
	if in || plan != len(ok) {
		return nil, nil, fmt.Errorf("%d of %d results", len(ok), plan)
	}
	return ok, values, nil
}

// Whatever a spec and a state say, every form can be read back, says as many
// things as there are results, and has nothing in it that a terminal obeys.
func FuzzWriters(f *testing.F) {
	f.Add(nasty, "want", "got", "hint", "ssh", 0)
	f.Add("title", nasty, nasty, nasty, nasty, 1)
	f.Add("", "", "", "", "", 2)
	f.Add("a # TODO b", "  ...", "<![CDATA[", "\r\n", "- \\", 3)
	f.Add("\xff\xfe", "\ufffe\uffff", "\u0085\u00a0\ufeff", "\ud7ff\U0010ffff", "\x7f", 5)
	f.Fuzz(func(t *testing.T, title, want, got, hint, part string, status int) {
		v := verify.Verdict{Status: verify.Status(uint(status) % 4), Want: want, Got: got, Hint: hint}
		r := &report.Report{Router: part, Missed: map[string]string{part: got}, Results: []verify.Result{
			result("network.lan/"+part, title, place(`"ssh"`), v), result(part, title, hcl.Range{}, v),
		}}
		out := map[string][]byte{}
		for _, f := range forms {
			b := f.bytes(t, r, madeUpSource)
			out[f.name] = b
			if f.color {
				continue
			}
			for i, c := range string(b) {
				if c != '\n' && !(c == '\t' && strings.HasSuffix(f.name, "txt")) && !unicode.IsPrint(c) && string(b[i:min(i+3, len(b))]) != "\ufffd" {
					t.Errorf("%s has %q: %q", f.name, c, b)
				}
			}
			if !utf8.Valid(b) {
				t.Errorf("%s is not UTF-8: %q", f.name, b)
			}
		}
		validate(t, out["json"])
		d := decode(t, out["json"])
		for _, res := range d.Results {
			for _, s := range [][2]string{{title, res.Title}, {want, res.Want}, {got, res.Got}, {hint, res.Hint}, {v.Status.String(), res.Status}} {
				if strings.ToValidUTF8(s[0], "") != strings.ReplaceAll(s[1], "\ufffd", "") && utf8.ValidString(s[0]) && s[0] != s[1] {
					t.Errorf("JSON has %q for %q", s[1], s[0])
				}
			}
		}
		var suites struct {
			Suites []struct {
				Cases []struct {
					Failure, Error, Skipped *struct{} // of which one at most
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal(out["xml"], &suites); err != nil {
			t.Errorf("%s\n%s", err, out["xml"])
		}
		n := 0
		for _, s := range suites.Suites {
			n += len(s.Cases)
		}
		ok, values, err := tap(out["tap"])
		if err != nil {
			t.Errorf("%s\n%s", err, out["tap"])
		}
		good := v.Status == verify.Pass || v.Status == verify.Skip
		if n != 2 || len(d.Results) != 2 || len(ok) != 2 || ok[0] != good || ok[1] != good || good != (len(values) == 0) {
			t.Errorf("%d results in XML, %d in JSON, %v in TAP with %q; there are 2", n, len(d.Results), ok, values)
		}
		if lines := bytes.Count(out["list.txt"], []byte("\n")); lines != 2 {
			t.Errorf("%d lines for 2 checks: %q", lines, out["list.txt"])
		}
		if n := bytes.Count(out["txt"], []byte("\n")); n > 120 {
			t.Errorf("%d lines of text for 2 checks", n)
		}
	})
}
