package probe

import (
	"context"
	"strings"
)

// A Setting is a keyword of a configuration file.
type Setting struct {
	File    string `json:"file"`
	Keyword string `json:"keyword"`
}

// Settings asks for the values of a keyword in a file with one setting a line: "Keyword
// value" or "keyword = value", with # before comments. The values come in the order of the
// lines; whether the first or the last counts is for the program of the file to say. Ask
// for no keyword whose value may be a secret.
var Settings = &Probe[Setting, []string]{Name: "file.settings", Look: settings}

func settings(_ context.Context, h Host, q Setting) ([]string, error) {
	text, err := h.ReadFile(q.File)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for l := range strings.Lines(string(text)) {
		l = strings.TrimSpace(l)
		i := strings.IndexAny(l, " \t=")
		if i < 0 || !strings.EqualFold(l[:i], q.Keyword) {
			continue
		}
		out = append(out, strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(l[i:]), "=")))
	}
	return out, nil
}
