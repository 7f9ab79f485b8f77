package asterisk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/verify/probe"
)

// asteriskConf tells where the socket of the console is. Without it nixpkgs' program looks in the store.
const asteriskConf = "/etc/asterisk/asterisk.conf"

// console is the line by which a reader runs commands of Asterisk's console.
func console(command string) string {
	return fmt.Sprintf("asterisk -C %s -rx '%s'", asteriskConf, command)
}

// say has Asterisk's console run a command. One that does not exist, because its module is not
// there, has no output.
func say(ctx context.Context, h probe.Host, command string) ([]string, error) {
	out, err := h.Run(ctx, "asterisk", "-C", asteriskConf, "-rx", command)
	if err != nil {
		return nil, err
	}
	text := string(out.Stdout)
	switch {
	case out.Exit != 0:
		return nil, fmt.Errorf("asterisk -rx %q: exit code %d", command, out.Exit)
	case strings.Contains(text, "You don't have permissions"):
		return nil, fmt.Errorf("asterisk -rx %q: no permission", command)
	case strings.Contains(text, "No such command"):
		return nil, nil
	}
	return strings.Split(strings.TrimRight(text, "\n"), "\n"), nil
}

// What Asterisk has, as its console says it.
type answer struct {
	Modules       []string          `json:"modules"`                 // that run, without .so
	Stopped       []string          `json:"stopped,omitempty"`       // that are loaded and do not run
	Transports    []string          `json:"transports,omitempty"`    // as udp 192.168.1.1:5060
	Registrations map[string]string `json:"registrations,omitempty"` // the state of each trunk's
	Plan          []rule            `json:"plan,omitempty"`
	Media         string            `json:"media,omitempty"`     // the ports of RTP
	AORs          []string          `json:"aors,omitempty"`      // objects that pjsip.conf has, of which one is its mark
	Release       string            `json:"release,omitempty"`   // that runs
	Installed     string            `json:"installed,omitempty"` // that would run after a restart
}

// running asks what Asterisk has loaded, read and registered. That it has "fully booted", as it says,
// is also so when its channel driver has refused to load.
var running = &probe.Probe[struct{}, answer]{Name: "asterisk.running", Look: look}

func look(ctx context.Context, h probe.Host, _ struct{}) (answer, error) {
	a := answer{Registrations: map[string]string{}}
	lines, err := say(ctx, h, "module show")
	if err != nil {
		return a, err
	}
	for _, l := range lines {
		name, ok := strings.CutSuffix(first(l), ".so")
		switch {
		case !ok:
		case strings.Contains(l, "Not Running"):
			a.Stopped = append(a.Stopped, name)
		default:
			a.Modules = append(a.Modules, name)
		}
	}
	if lines, err = say(ctx, h, "pjsip show transports"); err != nil {
		return a, err
	}
	for _, l := range lines {
		if f := strings.Fields(l); len(f) > 2 && f[0] == "Transport:" && !strings.HasPrefix(f[1], "<") {
			a.Transports = append(a.Transports, f[2]+" "+f[len(f)-1])
		}
	}
	slices.Sort(a.Transports)
	if lines, err = say(ctx, h, "pjsip show registrations"); err != nil {
		return a, err
	}
	for _, l := range lines {
		if name, _, ok := strings.Cut(first(l), "/"); ok {
			if m := registrationRE.FindStringSubmatch(l); m != nil {
				a.Registrations[name] = m[1]
			}
		}
	}
	if lines, err = say(ctx, h, "dialplan show"); err != nil {
		return a, err
	}
	a.Plan = readPlan(lines)
	if lines, err = say(ctx, h, "rtp show settings"); err != nil {
		return a, err
	}
	a.Media = parameter(lines, "Port start") + "-" + parameter(lines, "Port end")
	if lines, err = say(ctx, h, "pjsip show aors"); err != nil {
		return a, err
	}
	for _, l := range lines {
		if f := strings.Fields(l); len(f) > 1 && f[0] == "Aor:" && !strings.HasPrefix(f[1], "<") {
			a.AORs = append(a.AORs, f[1])
		}
	}
	slices.Sort(a.AORs)
	if lines, err = say(ctx, h, "core show version"); err != nil {
		return a, err
	}
	a.Release = release(lines)
	out, err := h.Run(ctx, "asterisk", "-V")
	if err == nil && out.Exit != 0 {
		err = fmt.Errorf("asterisk -V: exit code %d", out.Exit)
	}
	a.Installed = release(strings.Split(string(out.Stdout), "\n"))
	return a, err
}

// release is that of a line "Asterisk 22.10.1 built by …".
func release(lines []string) string {
	if f := strings.Fields(strings.Join(lines, "\n")); len(f) > 1 && f[0] == "Asterisk" {
		return f[1]
	}
	return ""
}

// registrationRE is the state of a registration, in its last column.
var registrationRE = regexp.MustCompile(`\s(Unregistered|Registered|Rejected|Stopped)\b`)

