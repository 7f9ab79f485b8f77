# [2K # ERROR: hidden-character
