# allow = ["dns"] ‮ ]"hss"[ # ERROR: hidden-character
