// Package bootlog reads what a board says on its serial port while it starts:
// the boot ROM, the loaders, Linux and systemd. It tells from which medium it
// started, how much memory each stage saw and why, which versions ran, and where
// it stopped.
//
// Read turns lines into data and judges nothing; Diagnose judges the data and
// reads nothing. A log may be gigabytes, a live port or a file from anywhere: memory is
// bounded, and no byte that a terminal would obey gets through.
package bootlog
