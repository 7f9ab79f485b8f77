package conf

import (
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// A listed is an attribute whose value is a list.
type listed interface {
	// none tells whether it is there and has no element.
	none() bool
	// place is where it stands.
	place() hcl.Range
	// twice is an element that stands in it a second time, and the first time; false if
	// there is none.
	twice() (second, first hcl.Range, ok bool)
}

// refused begins the tag empty of a list that must not be empty: what follows is why, and what
// to do. In other lists it is what an empty one does, which is warned of. A list without the tag may be
// empty.
const refused = "error: "

// judgeList finds lists that do nothing because nothing is in them, and elements that add
// nothing because they are there already.
func judgeList(f field, l listed) hcl.Diagnostics {
	if l.none() && f.empty != "" {
		why, help, _ := strings.Cut(f.empty, ". ")
		d := diag.Warning("empty-list", l.place(), "Empty list", "%s is empty: %s.", f.name, why)
		if f.refuse {
			d.Severity = hcl.DiagError
		}
		return hcl.Diagnostics{diag.Help(d, "%s", help)}
	}
	if second, first, ok := l.twice(); ok && !f.repeat {
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("named-twice", second, "Named twice",
			"The same value stands in %s twice.", f.name),
			"Remove one of the two."), first, "the first time")}
	}
	return nil
}

func (l *List[T]) none() bool { return l.Set && len(l.Items) == 0 }

func (l *List[T]) place() hcl.Range { return l.Range }

func (l *List[T]) twice() (second, first hcl.Range, ok bool) {
	if !reflect.TypeFor[T]().Comparable() {
		return second, first, false
	}
	seen := map[any]hcl.Range{}
	for _, it := range l.Items {
		if before, dup := seen[any(it.V)]; dup {
			return it.Range, before, true
		}
		seen[any(it.V)] = it.Range
	}
	return second, first, false
}

func (r *Refs[T]) none() bool { return r.Set && len(r.Items) == 0 }

func (r *Refs[T]) place() hcl.Range { return r.Range }

// twice leaves it to link, which knows what each name stands for.
func (r *Refs[T]) twice() (second, first hcl.Range, ok bool) { return second, first, false }
