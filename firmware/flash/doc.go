// Package flash writes an image to a card and makes sure that it is there: it
// refuses devices that are in use, reads back what it wrote, moves the second
// partition table to the real end of the card, and says after every failure what
// the card is now. It replaces the firmware of a card that exists, and puts files
// into the root file system of one that was just written.
//
// What a card, a failing card and one that lies about its size do is behind Target,
// so that tests can do the same. The package prints nothing and knows no terminal.
package flash