// first is the first word of a line.
func first(line string) string {
	if f := strings.Fields(line); len(f) > 0 {
		return f[0]
	}
	return ""
}

// parameter is the value of a line "name : value".
func parameter(lines []string, name string) string {
	for _, l := range lines {
		if n, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(n) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// The lines of a dial plan: of a context, of a number's first step, of each further one, and of a
// context that it includes.
var (
	contextRE = regexp.MustCompile(`^\[ Context '(.*)' created by `)
	firstRE   = regexp.MustCompile(`^  '(.*)' =>\s+\d+\. (.*)$`)
	stepRE    = regexp.MustCompile(`^\s+\d+\. (.*)$`)
	includeRE = regexp.MustCompile(`^  Include =>\s+'(.*)'`)
)

// readPlan reads what "dialplan show" prints. Where a line comes from is in brackets at its end.
func readPlan(lines []string) []rule {
	var out []rule
	context := ""
	step := func(s string) string {
		if i := strings.LastIndex(s, " ["); i >= 0 {
			s = s[:i]
		}
		return strings.TrimSpace(s)
	}
	for _, l := range lines {
		last := len(out) - 1
		if m := contextRE.FindStringSubmatch(l); m != nil {
			context = m[1]
		} else if m := firstRE.FindStringSubmatch(l); m != nil {
			out = append(out, rule{context, m[1], []string{step(m[2])}})
		} else if m := includeRE.FindStringSubmatch(l); m != nil {
			if last < 0 || out[last].Context != context || out[last].Number != "" {
				out = append(out, rule{Context: context})
				last++
			}
			out[last].Steps = append(out[last].Steps, m[1])
		} else if m := stepRE.FindStringSubmatch(l); m != nil && last >= 0 {
			out[last].Steps = append(out[last].Steps, step(m[1]))
		}
	}
	return out
}

// An endpoint is a phone or a trunk, as far as it decides who may call what.
type endpoint struct {
	There     bool     `json:"there"`
	Context   string   `json:"context,omitempty"`
	Auth      string   `json:"auth,omitempty"`      // that it has to show
	KnownBy   string   `json:"known_by,omitempty"`  // identify_by
	ACL       string   `json:"acl,omitempty"`       // deny/permit if it has addresses that it may have
	Sources   []string `json:"sources,omitempty"`   // addresses that it is known by
	Transport string   `json:"transport,omitempty"` // the socket
	Codecs    string   `json:"codecs,omitempty"`    // in parentheses, with | between them
	Login     string   `json:"login,omitempty"`     // that it shows to others
	CallsAs   string   `json:"calls_as,omitempty"`  // the name and the number that a called phone shows
}

// endpointOf asks for an endpoint by its name.
var endpointOf = &probe.Probe[string, endpoint]{Name: "asterisk.endpoint", Look: lookEndpoint}

func lookEndpoint(ctx context.Context, h probe.Host, name string) (endpoint, error) {
	lines, err := say(ctx, h, "pjsip show endpoint "+name)
	if err != nil {
		return endpoint{}, err
	}
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, " ParameterName") }) {
		return endpoint{}, nil
	}
	e := endpoint{
		There: true, Context: parameter(lines, "context"), Auth: parameter(lines, "auth"), KnownBy: parameter(lines, "identify_by"),
		ACL: parameter(lines, "acl"), Transport: parameter(lines, "transport"), Codecs: parameter(lines, "allow"), Login: parameter(lines, "outbound_auth"),
		CallsAs: parameter(lines, "callerid"),
	}
	if user := parameter(lines, "from_user"); user != "" {
		e.CallsAs = user + "@" + parameter(lines, "from_domain")
	}
	for _, l := range lines {
		if f := strings.Fields(l); len(f) == 2 && f[0] == "Match:" && !strings.HasPrefix(f[1], "<") {
			e.Sources = append(e.Sources, f[1])
		}
	}
	slices.Sort(e.Sources)
	return e, nil
}

// A passwordUse is a file with a password, and the object of Asterisk's that has to have it.
type passwordUse struct {
	Object string `json:"object"`
	File   string `json:"file"`
}

// passwordOf asks whether Asterisk has the password that is in a file. No password leaves the probe.
var passwordOf = &probe.Probe[passwordUse, string]{Name: "asterisk.password", Look: lookPassword}

// The answers.
const (
	samePassword  = "the password of the file"
	otherPassword = "another password"
	noPassword    = "no password"
	noFile        = "no such file"
)

func lookPassword(ctx context.Context, h probe.Host, q passwordUse) (string, error) {
	file, err := h.ReadFile(q.File)
	if errors.Is(err, fs.ErrNotExist) {
		return noFile, nil
	}
	if err != nil {
		return "", err
	}
	lines, err := say(ctx, h, "pjsip show auth "+q.Object)
	if err != nil {
		return "", err
	}
	key, _, _ := strings.Cut(string(file), "\n")
	switch parameter(lines, "password") {
	case "":
		return noPassword, nil
	case key:
		return samePassword, nil
	}
	return otherPassword, nil
}
