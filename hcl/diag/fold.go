package diag

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// alike is how many diagnostics that say the same are shown. The others are counted.
const alike = 5

// fold parts diagnostics into those to show and the others, by what they say, in the order in
// which they come up. One other is shown, too: to count it takes as much room.
func fold(ds hcl.Diagnostics) (shown hcl.Diagnostics, rest []hcl.Diagnostics) {
	total, seen := map[string]int{}, map[string]int{}
	for _, d := range ds {
		total[kind(d)]++
	}
	at := map[string]int{}
	for _, d := range ds {
		k := kind(d)
		if seen[k]++; seen[k] <= alike || total[k] == alike+1 {
			shown = append(shown, d)
			continue
		}
		i, ok := at[k]
		if !ok {
			i, at[k] = len(rest), len(rest)
			rest = append(rest, nil)
		}
		rest[i] = append(rest[i], d)
	}
	return shown, rest
}

// namesRE fits what differs in the details of diagnostics that say the same: texts in
// quotes, numbers, addresses and names of blocks.
var namesRE = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\S*[0-9]\S*|[^\s.]+\.[^\s.]+`)

func kind(d *hcl.Diagnostic) string {
	return fmt.Sprint(d.Severity, " ", Code(d), " ", d.Summary, " ", namesRE.ReplaceAllString(Text(d), "x"))
}

// folded says of diagnostics that are not shown where they are.
func (w *Writer) folded(ds hcl.Diagnostics) string {
	const most = 8 // places: a reader needs no more
	var files []string
	lines := map[string][]string{}
	places := 0
	for _, d := range ds {
		if d.Subject == nil {
			continue
		}
		file := d.Subject.Filename
		if !slices.Contains(files, file) {
			files = append(files, file)
		}
		line := fmt.Sprint(d.Subject.Start.Line)
		if places < most && !slices.Contains(lines[file], line) {
			lines[file] = append(lines[file], line)
			places++
		}
	}
	var at []string
	for _, file := range files {
		if n := lines[file]; len(n) > 0 {
			at = append(at, fmt.Sprintf("%s line %s", w.file(file), strings.Join(n, ", ")))
		}
	}
	where := ""
	if len(at) > 0 {
		where = ", on " + strings.Join(at, ", ")
		if places == most {
			where += ", …"
		}
	}
	return fmt.Sprintf("%s more: %s [%s]%s.", Count(len(ds), word(ds[0])), ds[0].Summary, Code(ds[0]), where)
}

func word(d *hcl.Diagnostic) string {
	if d.Severity == hcl.DiagWarning {
		return "warning"
	}
	return "error"
}

// Total counts diagnostics, as in "3 errors, 2 warnings"; empty when there are none.
func Total(ds hcl.Diagnostics) string {
	errors, warnings := 0, 0
	for _, d := range ds {
		if d.Severity == hcl.DiagWarning {
			warnings++
		} else {
			errors++
		}
	}
	var parts []string
	if errors > 0 {
		parts = append(parts, Count(errors, "error"))
	}
	if warnings > 0 {
		parts = append(parts, Count(warnings, "warning"))
	}
	return strings.Join(parts, ", ")
}

// Count is a number of things, by the name of one: "1 error", "2 errors".
func Count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
