package graph

import "strings"

// Width is how much room a text of a class of the drawing has at most.
func Width(class, text string) int {
	for _, f := range []font{titleFont, headFont, zoneFont, nameFont, noteFont, openFont, addrFont} {
		if f.class == class {
			return f.width(text)
		}
	}
	if strings.HasPrefix(class, "v ") {
		return noteFont.width(text)
	}
	panic("no class " + class)
}

// Size is the size of a class of text.
func Size(class string) int {
	for _, f := range []font{titleFont, headFont, zoneFont, nameFont, addrFont} {
		if f.class == class {
			return f.size
		}
	}
	return noteFont.size
}

// Palette, Style, Clean and Plain are for the tests.
var (
	Palette = palette
	Style   = style()
	Clean   = clean
	Plain   = plain
	Regular = regular
	Bold    = bold
)

// Selector, Property, Light and Dark are the parts of a colour.
func (c colour) Selector() string { return c.selector }
func (c colour) Property() string { return c.property }
func (c colour) Light() string    { return c.light }
func (c colour) Dark() string     { return c.dark }
