package firmware

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// A Series is a series of Linux: 6.12. The zero Series is no bound.
type Series struct{ Major, Minor int }

func (s *Series) UnmarshalText(b []byte) error {
	major, minor, ok := strings.Cut(string(b), ".")
	var err1, err2 error
	s.Major, err1 = strconv.Atoi(major)
	s.Minor, err2 = strconv.Atoi(minor)
	if !ok || err1 != nil || err2 != nil {
		return fmt.Errorf("%q is no series of Linux such as 6.12", b)
	}
	return nil
}

func (s Series) String() string { return fmt.Sprintf("%d.%d", s.Major, s.Minor) }

// Compare orders series by age.
func (s Series) Compare(o Series) int {
	return cmp.Or(cmp.Compare(s.Major, o.Major), cmp.Compare(s.Minor, o.Minor))
}

// A Span is the series that a kernel may turn out to be of, both ends included:
// one series, or those that a moving alias of nixpkgs has stood for.
type Span struct{ First, Last Series }

func (s Span) String() string {
	if s.First == s.Last {
		return s.First.String()
	}
	return s.First.String() + " to " + s.Last.String()
}

// Contains tells whether a kernel release, as uname -r prints it, is of the
// span.
func (s Span) Contains(release string) bool {
	major, rest, _ := strings.Cut(release, ".")
	minor := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	var got Series
	if got.UnmarshalText([]byte(major+"."+minor)) != nil {
		return false
	}
	return s.First.Compare(got) <= 0 && got.Compare(s.Last) <= 0
}

// newest is the newest series whose Kconfig files the table of options was
// made from (Debian's linux-source-7.2).
var newest = Series{7, 2}

// nixpkgsKernels are what a release of nixpkgs calls linuxPackages and
// linuxPackages_latest, by pkgs/top-level/linux-kernels.nix of its branch. The
// latter moves with the branch: 25.11 came with 6.17, 26.05 with 7.0, and both
// went on. What 26.11 comes with is not known yet: not less than 26.05.
var nixpkgsKernels = map[string]struct{ standard, latest Span }{
	"25.11": {Span{Series{6, 12}, Series{6, 12}}, Span{Series{6, 17}, newest}},
	"26.05": {Span{Series{6, 18}, Series{6, 18}}, Span{Series{7, 0}, newest}},
	"26.11": {Span{Series{6, 18}, newest}, Span{Series{7, 0}, newest}},
}
