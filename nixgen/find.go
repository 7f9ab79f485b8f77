package nixgen

import "slices"

// Find is what the module says at a path: an option, or a part of the set that an option
// has as its value. Of a path that options are inside of it is the first of these, by its
// own path; false if there is none.
func (m *Module) Find(path ...string) (Option, bool) {
	if below := m.under[key(path)]; below != nil {
		for _, o := range m.Options() {
			if len(o.Path) > len(path) && slices.Equal(o.Path[:len(path)], path) {
				return o, true
			}
		}
	}
	for i := range path {
		if o := m.options[key(path[:i+1])]; o != nil {
			return part(o.option(), path[i+1:])
		}
	}
	return Option{}, false
}

// part is what is at a path in the value of an option.
func part(o Option, path []string) (Option, bool) {
	if len(path) == 0 {
		return o, true
	}
	attrs, _ := peel(o.Value).(Attrs)
	for _, a := range attrs {
		if n := len(a.Name); n <= len(path) && slices.Equal(a.Name, path[:n]) {
			in := Option{slices.Concat(o.Path, a.Name), a.Value, originOf(a.Value)}
			if in.From == (Origin{}) {
				in.From = o.From
			}
			return part(in, path[n:])
		}
	}
	return Option{}, false
}
